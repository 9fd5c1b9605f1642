//===- halftone-opt.cpp - mlir-opt with Halftone's dialect and passes -------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

/// LLVM's parser reads an unknown `--halftone-...` as `-h` and prints the help with success: refuse it instead.
static bool checkNames(int argc, char **argv) {
  bool ok = true;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef name = llvm::StringRef(argv[i]).ltrim('-').split('=').first;
    if (argv[i][0] != '-' || !name.starts_with("halftone-") || mlir::PassInfo::lookup(name) ||
        mlir::PassPipelineInfo::lookup(name))
      continue;
    llvm::errs() << "halftone-opt: there is no pass or pipeline '" << name << "' (--help lists them)\n";
    ok = false;
  }
  return ok;
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::halftone::registerAllHalftonePasses();
  registry.insert<mlir::halftone::HalftoneDialect>();
  if (!checkNames(argc, argv))
    return EXIT_FAILURE;
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Halftone's optimizer driver\n", registry));
}
