//===- ForeignBatch.h - the open batch of another compiler's module ---------===//
#ifndef HALFTONE_IMPORT_FOREIGNBATCH_H
#define HALFTONE_IMPORT_FOREIGNBATCH_H

#include "halftone/Import/ONNX.h"

namespace mlir::halftone {

/// What --dim calls the leading dimension of arguments that is `?`.
inline constexpr llvm::StringLiteral kBatchName = "batch";

/// Bounds the leading dimensions that a module without a stage leaves open: one of `options`, else 1, with a remark. A fixed size of a module in TOSA is
/// inferred for all of its types. An error for other names of dimensions, and for open dimensions behind the first.
LogicalResult boundForeignBatch(ModuleOp module, const ImportOptions &options);

/// Fixes a batch whose bounds are one number, in a module that has passed the stage import.
LogicalResult fixForeignBatch(ModuleOp module);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_FOREIGNBATCH_H
