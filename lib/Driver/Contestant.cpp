//===- Contestant.cpp - A model that is timed -----------------------------===//
#include "Contestant.h"
#include "Command.h"
#include "DataOptions.h"
#include "llvm/ADT/StringExtras.h"
#include <chrono>
#include <limits>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

static double microseconds() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

/// Values that take every branch of the arithmetic, the same in each process:
/// a full-period generator, as [0, 1) or as small integers.
static void fillPattern(Tensor &tensor) {
  uint32_t state = 1;
  auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 8; };
  if (tensor.type == ElementType::F32) {
    for (float &value : tensor.values<float>())
      value = next() / float(1 << 24);
  } else if (elementBytes(tensor.type) == 1) {
    for (char &value : tensor.bytes)
      value = next() & (tensor.type == ElementType::Bool ? 1 : 127);
  }
}

double mlir::halftone::median(std::vector<double> values) {
  auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string Contestant::describeSizes() const {
  const bool isSingle = llvm::all_of(inputs, [](const Tensor &input) { return input.shape.empty() || input.shape.front() == 1; });
  if (isSingle || model.info().maxBatch > 1)
    return "batch " + std::to_string(batch);
  return llvm::join(llvm::map_range(inputs, [](const Tensor &input) {
                      auto sizes = llvm::map_range(input.shape, [](int64_t size) { return std::to_string(size); });
                      return input.name + " " + (input.shape.empty() ? "scalar" : llvm::join(sizes, "x"));
                    }), ", ");
}

Error Contestant::fillRound(double roundMicroseconds) {
  if (Error error = model.run(inputs, outputs))
    return error;
  double start = microseconds();
  if (Error error = model.run(inputs, outputs))
    return error;
  double one = std::max(microseconds() - start, 1.0);
  runsPerRound = std::clamp<int64_t>(roundMicroseconds / one, 1, 10000);
  return Error::success();
}

Error Contestant::runRound() {
  double start = microseconds();
  for (int64_t i = 0; i < runsPerRound; ++i)
    if (Error error = model.run(inputs, outputs))
      return error;
  roundMicroseconds.push_back((microseconds() - start) / runsPerRound);
  return Error::success();
}

/// "seq=16", "width=32": the dimensions of a size.
static llvm::SmallVector<StringRef> dimsOf(const InputInterface &interface) {
  llvm::SmallVector<StringRef> dims;
  StringRef(interface.size).split(dims, ", ");
  return dims;
}

/// Takes the only size that has all of `dims`.
static Error takeNamedSize(LoadedModel &model, StringRef path, llvm::ArrayRef<std::string> dims) {
  Expected<std::vector<InputInterface>> sizes = InputInterface::ofSizes(model.sizes());
  if (!sizes || sizes->size() == 1)
    return sizes.takeError();
  auto hasAll = [&](const InputInterface &size) {
    return llvm::all_of(dims, [&](const std::string &dim) { return llvm::is_contained(dimsOf(size), dim); });
  };
  auto found = llvm::find_if(*sizes, hasAll);
  if (found != sizes->end() && std::none_of(found + 1, sizes->end(), hasAll))
    return model.takeSize(found->inputs);
  auto names = llvm::map_range(*sizes, [](const InputInterface &size) { return size.size; });
  return userError("'" + path + "' has the sizes " + llvm::join(names, "; ") + ": give " +
                   (dims.empty() ? "" : "another, or ") + "one of them, as --dim " + llvm::join(dimsOf(sizes->front()), " --dim "));
}

Expected<Contestant> Contestant::prepare(StringRef path, int threads, int64_t batch, llvm::ArrayRef<std::string> dims) {
  Expected<LoadedModel> model = LoadedModel::load(path, threads);
  if (!model)
    return model.takeError();
  if (Error error = takeNamedSize(*model, path, dims))
    return std::move(error);
  return prepare(path, std::move(*model), batch);
}

Expected<Contestant> Contestant::prepare(StringRef path, LoadedModel model, int64_t batch) {
  const HalftoneModel &info = model.info();
  if (batch < info.minBatch || batch > info.maxBatch)
    return userError(
        "'" + path + "' runs batches from " + llvm::Twine(info.minBatch) +
        " to " + llvm::Twine(info.maxBatch) + "; give one of them to --batch");
  Contestant contestant{path.str(), std::move(model), {}, {}, batch, 1, {}};
  for (const HalftoneTensorInfo &input : contestant.model.inputs()) {
    contestant.inputs.emplace_back(input.name,
                                   static_cast<ElementType>(input.elementType),
                                   shapeAtBatch(input, batch));
    fillPattern(contestant.inputs.back());
  }
  contestant.outputs = contestant.model.makeOutputs(batch);
  return contestant;
}

Expected<std::vector<Contestant>> Contestant::prepareAll(const std::vector<std::string> &paths, int threads, int64_t batch,
                                                         llvm::ArrayRef<std::string> dims, double roundMicroseconds) {
  std::vector<Contestant> all;
  for (const std::string &path : paths) {
    Expected<Contestant> contestant = prepare(path, threads, batch, dims);
    if (!contestant)
      return contestant.takeError();
    all.push_back(std::move(*contestant));
  }
  for (Contestant &one : all)
    if (Error error = one.fillRound(roundMicroseconds))
      return std::move(error);
  return all;
}

Error mlir::halftone::runInTurns(std::vector<Contestant> &all) {
  for (Contestant &one : all)
    if (Error error = one.runRound())
      return error;
  return Error::success();
}

static double leastRound(const Contestant &one) { return *llvm::min_element(one.roundMicroseconds); }

Expected<std::pair<double, double>> mlir::halftone::raceModels(StringRef a, StringRef b, int64_t batch) {
  constexpr double kRoundMicroseconds = 2000, kEnough = 300000; // in all, of each model
  constexpr int kLeastRounds = 15;
  auto both = Contestant::prepareAll({a.str(), b.str()}, 1, batch, {}, kRoundMicroseconds);
  if (!both)
    return both.takeError();
  // Enough is counted by the best round, so that other work on the core leaves as many; up to ten times as long.
  double best = std::numeric_limits<double>::max(), spent = 0;
  for (int round = 0; round < kLeastRounds || (round * best < kEnough && spent < 10 * kEnough); ++round) {
    if (Error error = runInTurns(*both))
      return std::move(error);
    const double took = both->back().roundMicroseconds.back() * both->back().runsPerRound;
    best = std::min(best, took);
    spent += took;
  }
  return std::make_pair(leastRound(both->front()), leastRound(both->back()));
}
