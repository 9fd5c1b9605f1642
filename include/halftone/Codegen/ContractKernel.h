//===- ContractKernel.h - the kernels of contractions -----------------------===//
#ifndef HALFTONE_CODEGEN_CONTRACTKERNEL_H
#define HALFTONE_CODEGEN_CONTRACTKERNEL_H

#include "halftone/Codegen/CostTable.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/WinogradLayout.h"

namespace mlir::halftone {

/// Emits the loops of `op` (on memrefs with static strides, weights packed as `layout`) before it.
void emitContractKernel(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs);

/// The same on AMX tiles, for a layout whose kernel is one.
void emitAmxKernel(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs);

/// The same for weights of which most quads are zero.
void emitSparseKernel(ContractOp op, const SparseLayout &layout, const Isa &isa);

/// The same for a 3x3 convolution by Winograd's algorithm.
void emitWinogradKernel(ContractOp op, const WinogradLayout &layout, const Isa &isa);

/// The same for a depthwise convolution.
void emitDepthwiseKernel(ContractOp op, const DepthwiseLayout &layout, const Isa &isa);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_CONTRACTKERNEL_H
