//===- ImportCommand.cpp - halftone import --------------------------------===//
#include "ModelOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runImport(CommandLine &line) {
  ModelOptions model(line);
  llvm::cl::opt<std::string> output(
      "o", llvm::cl::sub(line.command), llvm::cl::value_desc("file"),
      llvm::cl::init("-"),
      llvm::cl::desc(
          "Output: .mlir for text, .mlirbc for bytecode, - for stdout"));
  llvm::cl::opt<bool> elide(
      "elide-weights", llvm::cl::sub(line.command),
      llvm::cl::desc("Leave the weights out: for reading, cannot be resumed"));
  line.parse();
  if (Error error = checkWritable(output))
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  return writeModule(**module, output, elide);
}
