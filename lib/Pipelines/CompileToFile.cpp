//===- CompileToFile.cpp - codegen and target in one call -------------------===//
#include "halftone/Pipelines/CompileToFile.h"
#include "halftone/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mlir::halftone;

LogicalResult mlir::halftone::compileToFile(ModuleOp module, const TargetOptions &options, StringRef path,
                                           const KernelChoice &choice) {
  TargetWriter writer(path, 1);
  return compileInto(writer, module, options, choice);
}

LogicalResult mlir::halftone::compileInto(TargetWriter &writer, ModuleOp module, const TargetOptions &options, const KernelChoice &choice) {
  KernelChoice kernels = choice;
  kernels.openConstants = options.openConstants;
  return writer.add(module, options, [&](const CpuTarget &target) -> FailureOr<OwningOpRef<ModuleOp>> {
    OwningOpRef<ModuleOp> lowered = module.clone();
    PassManager pm(module.getContext());
    buildCodegenPipeline(pm, target, /*costFile=*/"", kernels);
    buildTargetPipeline(pm);
    if (failed(pm.run(*lowered)))
      return failure();
    return lowered;
  });
}
