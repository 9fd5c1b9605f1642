//===- SparseLayout.cpp - weights of which only some quads are stored -------===//
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/Packing.h"
#include <bitset>
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

/// Vectors of accumulators of a strip whose accumulators wait for all chunks. With one chunk they go on to the epilogue at once, and a
/// strip has so many panels, enough for columns to find partners.
static constexpr int64_t kStripVectors = 4096, kStripPanels = 2;
/// Vectors of positions in a tile. Low tiles have longer chunks, so fewer lists for each column; high ones find each quad for
/// more positions.
static constexpr int64_t kTileHeights[] = {4, 8};
/// Fewer positions do not fill a tile.
static constexpr int64_t kLeastPositions = 16;
/// Activations are transposed by so many channels at a time.
static constexpr int64_t kLeastChannels = 16;
/// Lanes of the shortest dots.
static constexpr int64_t kLeastLanes = 4;
/// Partners that are looked at for a column, and what filling up by one quad costs in places that two columns share: the dot
/// of a zero costs a whole dot, a shared place saves a load for two.
static constexpr size_t kPartners = 64;
static constexpr int64_t kFillingCost = 2;

int64_t SparseLayout::lastLanes(int64_t positions) const {
  const int64_t rest = positions % kernel->lanes;
  const int64_t vectors = llvm::divideCeil(positions, kernel->lanes), tiles = llvm::divideCeil(vectors, tileVectors);
  const bool isShort = llvm::is_contained({DotKind::Vpdpbusd, DotKind::Maddubs, DotKind::Narrow}, kernel->dot);
  if (rest == 0 || !isShort || (sharesEvenly() && tiles > 1 && vectors % tiles != 1))
    return kernel->lanes;
  return std::max<int64_t>(kLeastLanes, llvm::bit_ceil(static_cast<uint64_t>(rest)));
}

int64_t SparseLayout::stripColumns() const {
  const int64_t most = chunks() == 1 ? kStripPanels * panelColumns() : llvm::alignDown(kStripVectors / tileVectors, panelColumns());
  return std::min<int64_t>(most, llvm::alignTo(columns, panelColumns()));
}

namespace {

/// The quads of one column in one chunk.
struct ColumnQuads {
  int64_t column;
  std::vector<std::pair<uint8_t, int64_t>> quads; ///< place, and first row of the weights
  std::bitset<256> places;
};

/// One list: two columns, of which the shorter one is filled up. The places that both have come first.
struct QuadList {
  ColumnQuads columns[2];
  size_t shared() const { return (columns[0].places & columns[1].places).count(); }
  size_t count() const { return std::max(columns[0].quads.size(), columns[1].quads.size()); }
};

} // namespace

/// The quads of a column in a chunk that are not zero.
static ColumnQuads collectQuads(const SparseLayout &layout, ArrayRef<int8_t> weights, int64_t chunk, int64_t column) {
  ColumnQuads found{column, {}, {}};
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
      if (zero)
        continue;
      found.quads.push_back({static_cast<uint8_t>(place), row});
      found.places.set(place);
    }
  return found;
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

/// Two columns as a list.
static QuadList joinColumns(const ColumnQuads &first, const ColumnQuads &second) {
  QuadList list = {{first, second}};
  const std::bitset<256> both = first.places & second.places;
  for (ColumnQuads &column : list.columns)
    llvm::sort(column.quads, [&](const auto &a, const auto &b) {
      return std::make_pair(both.test(b.first), a.first) < std::make_pair(both.test(a.first), b.first);
    });
  return list;
}

/// Columns in pairs, the longest first, each with the partner of about its length that shares most of its places: for these,
/// activations are loaded once. A column without a partner is its own: it is computed twice.
static std::vector<QuadList> pairColumns(std::vector<ColumnQuads> columns) {
  llvm::sort(columns, [](const ColumnQuads &a, const ColumnQuads &b) {
    return std::make_pair(b.quads.size(), a.column) < std::make_pair(a.quads.size(), b.column);
  });
  std::vector<QuadList> lists;
  while (!columns.empty()) {
    const ColumnQuads first = columns.front();
    columns.erase(columns.begin());
    if (columns.empty()) {
      lists.push_back(joinColumns(first, first));
      break;
    }
    auto gain = [&](const ColumnQuads &other) {
      const int64_t filled = first.quads.size() - other.quads.size();
      return static_cast<int64_t>((first.places & other.places).count()) - kFillingCost * filled;
    };
    auto end = columns.begin() + std::min(columns.size(), kPartners);
    auto best = std::max_element(columns.begin(), end, [&](const auto &a, const auto &b) { return gain(a) < gain(b); });
    lists.push_back(joinColumns(first, *best));
    columns.erase(best);
  }
  // Loops of the same lengths follow one another, and at each step of one length the other one turns back: branch prediction
  // misses where a length changes.
  auto order = [](const QuadList &list) {
    const int64_t shared = list.shared(), count = list.count();
    return std::make_tuple(-shared, shared % 2 == 0 ? -count : count, list.columns[0].column);
  };
  llvm::sort(lists, [&](const QuadList &a, const QuadList &b) { return order(a) < order(b); });
  return lists;
}

