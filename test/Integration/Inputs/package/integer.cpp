// Another compiler's driver: parses a module, runs Halftone's passes in its own pass manager, and goes on with the integer module.
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::halftone::HalftoneDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  mlir::PassManager pm(&context);
  mlir::halftone::buildImportPipeline(pm);
  mlir::halftone::CalibrationOptions calibration;
  calibration.stats = argv[2];
  mlir::halftone::buildCalibrationPipeline(pm, calibration);
  mlir::halftone::PrecisionOptions precision;
  mlir::halftone::buildPrecisionPipeline(pm, precision);
  mlir::halftone::QuantizationOptions quantization;
  mlir::halftone::buildQuantizationPipeline(pm, quantization);
  mlir::halftone::buildIntegerPipeline(pm);
  if (failed(pm.run(*module)))
    return 1;
  module->print(llvm::outs());
  return 0;
}
