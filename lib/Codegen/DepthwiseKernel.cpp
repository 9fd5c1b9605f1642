//===- DepthwiseKernel.cpp - the generator of depthwise convolutions --------===//
//
//   forall part:                       bands of output rows of one image, by shape only
//     for block of channels:           its weights stay in registers or the first cache
//       for band: for tile of positions, the same in each of the band's rows:
//         for tap column under the tile, each read and interleaved once:
//           one dot for each vector, each position that the column is under and each row of the band
//         epilogue, store
//
// A dot of 4 bytes multiplies 4 rows of the input at once; the rows' bytes are interleaved on the way (see
// DepthwiseLayout.h), and serve all rows of a band. Dots of one element take the rows one by one.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/DotEmitter.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <map>

using namespace mlir;
using namespace mlir::halftone;

/// Multiply-accumulates of one part; their dots are dear, so it is less than a contraction's.
static constexpr int64_t kPartWork = int64_t(1) << 17;
/// Positions of a tile in each of its rows, for 1 and 2 of them: 16 accumulators.
static constexpr int64_t kTileWidths[] = {4, 2};
/// The same for blocks of one vector of words instead of 4.
static constexpr int64_t kNarrowWidths[] = {8, 8};
/// Weights that registers cannot hold are read by each tile, and not copied to the stack first, for the sake of so few tiles.
static constexpr int64_t kFewTiles = 8;
static constexpr int64_t kRegisters = 32;
/// Of more taps than this, a tile is one position.
static constexpr int64_t kManyTaps = 64;

namespace {

/// `count` bands of an image's rows, in two heights that differ by one: the tall ones first.
struct RowBands {
  int64_t count, low, tallCount;
  RowBands(int64_t rows, int64_t most) : count(llvm::divideCeil(rows, most)), low(rows / count), tallCount(rows % count) {}
  int64_t tall() const { return low + 1; }
};

class DepthwiseKernel {
public:
  DepthwiseKernel(ContractOp op, const DepthwiseLayout &layout, const Isa &isa)
      : op(op), layout(layout), b(op.getLoc(), op), walk(b, op),
        manyTaps(layout.kernelHeight * layout.kernelWidth > kManyTaps),
        bands(walk.linesOfImage(), manyTaps || walk.linesOfImage() == 1 ? 1 : layout.outputRows) {
    for (int64_t row = 0; row < layout.outputRows; ++row)
      epilogues.emplace_back(b, op, walk, isa);
  }
  void emit();

private:
  void emitBlock(const ChannelBlocks &blocks, Value index, Bounds range);
  void emitBand(Value band);
  void emitLines(int64_t height, Value line);
  void emitTile(int64_t height, int64_t width, Value position);
  int64_t bandTiles(int64_t height) const;
  bool readsWeights(int64_t height, int64_t width) const;

  using Vectors = SmallVector<DotEmitter::Activation>;
  SmallVector<Value> emitStart(int64_t positions);
  Vectors emitColumn(Value offset, int64_t group, int64_t height);
  SmallVector<Value> interleave(ArrayRef<Value> rows);
  Value joinRows(ArrayRef<Value> rows);
  Value loadRow(Value offset, int64_t elements, int64_t valid);

  ContractOp op;
  const DepthwiseLayout &layout;
  ImplicitLocOpBuilder b;
  OutputWalk walk;
  SmallVector<TileEpilogue> epilogues; ///< of each row of a band
  const bool manyTaps;
  const RowBands bands;
  int64_t bandsPerPart = 1;
  FlatBuffer weightBuffer;

  // The state of the loops around a tile.
  const ChannelBlocks *block = nullptr;
  std::optional<DotEmitter> dots;
  Value firstChannel, blockWeights, inputLine;
};

} // namespace

