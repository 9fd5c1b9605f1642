//===- Commands.cpp - The table of all commands ---------------------------===//
#include "Command.h"

using namespace mlir::halftone;

static constexpr Command kCommands[] = {
    {"import", "read an ONNX model, or MLIR, into the entry form",
     "  halftone import model.onnx -o model.mlirbc\n"
     "  halftone import model.onnx -o model.mlir --elide-weights\n",
     runImport},
    {"info", "what a model or a stage file is",
     "  halftone info model.onnx\n"
     "  halftone info model.mlir\n",
     runInfo},
};

llvm::ArrayRef<Command> mlir::halftone::allCommands() { return kCommands; }
