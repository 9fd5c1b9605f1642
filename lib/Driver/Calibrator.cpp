//===- Calibrator.cpp - Runs the samples through compiled observers -------===//
#include "Calibrator.h"
#include "Command.h"
#include "DataOptions.h"
#include "LoadedModel.h"
#include "Progress.h"
#include "Stages.h"
#include "TemporaryFile.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Data/DataStatistics.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/WithColor.h"
#include <limits>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {
/// What the observers of a module count: the keys of the rows, and of the
/// contractions whose channels are summed with their numbers of channels.
struct Observed {
  std::vector<std::string> values, contractions;
  std::vector<int64_t> widths;
};

/// The counters that the observers write, passed as the last inputs, and the
/// statistics that they become.
struct Counters {
  Counters(const Observed &observed, StringRef sourceHash);
  /// Before each run.
  void clearExtrema();
  /// Takes over what is not the last run's alone.
  void finish(const Observed &observed, int64_t samples);

  Tensor counts, extrema, sums;
  Statistics statistics;
};
} // namespace

/// There is at least one element.
static int64_t countSums(const Observed &observed) {
  int64_t count = 0;
  for (int64_t width : observed.widths)
    count += Statistics::channelNumbers(width);
  return std::max<int64_t>(count, 1);
}

Counters::Counters(const Observed &observed, StringRef sourceHash)
    : counts(kCountsName, ElementType::I64,
             {static_cast<int64_t>(observed.values.size()), kPrefixes}),
      extrema(kExtremaName, ElementType::F32,
              {static_cast<int64_t>(observed.values.size()), 2}),
      sums(kSumsName, ElementType::I64, {countSums(observed)}),
      statistics(Statistics::ofKeys(observed.values, sourceHash)) {}

void Counters::clearExtrema() {
  float infinity = std::numeric_limits<float>::infinity();
  auto pairs = extrema.values<float>();
  for (size_t i = 0; i < pairs.size(); i += 2) {
    pairs[i] = infinity;
    pairs[i + 1] = -infinity;
  }
}

void Counters::finish(const Observed &observed, int64_t samples) {
  statistics.samples = samples;
  statistics.setCounts(counts.values<int64_t>());
  statistics.addChannels(observed.contractions, observed.widths,
                         sums.values<int64_t>());
}

static std::vector<std::string> readKeys(Operation *main, StringRef name) {
  std::vector<std::string> keys;
  for (auto key :
       main->getAttrOfType<ArrayAttr>(name).getAsRange<StringAttr>())
    keys.push_back(key.str());
  return keys;
}

/// Adds the observers.
static Expected<Observed> instrument(ModuleOp module) {
  PassManager pm(module.getContext());
  buildObservePipeline(pm);
  if (failed(pm.run(module)))
    return llvm::make_error<Reported>();
  Operation *main = module.lookupSymbol<func::FuncOp>("main");
  ArrayRef<int64_t> widths =
      main->getAttrOfType<DenseI64ArrayAttr>(kChannelWidthsAttr);
  return Observed{readKeys(main, kObservedAttr),
                  readKeys(main, kObservedChannelsAttr), widths.vec()};
}

namespace {
/// How the samples are cut into runs. Each is counted once, so that the last
/// run is never filled up: a rest that the model cannot take is left out.
struct Runs {
  Runs(const LoadedModel &model, const Dataset &data, int64_t samples);
  bool whole = false; ///< Each sample is one whole input, with its batch axis.
  int64_t perRun = 1; ///< Samples that one run takes at most.
  int64_t total = 0;  ///< Samples that are run.
};
} // namespace

Runs::Runs(const LoadedModel &model, const Dataset &data, int64_t samples) {
  const HalftoneTensorInfo &first = model.inputs().front();
  whole = static_cast<int64_t>(data.sampleShape(0).size()) == first.rank;
  bool isSymbolic = first.rank > 0 && first.shape[0] == -1;
  int64_t least = 1;
  if (!whole && first.rank > 0) {
    perRun = isSymbolic ? model.info().minBatch : first.shape[0];
    least = perRun;
  }
  int64_t rest = samples % perRun;
  total = rest < least ? samples - rest : samples;
}

