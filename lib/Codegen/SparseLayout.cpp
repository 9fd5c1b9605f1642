//===- SparseLayout.cpp - weights of which only some quads are stored -------===//
#include "halftone/Codegen/SparseLayout.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

/// Vectors of accumulators of a strip: with one chunk they go on to the epilogue at once, else they wait for all chunks.
static constexpr int64_t kStripVectors = 4096;
/// Vectors of positions in a tile. Low tiles have longer chunks, so fewer lists for each column; high ones find each quad for
/// more positions.
static constexpr int64_t kLowTile = 4, kHighTile = 8;
/// Fewer positions do not fill a tile.
static constexpr int64_t kLeastPositions = 16;
/// Activations are transposed by so many channels at a time.
static constexpr int64_t kLeastChannels = 16;

int64_t SparseLayout::stripColumns() const {
  return chunks() == 1 ? panelColumns() : std::min<int64_t>(kStripVectors / tileVectors, llvm::alignTo(columns, panelColumns()));
}

namespace {

/// One list: the quads of one column in one chunk.
struct QuadList {
  int64_t column;
  std::vector<std::pair<uint8_t, int64_t>> quads; ///< place, and first row of the weights
  int64_t pairs() const { return llvm::divideCeil(quads.size(), 2); }
};

} // namespace

/// The quads of a column in a chunk that are not zero.
static QuadList collectList(const SparseLayout &layout, ArrayRef<int8_t> weights, int64_t chunk, int64_t column) {
  QuadList list{column, {}};
  const int64_t firstTap = chunk / layout.splits() * layout.tapsPerChunk();
  const int64_t lastTap = std::min(firstTap + layout.tapsPerChunk(), layout.taps());
  const int64_t firstChannel = chunk % layout.splits() * layout.splitChannels();
  const int64_t lastChannel = std::min(firstChannel + layout.splitChannels(), layout.channels);
  int64_t place = 0;
  for (int64_t tap = firstTap; tap < lastTap; ++tap)
    for (int64_t channel = firstChannel; channel < lastChannel; channel += SparseLayout::kQuad, ++place) {
      const int64_t row = tap * layout.channels + channel;
      bool zero = true;
      for (int64_t i = 0; i < SparseLayout::kQuad; ++i)
        zero &= weights[(row + i) * layout.columns + column] == 0;
      if (!zero)
        list.quads.push_back({static_cast<uint8_t>(place), row});
    }
  return list;
}

/// Sums of the columns, for the start: what flipping the activations' sign bit adds is taken away there, modulo 2^32.
static void writeStarts(const SparseLayout &layout, ArrayRef<int8_t> weights, ArrayRef<int32_t> bias, char *out) {
  for (int64_t column = 0; column < layout.columns; ++column) {
    int32_t sum = 0;
    for (size_t at = column; at < weights.size(); at += layout.columns)
      sum += weights[at];
    const uint32_t start = layout.kernel->startOf(bias[column], sum);
    std::memcpy(out + column * sizeof(start), &start, sizeof(start));
  }
}

/// Calls visit(strip, chunk, lists) for the lists of each strip and chunk, the longest first.
template <typename Visit>
static void forEachLists(const SparseLayout &layout, ArrayRef<int8_t> weights, Visit visit) {
  for (int64_t strip = 0; strip < layout.strips(); ++strip)
    for (int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
      const int64_t first = strip * layout.stripColumns(), last = std::min(first + layout.stripColumns(), layout.columns);
      std::vector<QuadList> lists;
      for (int64_t column = first; column < last; ++column)
        lists.push_back(collectList(layout, weights, chunk, column));
      llvm::sort(lists, [](const QuadList &a, const QuadList &b) {
        return std::make_pair(b.quads.size(), a.column) < std::make_pair(a.quads.size(), b.column);
      });
      visit(strip, chunk, lists);
    }
}

