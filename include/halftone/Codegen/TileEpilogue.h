//===- TileEpilogue.h - what happens to a tile of accumulators --------------===//
#ifndef HALFTONE_CODEGEN_TILEEPILOGUE_H
#define HALFTONE_CODEGEN_TILEEPILOGUE_H

#include "halftone/Codegen/OutputWalk.h"

namespace mlir::halftone {

/// The columns that the vectors of a tile stand for.
struct TileColumns {
  Value first;     ///< the output channel of the first lane
  int64_t lanes;   ///< of each vector
  int64_t vectors;
  int64_t valid;   ///< channels that exist, at most lanes * vectors
};

/// Emits a contraction's epilogue on vectors and stores the results.
class TileEpilogue {
public:
  TileEpilogue(ImplicitLocOpBuilder &b, ContractOp op, const OutputWalk &walk) : b(b), op(op), walk(walk) {}

  /// Emits the offsets of a line; tiles belong to the line entered last.
  void enterLine(Value line);

  /// Accumulators are ordered row by row; row i stands for position + i.
  void emit(int64_t height, Value position, const TileColumns &columns, ArrayRef<Value> accumulators);

private:
  Value emitOperand(unsigned index, Value position, const TileColumns &columns, int64_t vector, int64_t valid);

  ImplicitLocOpBuilder &b;
  ContractOp op;
  const OutputWalk &walk;
  Value outputLine;
  SmallVector<Value> operandLines;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_TILEEPILOGUE_H