void mlir::halftone::emitDepthwiseKernel(ContractOp op, const DepthwiseLayout &layout, const Isa &isa) {
  DepthwiseKernel(op, layout, isa).emit();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void DepthwiseKernel::emit() {
  weightBuffer = flatten(b, op.getWeights());
  int64_t span = ShapedType::isDynamic(walk.span()) ? 1 : walk.span();
  int64_t lineWork = span * layout.channels * layout.kernelHeight * layout.kernelWidth;
  bandsPerPart = std::max<int64_t>(1, kPartWork / (lineWork * (bands.low + (bands.tallCount ? 1 : 0))));
  Value images = b.createOrFold<arith::DivUIOp>(walk.emitLineCount(b), indexConstant(b, walk.linesOfImage()));
  Value bandCount = mul(b, images, bands.count);
  SmallVector<ChannelBlocks> all = layout.blocks();
  emitParts(b, pieceCount(b, bandCount, bandsPerPart), [&](Value part) {
    Bounds range = pieceBounds(b, part, bandsPerPart, bandCount);
    for (const ChannelBlocks &blocks : all)
      emitLoop(b, {indexConstant(b, 0), indexConstant(b, blocks.count)}, 1,
               [&](Value index) { emitBlock(blocks, index, range); });
  });
}

void DepthwiseKernel::emitBlock(const ChannelBlocks &blocks, Value index, Bounds range) {
  block = &blocks;
  dots.emplace(*layout.kernel, blocks.lanes, layout.storedUnsigned);
  firstChannel = add(b, mul(b, index, blocks.valid), blocks.first);
  blockWeights = add(b, mul(b, index, blocks.elements), blocks.offset);
  emitLoop(b, range, 1, [&](Value band) { emitBand(band); });
}

/// One of the bands of all images. Where their heights differ, one of two loops runs once and the other not at all.
void DepthwiseKernel::emitBand(Value band) {
  if (!bands.tallCount)
    return emitLines(bands.low, mul(b, band, bands.low));
  Value count = indexConstant(b, bands.count);
  Value image = b.createOrFold<arith::DivUIOp>(band, count), index = b.createOrFold<arith::RemUIOp>(band, count);
  Value imageLine = mul(b, image, walk.linesOfImage());
  auto lineOf = [&](Value i) {
    return add(b, add(b, imageLine, mul(b, i, bands.low)), minimum(b, i, indexConstant(b, bands.tallCount)));
  };
  Value begin = lineOf(index), end = lineOf(add(b, index, 1));
  Value talls = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(end, begin), indexConstant(b, bands.tall()));
  Value border = add(b, begin, mul(b, talls, bands.tall()));
  emitLoop(b, {begin, border}, bands.tall(), [&](Value line) { emitLines(bands.tall(), line); });
  emitLoop(b, {border, end}, bands.low, [&](Value line) { emitLines(bands.low, line); });
}

/// Tiles of a band, whose number of positions is static.
int64_t DepthwiseKernel::bandTiles(int64_t height) const {
  const bool narrow = layout.interleaves() && block->vectors == 1;
  return llvm::divideCeil(walk.span(), manyTaps ? 1 : (narrow ? kNarrowWidths : kTileWidths)[height - 1]);
}

