//===- Tuning.cpp - A cost table measured on this machine -----------------===//
//
// For each instruction set that this CPU runs, the layers of TuningLayers.cpp
// are compiled and profiled as parts of one run, so that their weights come
// from where they would in a network. Then each number of the table is moved
// up and down as long as that brings the predictions nearer to the times:
//
//   sum over layers of log(predicted / measured)^2 (Huber's: large ones count
//                      by their size)
//     + weight * sum over numbers of log(number / first guess)^2
//
// The second term, small, holds what no layer depends on at the built-in
// value. What this has no layers for keeps the built-in value, and the file
// says so: the bandwidth of memory.
//
//===----------------------------------------------------------------------===//
#include "Tuning.h"
#include "Command.h"
#include "Contestant.h"
#include "LayerCost.h"
#include "ModelFile.h"
#include "Profile.h"
#include "Progress.h"
#include "Stages.h"
#include "TemporaryFile.h"
#include "TuningLayers.h"
#include "halftone/Codegen/CostModel.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Driver/Driver.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>
#include <set>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

static constexpr int kRounds = 5;
/// How strongly a number is held at its first guess.
static constexpr double kPrior = 0.05;
/// Errors of the logarithm from here on count by their size, not its square: a
/// layer that was disturbed moves little.
static constexpr double kOutlier = 0.3;

namespace {

/// What a set of layers is compiled with.
struct TuningRun {
  TuningWeights weights;
  KernelChoice choice;
  int winograd = 0; ///< Which of Winograd's kernels, from 1, instead of dots, wherever it can be; 0: none.

  /// Whether the target has the kernels that it is to time.
  bool isFor(const Isa &isa) const {
    return winograd ? winograd <= static_cast<int>(isa.winograd.size()) : !isNarrow(weights) || !isa.narrow.empty();
  }
};

/// One timed layer.
struct Sample {
  std::optional<RecordedLayer> layer; ///< Nothing: it moves bytes.
  double read = 0, written = 0, cycles = 0;

  StringRef kernel() const { return layer ? layer->kernel->name : ""; }
  double predicted(const CostTable &table) const {
    return layer ? layer->predict(table).cycles()
                 : predictCycles(table, read, written).cycles();
  }
};

/// A number that is fitted.
struct Unknown {
  double *value;
  double guess;
};

} // namespace

static constexpr TuningRun kDots = {TuningWeights::Codes, {StorageChoice::Bytes, 2}};

/// Every width of register tiles; Winograd's kernels and those of narrow weights, where the target has them; weights that are decoded, and sparse ones.
static const TuningRun kRuns[] = {
    {TuningWeights::Codes, {StorageChoice::Bytes, 2}, /*winograd=*/1},
    {TuningWeights::Codes, {StorageChoice::Bytes, 2}, /*winograd=*/2},
    kDots,
    {TuningWeights::Codes, {StorageChoice::Bytes, 3}},
    {TuningWeights::Codes, {StorageChoice::Bytes, 4}},
    {TuningWeights::UpTo64, {StorageChoice::Bytes, 1}},
    {TuningWeights::UpTo64, {StorageChoice::Bytes, 2}},
    {TuningWeights::UpTo32, {StorageChoice::Bytes, 1}},
    {TuningWeights::UpTo32, {StorageChoice::Bytes, 2}},
    {TuningWeights::Few, {StorageChoice::Packed, 0}},
    {TuningWeights::HalfSparse, {StorageChoice::Bytes, 2}},
    {TuningWeights::Sparse, {StorageChoice::Bytes, 2}},
    {TuningWeights::Floats, {StorageChoice::Bytes, 2}},
    {TuningWeights::Floats, {StorageChoice::Bytes, 4}}};

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

/// Calls `visit` for the numbers that a kernel has.
static void forEachNumber(KernelCosts &costs, llvm::function_ref<void(double &)> visit) {
  for (double KernelCosts::*member :
       {&KernelCosts::dotCycles, &KernelCosts::loadCycles,
        &KernelCosts::latencyCycles, &KernelCosts::tileCycles,
        &KernelCosts::vectorCycles, &KernelCosts::operandCycles,
        &KernelCosts::depthwiseCycles, &KernelCosts::decodeCycles,
        &KernelCosts::sparseDotCycles, &KernelCosts::sparseQuadCycles,
        &KernelCosts::sparseListCycles, &KernelCosts::sparseSumCycles,
        &KernelCosts::sparseBlockCycles, &KernelCosts::sparseOutputCycles,
        &KernelCosts::sparseOperandCycles, &KernelCosts::transformCycles})
    if (costs.*member > 0)
      visit(costs.*member);
}

