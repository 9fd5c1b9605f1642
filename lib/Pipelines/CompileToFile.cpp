//===- CompileToFile.cpp - codegen and target in one call -------------------===//
#include "halftone/Pipelines/CompileToFile.h"
#include "halftone/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mlir::halftone;

LogicalResult mlir::halftone::compileToFile(ModuleOp module, const TargetOptions &options, StringRef path) {
  llvm::Expected<CpuTarget> target = findCpuTarget(options.cpu);
  if (!target)
    return module.emitError() << llvm::toString(target.takeError());
  PassManager pm(module.getContext());
  buildCodegenPipeline(pm, *target);
  buildTargetPipeline(pm);
  if (failed(pm.run(module)))
    return failure();
  return writeTarget(module, options, path);
}