/// From one sample to the whole input that it is.
static void dropSampleAxis(std::vector<Tensor> &inputs) {
  for (Tensor &tensor : inputs)
    tensor.shape.erase(tensor.shape.begin());
}

/// Runs once, the counters as the last two inputs.
static Error observeOnce(LoadedModel &model, std::vector<Tensor> inputs,
                         Counters &counters) {
  int64_t batch = 1;
  for (auto [tensor, info] : llvm::zip(inputs, model.inputs()))
    if (info.rank > 0 && info.shape[0] == -1)
      batch = tensor.shape[0];
  std::vector<Tensor> outputs = model.makeOutputs(batch);
  counters.clearExtrema();
  for (Tensor *counter : {&counters.counts, &counters.extrema, &counters.sums})
    inputs.push_back(std::move(*counter));
  Error error = model.run(inputs, outputs);
  for (Tensor *counter : {&counters.sums, &counters.extrema, &counters.counts}) {
    *counter = std::move(inputs.back());
    inputs.pop_back();
  }
  if (!error)
    counters.statistics.addRun(counters.extrema.values<float>());
  return error;
}

/// Runs the samples from `first` on; returns how many are done, less than all
/// if there was a Ctrl-C. Before, one ends the program at once: there is nothing
/// to save, and what is compiled takes long.
static Expected<int64_t> observe(LoadedModel &model, const Dataset &data,
                                 const Runs &runs, int64_t first,
                                 int64_t samples, Counters &counters) {
  if (runs.total == 0)
    return userError("the data has " + Twine(samples) +
                     " samples, the model takes " + Twine(runs.perRun) +
                     " in each run; give more");
  if (runs.total < samples)
    llvm::WithColor::warning(llvm::errs(), "halftone")
        << "the last " << samples - runs.total
        << " samples fill no batch of " << runs.perRun << " and are left out\n";
  InterruptGuard guard;
  Progress progress("calibrating", "samples", runs.total);
  int64_t done = first;
  while (done < runs.total && !guard.interrupted()) {
    int64_t count = std::min(runs.perRun, runs.total - done);
    Expected<std::vector<Tensor>> inputs = data.read(done, count);
    if (!inputs)
      return inputs.takeError();
    if (runs.whole)
      dropSampleAxis(*inputs);
    if (Error error = observeOnce(model, std::move(*inputs), counters))
      return std::move(error);
    progress.update(done += count);
  }
  return done;
}

/// Threads of the runs, 0 for all CPUs. A run of a few milliseconds gains
/// nothing from a second thread, and on a busy machine each parallel loop waits
/// for a thread that has no CPU.
static int chooseThreads(ModuleOp module) {
  constexpr int64_t worthwhile = 100'000'000;
  return countMultiplyAccumulates(module).floating < worthwhile ? 1 : 0;
}

/// What an interrupted calibration had counted, if it is to go on.
static Expected<std::optional<Statistics>>
readPartial(const PartialCalibration &partial) {
  if (!partial.resume)
    return std::nullopt;
  Expected<Statistics> statistics = Statistics::read(partial.path);
  if (!statistics)
    return statistics.takeError();
  return std::optional<Statistics>(std::move(*statistics));
}

/// The error of a calibration that was interrupted, its work kept if it has a
/// place.
static Error interrupted(const Statistics &statistics, int64_t total,
                         const PartialCalibration &partial) {
  std::string what = ("interrupted after " + Twine(statistics.samples) +
                      " of " + Twine(total) + " samples; ")
                         .str();
  if (partial.path.empty() || statistics.samples == 0)
    return userError(what + "nothing was written");
  if (Error error = statistics.write(partial.path))
    return error;
  return userError(what + "their statistics are in '" + partial.path +
                   "': go on with --resume");
}

