//===- ExportCommand.cpp - halftone export ----------------------------------===//
#include "ModelOptions.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Driver/Driver.h"
#include "halftone/Export/ONNX.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

static Error checkStage(ModuleOp module) {
  Stage stage = *stageOf(module);
  if (stage <= Stage::Quantization)
    return Error::success();
  return userError("export writes models up to the stage 'quantization'; this one is at '" + stageName(stage) +
                   "', whose arithmetic is Halftone's own: give the file that it was made from");
}

/// Says that contractions round their input when they run, which an ONNX file leaves to its reader.
static void warnOfDynamicRanges(ModuleOp module) {
  int64_t count = 0;
  module.walk([&](Operation *op) {
    count += isDynamic(op) && hasQuantizedWeights(op);
  });
  if (count)
    module.emitWarning() << count << " contractions find their ranges when they run: in the ONNX file their weights are codes, and "
                                     "what they read is not rounded; --activations=int8 gives all of them calibrated ranges";
}

static std::function<Error(llvm::raw_ostream &)> writerOf(const OnnxModel &model) {
  return [&model](llvm::raw_ostream &os) {
    model.write(os);
    return Error::success();
  };
}

/// Writes the weights into a file beside the model first, so that a model is never there without them.
static Error writeWithWeights(OnnxModel &model, StringRef path) {
  std::string weights = (path + ".data").str();
  Error error = writeFileAtomically(weights, [&](llvm::raw_ostream &os) {
    model.writeWeights(os, llvm::sys::path::filename(weights));
    return Error::success();
  });
  return error ? std::move(error) : writeFileAtomically(path, writerOf(model));
}

Error mlir::halftone::runExport(CommandLine &line) {
  ModelOptions model(line);
  cl::opt<std::string> output("o", cl::sub(line.command), cl::value_desc("M.onnx"), cl::Required,
                              cl::desc("Output: an ONNX file"));
  cl::opt<bool> external("external-data", cl::sub(line.command),
                         cl::desc("Keep the weights in a file beside it, M.onnx.data: needed beyond 2 GB"));
  cl::opt<bool> unsignedCodes("unsigned", cl::sub(line.command),
                              cl::desc("Write codes of activations as uint8, 128 higher: the same numbers, in the form that "
                                       "some runtimes need for their integer operators on x86"));
  line.parse();
  if (llvm::sys::path::extension(output) != ".onnx")
    return userError("'" + output + "' is no name of an ONNX file: give -o M.onnx");
  if (Error error = checkWritable(output))
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  if (Error error = checkStage(**module))
    return error;
  ExportOptions options{external, unsignedCodes, "Halftone", StringRef(versionText()).split(' ').second.str()};
  FailureOr<OnnxModel> exported = exportOnnx(**module, options);
  if (failed(exported))
    return llvm::make_error<Reported>();
  warnOfDynamicRanges(**module);
  if (Error error = external ? writeWithWeights(*exported, output) : writeFileAtomically(output, writerOf(*exported)))
    return error;
  llvm::outs() << "wrote " << output << ": opset " << exported->opset() << ", " << exported->numNodes() << " nodes\n";
  return Error::success();
}
