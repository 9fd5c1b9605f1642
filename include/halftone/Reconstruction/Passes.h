//===- Passes.h - rounding weights by the error of their layer ---------------===//
#ifndef HALFTONE_RECONSTRUCTION_PASSES_H
#define HALFTONE_RECONSTRUCTION_PASSES_H

#include "halftone/Quantization/Passes.h"

namespace mlir::halftone {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Reconstruction/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_PASSES_H
