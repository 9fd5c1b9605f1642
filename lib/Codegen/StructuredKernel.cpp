//===- StructuredKernel.cpp - the generator of structured kernels -----------===//
//
//   forall part:                      rows x columns of the output, by shape and target only
//     for row:                        the parallel loops but the last, as one index
//       for column by lanes:          the last parallel loop, contiguous in the output
//         for reductions:             carried in registers, in the scalar order
//           body
//
// The columns that are left over become vectors of falling powers of two, or scalars if their number is not static.
//
// A few innermost elements (channels) that lie apart in the inputs, while the positions around them follow one another there,
// are no loop of their own: columns are positions then, each channel is computed for a vector of them, and the vectors are interleaved.
//
// Where the elements along another parallel loop follow one another in an input and the columns lie apart (a transposition), that loop is walked
// in blocks around the columns: as many rows of a block as there are lanes are loaded as vectors and transposed, instead of being gathered.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/StructuredKernel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Points of one part: some microseconds, so that a part is worth handing to a thread.
static constexpr int64_t kPartWork = int64_t(1) << 15;
/// Reductions of up to this many points are unrolled.
static constexpr int64_t kUnrolledPoints = 16;
/// No kernel takes more lanes than this for the sake of a second vector.
static constexpr int64_t kMostLanes = 64;
/// Lanes that are gathered by scalar loads gain nothing from more of them.
static constexpr int64_t kGatheredLanes = 16;
/// Channels that are interleaved: each costs a permutation for each vector of the output.
static constexpr int64_t kMostChannels = 4;
/// Elements of a block along the loop that is turned: 64 bytes of f32.
static constexpr int64_t kTurnedElements = 16;
/// A body of more operations is not written out for each element of a block.
static constexpr int64_t kTurnedOperations = 16;

namespace {

class StructuredKernel {
public:
  StructuredKernel(ImplicitLocOpBuilder &b, const LoopSpace &space, const StructuredBody &body, const Isa &isa)
      : b(b), space(space), body(body), isa(isa), parallel(space.numParallel()) {
    takeChannels();
    takeTurned();
  }
  void emit();

private:
  bool hasChannels() const;
  void takeChannels();
  bool isUsed(size_t input) const { return body.usesInput[input] && !space.inputs[input].isScalar(); }
  bool liesApart(const LoopOperand &input) const { return columnStride(input) > 1; }
  bool canTurn(size_t loop) const;
  void takeTurned();
  int64_t turnedLanes() const;
  int64_t chooseLanes() const;
  int64_t fitColumns(int64_t chosen) const;
  int64_t columnStride(const LoopOperand &operand) const { return parallel ? operand.strides[parallel - 1] : 0; }
  int64_t reductionPoints() const;
  Value emitExtent(const Loop &loop);
  Value emitRowCount();

  void emitRow(Value row, Bounds columns, bool wholeRow);
  void emitTurned(Bounds columns, bool wholeRow);
  void emitColumns(Bounds columns, bool wholeRow);
  void emitPoints(Value column, int64_t width);
  void emitTurnedPoints(ArrayRef<Value> offsets, Value outputOffset, int64_t width);
  void storeChannels(ArrayRef<Value> results, Value offset, int64_t width);
  Value emitReductions(size_t loop, SmallVector<Value> offsets, Value accumulated, int64_t width);
  bool turnsBlocks(size_t loop, int64_t width) const;
  Value emitBlocks(size_t loop, ArrayRef<Value> offsets, Value accumulated, int64_t width);
  Value emitBodyAt(ArrayRef<Value> offsets, Value accumulated, int64_t width);

  ImplicitLocOpBuilder &b;
  LoopSpace space; ///< without the loop of interleaved channels, or the one that is turned
  const StructuredBody &body;
  const Isa &isa;
  size_t parallel;
  int64_t channels = 1;                 ///< that are interleaved
  SmallVector<int64_t> channelStrides;  ///< of each input
  int64_t turned = 1;                   ///< extent of the loop that is turned
  SmallVector<int64_t> turnedStrides;   ///< of each input
  int64_t turnedOutput = 0;             ///< stride of the output
  int64_t lanes = 1;
  int64_t columns = 1; ///< the static extent of the last parallel loop, or kDynamic

