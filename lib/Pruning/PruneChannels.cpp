//===- PruneChannels.cpp - remove the channels that matter least ------------===//
//
// A set is the classes (ChannelClasses.h) that the same contractions make: what all these have in common. Each set loses
// its share, rounded so that the number of channels that stay suits the kernels; as a contraction's channels are whole
// sets, its number is then a multiple as well.
//
// By magnitude a class counts for its share of the squared weights of every contraction that makes or reads it, added up
// (the group norm of Fang et al., DepGraph, arXiv:2301.12900). With Hessians it counts for what the outputs of its readers
// lose: with w the weights of one row that read it, the sum over rows of w H w^T, as a share of the reader's sum.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pruning/ChannelClasses.h"
#include "halftone/Pruning/ExcludedLayers.h"
#include "halftone/Pruning/KeepMeans.h"
#include "halftone/Pruning/Passes.h"
#include "halftone/Reconstruction/Refit.h"
#include "halftone/Pruning/ShrinkChannels.h"
#include "halftone/Reconstruction/Hessians.h"
#include "mlir/IR/Threading.h"
#include <map>

namespace mlir::halftone {
#define GEN_PASS_DEF_PRUNECHANNELS
#include "halftone/Pruning/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// A contraction with constant weights and known input channels.
struct Reader {
  Operation *contraction;
  WeightRows weights;
  std::vector<float> original; ///< of the weights
  const ChannelAxis *input;
  const Hessian *hessian; ///< null for none
  bool changed = false;

  int32_t channelOf(int64_t column) const { return input->channels[column % weights.channels()]; }
};

/// Classes that the same contractions make.
struct ChannelSet {
  std::vector<int32_t> classes;
  double share = 0; ///< of them that goes
};

struct PruneChannelsPass : halftone::impl::PruneChannelsBase<PruneChannelsPass> {
  using PruneChannelsBase::PruneChannelsBase;
  void runOnOperation() override;

private:
  LogicalResult checkOptions();
  LogicalResult fixLayers(func::FuncOp entry);
  LogicalResult collectReaders(func::FuncOp entry);
  void collectSets();
  void addSquares(const WeightRows &weights, bool rows, ArrayRef<int32_t> channels, std::vector<double> &scores) const;
  std::vector<double> scoreClasses() const;
  void chooseShares(ArrayRef<double> scores);
  int64_t countKept(int64_t count, double share) const;
  void choose(double progress);
  void maskReaders();
  void keepOutputs(func::FuncOp entry);
  void report();

  std::optional<Hessians> file;
  std::optional<ChannelClasses> channels;
  std::vector<Reader> readers;
  std::vector<ChannelSet> sets;
  llvm::BitVector removed; ///< of the channels, whole classes
};

} // namespace

//===----------------------------------------------------------------------===//
// What may go
//===----------------------------------------------------------------------===//

LogicalResult PruneChannelsPass::checkOptions() {
  if (!(sparsity >= 0 && sparsity < 1))
    return getOperation().emitError("the share of channels is from 0 to below 1, not ") << static_cast<double>(sparsity);
  if (round < 1 || rounds < 1)
    return getOperation().emitError("takes multiples of 1 or more and one round or more, not ")
           << static_cast<int64_t>(round) << " and " << static_cast<int64_t>(rounds);
  return success();
}

/// Channels that stay whatever they are worth.
LogicalResult PruneChannelsPass::fixLayers(func::FuncOp entry) {
  FailureOr<ExcludedLayers> excluded = ExcludedLayers::compile(getOperation(), std::vector<std::string>(exclude.begin(), exclude.end()));
  if (failed(excluded))
    return failure();
  llvm::DenseMap<Operation *, std::string> reasons;
  SmallVector<ContractionInput> inputs = getContractionInputs(entry);
  for (auto [i, input] : llvm::enumerate(inputs)) {
    if (excluded->matches(locationName(input.contraction->getLoc())))
      reasons[input.contraction] = "is excluded";
    else if (i == 0 && !ends)
      reasons[input.contraction] = "is the first layer";
  }
  if (failed(excluded->checkAllUsed()))
    return failure();
  for (const ChannelProducer &producer : channels->producers())
    if (auto reason = reasons.find(producer.contraction); reason != reasons.end())
      for (int32_t channel = producer.first; channel < producer.first + producer.count; ++channel)
        channels->fix(channel, reason->second);
  return success();
}

