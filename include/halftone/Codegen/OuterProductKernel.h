//===- OuterProductKernel.h - sums of products without packed operands ------===//
#ifndef HALFTONE_CODEGEN_OUTERPRODUCTKERNEL_H
#define HALFTONE_CODEGEN_OUTERPRODUCTKERNEL_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Codegen/LoopSpace.h"

namespace mlir::halftone {

/// A sum of products whose loops fit a register tile: `output += scalar * vector`, where the last parallel loop (columns)
/// is contiguous in `vector` and `output` and absent from `scalar`, and another (rows) is absent from `vector`.
struct OuterProduct {
  LoopSpace space;
  unsigned scalar, vector; ///< inputs
  size_t rows, columns;    ///< loops
};

/// The outer product that `op`, on memrefs, is: one fma of f32 with static loops; or nothing.
std::optional<OuterProduct> matchOuterProduct(linalg::LinalgOp op);

/// The fill by zero that the output of `op` holds, if `op` is the first to read it: a whole buffer, whose other users come
/// behind.
linalg::FillOp findZeroFill(linalg::LinalgOp op);

/// Emits the loops before `op`. `startsAtZero`: what the output holds counts as zero, and need not be there.
void emitOuterProductKernel(linalg::LinalgOp op, const OuterProduct &product, const Isa &isa, bool startsAtZero);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_OUTERPRODUCTKERNEL_H