  SmallVector<FlatBuffer> inputBuffers;
  FlatBuffer outputBuffer;
  // The state of the row.
  SmallVector<Value> inputRows;
  SmallVector<Value> invariants; ///< scalars that do not change within the row
  Value outputRow;
  // The block of the loop that is turned.
  Value blockFirst;
  int64_t blockCount = 0;
};

} // namespace

void mlir::halftone::emitStructuredKernel(ImplicitLocOpBuilder &b, const LoopSpace &space, const StructuredBody &body,
                                          const Isa &isa) {
  StructuredKernel(b, space, body, isa).emit();
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

bool mlir::halftone::canInterleave(int64_t elements) { return elements > 1 && elements <= kMostChannels; }

/// Whether the last loop is one of channels that are to be interleaved.
bool StructuredKernel::hasChannels() const {
  if (parallel < 2 || parallel != space.loops.size() || body.readsOutput || !canInterleave(space.loops.back().extent) ||
      space.output.strides[parallel - 1] != 1 || space.output.strides[parallel - 2] != space.loops.back().extent)
    return false;
  bool apart = false;
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (!body.usesInput[i] || input.isScalar())
      continue;
    const int64_t position = input.strides[parallel - 2], channel = input.strides[parallel - 1];
    if (position != 0 && position != 1)
      return false;
    apart |= position == 1 && channel > 1;
  }
  return apart;
}

void StructuredKernel::takeChannels() {
  channelStrides.assign(space.inputs.size(), 0);
  if (!hasChannels())
    return;
  channels = space.loops.back().extent;
  for (auto [i, input] : llvm::enumerate(space.inputs))
    if (!input.isScalar())
      channelStrides[i] = input.strides.pop_back_val();
  space.output.strides.pop_back();
  space.loops.pop_back();
  --parallel;
}

/// Whether the elements along a loop follow one another in each input whose columns lie apart. Masks are gathered.
bool StructuredKernel::canTurn(size_t loop) const {
  bool turns = false;
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (!isUsed(i) || !liesApart(input))
      continue;
    if (input.strides[loop] != 1 || cast<MemRefType>(input.value.getType()).getElementType().isInteger(1))
      return false;
    turns = true;
  }
  return turns && !space.loops[loop].isDynamic();
}

void StructuredKernel::takeTurned() {
  turnedStrides.assign(space.inputs.size(), 0);
  if (channels > 1 || parallel < 2 || parallel != space.loops.size() || body.readsOutput || body.operations > kTurnedOperations ||
      columnStride(space.output) != 1)
    return;
  for (size_t loop = 0; loop + 1 < parallel; ++loop) {
    if (!canTurn(loop))
      continue;
    turned = space.loops[loop].extent;
    turnedOutput = space.output.strides[loop];
    space.output.strides.erase(space.output.strides.begin() + loop);
    for (auto [i, input] : llvm::enumerate(space.inputs))
      if (!input.isScalar()) {
        turnedStrides[i] = input.strides[loop];
        input.strides.erase(input.strides.begin() + loop);
      }
    space.loops.erase(space.loops.begin() + loop);
    --parallel;
    return;
  }
}

/// As many lanes as fill a vector with the widest of the buffers that are turned, or written.
int64_t StructuredKernel::turnedLanes() const {
  int64_t widest = storedBits(outputBuffer.element);
  for (auto [i, input] : llvm::enumerate(space.inputs))
    if (isUsed(i) && liesApart(input))
      widest = std::max(widest, storedBits(inputBuffers[i].element));
  return fitColumns(isa.vectorBytes * 8 / widest);
}