/// Tiles of two widths that differ by one; single positions if their number is dynamic.
void DepthwiseKernel::emitLines(int64_t height, Value line) {
  inputLine = add(b, walk.emitLineOffset(b, walk.input, line), firstChannel);
  for (int64_t row = 0; row < height; ++row)
    epilogues[row].enterLine(add(b, line, row));
  Value zero = indexConstant(b, 0), end = walk.emitSpan(b);
  if (ShapedType::isDynamic(walk.span()))
    return emitLoop(b, {zero, end}, 1, [&](Value position) { emitTile(height, 1, position); });
  int64_t span = walk.span(), tiles = bandTiles(height);
  int64_t low = span / tiles, wide = low + 1, wideRows = (span - low * tiles) * wide;
  Value border = indexConstant(b, wideRows);
  if (wideRows)
    emitLoop(b, {zero, border}, wide, [&](Value position) { emitTile(height, wide, position); });
  emitLoop(b, {border, end}, low, [&](Value position) { emitTile(height, low, position); });
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

SmallVector<Value> DepthwiseKernel::emitStart(int64_t positions) {
  VectorType type = dots->accumulatorType(b.getContext());
  SmallVector<Value> accumulators;
  for (int64_t vector = 0; vector < block->vectors; ++vector) {
    if (!layout.kernel->hasStart()) {
      accumulators.push_back(arith::ConstantOp::create(b, b.getZeroAttr(type)));
      continue;
    }
    Value offset = add(b, blockWeights, vector * block->lanes * layout.kernel->step);
    accumulators.push_back(vector::BitCastOp::create(b, type, dots->loadWeights(b, weightBuffer.memory, offset)));
  }
  SmallVector<Value> all;
  for (int64_t i = 0; i < positions; ++i)
    llvm::append_range(all, accumulators);
  return all;
}

/// Whether each tile reads its weights from their place: those of all its rows, groups and taps do not fit beside its accumulators.
bool DepthwiseKernel::readsWeights(int64_t height, int64_t width) const {
  const int64_t weights = height * layout.rowGroups(height) * layout.kernelWidth * block->vectors;
  return !ShapedType::isDynamic(walk.span()) && bandTiles(height) * bandsPerPart <= kFewTiles && weights + height * width * block->vectors > kRegisters;
}

/// Accumulators are ordered by row, position and vector.
void DepthwiseKernel::emitTile(int64_t height, int64_t width, Value position) {
  const int64_t positionStride = walk.positionStride(walk.input);
  const int64_t tapStride = walk.input.flat.strides[2] * op.getDilations()[1];
  Value input = add(b, inputLine, mul(b, position, positionStride));
  // The columns under the tile by their offset, each with the (position, tap) pairs that read it. Ascending offsets are
  // ascending taps for each position: the order of the chain of a float sum.
  std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>> columns;
  for (int64_t tap = 0; tap < layout.kernelWidth; ++tap)
    for (int64_t i = 0; i < width; ++i)
      columns[i * positionStride + tap * tapStride].push_back({i, tap});

  const int64_t step = layout.kernel->step, vectors = block->vectors;
  SmallVector<Value> accumulators = emitStart(height * width);
  const int64_t tapWeights = block->width() * step;
  Value weights = add(b, blockWeights, layout.kernel->hasStart() ? tapWeights : 0);
  if (readsWeights(height, width))
    weights = keepInLoop(b, weights);
  for (int64_t group = 0; group < layout.rowGroups(height); ++group)
    for (auto &[offset, uses] : columns) {
      Vectors activations = emitColumn(add(b, input, offset), group, height);
      for (int64_t row = 0; row < height; ++row) {
        const bool reads = group * step < row + layout.kernelHeight && row < (group + 1) * step;
        for (auto [i, tap] : reads ? ArrayRef(uses) : ArrayRef<std::pair<int64_t, int64_t>>())
          for (int64_t vector = 0; vector < vectors; ++vector) {
            const int64_t at = layout.tapPlace(row, group, tap) * tapWeights + vector * block->lanes * step;
            Value &accumulator = accumulators[(row * width + i) * vectors + vector];
            accumulator = dots->dot(b, accumulator, activations[vector],
                                    dots->loadWeights(b, weightBuffer.memory, add(b, weights, at)));
          }
      }
    }
  const bool interleaved = layout.isInterleaved(*block) && block->valid == block->width();
  for (int64_t row = 0; row < height; ++row)
    epilogues[row].emit(width, position, {firstChannel, block->lanes, vectors, block->valid, interleaved},
                        ArrayRef(accumulators).slice(row * width * vectors, width * vectors));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value DepthwiseKernel::loadRow(Value offset, int64_t elements, int64_t valid) {
  return loadLanes(b, walk.input.flat, offset, 1, elements, std::clamp<int64_t>(valid, 0, elements));
}

/// The activations of one tap column for `height` output rows, one for each of the block's vectors.
DepthwiseKernel::Vectors DepthwiseKernel::emitColumn(Value offset, int64_t group, int64_t height) {
  const int64_t rowStride = walk.input.flat.strides[1] * op.getDilations()[0];
  Vectors activations;
  if (!layout.interleaves()) {
    Value row = add(b, offset, group * rowStride);
    for (int64_t vector = 0; vector < block->vectors; ++vector)
      activations.push_back(dots->prepareActivation(
          b, loadRow(add(b, row, vector * block->lanes), block->lanes, block->valid - vector * block->lanes)));
    return activations;
  }
  SmallVector<Value> rows;
  for (int64_t i = 0; i < layout.kernel->step; ++i) {
    int64_t row = group * layout.kernel->step + i;
    // Rows that no window has meet zero weights; a second pair that is the first one needs no shuffles.
    rows.push_back(row < layout.inputRows(height) ? loadRow(add(b, offset, row * rowStride), block->width(), block->valid)
                                                  : rows[i < 2 ? 0 : i - 2]);
  }
  for (Value words : layout.isInterleaved(*block) ? interleave(rows) : SmallVector<Value>{joinRows(rows)})
    activations.push_back(dots->prepareActivation(b, words));
  return activations;
}

/// Alternates the units (of `unit` bytes) of the low or high halves of each 16 bytes of x and y.
static Value unpack(ImplicitLocOpBuilder &b, Value x, Value y, int64_t unit, bool high) {
  const int64_t bytes = cast<VectorType>(x.getType()).getDimSize(0), chunk = 16;
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < bytes; ++i) {
    int64_t inChunk = i % chunk, pair = inChunk / (2 * unit);
    bool second = inChunk / unit % 2;
    order.push_back(i - inChunk + (high ? chunk / 2 : 0) + pair * unit + inChunk % unit + (second ? bytes : 0));
  }
  return vector::ShuffleOp::create(b, x, y, order);
}

/// Four rows of bytes to four vectors of words; a word holds the four rows' bytes of one channel.
SmallVector<Value> DepthwiseKernel::interleave(ArrayRef<Value> rows) {
  SmallVector<Value> words;
  for (bool high : {false, true}) {
    Value first = unpack(b, rows[0], rows[1], 1, high), second = unpack(b, rows[2], rows[3], 1, high);
    words.push_back(unpack(b, first, second, 2, false));
    words.push_back(unpack(b, first, second, 2, true));
  }
  return words;
}

/// Four rows of bytes to one vector of words, in the order of the channels.
Value DepthwiseKernel::joinRows(ArrayRef<Value> rows) {
  const int64_t channels = block->lanes, step = layout.kernel->step;
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < channels * step; ++i)
    order.push_back(i % step * channels + i / step);
  SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, 2 * channels));
  Value upper = vector::ShuffleOp::create(b, rows[0], rows[1], both), lower = vector::ShuffleOp::create(b, rows[2], rows[3], both);
  return vector::ShuffleOp::create(b, upper, lower, order);
}
