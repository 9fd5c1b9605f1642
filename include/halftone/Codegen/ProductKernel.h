//===- ProductKernel.h - products of two activations ------------------------===//
//
// A product of two activations is a linalg.generic marked with the kernel that computes it: batch dimensions, rows, columns
// and the reduction, read and written by any strides (halftone-form-products). On memrefs it becomes, for each matrix of the
// batch, a packing of the right factor and a contraction that reads it as weights.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_PRODUCTKERNEL_H
#define HALFTONE_CODEGEN_PRODUCTKERNEL_H

#include "halftone/Codegen/CostTable.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::halftone {

/// On a linalg.generic: the name of the kernel (IsaTable.h) of a product. Its loops are those of the batch, rows, columns and
/// the reduction, in this order.
inline constexpr llvm::StringLiteral kProductAttr = "halftone.product";

/// The kernel of a product, or null for any other operation.
const DotKernel *findProductKernel(Operation *op);

/// On memrefs: the elementwise operation that alone reads a product's sums, and is computed with them; null if there is none.
linalg::GenericOp findProductEpilogue(linalg::GenericOp product);

/// On memrefs: a product, what is computed from it row by row, and the next product, of which that is the left factor, with the epilogues of
/// both; in program order, nothing if there is no such chain.
SmallVector<Operation *> findProductChain(linalg::GenericOp product);

/// Emits one kernel in place of the chain that begins with the product, and erases its members, which are what it returns. None, and
/// nothing is changed, if there is no chain, or operands do not lie in memory as needed. Structured operations are left in the kernel, on views.
SmallVector<Operation *> emitProductChain(linalg::GenericOp product, const Isa &isa, const CostTable &costs);

/// Emits the kernel in place of the product and its epilogue, and erases them and the fill of the sums. False, and nothing is
/// changed, if operands do not lie in memory as the kernel needs them.
bool emitProductKernel(linalg::GenericOp product, const Isa &isa, const CostTable &costs);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PRODUCTKERNEL_H
