//===- CompileCommand.cpp - halftone compile ------------------------------===//
#include "ModelOptions.h"
#include "OpReport.h"
#include "QuantizeOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runCompile(CommandLine &line) {
  namespace cl = llvm::cl;
  ModelOptions model(line, /*several=*/true, /*takesLists=*/true);
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
  Expected<std::vector<ModelSize>> sizes = model.sizes();
  if (!sizes)
    return sizes.takeError();
  auto read = [&](MLIRContext *context, const ModelSize &size) { return model.load(context, size); };
  if (sizes->size() > 1)
    if (Error error = checkSizes(*sizes, output, read).takeError())
      return error;
  TargetWriter writer(output, sizes->size());
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    CompilerContext context;
    std::optional<ScopedDiagnosticHandler> quiet;
    if (i > 0)
      quiet.emplace(context.get(), isRemark);
    Expected<OwningOpRef<ModuleOp>> module = read(context.get(), size);
    if (!module)
      return module.takeError();
    if (Error error = cost.attach(**module))
      return error;
    // A model without casts is compiled in floats; one with casts goes on to
    // integers.
    if (stageOf(**module) == Stage::Quantization)
      if (Error error = advance(**module, Stage::Integer, StageSettings()))
        return errorOfSize(std::move(error), size);
    std::string report = OpReport::of(**module).toJSON();
    if (Error error = compileSize(writer, **module, size.name, target, report, {storage}))
      return errorOfSize(std::move(error), size);
  }
  if (sizes->size() > 1)
    printConstantSizes(writer.constantSizes(), sizes->size());
  return Error::success();
}