/// Attaches the table that a set is compiled by. Where there are two kernels of
/// bytes, the one of tiles is to be timed on all layers that it can have, and
/// Winograd's in their runs. Sparse weights are to be timed on the sparse kernels:
/// those of all weights are slow.
static Error attachTable(mlir::ModuleOp module, const TuningRun &run,
                         StringRef target, const CostTable &table) {
  Expected<CpuTarget> cpu = findCpuTarget(target);
  if (!cpu)
    return cpu.takeError();
  const Isa *isa = findIsa(cpu->isa);
  CostTable used = table;
  used.name = "tuning";
  if (isSparse(run.weights))
    for (auto &[name, costs] : used.kernels)
      costs.loadCycles = 1e5;
  else if (isa && isa->tiles)
    forEachNumber(used.kernels.at(isa->tiles->name.str()), [](double &number) { number = 1e-6; });
  for (auto [i, kernel] : llvm::enumerate(isa ? isa->winograd : llvm::ArrayRef<mlir::halftone::DotKernel>()))
    forEachNumber(used.kernels.at(kernel.name.str()), [&, i = static_cast<int>(i)](double &number) { number = run.winograd == i + 1 ? 1e-6 : 1e6; });
  module->setAttr(kCostTableAttr, mlir::StringAttr::get(module.getContext(), used.text()));
  return Error::success();
}

static Expected<Contestant> compileSet(int set, const TuningRun &run,
                                       StringRef target, const CostTable &table,
                                       int threads, TemporaryFile &file) {
  CompilerContext context;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      makeTuningModule(set, run.weights), context.get());
  if (!module)
    return userError("the layers of --tune do not parse");
  if (Error error = attachTable(*module, run, target, table))
    return std::move(error);
  if (Error error = compileModule(*module, file.path(), target, "{}", run.choice))
    return std::move(error);
  return Contestant::prepare(file.path(), threads, /*batch=*/1);
}

/// Times one set of layers for one target.
static Error measureSet(int set, const TuningRun &run, StringRef target,
                        const CostTable &table, std::vector<Sample> &samples) {
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  Expected<Contestant> contestant =
      compileSet(set, run, target, table, /*threads=*/1, *file);
  if (!contestant)
    return contestant.takeError();
  if (Error error = contestant->fillRound())
    return error;
  Expected<Profile> profile = measureProfile(*contestant, kRounds);
  if (!profile)
    return profile.takeError();
  if (profile->gigahertz <= 0)
    return userError("--tune cannot measure the clock of this CPU");
  auto layers = contestant->model.layers();
  for (size_t i = 0; i < layers.size(); ++i) {
    const ProfileRow &row = profile->layers[i];
    Sample sample = {recordOf(contestant->model.info(), *layers[i], table, 1),
                     row.bytesRead + row.bytesConstant, row.bytesWritten,
                     row.microseconds * profile->gigahertz * 1e3};
    if (sample.cycles > 0)
      samples.push_back(std::move(sample));
  }
  return Error::success();
}

/// The cycles of each contraction of a set of codes.
static Expected<std::vector<double>> measureContractions(int set, StringRef target,
                                                         const CostTable &table,
                                                         int threads) {
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  Expected<Contestant> contestant =
      compileSet(set, kDots, target, table, threads, *file);
  if (!contestant)
    return contestant.takeError();
  if (Error error = contestant->fillRound())
    return std::move(error);
  Expected<Profile> profile = measureProfile(*contestant, kRounds);
  if (!profile)
    return profile.takeError();
  std::vector<double> cycles;
  for (const ProfileRow &row : profile->layers)
    if (row.macs > 0)
      cycles.push_back(row.microseconds * profile->gigahertz * 1e3);
  return cycles;
}

/// What a layer takes with two threads more than half of its time with one, the
/// median.
static Error measureThreads(StringRef target, CostTable &table) {
  Expected<std::vector<double>> one = measureContractions(0, target, table, 1);
  if (!one)
    return one.takeError();
  Expected<std::vector<double>> two = measureContractions(0, target, table, 2);
  if (!two)
    return two.takeError();
  std::vector<double> losses;
  for (auto [alone, shared] : llvm::zip_equal(*one, *two))
    losses.push_back(shared - alone / 2);
  table.threadCycles = std::max(median(std::move(losses)), 1.0);
  return Error::success();
}

