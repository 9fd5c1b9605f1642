//===- LoopEmission.h - the loops that kernels are made of ------------------===//
//
// Loops whose number of turns is known to be none or one leave nothing but their body.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_LOOPEMISSION_H
#define HALFTONE_CODEGEN_LOOPEMISSION_H

#include "halftone/Codegen/VectorEmission.h"

namespace mlir::halftone {

/// A half-open range of indices.
struct Bounds {
  Value begin, end;
};

/// Piece `index` of [0, limit) in pieces of `size`; the last one may be shorter.
Bounds pieceBounds(ImplicitLocOpBuilder &b, Value index, int64_t size, Value limit);

/// The number of pieces of `size` that cover `extent`.
Value pieceCount(ImplicitLocOpBuilder &b, Value extent, int64_t size);

/// A loop without results.
void emitLoop(ImplicitLocOpBuilder &b, Bounds bounds, int64_t step, function_ref<void(Value)> body);

/// Tiles of up to `most` of `extent` positions, in two heights that differ by one: body(height, position).
void emitEvenTiles(ImplicitLocOpBuilder &b, int64_t extent, int64_t most, function_ref<void(int64_t, Value)> body);

/// A loop of `count` turns that carries values.
using CarriedBody = function_ref<SmallVector<Value>(Value, SmallVector<Value>)>;
SmallVector<Value> emitCarryingLoop(ImplicitLocOpBuilder &b, Value count, SmallVector<Value> carried, CarriedBody body);

/// `index` itself, as the result of an instruction that does nothing and stays in its loop: what is loaded from there is loaded in
/// each turn. The optimizer moves loads that do not vary out of a loop, however few registers are left for them.
Value keepInLoop(ImplicitLocOpBuilder &b, Value index);

/// The kernel's outermost loop: one scf.forall over `count` parts, or the only part by itself unless the loop is wanted
/// `always`. Within another such loop, one after the other.
void emitParts(ImplicitLocOpBuilder &b, Value count, function_ref<void(Value)> part, bool always = false);

/// Whether the insertion point is within a part of another kernel, which has nothing left to share out.
bool isWithinPart(ImplicitLocOpBuilder &b);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_LOOPEMISSION_H
