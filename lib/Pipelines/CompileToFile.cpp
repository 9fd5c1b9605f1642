//===- CompileToFile.cpp - codegen and target in one call -------------------===//
#include "halftone/Pipelines/CompileToFile.h"
#include "halftone/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mlir::halftone;

LogicalResult mlir::halftone::compileToFile(ModuleOp module, const TargetOptions &options, StringRef path,
                                           const KernelChoice &choice) {
  KernelChoice kernels = choice;
  kernels.openConstants = options.openConstants;
  return writeTargets(module, options, path, [&](const CpuTarget &target) -> FailureOr<OwningOpRef<ModuleOp>> {
    OwningOpRef<ModuleOp> lowered = module.clone();
    PassManager pm(module.getContext());
    buildCodegenPipeline(pm, target, /*costFile=*/"", kernels);
    buildTargetPipeline(pm);
    if (failed(pm.run(*lowered)))
      return failure();
    return lowered;
  });
}
