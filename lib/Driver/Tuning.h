//===- Tuning.h - A cost table measured on this machine -------------------===//
#ifndef HALFTONE_LIB_DRIVER_TUNING_H
#define HALFTONE_LIB_DRIVER_TUNING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// Compiles layers for every instruction set of this CPU, times them, and
/// writes the table whose predictions are nearest to the times.
llvm::Error tuneCosts(llvm::StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TUNING_H