std::vector<int8_t> SparseLayout::pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const {
  std::vector<int8_t> packed(elements(), 0);
  char *out = reinterpret_cast<char *>(packed.data());
  writeStarts(*this, weights, bias, out);
  int64_t quad = 0;
  forEachLists(*this, weights, [&](int64_t strip, int64_t chunk, ArrayRef<QuadList> found) {
    const int64_t number = strip * chunks() + chunk;
    const uint32_t first = quad;
    std::memcpy(out + firstsOffset() + number * sizeof(first), &first, sizeof(first));
    for (auto [i, list] : llvm::enumerate(found)) {
      const uint32_t word = static_cast<uint32_t>(list.pairs() << 16 | (list.column - strip * stripColumns()));
      std::memcpy(out + listsOffset() + (number * stripColumns() + i) * sizeof(word), &word, sizeof(word));
      for (auto [k, entry] : llvm::enumerate(list.quads)) {
        packed[placesOffset() + quad + k] = static_cast<int8_t>(entry.first);
        for (int64_t j = 0; j < kQuad; ++j)
          packed[quadsOffset() + (quad + k) * kQuad + j] = weights[(entry.second + j) * columns + list.column];
      }
      quad += 2 * list.pairs();
    }
  });
  return packed;
}

DictionaryAttr SparseLayout::toAttribute(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr({b.getNamedAttr("kind", b.getStringAttr(kernel->name)),
                              b.getNamedAttr("lanes", b.getI64IntegerAttr(kernel->lanes)),
                              b.getNamedAttr("columns", b.getI64IntegerAttr(stripColumns())),
                              b.getNamedAttr("run", b.getI64IntegerAttr(kQuad)),
                              b.getNamedAttr("kernel", b.getDenseI64ArrayAttr({kernelHeight, kernelWidth, channels})),
                              b.getNamedAttr("tile", b.getI64IntegerAttr(tileVectors)),
                              b.getNamedAttr("quads", b.getI64IntegerAttr(quads))});
}

SmallVector<SparseLayout, 2> SparseLayout::forContract(ContractOp op, const DotKernel &kernel) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getWeights().getType()).getShape();
  ArrayRef<int64_t> output = cast<ShapedType>(op.getOutput().getType()).getShape();
  const bool convolution = shape.size() == 4;
  const int64_t channels = shape[shape.size() - 2];
  ArrayRef<int64_t> extents = convolution ? output.slice(1, 2) : output.take_front(1);
  if (llvm::is_contained(extents, ShapedType::kDynamic))
    return {};
  int64_t positions = ShapedType::getNumElements(extents);
  if (positions == 1 && convolution && !ShapedType::isDynamic(output[0]))
    positions = output[0];
  if (kernel.step != kQuad || kernel.rowsPerDot() != 1 || op.getGroups() != 1 || channels % kQuad != 0 ||
      channels < kLeastChannels || positions < kLeastPositions)
    return {};
  SmallVector<SparseLayout, 2> layouts;
  for (int64_t vectors : {kLowTile, kHighTile}) {
    SparseLayout layout = {&kernel, convolution ? shape[0] : 1, convolution ? shape[1] : 1, channels, shape.back(), vectors};
    // The last split of a tap is wide enough to be transposed, and a high tile has more positions than a low one.
    const bool fits = channels - (layout.splits() - 1) * layout.splitChannels() >= kLeastChannels;
    if (fits && (vectors == kLowTile || positions > kLowTile * kernel.lanes))
      layouts.push_back(layout);
  }
  return layouts;
}

void SparseLayout::countQuads(ArrayRef<int8_t> weights) {
  quads = 0;
  forEachLists(*this, weights, [&](int64_t, int64_t, ArrayRef<QuadList> lists) {
    for (const QuadList &list : lists)
      quads += 2 * list.pairs();
  });
}

void SparseLayout::expectQuads(double sparsity) {
  // Every other list is filled up to a pair.
  quads = std::llround((1 - sparsity) * double(allQuads()) + 0.5 * double(chunks() * columns));
}

std::optional<SparseLayout> SparseLayout::fromAttribute(ContractOp op) {
  DictionaryAttr packing = op.getPackingAttr();
  auto quads = packing ? packing.getAs<IntegerAttr>("quads") : IntegerAttr();
  auto tile = packing ? packing.getAs<IntegerAttr>("tile") : IntegerAttr();
  auto kind = packing ? packing.getAs<StringAttr>("kind") : StringAttr();
  auto kernel = packing ? packing.getAs<DenseI64ArrayAttr>("kernel") : DenseI64ArrayAttr();
  const DotKernel *row = kind ? findDotKernel(kind.getValue()) : nullptr;
  if (!quads || !tile || !row || !kernel || kernel.size() != 3)
    return std::nullopt;
  const int64_t columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
  return SparseLayout{row,           kernel[0],      kernel[1], kernel[2], columns, tile.getInt(), quads.getInt(),
                      packing.contains("unsigned")};
}
