//===- RecurrentCells.h - steps of recurrent networks -----------------------===//
//
// What a step of an LSTM or GRU computes element by element, as composites of floats. The matrix products stand outside as
// operations of their own, so that they become int8 like any other: `x` is what the step's input gives to the gates (with the
// biases), `r` what the state before gives to them. Rows of both hold the gates side by side, in ONNX's order.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_DIALECT_HALFTONE_IR_RECURRENTCELLS_H
#define HALFTONE_DIALECT_HALFTONE_IR_RECURRENTCELLS_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// The functions of gates by the names of elementwise composites, in ONNX's order (LSTM: gates, cell, hidden; GRU: gates, hidden),
/// and `relu`.
using CellFunctions = ArrayRef<StringRef>;

/// Whether a cell can have the function.
bool isCellFunction(StringRef name);

/// `lstm_state`: the next c = f c + i g(..), of x and r (B x 4H, gates i o f c) and c (B x H). With `peepholes` (3H: i o f), the
/// gates i and f see c.
Value buildLstmState(OpBuilder &builder, Location loc, Value x, Value r, Value c, Value peepholes, CellFunctions functions);

/// `lstm_output`: h = o h(c) of the same x and r, and the next c.
Value buildLstmOutput(OpBuilder &builder, Location loc, Value x, Value r, Value c, Value peepholes, CellFunctions functions);

/// `gru_reset`: the state as the hidden gate's product reads it, reset . h, of x (B x 3H, gates z r h), r (B x 2H at least) and h (B x H).
Value buildGruReset(OpBuilder &builder, Location loc, Value x, Value r, Value h, CellFunctions functions);

/// `gru_state`: the next h = (1 - z) . n + z . h. With `hidden` (B x H, the product of the reset state) n = g(x_h + hidden); without, r
/// has a third gate, which is reset behind its product: n = g(x_h + reset . r_h).
Value buildGruState(OpBuilder &builder, Location loc, Value x, Value r, Value hidden, Value h, CellFunctions functions);

/// `rnn_state`: the next h = f(x + r), of x and r (B x H).
Value buildRnnState(OpBuilder &builder, Location loc, Value x, Value r, CellFunctions functions);

/// A cell again, from its name, parameters and operands; null for another composite.
Value rebuildCell(OpBuilder &builder, CompositeOp op);

} // namespace mlir::halftone

#endif // HALFTONE_DIALECT_HALFTONE_IR_RECURRENTCELLS_H
