//===- BenchCommand.cpp - halftone bench ----------------------------------===//
//
// Latency of one run. Models take turns in every round, so that a disturbance
// of the machine meets all of them; a round's time is the mean of as many runs
// as fill about 20 ms, a model's time is the median of its rounds, and the
// ratio is the median of the rounds' ratios. A profile is of one model.
//
//===----------------------------------------------------------------------===//
#include "Command.h"
#include "Contestant.h"
#include "Explain.h"
#include "ModelFile.h"
#include "Profile.h"
#include "Tuning.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

/// The median over the rounds of other / first.
static double ratioOf(const Contestant &first, const Contestant &other) {
  std::vector<double> ratios;
  for (size_t i = 0; i < first.roundMicroseconds.size(); ++i)
    ratios.push_back(other.roundMicroseconds[i] / first.roundMicroseconds[i]);
  return median(ratios);
}

static void printText(const std::vector<Contestant> &all) {
  for (const Contestant &one : all) {
    const HalftoneModel &info = one.model.info();
    llvm::outs() << llvm::format(
        "%s: median %.1f us, least %.1f us (%s, %d thread%s, %s); "
        "workspace %lld bytes, "
        "constants %lld bytes\n",
        one.path.c_str(), median(one.roundMicroseconds),
        *std::min_element(one.roundMicroseconds.begin(),
                          one.roundMicroseconds.end()),
        one.describeSizes().c_str(), one.model.threads(), one.model.threads() == 1 ? "" : "s",
        info.target, (long long)info.workspaceBytes,
        (long long)info.constantBytes);
  }
  for (size_t i = 1; i < all.size(); ++i)
    llvm::outs() << llvm::format("%s takes %.2f times as long as %s\n",
                                 all[i].path.c_str(), ratioOf(all[0], all[i]),
                                 all[0].path.c_str());
}

static void printJSON(const std::vector<Contestant> &all, int64_t batch) {
  llvm::json::Array models;
  for (const Contestant &one : all) {
    const HalftoneModel &info = one.model.info();
    models.push_back(
        llvm::json::Object{{"path", one.path},
                           {"median_us", median(one.roundMicroseconds)},
                           {"ratio", ratioOf(all[0], one)},
                           {"batch", batch},
                           {"threads", one.model.threads()},
                           {"target", info.target},
                           {"workspace_bytes", info.workspaceBytes},
                           {"constant_bytes", info.constantBytes}});
  }
  llvm::outs() << llvm::formatv("{0:2}\n",
                                llvm::json::Value(std::move(models)));
}

static Error runTune(StringRef path, StringRef output, bool hasOthers) {
  if (!path.empty() || hasOthers)
    return userError("--tune measures this CPU and takes no model: halftone "
                     "bench --tune -o cpu.json");
  if (output.empty())
    return userError("--tune needs -o cpu.json");
  if (Error error = checkWritable(output))
    return error;
  return tuneCosts(output);
}

Error mlir::halftone::runBench(CommandLine &line) {
  namespace cl = llvm::cl;
  cl::opt<std::string> path(cl::Positional, cl::sub(line.command),
                            cl::desc("M.so"));
  cl::list<std::string> against(
      "against", cl::sub(line.command), cl::value_desc("F.so"),
      cl::desc("Another model to run in turns; may be repeated"));
  cl::opt<int> threads("threads", cl::sub(line.command), cl::init(1),
                       cl::value_desc("N"),
                       cl::desc("Threads of parallel loops (default 1)"));
  cl::opt<int> rounds("rounds", cl::sub(line.command), cl::init(25),
                      cl::value_desc("N"),
                      cl::desc("Rounds of about 20 ms a model (default 25)"));
  cl::opt<int64_t> batch(
      "batch", cl::sub(line.command), cl::init(1), cl::value_desc("N"),
      cl::desc("Batch of a model with a dynamic batch (default 1)"));
  cl::list<std::string> dims(
      "dim", cl::sub(line.command), cl::value_desc("name=size"),
      cl::desc("Which size of a library for several, for example seq=32; may "
               "be repeated"));
  cl::opt<bool> json("json", cl::sub(line.command), cl::desc("Print JSON"));
  cl::opt<bool> profile(
      "profile", cl::sub(line.command),
      cl::desc("Time, share, part of the peak and of the roofline, and bytes of each layer"));
  cl::opt<bool> explain(
      "explain", cl::sub(line.command),
      cl::desc("The time of each layer that the cost model predicts beside the "
               "measured one, what bounds it, and what was not chosen"));
  cl::opt<std::string> cost("cost", cl::sub(line.command),
                            cl::value_desc("cpu.json"),
                            cl::desc("The cost table of --explain and --profile "
                                     "(default: the built-in one of the model's target)"));
  cl::opt<bool> tune("tune", cl::sub(line.command),
                     cl::desc("Measure a cost table of this CPU, into -o; "
                              "without a model"));
  cl::opt<std::string> output("o", cl::sub(line.command),
                              cl::value_desc("cpu.json"),
                              cl::desc("The file that --tune writes"));
  line.parse();
  if (tune)
    return runTune(path, output, explain || profile || !cost.empty() || !against.empty());
  if (path.empty())
    return userError("bench needs a compiled model: halftone bench M.so");
  if (!output.empty())
    return userError("-o is the file of --tune");
  if (explain && profile)
    return userError("--explain and --profile are two tables of the same "
                     "layers; give one");
  if (!cost.empty() && !explain && !profile)
    return userError("--cost is the table of --explain and --profile; code is "
                     "chosen by it when a model is compiled");
  if (rounds < 1 || threads < 1)
    return userError("--rounds and --threads are numbers from 1");

  if ((profile || explain) && !against.empty())
    return userError("--profile and --explain are of one model; leave "
                     "--against out");

  std::vector<std::string> paths = {path};
  paths.insert(paths.end(), against.begin(), against.end());
  Expected<std::vector<Contestant>> all = Contestant::prepareAll(paths, threads, batch, dims);
  if (!all)
    return all.takeError();
  if (!dims.empty() && llvm::all_of(*all, [](const Contestant &one) { return one.model.sizes().size() == 1; }))
    return userError("--dim is for a library of several sizes: '" + path + "' has one");
  if (profile)
    return profileModel(all->front(), rounds, json, cost);
  if (explain)
    return explainModel(all->front(), rounds, json, cost);
  for (int round = 0; round < rounds; ++round)
    if (Error error = runInTurns(*all))
      return error;
  json ? printJSON(*all, batch) : printText(*all);
  return Error::success();
}