LogicalResult PruneChannelsPass::collectReaders(func::FuncOp entry) {
  for (const ContractionInput &input : getContractionInputs(entry)) {
    const ChannelAxis *axis = channels->find(getActivationOperand(input.contraction).get());
    if (!axis || isa<linalg::DepthwiseConv2DNhwcHwcOp>(input.contraction))
      continue;
    WeightRows weights(input.contraction);
    const Hessian *hessian = file ? file->find(input.rowKey) : nullptr;
    StringRef reason = !weights.isValid() ? "is read by weights that are not finite" : file && !hessian ? "is read by a layer without Hessian" : "";
    for (int32_t channel : axis->channels)
      if (!reason.empty())
        channels->fix(channel, reason);
    if (!reason.empty())
      continue;
    if (hessian && (hessian->dimension != weights.columns() || hessian->groups != 1))
      return input.contraction->emitOpError("has other weights than the Hessians in '") << hessians << "'";
    std::vector<float> original = weights.values;
    readers.push_back({input.contraction, std::move(weights), std::move(original), axis, hessian});
  }
  return success();
}

void PruneChannelsPass::collectSets() {
  std::map<int32_t, std::vector<int32_t>> makers; // of each class
  for (auto [index, producer] : llvm::enumerate(channels->producers()))
    for (int32_t channel = producer.first; channel < producer.first + producer.count; ++channel)
      if (channels->fixedBecause(channel).empty())
        makers[channels->classOf(channel)].push_back(index);
  std::map<std::vector<int32_t>, std::vector<int32_t>> byMakers;
  for (auto &[name, list] : makers)
    byMakers[list].push_back(name);
  for (auto &[list, classes] : byMakers)
    sets.push_back({std::move(classes)});
}

//===----------------------------------------------------------------------===//
// What goes
//===----------------------------------------------------------------------===//

/// Adds the share of the squared weights of each channel, whose weights are a row or the columns of one input channel.
void PruneChannelsPass::addSquares(const WeightRows &weights, bool rows, ArrayRef<int32_t> names, std::vector<double> &scores) const {
  double sum = 0;
  for (float value : weights.values)
    sum += double(value) * value;
  if (!(sum > 0))
    return;
  for (auto [i, value] : llvm::enumerate(weights.values)) {
    const int64_t channel = rows ? i / weights.columns() : i % weights.channels();
    scores[channels->classOf(names[channel])] += double(value) * value / sum;
  }
}

/// Adds for each channel the sum over rows of w H w^T as a share of all channels' sum, w the weights that read it.
static void addLosses(const Reader &reader, const ChannelClasses &classes, std::vector<double> &scores) {
  const int64_t width = reader.weights.channels(), columns = reader.weights.columns(), taps = columns / width;
  ArrayRef<int64_t> triangle = reader.hessian->triangle(0);
  std::vector<double> losses(width, 0);
  for (int64_t row = 0; row < reader.weights.rows(); ++row) {
    const float *values = reader.weights.values.data() + row * columns;
    for (int64_t a = 0; a < taps; ++a)
      for (int64_t b = 0; b <= a; ++b)
        for (int64_t channel = 0; channel < width; ++channel) {
          const int64_t i = a * width + channel, j = b * width + channel;
          losses[channel] += (a == b ? 1.0 : 2.0) * values[i] * values[j] * double(triangle[i * (i + 1) / 2 + j]);
        }
  }
  double sum = 0;
  for (double loss : losses)
    sum += loss;
  for (int64_t channel = 0; channel < width && sum > 0; ++channel)
    scores[classes.classOf(reader.input->channels[channel])] += losses[channel] / sum;
}

/// Of each class, at its name.
std::vector<double> PruneChannelsPass::scoreClasses() const {
  std::vector<double> scores(removed.size(), 0);
  if (file) {
    for (const Reader &reader : readers)
      addLosses(reader, *channels, scores);
    return scores;
  }
  for (const Reader &reader : readers)
    addSquares(reader.weights, /*rows=*/false, reader.input->channels, scores);
  for (const ChannelProducer &producer : channels->producers())
    if (WeightRows weights(producer.contraction); weights.isValid())
      addSquares(weights, /*rows=*/true, channels->find(producer.contraction->getResult(0))->channels, scores);
  return scores;
}

/// The least first; equal ones by their place.
static void rank(std::vector<int32_t> &classes, ArrayRef<double> scores) {
  llvm::sort(classes, [&](int32_t a, int32_t b) { return std::make_pair(scores[a], a) < std::make_pair(scores[b], b); });
}

void PruneChannelsPass::chooseShares(ArrayRef<double> scores) {
  for (ChannelSet &set : sets)
    set.share = sparsity;
  if (scope == PruningScope::Layer)
    return;
  std::vector<int32_t> all;
  for (const ChannelSet &set : sets)
    llvm::append_range(all, set.classes);
  rank(all, scores);
  llvm::BitVector gone(removed.size());
  for (int32_t name : ArrayRef<int32_t>(all).take_front(std::llround(sparsity * all.size())))
    gone.set(name);
  for (ChannelSet &set : sets)
    set.share = double(llvm::count_if(set.classes, [&](int32_t name) { return gone.test(name); })) / set.classes.size();
}

