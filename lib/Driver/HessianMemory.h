//===- HessianMemory.h - whether Hessians fit into memory -----------------===//
//
// The Hessian of a layer grows with the square of what one of its outputs reads: 16 GiB for a convolution over 1,024 samples of 64
// channels. So what a run needs is known, and said, before it is allocated.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_HESSIANMEMORY_H
#define HALFTONE_LIB_DRIVER_HESSIANMEMORY_H

#include "halftone/Reconstruction/Patches.h"

namespace mlir::halftone {

/// The bytes of memory that this process may use: the machine's, its cgroups' limit and its own (`ulimit -v`), whichever is least.
double memoryLimit();

/// The layers that do not fit with what has to be there at once are one error, which names them: all Hessians and once more the largest one, or layer by layer
/// four of the largest.
llvm::Error refuseHugeHessians(llvm::ArrayRef<ContractionInput> inputs, bool layerByLayer);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_HESSIANMEMORY_H
