//===- CompileCommand.cpp - halftone compile ------------------------------===//
#include "ModelOptions.h"
#include "OpReport.h"
#include "QuantizeOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runCompile(CommandLine &line) {
  namespace cl = llvm::cl;
  ModelOptions model(line);
  TargetOption target(line);
  CostOption cost(line);
  StorageOption storage(line);
  cl::opt<std::string> output("o", cl::Required, cl::sub(line.command),
                              cl::value_desc("M.so"),
                              cl::desc("Output: .so, .o, .ll or .s"));
  line.parse();
  if (Error error = checkWritable(output))
    return error;
  if (Error error = checkCompilation(output, target))
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  if (Error error = cost.attach(**module))
    return error;
  // A model without casts is compiled in floats; one with casts goes on to
  // integers.
  if (stageOf(**module) == Stage::Quantization)
    if (Error error = advance(**module, Stage::Integer, StageSettings()))
      return error;
  std::string report = OpReport::of(**module).toJSON();
  return compileModule(**module, output, target, report, {storage});
}
