//===- TileEpilogue.cpp - what happens to a tile of accumulators ------------===//
#include "halftone/Codegen/TileEpilogue.h"

using namespace mlir;
using namespace mlir::halftone;

void TileEpilogue::enterLine(Value line) {
  outputLine = walk.emitLineOffset(b, walk.output, line);
  operandLines = llvm::map_to_vector(
      walk.operands, [&](const WalkedBuffer &buffer) { return walk.emitLineOffset(b, buffer, line); });
}

/// An operand's lanes for one vector of columns at one position.
Value TileEpilogue::emitOperand(unsigned index, Value position, const TileColumns &columns, int64_t vector,
                                int64_t valid) {
  const WalkedBuffer &buffer = walk.operands[index];
  const int64_t stride = buffer.advance.channel;
  Value offset = add(b, operandLines[index], mul(b, position, walk.positionStride(buffer)));
  Value column = add(b, columns.first, vector * columns.lanes);
  return loadLanes(b, buffer.flat, add(b, offset, mul(b, column, stride)), stride, columns.lanes, valid);
}

/// Column by column, so that what belongs to the channels is loaded once for all rows.
void TileEpilogue::emit(int64_t height, Value position, const TileColumns &columns, ArrayRef<Value> accumulators) {
  for (int64_t vector = 0; vector < columns.vectors; ++vector) {
    int64_t valid = std::min(columns.lanes, columns.valid - vector * columns.lanes);
    if (valid <= 0)
      return;
    SmallVector<Value> invariant(walk.operands.size());
    for (auto [i, buffer] : llvm::enumerate(walk.operands))
      if (walk.positionStride(buffer) == 0)
        invariant[i] = emitOperand(i, position, columns, vector, valid);
    for (int64_t row = 0; row < height; ++row) {
      Value at = add(b, position, row);
      SmallVector<Value> arguments = {accumulators[row * columns.vectors + vector]};
      for (auto [i, value] : llvm::enumerate(invariant))
        arguments.push_back(value ? value : emitOperand(i, at, columns, vector, valid));
      Value result = emitBody(b, op.getEpilogue().front(), arguments, columns.lanes)[0];
      Value offset = add(b, outputLine, mul(b, at, walk.positionStride(walk.output)));
      storeLanes(b, result, walk.output.flat, add(b, add(b, offset, columns.first), vector * columns.lanes),
                 columns.lanes, valid);
    }
  }
}
