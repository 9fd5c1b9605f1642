//===- halftone-opt.cpp - mlir-opt with Halftone's dialect and passes -------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

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

/// Bytecode has sections at multiples of this: a small file is not mapped, and would be read to any place.
static constexpr uint64_t kBytecodeAlignment = 64;

/// The file's contents if it is bytecode, else null; whatever is wrong with it, others say.
static std::unique_ptr<llvm::MemoryBuffer> readBytecode(llvm::StringRef path) {
  std::unique_ptr<llvm::MemoryBuffer> buffer = path == "-" ? nullptr : mlir::openInputFile(path, llvm::Align(kBytecodeAlignment));
  return buffer && mlir::isBytecode(*buffer) ? std::move(buffer) : nullptr;
}

static llvm::LogicalResult run(int argc, char **argv, mlir::DialectRegistry &registry) {
  auto [input, output] = mlir::registerAndParseCLIOptions(argc, argv, "Halftone's optimizer driver\n", registry);
  std::unique_ptr<llvm::MemoryBuffer> bytecode = readBytecode(input);
  if (!bytecode)
    return mlir::MlirOptMain(argc, argv, input, output, registry);
  std::string error;
  std::unique_ptr<llvm::ToolOutputFile> result = mlir::openOutputFile(output, &error);
  if (!result) {
    llvm::errs() << error << "\n";
    return llvm::failure();
  }
  if (failed(mlir::MlirOptMain(result->os(), std::move(bytecode), registry, mlir::MlirOptMainConfig::createFromCLOptions())))
    return llvm::failure();
  result->keep();
  return llvm::success();
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
  return mlir::asMainReturnCode(run(argc, argv, registry));
}
