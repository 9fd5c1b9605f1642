//===- RunCommand.cpp - halftone run --------------------------------------===//
#include "Command.h"
#include "DataOptions.h"
#include "LoadedModel.h"
#include "ModelFile.h"
#include "halftone/Data/Npz.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {
/// What --input and --data say: where the samples are, and lines of steps.
struct Samples {
  std::string path;
  std::vector<std::string> lines;
};
} // namespace

/// A value of --input is a line 'NAME: steps' as in the other commands, or the
/// path of the samples, which --data takes too.
static Expected<Samples> samplesOf(llvm::ArrayRef<std::string> inputs,
                                   const std::string &data) {
  Samples samples{data, {}};
  for (const std::string &value : inputs) {
    bool isLine = llvm::StringRef(value).contains(": ") &&
                  !llvm::sys::fs::exists(value);
    if (isLine)
      samples.lines.push_back(value);
    else if (samples.path.empty())
      samples.path = value;
    else
      return userError("samples are given twice: '" + samples.path + "' and '" +
                       value + "'");
  }
  if (samples.path.empty())
    return userError("run needs samples: --input X.npz, or a folder");
  return samples;
}

Error mlir::halftone::runRun(CommandLine &line) {
  namespace cl = llvm::cl;
  cl::opt<std::string> path(cl::Positional, cl::Required, cl::sub(line.command),
                            cl::desc("M.so"));
  cl::list<std::string> inputs(
      "input", cl::sub(line.command), cl::value_desc("X.npz|folder"),
      cl::desc("Samples: .npz keyed by input name with a leading sample "
               "axis, a folder of .npy, or pictures; 'NAME: steps' says how "
               "pictures become an input, instead of what M.so records"));
  cl::opt<std::string> data("data", cl::sub(line.command),
                            cl::value_desc("X.npz|folder"),
                            cl::desc("Samples, the same as --input"));
  cl::opt<std::string> output("o", cl::Required, cl::sub(line.command),
                              cl::value_desc("Y.npz"),
                              cl::desc("Outputs, keyed by their names"));
  cl::opt<int> threads(
      "threads", cl::sub(line.command), cl::init(0), cl::value_desc("N"),
      cl::desc("Threads of parallel loops (default: all CPUs)"));
  line.parse();
  Expected<Samples> samples = samplesOf(inputs, data);
  if (!samples)
    return samples.takeError();
  if (Error error = checkWritable(output))
    return error;
  Expected<LoadedModel> model = LoadedModel::load(path, threads);
  if (!model)
    return model.takeError();
  auto sizes = InputInterface::ofSizes(model->sizes());
  if (!sizes)
    return sizes.takeError();
  for (InputInterface &size : *sizes)
    if (Error error = size.setPreprocessing(samples->lines))
      return error;
  auto dataset = loadDatasetFor(*sizes, samples->path);
  if (!dataset)
    return dataset.takeError();
  Expected<std::vector<Tensor>> results = model->runDataset(**dataset);
  if (!results)
    return results.takeError();
  return writeNpz(output, *results);
}