/// The nearest multiple, but no less than one of them.
int64_t PruneChannelsPass::countKept(int64_t count, double share) const {
  const int64_t multiple = round;
  return std::min(count, std::max<int64_t>(std::llround(count * (1 - share) / multiple), 1) * multiple);
}

/// Marks what goes: all of each set's number at progress 1, some of it before.
void PruneChannelsPass::choose(double progress) {
  const std::vector<double> scores = scoreClasses();
  llvm::BitVector gone(removed.size());
  for (ChannelSet &set : sets) {
    const int64_t count = set.classes.size(), all = count - countKept(count, set.share);
    const int64_t now = count - std::llround(count * std::pow(double(count - all) / count, progress));
    rank(set.classes, scores);
    for (int32_t name : ArrayRef<int32_t>(set.classes).take_front(now))
      gone.set(name);
  }
  for (unsigned channel = 0; channel < removed.size(); ++channel)
    removed[channel] = gone.test(channels->classOf(channel));
}

//===----------------------------------------------------------------------===//
// What stays makes up for it
//===----------------------------------------------------------------------===//

/// Weights that read removed channels become 0; with a Hessian the others solve the least squares problem of the output.
void PruneChannelsPass::maskReaders() {
  for (Reader &reader : readers) {
    const int64_t columns = reader.weights.columns();
    std::vector<uint8_t> zero(reader.original.size(), 0);
    for (size_t i = 0; i < zero.size(); ++i)
      zero[i] = removed.test(reader.channelOf(i % columns));
    if (!llvm::is_contained(zero, 1))
      continue;
    reader.changed = true;
    if (reader.hessian) {
      const RefitMatrix matrix(reader.hessian->triangle(0), columns);
      refitRows(&getContext(), matrix, reader.weights.values, reader.original, zero);
    } else {
      for (auto [value, gone] : llvm::zip_equal(reader.weights.values, zero))
        value = gone ? 0.0f : value;
    }
  }
}

/// The new weights, and biases that keep the outputs' means.
void PruneChannelsPass::keepOutputs(func::FuncOp entry) {
  Sandwiches sandwiches(entry);
  for (const Reader &reader : readers) {
    if (!reader.changed)
      continue;
    reader.weights.store();
    if (const Sandwich *sandwich = sandwiches.find(reader.contraction))
      keepMeans(*sandwich, reader.weights, reader.original);
    if (shrink)
      continue;
    Builder builder(&getContext());
    reader.contraction->setAttr(kPrunedAttr, builder.getStringAttr("channels"));
    reader.contraction->setAttr(kZerosAttr, builder.getI64IntegerAttr(llvm::count(reader.weights.values, 0.0f)));
  }
  dropMeans(entry);
}

/// Leaves at each contraction which channels went, or why none did.
void PruneChannelsPass::report() {
  Builder builder(&getContext());
  for (const ChannelProducer &producer : channels->producers()) {
    SmallVector<int64_t> gone;
    StringRef reason = "";
    for (int64_t i = 0; i < producer.count; ++i) {
      if (removed.test(producer.first + i))
        gone.push_back(i);
      else if (reason.empty())
        reason = channels->fixedBecause(producer.first + i);
    }
    producer.contraction->removeAttr(kChannelsKeptAttr);
    producer.contraction->setAttr(kRemovedChannelsAttr, builder.getDenseI64ArrayAttr(gone));
    if (gone.empty() && reason.empty())
      reason = "the share leaves all, rounded";
    if (gone.empty())
      producer.contraction->setAttr(kChannelsKeptAttr, builder.getStringAttr(reason));
    layers += !gone.empty();
    numRemoved += gone.size();
  }
  for (auto &[contraction, reason] : channels->unknown())
    contraction->setAttr(kChannelsKeptAttr, builder.getStringAttr(reason));
}

void PruneChannelsPass::runOnOperation() {
  FailureOr<func::FuncOp> entry = getEntry(getOperation());
  if (failed(entry) || failed(checkOptions()))
    return signalPassFailure();
  if (!hessians.empty()) {
    FailureOr<Hessians> read = Hessians::readFor(getOperation(), hessians);
    if (failed(read))
      return signalPassFailure();
    file = std::move(*read);
  }
  channels.emplace(*entry);
  readers.clear();
  sets.clear();
  if (failed(fixLayers(*entry)) || failed(collectReaders(*entry)))
    return signalPassFailure();
  collectSets();
  removed = llvm::BitVector(channels->count());
  chooseShares(scoreClasses());
  const int64_t steps = file ? static_cast<int64_t>(rounds) : 1;
  for (int64_t step = 1; step <= steps; ++step) {
    choose(double(step) / steps);
    maskReaders();
  }
  keepOutputs(*entry);
  report();
  if (shrink)
    shrinkChannels(*entry, *channels, removed);
}
