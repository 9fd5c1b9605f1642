//===- halftone-opt.cpp - mlir-opt with Halftone's dialect and passes -------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::halftone::registerAllHalftonePasses();
  registry.insert<mlir::halftone::HalftoneDialect>();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Halftone's optimizer driver\n", registry));
}
