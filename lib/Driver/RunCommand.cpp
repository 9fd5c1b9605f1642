//===- RunCommand.cpp - halftone run --------------------------------------===//
#include "Command.h"
#include "DataOptions.h"
#include "LoadedModel.h"
#include "ModelFile.h"
#include "halftone/Data/Npz.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::runRun(CommandLine &line) {
  namespace cl = llvm::cl;
  cl::opt<std::string> path(cl::Positional, cl::Required, cl::sub(line.command),
                            cl::desc("M.so"));
  cl::opt<std::string> input(
      "input", cl::Required, cl::sub(line.command),
      cl::value_desc("X.npz|folder"),
      cl::desc("Samples: .npz keyed by input name with a leading sample "
               "axis, a folder of .npy, or pictures"));
  cl::opt<std::string> output("o", cl::Required, cl::sub(line.command),
                              cl::value_desc("Y.npz"),
                              cl::desc("Outputs, keyed by their names"));
  cl::opt<int> threads(
      "threads", cl::sub(line.command), cl::init(0), cl::value_desc("N"),
      cl::desc("Threads of parallel loops (default: all CPUs)"));
  line.parse();
  if (Error error = checkWritable(output))
    return error;
  Expected<LoadedModel> model = LoadedModel::load(path, threads);
  if (!model)
    return model.takeError();
  Expected<InputInterface> interface = InputInterface::of(model->inputs());
  if (!interface)
    return interface.takeError();
  auto data = loadDataset(input, interface->inputs, interface->preprocess);
  if (!data)
    return data.takeError();
  Expected<std::vector<Tensor>> results = model->runDataset(**data);
  if (!results)
    return results.takeError();
  return writeNpz(output, *results);
}