/// Whether asking for weights ahead of their use pays, for tiles of one row and
/// for the others.
static Error measurePrefetch(StringRef target, CostTable &table) {
  CostTable tried = table;
  double best[2] = {std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  for (double distance : {0.0, 2048.0}) {
    tried.prefetchBytes = tried.rowPrefetchBytes = distance;
    double sums[2] = {0, 0}; // Of logarithms: each layer counts the same.
    for (int set = 0; set < kTuningSets; ++set) {
      std::vector<Sample> samples;
      if (Error error = measureSet(set, kDots, target, tried, samples))
        return error;
      for (const Sample &sample : samples)
        if (sample.layer && !sample.layer->shape.depthwise)
          sums[sample.layer->shape.positions() > 1] += std::log(sample.cycles);
    }
    for (int rows : {0, 1})
      if (sums[rows] < best[rows]) {
        best[rows] = sums[rows];
        (rows ? table.prefetchBytes : table.rowPrefetchBytes) = distance;
      }
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Fitting
//===----------------------------------------------------------------------===//

static double errorOf(const CostTable &table, llvm::ArrayRef<Sample> samples,
                      llvm::ArrayRef<Unknown> unknowns) {
  double sum = 0;
  for (const Sample &sample : samples) {
    double error = std::fabs(std::log(sample.predicted(table) / sample.cycles));
    sum += error < kOutlier ? error * error : kOutlier * (2 * error - kOutlier);
  }
  for (const Unknown &unknown : unknowns)
    sum += kPrior * std::pow(std::log(*unknown.value / unknown.guess), 2);
  return sum;
}

/// Moves one number after the other by a factor, which shrinks.
static void fit(const CostTable &table, llvm::ArrayRef<Sample> samples,
                llvm::ArrayRef<Unknown> unknowns) {
  double best = errorOf(table, samples, unknowns);
  for (double factor = 1.5; factor > 1.003; factor = std::sqrt(factor)) {
    for (bool better = true; better;) {
      better = false;
      for (const Unknown &unknown : unknowns)
        for (double by : {factor, 1 / factor}) {
          double before = *unknown.value;
          *unknown.value = before * by;
          double error = errorOf(table, samples, unknowns);
          if (error < best * (1 - 1e-6)) {
            best = error;
            better = true;
          } else {
            *unknown.value = before;
          }
        }
    }
  }
}

static void addKernel(KernelCosts &costs, std::vector<Unknown> &unknowns) {
  forEachNumber(costs, [&](double &number) { unknowns.push_back({&number, number}); });
}

static std::vector<Sample> samplesOf(llvm::ArrayRef<Sample> all,
                                     StringRef kernel) {
  std::vector<Sample> chosen;
  for (const Sample &sample : all)
    if (sample.layer && sample.kernel() == kernel)
      chosen.push_back(sample);
  return chosen;
}

/// What all kernels share is fitted with the contractions of the most capable
/// target; then each other kernel by itself, and what moves bytes.
static void fitTable(CostTable &table, const Isa &best,
                     llvm::ArrayRef<Sample> all) {
  std::vector<Sample> first, moving;
  for (const Sample &sample : all)
    if (!sample.layer)
      moving.push_back(sample);
    else if (sample.kernel() == best.bytes.name ||
             sample.kernel() == best.floats.name ||
             (best.tiles && sample.kernel() == best.tiles->name))
      first.push_back(sample);
  std::vector<Unknown> shared = {{&table.layerCycles, table.layerCycles}};
  for (size_t i = 1; i + 1 < table.levels.size(); ++i)
    shared.push_back(
        {&table.levels[i].bytesPerCycle, table.levels[i].bytesPerCycle});
  std::set<std::string> done;
  for (const Sample &sample : first)
    if (done.insert(sample.kernel().str()).second)
      addKernel(table.kernels.at(sample.kernel().str()), shared);
  fit(table, first, shared);
  for (auto &[kernel, costs] : table.kernels) {
    std::vector<Sample> own = samplesOf(all, kernel);
    if (done.count(kernel) || own.empty())
      continue;
    std::vector<Unknown> unknowns;
    addKernel(costs, unknowns);
    fit(table, own, unknowns);
    done.insert(kernel);
  }
  fit(table, moving, {{&table.vectorBytesPerCycle, table.vectorBytesPerCycle}});
}

//===----------------------------------------------------------------------===//
// The machine
//===----------------------------------------------------------------------===//

/// Bytes of the caches of one CPU, from near to far, as the system says; L3 is
/// shared out among the CPUs that share it.
static std::vector<double> cacheBytes() {
  std::vector<double> sizes;
  auto text = [](int index, StringRef name) -> std::string {
    std::string path = llvm::formatv(
        "/sys/devices/system/cpu/cpu0/cache/index{0}/{1}", index, name);
    auto buffer = llvm::MemoryBuffer::getFileAsStream(path);
    return buffer ? (*buffer)->getBuffer().trim().str() : "";
  };
  for (int index = 0; !text(index, "size").empty(); ++index) {
    double kilobytes = 0;
    if (text(index, "type") == "Instruction" ||
        StringRef(text(index, "size")).drop_back().getAsDouble(kilobytes))
      continue;
    sizes.push_back(kilobytes * 1024);
  }
  return sizes;
}

/// The targets that this machine runs, the most capable first, without those
/// whose kernels earlier ones have.
static Expected<std::vector<const CpuTarget *>> runnableTargets() {
  Expected<CpuTarget> native = findCpuTarget("native"); // Fails below the least.
  if (!native)
    return native.takeError();
  std::vector<const CpuTarget *> list;
  std::set<StringRef> kernels;
  for (const CpuTarget &target : allCpuTargets()) {
    const Isa *isa = findIsa(target.isa);
    if (!isa || !canRunHere(target))
      continue;
    // With tiles, all layers go to tiles (see favourTiles).
    const DotKernel &bytes = isa->tiles ? *isa->tiles : isa->bytes;
    bool isNew = kernels.insert(bytes.name).second;
    isNew |= kernels.insert(isa->floats.name).second;
    if (isNew)
      list.push_back(&target);
  }
  return list;
}

static void roundNumbers(CostTable &table) {
  auto round = [](double &value) {
    double scale = std::pow(10, 2 - std::floor(std::log10(value)));
    value = std::round(value * scale) / scale;
  };
  round(table.layerCycles);
  round(table.threadCycles);
  round(table.vectorBytesPerCycle);
  for (MemoryLevel &level : table.levels)
    round(level.bytesPerCycle);
  for (auto &[name, costs] : table.kernels)
    forEachNumber(costs, round);
}

static void printFit(const CostTable &table, llvm::ArrayRef<Sample> samples) {
  double worst = 0, sum = 0;
  int count = 0;
  for (const Sample &sample : samples) {
    if (!sample.layer)
      continue;
    double error = std::fabs(std::log(sample.predicted(table) / sample.cycles));
    ++count;
    worst = std::max(worst, error);
    sum += error;
  }
  llvm::outs() << llvm::format(
      "%d contractions: predictions are off by a factor of %.2f in the mean, "
      "%.2f at the most\n",
      count, std::exp(sum / std::max(count, 1)), std::exp(worst));
}

//===----------------------------------------------------------------------===//
// The command
//===----------------------------------------------------------------------===//

Error mlir::halftone::tuneCosts(StringRef path) {
  Expected<std::vector<const CpuTarget *>> targets = runnableTargets();
  if (!targets)
    return targets.takeError();
  const CpuTarget &best = *targets->front();
  CostTable table = CostTable::builtIn(*findIsa(best.isa));
  // Less capable targets have kernels that the best one's table need not list.
  for (const CpuTarget *target : *targets)
    for (const auto &[name, costs] : CostTable::builtIn(*findIsa(target->isa)).kernels)
      table.kernels.insert({name, costs});
  std::vector<double> caches = cacheBytes();
  for (size_t i = 0; i + 1 < table.levels.size() && i < caches.size(); ++i)
    table.levels[i].bytes = caches[i];

  if (Error error = measurePrefetch(best.name, table))
    return error;
  std::vector<Sample> all;
  std::vector<std::pair<const CpuTarget *, TuningRun>> runs;
  for (const CpuTarget *target : *targets)
    for (const TuningRun &run : kRuns)
      if (run.isFor(*findIsa(target->isa)))
        runs.emplace_back(target, run);
  Progress progress("tuning", "sets of layers", int64_t(runs.size()) * kTuningSets + 1);
  int64_t done = 0;
  for (const auto &[target, run] : runs)
    for (int set = 0; set < kTuningSets; ++set) {
      if (Error error = measureSet(set, run, target->name, table, all))
        return error;
      progress.update(++done);
    }
  if (llvm::hardware_concurrency().compute_thread_count() > 1) // of the affinity
    if (Error error = measureThreads(best.name, table))
      return error;
  progress.update(++done);
  fitTable(table, *findIsa(best.isa), all);
  roundNumbers(table);
  table.name = "tuned";
  table.source =
      ("halftone bench --tune for " + best.name +
       "; memory and kernels that no layer took are those of the built-in table")
          .str();
  Error written = writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    os << table.text(/*indent=*/2) << "\n";
    return Error::success();
  });
  if (written)
    return written;
  printFit(table, all);
  llvm::outs() << "wrote " << path << ", table " << table.hash() << "\n";
  return Error::success();
}
