//===- QuantizeCommand.cpp - halftone quantize ----------------------------===//
#include "ModelOptions.h"
#include "OpReport.h"
#include "QuantizeOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runQuantize(CommandLine &line) {
  namespace cl = llvm::cl;
  ModelOptions model(line);
  QuantizeOptions options(line);
  cl::opt<std::string> statistics(
      "stats", cl::sub(line.command), cl::value_desc("STATS"),
      cl::desc("Statistics file of `halftone calibrate`; not needed "
               "for a stage file behind calibration"));
  StageOption stopAfter(line, Stage::Calibration, Stage::Integer,
                        Stage::Quantization);
  OutputOption output(line);
  line.parse();
  if (Error error = checkWritable(output.path))
    return error;
  Expected<Stage> last = stopAfter.stage();
  if (!last)
    return last.takeError();
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  if (stageOf(**module) == Stage::Import && statistics.empty())
    return userError(
        "quantize needs --stats, or a stage file behind calibration; `halftone "
        "calibrate MODEL --data D.npz -o STATS` makes them");
  StageSettings settings = options.settings();
  settings.statistics = statistics;
  if (Error error = advance(**module, *last, settings))
    return error;
  return output.write(**module);
}