/// As many lanes as fill a vector with the narrowest buffer's elements, but at most 4 and at least 2 vectors of the
/// widest value; reductions take 4, to have independent chains. Vectors that are interleaved are full of the output's elements.
int64_t StructuredKernel::chooseLanes() const {
  if (!parallel || columnStride(space.output) != channels)
    return 1;
  const int64_t bits = isa.vectorBytes * 8;
  int64_t narrow = storedBits(outputBuffer.element);
  if (channels > 1)
    return fitColumns(bits / narrow);
  if (turned > 1)
    return turnedLanes();
  bool gathers = false;
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (!body.usesInput[i] || input.isScalar() || columnStride(input) == 0)
      continue;
    narrow = std::min(narrow, storedBits(inputBuffers[i].element));
    gathers |= columnStride(input) != 1;
  }
  const int64_t widest = bits / body.widestBits;
  int64_t chosen = parallel < space.loops.size() ? 4 * widest : std::min(bits / narrow, 4 * widest);
  chosen = std::max(chosen, std::min(2 * widest, kMostLanes));
  if (gathers)
    chosen = std::min(chosen, kGatheredLanes);
  return fitColumns(chosen);
}

/// No more lanes than there are columns.
int64_t StructuredKernel::fitColumns(int64_t chosen) const {
  return ShapedType::isDynamic(columns) ? chosen : std::min<int64_t>(chosen, llvm::bit_floor(static_cast<uint64_t>(columns)));
}

/// The points of the reduction of one output; 1 if not static.
int64_t StructuredKernel::reductionPoints() const {
  int64_t points = 1;
  for (const Loop &loop : ArrayRef(space.loops).drop_front(parallel))
    points *= loop.isDynamic() ? 1 : loop.extent;
  return points;
}

Value StructuredKernel::emitExtent(const Loop &loop) {
  if (!loop.isDynamic())
    return indexConstant(b, loop.extent);
  return mul(b, memref::DimOp::create(b, loop.sizedBy, loop.sizedDim), loop.factor);
}

Value StructuredKernel::emitRowCount() {
  Value count = indexConstant(b, 1);
  for (size_t i = 0; i + 1 < parallel; ++i)
    count = b.createOrFold<arith::MulIOp>(count, emitExtent(space.loops[i]));
  return count;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

void StructuredKernel::emit() {
  for (const LoopOperand &input : space.inputs) {
    bool used = body.usesInput[&input - space.inputs.begin()] && !input.isScalar();
    inputBuffers.push_back(used ? flatten(b, input.value) : FlatBuffer());
  }
  outputBuffer = flatten(b, space.output.value);
  columns = parallel ? space.loops[parallel - 1].extent : 1;
  lanes = chooseLanes();

  const int64_t points = reductionPoints() * channels * turned;
  bool wholeRow = !ShapedType::isDynamic(columns) && columns * points < 2 * kPartWork;
  int64_t pieceColumns = wholeRow ? columns : llvm::alignTo(std::max<int64_t>(1, kPartWork / points), lanes);
  int64_t pieceRows = wholeRow ? std::max<int64_t>(1, kPartWork / (columns * points)) : 1;
  Value rowCount = emitRowCount();
  Value columnCount = parallel ? emitExtent(space.loops[parallel - 1]) : indexConstant(b, 1);
  Value columnPieces = pieceCount(b, columnCount, pieceColumns);
  Value count = b.createOrFold<arith::MulIOp>(pieceCount(b, rowCount, pieceRows), columnPieces);
  emitParts(b, count, [&](Value part) {
    if (body.begin)
      body.begin(b);
    Bounds rows = pieceBounds(b, b.createOrFold<arith::DivUIOp>(part, columnPieces), pieceRows, rowCount);
    Bounds range = pieceBounds(b, b.createOrFold<arith::RemUIOp>(part, columnPieces), pieceColumns, columnCount);
    emitLoop(b, rows, 1, [&](Value row) { emitRow(row, range, wholeRow); });
  });
}

//===----------------------------------------------------------------------===//
// Rows and columns
//===----------------------------------------------------------------------===//

void StructuredKernel::emitRow(Value row, Bounds range, bool wholeRow) {
  SmallVector<Value> indices(parallel ? parallel - 1 : 0);
  for (size_t i = indices.size(); i-- > 0;) {
    if (i == 0) {
      indices[i] = row;
      break;
    }
    Value extent = indexConstant(b, space.loops[i].extent);
    indices[i] = b.createOrFold<arith::RemUIOp>(row, extent);
    row = b.createOrFold<arith::DivUIOp>(row, extent);
  }
  auto rowOffset = [&](const LoopOperand &operand) {
    Value offset = indexConstant(b, operand.base);
    for (auto [i, index] : llvm::enumerate(indices))
      if (operand.strides[i])
        offset = add(b, offset, mul(b, index, operand.strides[i]));
    return offset;
  };
  inputRows.assign(space.inputs.size(), Value());
  invariants.assign(space.inputs.size(), Value());
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (!body.usesInput[i])
      continue;
    if (input.isScalar()) {
      invariants[i] = input.value;
      continue;
    }
    inputRows[i] = rowOffset(input);
    if (channelStrides[i] == 0 && turnedStrides[i] == 0 &&
        llvm::all_of(ArrayRef(input.strides).drop_front(indices.size()), [](int64_t stride) { return stride == 0; }))
      invariants[i] = memref::LoadOp::create(b, inputBuffers[i].memory, inputRows[i]);
  }
  outputRow = rowOffset(space.output);
  if (turned > 1)
    emitTurned(range, wholeRow);
  else
    emitColumns(range, wholeRow);
}

