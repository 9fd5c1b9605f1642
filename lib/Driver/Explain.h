//===- Explain.h - What the cost model says of each layer -----------------===//
#ifndef HALFTONE_LIB_DRIVER_EXPLAIN_H
#define HALFTONE_LIB_DRIVER_EXPLAIN_H

#include "Contestant.h"

namespace mlir::halftone {

/// Runs the model for that many rounds and prints of each layer the time that
/// the cost model predicts beside the measured one, what bounds it, the share
/// of its roofline, and what the other kernel would take. `table` is a file, or
/// empty for the built-in table of the model's target.
llvm::Error explainModel(Contestant &contestant, int rounds, bool json,
                         llvm::StringRef table);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_EXPLAIN_H
