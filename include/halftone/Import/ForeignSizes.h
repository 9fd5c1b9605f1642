//===- ForeignSizes.h - the open sizes of another compiler's module ---------===//
#ifndef HALFTONE_IMPORT_FOREIGNSIZES_H
#define HALFTONE_IMPORT_FOREIGNSIZES_H

#include "halftone/Import/ONNX.h"

namespace mlir::halftone {

/// What --dim calls the leading dimension of arguments that is `?`.
inline constexpr llvm::StringLiteral kBatchName = "batch";

/// Gives the dimensions that a module without a stage leaves open (`?`) the sizes of `options`, and its inputs and outputs names: the leading dimension
/// one size (1, with a remark, unless told) or bounds, any other one size, under the name INPUT.AXIS. What is computed from the inputs has the types that
/// follow. An error for names of other dimensions, for those without a size, and where a size does not follow.
LogicalResult boundForeignSizes(ModuleOp module, const ImportOptions &options);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_FOREIGNSIZES_H
