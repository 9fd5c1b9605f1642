//===- CalibrateCommand.cpp - halftone calibrate --------------------------===//
#include "Calibrator.h"
#include "ModelOptions.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// Statistics files of one model added up; the order does not matter.
static Expected<Statistics> mergeAll(llvm::ArrayRef<std::string> paths) {
  Expected<Statistics> sum = Statistics::read(paths.front());
  if (!sum)
    return sum.takeError();
  for (const std::string &path : paths.drop_front()) {
    Expected<Statistics> shard = Statistics::read(path);
    if (!shard)
      return shard.takeError();
    if (Error error = sum->merge(*shard))
      return userError("'" + path + "': " + llvm::toString(std::move(error)));
  }
  return sum;
}

static Expected<Statistics> calibrateModel(const ModelOptions &model,
                                           const EqualizeOption &equalize,
                                           StringRef data,
                                           const PartialCalibration &partial) {
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get(), /*quantizes=*/true);
  if (!module)
    return module.takeError();
  if (stageOf(**module) == Stage::Quantization && model.isOnnx())
    return model.isQuantizedAlready("`halftone build` needs no samples for it");
  if (stageOf(**module) != Stage::Import)
    return userError("'" + model.paths.front() +
                     "' is behind the stage 'import'; calibrate the "
                     "source model");
  if (Error error = equalize.apply(**module))
    return std::move(error);
  return calibrate(**module, data, nullptr, partial);
}

Error mlir::halftone::runCalibrate(CommandLine &line) {
  namespace cl = llvm::cl;
  ModelOptions model(line, /*several=*/true);
  EqualizeOption equalize(line);
  cl::opt<std::string> data(
      "data", cl::sub(line.command), cl::value_desc("D.npz|folder"),
      cl::desc("Samples: .npz keyed by input name with a leading sample "
               "axis, a folder of .npy, or pictures with --input"));
  cl::opt<std::string> output("o", cl::Required, cl::sub(line.command),
                              cl::value_desc("STATS"),
                              cl::desc("Statistics file"));
  cl::opt<bool> merge(
      "merge", cl::sub(line.command),
      cl::desc("Add up statistics files of shards instead; the order does not "
               "matter"));
  cl::opt<bool> resume(
      "resume", cl::sub(line.command),
      cl::desc("Go on with the same model and data after an interrupt, from "
               "STATS.partial, which it left"));
  line.parse();
  if (Error error = checkWritable(output))
    return error;
  if (merge && resume)
    return userError("--merge has nothing to resume");
  if (merge && equalize)
    return userError("--merge reads no model: give --equalize to the "
                     "calibrations of the shards");
  if (!merge && (data.empty() || model.paths.size() != 1))
    return userError("calibrate takes one MODEL and --data, or --merge and "
                     "statistics files");
  Expected<Statistics> statistics =
      merge ? mergeAll(model.paths)
            : calibrateModel(model, equalize, data, {output + ".partial", resume});
  if (!statistics)
    return statistics.takeError();
  if (Error error = statistics->write(output))
    return error;
  llvm::sys::fs::remove(output + ".partial");
  llvm::errs() << "wrote " << output << ": " << statistics->values.size()
               << " values, " << statistics->samples << " samples\n";
  return Error::success();
}
