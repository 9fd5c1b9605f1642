//===- DepthwiseKernel.cpp - the generator of depthwise convolutions --------===//
//
//   forall part:                       lines of the output, by shape only
//     for block of channels:           its weights stay in registers or the first cache
//       for line: for tile of positions:
//         for tap column under the tile, each read and interleaved once:
//           one dot for each vector and each position that the column is under
//         epilogue, store
//
// A dot of 4 bytes multiplies 4 rows of the kernel at once; the rows' bytes are interleaved on the way (see
// DepthwiseLayout.h). Dots of one element take the rows one by one.
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
/// Positions of a tile; fewer where a position has more than this many taps.
static constexpr int64_t kTileHeight = 4;
static constexpr int64_t kManyTaps = 64;

namespace {

class DepthwiseKernel {
public:
  DepthwiseKernel(ContractOp op, const DepthwiseLayout &layout, const Isa &isa)
      : op(op), layout(layout), b(op.getLoc(), op), walk(b, op), epilogue(b, op, walk, isa) {}
  void emit();

private:
  void emitBlock(const ChannelBlocks &blocks, Value index, Bounds lines);
  void emitLine(Value line);
  void emitTile(int64_t height, Value position);

  using Vectors = SmallVector<DotEmitter::Activation>;
  SmallVector<Value> emitStart(int64_t height);
  Vectors emitColumn(Value offset, int64_t rowGroup);
  SmallVector<Value> interleave(ArrayRef<Value> rows);
  Value loadRow(Value offset, int64_t elements, int64_t valid);

  ContractOp op;
  const DepthwiseLayout &layout;
  ImplicitLocOpBuilder b;
  OutputWalk walk;
  TileEpilogue epilogue;
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
  int64_t linesPerPart = std::max<int64_t>(1, kPartWork / lineWork);
  Value lineCount = walk.emitLineCount(b);
  SmallVector<ChannelBlocks> all = layout.blocks();
  emitParts(b, pieceCount(b, lineCount, linesPerPart), [&](Value part) {
    Bounds lines = pieceBounds(b, part, linesPerPart, lineCount);
    for (const ChannelBlocks &blocks : all)
      emitLoop(b, {indexConstant(b, 0), indexConstant(b, blocks.count)}, 1,
               [&](Value index) { emitBlock(blocks, index, lines); });
  });
}

void DepthwiseKernel::emitBlock(const ChannelBlocks &blocks, Value index, Bounds lines) {
  block = &blocks;
  dots.emplace(*layout.kernel, blocks.lanes, layout.storedUnsigned);
  firstChannel = add(b, mul(b, index, blocks.valid), blocks.first);
  blockWeights = add(b, mul(b, index, blocks.elements), blocks.offset);
  emitLoop(b, lines, 1, [&](Value line) { emitLine(line); });
}

/// Tiles of two heights that differ by one; single positions if their number is dynamic.
void DepthwiseKernel::emitLine(Value line) {
  inputLine = add(b, walk.emitLineOffset(b, walk.input, line), firstChannel);
  epilogue.enterLine(line);
  Value zero = indexConstant(b, 0), end = walk.emitSpan(b);
  if (ShapedType::isDynamic(walk.span()))
    return emitLoop(b, {zero, end}, 1, [&](Value position) { emitTile(1, position); });
  int64_t most = layout.kernelHeight * layout.kernelWidth > kManyTaps ? 1 : kTileHeight;
  int64_t span = walk.span(), tiles = llvm::divideCeil(span, most);
  int64_t low = span / tiles, tall = low + 1, tallRows = (span - low * tiles) * tall;
  Value border = indexConstant(b, tallRows);
  if (tallRows)
    emitLoop(b, {zero, border}, tall, [&](Value position) { emitTile(tall, position); });
  emitLoop(b, {border, end}, low, [&](Value position) { emitTile(low, position); });
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

SmallVector<Value> DepthwiseKernel::emitStart(int64_t height) {
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
  for (int64_t i = 0; i < height; ++i)
    llvm::append_range(all, accumulators);
  return all;
}

void DepthwiseKernel::emitTile(int64_t height, Value position) {
  const int64_t positionStride = walk.positionStride(walk.input);
  const int64_t tapStride = walk.input.flat.strides[2] * op.getDilations()[1];
  Value input = add(b, inputLine, mul(b, position, positionStride));
  // The columns under the tile by their offset, each with the (position, tap) pairs that read it. Ascending offsets are
  // ascending taps for each position: the order of the chain of a float sum.
  std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>> columns;
  for (int64_t tap = 0; tap < layout.kernelWidth; ++tap)
    for (int64_t row = 0; row < height; ++row)
      columns[row * positionStride + tap * tapStride].push_back({row, tap});

  SmallVector<Value> accumulators = emitStart(height);
  const int64_t tapWeights = block->width() * layout.kernel->step;
  Value weights = add(b, blockWeights, layout.kernel->hasStart() ? tapWeights : 0);
  for (int64_t group = 0; group < layout.rowGroups(); ++group)
    for (auto &[offset, uses] : columns) {
      Vectors activations = emitColumn(add(b, input, offset), group);
      for (auto [row, tap] : uses)
        for (int64_t vector = 0; vector < block->vectors; ++vector) {
          int64_t at = (group * layout.kernelWidth + tap) * tapWeights + vector * block->lanes * layout.kernel->step;
          Value &accumulator = accumulators[row * block->vectors + vector];
          accumulator = dots->dot(b, accumulator, activations[vector],
                                  dots->loadWeights(b, weightBuffer.memory, add(b, weights, at)));
        }
    }
  bool interleaved = layout.interleaves() && block->valid == block->width();
  epilogue.emit(height, position, {firstChannel, block->lanes, block->vectors, block->valid, interleaved}, accumulators);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value DepthwiseKernel::loadRow(Value offset, int64_t elements, int64_t valid) {
  return loadLanes(b, walk.input.flat, offset, 1, elements, std::clamp<int64_t>(valid, 0, elements));
}

/// The activations of one tap column, one for each of the block's vectors.
DepthwiseKernel::Vectors DepthwiseKernel::emitColumn(Value offset, int64_t rowGroup) {
  const int64_t rowStride = walk.input.flat.strides[1] * op.getDilations()[0];
  Vectors activations;
  if (!layout.interleaves()) {
    Value row = add(b, offset, rowGroup * rowStride);
    for (int64_t vector = 0; vector < block->vectors; ++vector)
      activations.push_back(dots->prepareActivation(
          b, loadRow(add(b, row, vector * block->lanes), block->lanes, block->valid - vector * block->lanes)));
    return activations;
  }
  SmallVector<Value> rows;
  for (int64_t i = 0; i < layout.kernel->step; ++i) {
    int64_t row = rowGroup * layout.kernel->step + i;
    // Rows that the kernel does not have meet zero weights.
    rows.push_back(row < layout.kernelHeight ? loadRow(add(b, offset, row * rowStride), block->width(), block->valid)
                                             : rows.front());
  }
  for (Value words : interleave(rows))
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
