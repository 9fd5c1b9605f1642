//===- ImportCommand.cpp - halftone import --------------------------------===//
#include "ModelOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runImport(CommandLine &line) {
  ModelOptions model(line);
  OutputOption output(line);
  line.parse();
  if (Error error = output.check())
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  return output.write(**module);
}