/// Of -inf a softmax makes zeros, a product NaN: what the samples hide has to be
/// what the model hides, too.
static Error checkHidden(const Statistics &statistics, const Dataset &data) {
  std::string hiding, undefined;
  int64_t more = -1;
  auto isInput = [&](const ValueStatistics &value) {
    return llvm::any_of(data.inputs(), [&](const InputSpec &spec) {
      return value.name() == spec.name;
    });
  };
  for (const ValueStatistics &value : statistics.values) {
    std::string name = ("'" + value.name() + "'").str();
    if (value.negativeInfinities() && isInput(value))
      hiding += (hiding.empty() ? "" : ", ") + name;
    if (value.nans() && ++more == 0)
      undefined = name;
  }
  if (hiding.empty() || undefined.empty())
    return Error::success();
  return userError("the samples of " + hiding +
                   " have -inf, of which the model makes NaN in " + undefined +
                   (more ? " and " + std::to_string(more) + " values behind it"
                         : "") +
                   ": only where a softmax hides it may an input have -inf, and "
                   "no row may be all hidden");
}

/// Gives back to the system what compiling has freed: the runs last longer.
static void returnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/// Compiles the observers and runs the first samples.
static Expected<Statistics> runObservers(ModuleOp module, const Dataset &data,
                                         int64_t count,
                                         const PartialCalibration &partial) {
  Expected<std::optional<Statistics>> before = readPartial(partial);
  if (!before)
    return before.takeError();
  OwningOpRef<ModuleOp> observed = module.clone();
  Expected<Observed> keys = instrument(*observed);
  if (!keys)
    return keys.takeError();
  Expected<TemporaryFile> library = TemporaryFile::create("so");
  if (!library)
    return library.takeError();
  if (Error error = compileModule(*observed, library->path(), "native"))
    return std::move(error);
  observed = nullptr;
  returnFreeMemory();
  Expected<LoadedModel> model =
      LoadedModel::load(library->path(), chooseThreads(module));
  if (!model)
    return model.takeError();
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  Counters counters(*keys, hash ? hash.getValue() : "");
  Runs runs(*model, data, count);
  int64_t first = *before ? (*before)->samples : 0;
  if (first > runs.total)
    return userError("'" + partial.path + "' has statistics of " +
                     Twine(first) + " samples, the data only " +
                     Twine(runs.total));
  Expected<int64_t> done =
      observe(*model, data, runs, first, count, counters);
  if (!done)
    return done.takeError();
  counters.finish(*keys, *done - first);
  Statistics &statistics = counters.statistics;
  if (*before) {
    if (Error error = statistics.merge(**before))
      return userError("'" + partial.path +
                       "': " + llvm::toString(std::move(error)));
  }
  if (*done < runs.total)
    return interrupted(statistics, runs.total, partial);
  if (Error error = checkHidden(statistics, data))
    return std::move(error);
  return std::move(statistics);
}

Expected<Statistics>
mlir::halftone::calibrate(ModuleOp module, StringRef dataPath,
                          ShareOfSamples share,
                          const PartialCalibration &partial) {
  auto data = loadDatasetFor(module, dataPath);
  if (!data)
    return data.takeError();
  auto statistics = computeStatistics(**data);
  if (!statistics)
    return statistics.takeError();
  printStatistics(*statistics, llvm::errs());
  Expected<int64_t> count = (*data)->size();
  if (share)
    count = share(*count);
  if (!count)
    return count.takeError();
  return runObservers(module, **data, *count, partial);
}

Expected<TemporaryFile>
mlir::halftone::calibrateIntoFile(ModuleOp module, StringRef dataPath,
                                  ShareOfSamples share) {
  Expected<Statistics> statistics = calibrate(module, dataPath, share);
  if (!statistics)
    return statistics.takeError();
  Expected<TemporaryFile> file = TemporaryFile::create("stats");
  if (!file)
    return file.takeError();
  if (Error error = statistics->write(file->path()))
    return std::move(error);
  return file;
}