/// The columns for one block of the turned loop after the other, so that lines of the output are written one after the other.
void StructuredKernel::emitTurned(Bounds range, bool wholeRow) {
  const int64_t size = std::min<int64_t>(kTurnedElements, llvm::bit_floor(static_cast<uint64_t>(turned))), rest = turned % size;
  auto emitBlock = [&](Value first, int64_t count) {
    blockFirst = first;
    blockCount = count;
    emitColumns(range, wholeRow);
  };
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, turned - rest)}, size, [&](Value first) { emitBlock(first, size); });
  if (rest)
    emitBlock(indexConstant(b, turned - rest), rest);
}

void StructuredKernel::emitColumns(Bounds range, bool wholeRow) {
  if (wholeRow) {
    int64_t done = columns / lanes * lanes;
    emitLoop(b, {range.begin, indexConstant(b, done)}, lanes, [&](Value column) { emitPoints(column, lanes); });
    while (done < columns) {
      int64_t width = llvm::bit_floor(static_cast<uint64_t>(columns - done));
      emitPoints(indexConstant(b, done), width);
      done += width;
    }
    return;
  }
  Value extent = b.createOrFold<arith::SubIOp>(range.end, range.begin);
  Value turns = b.createOrFold<arith::DivUIOp>(extent, indexConstant(b, lanes));
  Value border = add(b, range.begin, mul(b, turns, lanes));
  emitLoop(b, {range.begin, border}, lanes, [&](Value column) { emitPoints(column, lanes); });
  if (lanes > 1 && (ShapedType::isDynamic(columns) || columns % lanes))
    emitLoop(b, {border, range.end}, 1, [&](Value column) { emitPoints(column, 1); });
}

//===----------------------------------------------------------------------===//
// Points
//===----------------------------------------------------------------------===//