/// Calls visit(strip, chunk, lists) for the lists of each strip and chunk.
template <typename Visit>
static void forEachLists(const SparseLayout &layout, ArrayRef<int8_t> weights, Visit visit) {
  for (int64_t strip = 0; strip < layout.strips(); ++strip)
    for (int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
      const int64_t first = strip * layout.stripColumns(), last = std::min(first + layout.stripColumns(), layout.columns);
      std::vector<ColumnQuads> found;
      for (int64_t column = first; column < last; ++column)
        found.push_back(collectQuads(layout, weights, chunk, column));
      visit(strip, chunk, pairColumns(std::move(found)));
    }
}

std::vector<int8_t> SparseLayout::pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const {
  std::vector<int8_t> packed(elements(), 0);
  char *out = reinterpret_cast<char *>(packed.data());
  writeStarts(*this, weights, bias, out);
  int64_t quad = 0;
  auto writeColumn = [&](const ColumnQuads &column, int64_t place) {
    for (auto [k, entry] : llvm::enumerate(column.quads)) {
      packed[placesOffset() + place + 2 * k] = static_cast<int8_t>(entry.first);
      for (int64_t j = 0; j < kQuad; ++j)
        packed[quadsOffset() + (place + 2 * k) * kQuad + j] = weights[(entry.second + j) * columns + column.column];
    }
  };
  forEachLists(*this, weights, [&](int64_t strip, int64_t chunk, ArrayRef<QuadList> lists) {
    const int64_t number = strip * chunks() + chunk;
    const uint32_t first = quad;
    std::memcpy(out + firstsOffset() + number * sizeof(first), &first, sizeof(first));
    for (auto [i, list] : llvm::enumerate(lists)) {
      auto inStrip = [&](const ColumnQuads &column) { return static_cast<uint32_t>(column.column - strip * stripColumns()); };
      const uint32_t words[] = {inStrip(list.columns[1]) << 16 | inStrip(list.columns[0]),
                                static_cast<uint32_t>(list.count() << 16 | list.shared())};
      static_assert(sizeof(words) == kListBytes);
      std::memcpy(out + listsOffset() + (number * stripLists() + i) * kListBytes, words, kListBytes);
      for (int64_t k = 0; k < 2; ++k)
        writeColumn(list.columns[k], quad + k);
      quad += 2 * list.count();
    }
  });
  return packed;
}

DictionaryAttr SparseLayout::toAttribute(MLIRContext *context) const {
  Builder b(context);
  NamedAttrList packing;
  packing.append("run", b.getI64IntegerAttr(kQuad));
  packing.append("tile", b.getI64IntegerAttr(tileVectors));
  packing.append("quads", b.getI64IntegerAttr(quads));
  return Packing{kernel, stripColumns(), {kernelHeight, kernelWidth, channels}}.toAttribute(context, packing);
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
  int64_t lower = 0;
  for (int64_t vectors : kTileHeights) {
    SparseLayout layout = {&kernel, convolution ? shape[0] : 1, convolution ? shape[1] : 1, channels, shape.back(), vectors};
    // The last split of a tap is wide enough to be transposed, and a higher tile has more positions.
    const bool fits = channels - (layout.splits() - 1) * layout.splitChannels() >= kLeastChannels;
    if (fits && positions > lower * kernel.lanes)
      layouts.push_back(layout);
    lower = vectors;
  }
  return layouts;
}

void SparseLayout::countQuads(ArrayRef<int8_t> weights) {
  quads = 0;
  forEachLists(*this, weights, [&](int64_t, int64_t, ArrayRef<QuadList> lists) {
    for (const QuadList &list : lists)
      quads += 2 * list.count();
  });
}

void SparseLayout::expectQuads(double sparsity) {
  quads = std::llround((1 - sparsity) * double(allQuads()));
}

std::optional<SparseLayout> SparseLayout::fromAttribute(ContractOp op) {
  std::optional<Packing> packing = Packing::of(op);
  auto quads = packing ? op.getPackingAttr().getAs<IntegerAttr>("quads") : IntegerAttr();
  auto tile = packing ? op.getPackingAttr().getAs<IntegerAttr>("tile") : IntegerAttr();
  if (!quads || !tile)
    return std::nullopt;
  const auto [height, width, channels] = packing->window;
  const int64_t columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
  return SparseLayout{packing->kernel, height, width, channels, columns, tile.getInt(), quads.getInt(), op.getPackingAttr().contains("unsigned")};
}
