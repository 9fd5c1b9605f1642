//===- CompileToFile.h - codegen and target in one call ---------------------===//
#ifndef HALFTONE_PIPELINES_COMPILETOFILE_H
#define HALFTONE_PIPELINES_COMPILETOFILE_H

#include "halftone/Codegen/WeightStorage.h"
#include "halftone/Target/Compile.h"

namespace mlir::halftone {

/// Runs the codegen and target pipelines on copies of a module of the integer stage or of the entry form, one for each target, and
/// writes what the path's extension says (see writeTarget). Failures are diagnostics.
LogicalResult compileToFile(ModuleOp module, const TargetOptions &options, StringRef path,
                            const KernelChoice &choice = {});

/// The same for one of several sizes, which `writer` puts into one file.
LogicalResult compileInto(TargetWriter &writer, ModuleOp module, const TargetOptions &options, const KernelChoice &choice = {});

} // namespace mlir::halftone

#endif // HALFTONE_PIPELINES_COMPILETOFILE_H