/// `width` outputs from `column` on.
void StructuredKernel::emitPoints(Value column, int64_t width) {
  SmallVector<Value> offsets(space.inputs.size());
  for (auto [i, input] : llvm::enumerate(space.inputs))
    if (body.usesInput[i] && !invariants[i])
      offsets[i] = add(b, inputRows[i], mul(b, column, columnStride(input)));
  Value outputOffset = add(b, outputRow, mul(b, column, columnStride(space.output)));
  if (turned > 1)
    return emitTurnedPoints(offsets, outputOffset, width);
  Value start = body.readsOutput ? loadLanes(b, outputBuffer, outputOffset, 1, width, width) : Value();
  SmallVector<Value> results;
  for (int64_t channel = 0; channel < channels; ++channel) {
    SmallVector<Value> moved(offsets);
    for (auto [offset, stride] : llvm::zip_equal(moved, channelStrides))
      if (offset)
        offset = add(b, offset, channel * stride);
    results.push_back(emitReductions(parallel, moved, start, width));
  }
  storeChannels(results, outputOffset, width);
}

/// `width` columns of a block of the turned loop.
void StructuredKernel::emitTurnedPoints(ArrayRef<Value> offsets, Value outputOffset, int64_t width) {
  const int64_t size = std::min({width, kTurnedElements, static_cast<int64_t>(llvm::bit_ceil(static_cast<uint64_t>(blockCount)))});
  for (int64_t done = 0; done < blockCount; done += size) {
    const int64_t count = std::min(size, blockCount - done);
    Value first = add(b, blockFirst, done);
    SmallVector<SmallVector<Value>> rows(space.inputs.size());
    for (auto [i, input] : llvm::enumerate(space.inputs)) {
      if (!offsets[i] || !liesApart(input))
        continue;
      Value corner = add(b, offsets[i], first);
      if (size == 1) {
        rows[i].push_back(loadLanes(b, inputBuffers[i], corner, columnStride(input), width, width));
        continue;
      }
      for (int64_t lane = 0; lane < width; ++lane)
        rows[i].push_back(loadLanes(b, inputBuffers[i], add(b, corner, lane * columnStride(input)), 1, size, count));
      rows[i] = transposeRows(b, std::move(rows[i]), size);
    }
    for (int64_t step = 0; step < count; ++step) {
      Value at = add(b, first, step);
      SmallVector<Value> inputs(space.inputs.size());
      for (auto [i, input] : llvm::enumerate(space.inputs))
        inputs[i] = invariants[i]     ? splat(b, invariants[i], width)
                    : !offsets[i]     ? Value()
                    : rows[i].empty() ? loadLanes(b, inputBuffers[i], add(b, offsets[i], mul(b, at, turnedStrides[i])), columnStride(input), width, width)
                                      : rows[i][step];
      Value result = body.emit(b, inputs, Value(), width);
      storeLanes(b, result, outputBuffer, add(b, outputOffset, mul(b, at, turnedOutput)), width, width);
    }
  }
}

/// Stores `width` positions with all of their channels.
void StructuredKernel::storeChannels(ArrayRef<Value> results, Value offset, int64_t width) {
  for (int64_t i = 0; i < channels; ++i) {
    Value vector = results[i];
    if (width > 1 && channels > 1) {
      // Vector i of the output: the first two channels, then one more at a time takes its places.
      vector = results[0];
      for (int64_t channel = 1; channel < channels; ++channel) {
        SmallVector<int64_t> order;
        for (int64_t at = i * width; at < (i + 1) * width; ++at) {
          const int64_t position = at / channels, of = at % channels;
          order.push_back(of == channel ? width + position : channel == 1 ? position : at - i * width);
        }
        vector = vector::ShuffleOp::create(b, vector, results[channel], order);
      }
    }
    storeLanes(b, vector, outputBuffer, add(b, offset, i * width), width, width);
  }
}

/// The reduction loops from `loop` on, around the body.
Value StructuredKernel::emitReductions(size_t loop, SmallVector<Value> offsets, Value accumulated, int64_t width) {
  if (loop == space.loops.size())
    return emitBodyAt(offsets, accumulated, width);
  auto advanced = [&](Value index) {
    SmallVector<Value> moved(offsets);
    for (auto [i, input] : llvm::enumerate(space.inputs))
      if (moved[i] && input.strides[loop])
        moved[i] = add(b, moved[i], mul(b, index, input.strides[loop]));
    return moved;
  };
  const Loop &reduction = space.loops[loop];
  if (!reduction.isDynamic() && reductionPoints() <= kUnrolledPoints) {
    for (int64_t i = 0; i < reduction.extent; ++i)
      accumulated = emitReductions(loop + 1, advanced(indexConstant(b, i)), accumulated, width);
    return accumulated;
  }
  // A body that ignores what the output holds so far carries it nevertheless, to return the last.
  if (!accumulated)
    accumulated = arith::ConstantOp::create(b, b.getZeroAttr(laneType(outputBuffer.element, width)));
  if (turnsBlocks(loop, width))
    return emitBlocks(loop, offsets, accumulated, width);
  return emitCarryingLoop(b, emitExtent(reduction), {accumulated}, [&](Value index, SmallVector<Value> carried) {
    return SmallVector<Value>{emitReductions(loop + 1, advanced(index), carried[0], width)};
  })[0];
}

/// Whether the columns of each input lie apart while the elements of the last reduction follow one another there: then blocks of
/// both are loaded as vectors and transposed, instead of being gathered.
bool StructuredKernel::turnsBlocks(size_t loop, int64_t width) const {
  const Loop &reduction = space.loops[loop];
  if (loop + 1 != space.loops.size() || width < 4 || !llvm::isPowerOf2_64(width) || reduction.isDynamic() || reduction.extent < width)
    return false;
  bool turns = false;
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (invariants[i] || !body.usesInput[i])
      continue;
    if (storedBits(inputBuffers[i].element) * width > isa.vectorBytes * 8 || columnStride(input) < 2 || input.strides[loop] != 1)
      return false;
    turns = true;
  }
  return turns;
}

/// The last reduction, in blocks of as many elements as there are lanes; the order is that of the scalar loop.
Value StructuredKernel::emitBlocks(size_t loop, ArrayRef<Value> offsets, Value accumulated, int64_t width) {
  const int64_t blocks = space.loops[loop].extent / width, rest = space.loops[loop].extent % width;
  auto emitBlock = [&](Value first, int64_t count, Value sum) {
    SmallVector<SmallVector<Value>> turned(space.inputs.size());
    for (auto [i, input] : llvm::enumerate(space.inputs)) {
      if (!offsets[i])
        continue;
      SmallVector<Value> rows;
      for (int64_t lane = 0; lane < width; ++lane)
        rows.push_back(loadLanes(b, inputBuffers[i], add(b, add(b, offsets[i], first), lane * columnStride(input)), 1, width, count));
      turned[i] = transposeRows(b, std::move(rows), width);
    }
    for (int64_t step = 0; step < count; ++step) {
      SmallVector<Value> inputs(space.inputs.size());
      for (size_t i = 0; i < inputs.size(); ++i)
        inputs[i] = invariants[i] ? splat(b, invariants[i], width) : offsets[i] ? turned[i][step] : Value();
      sum = body.emit(b, inputs, sum, width);
    }
    return sum;
  };
  accumulated = emitCarryingLoop(b, indexConstant(b, blocks), {accumulated}, [&](Value block, SmallVector<Value> carried) {
    return SmallVector<Value>{emitBlock(mul(b, block, width), width, carried[0])};
  })[0];
  return rest ? emitBlock(indexConstant(b, blocks * width), rest, accumulated) : accumulated;
}

Value StructuredKernel::emitBodyAt(ArrayRef<Value> offsets, Value accumulated, int64_t width) {
  SmallVector<Value> inputs(space.inputs.size());
  for (auto [i, input] : llvm::enumerate(space.inputs)) {
    if (invariants[i])
      inputs[i] = splat(b, invariants[i], width);
    else if (offsets[i])
      inputs[i] = loadLanes(b, inputBuffers[i], offsets[i], columnStride(input), width, width);
  }
  return body.emit(b, inputs, accumulated, width);
}
