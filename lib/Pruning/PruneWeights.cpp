//===- PruneWeights.cpp - make the weights zero that matter least -----------===//
//
// A layer's share of zeros is known first; over all layers, it follows from one ranking of their units (Units.h).
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pruning/ExcludedLayers.h"
#include "halftone/Pruning/KeepMeans.h"
#include "halftone/Pruning/Passes.h"
#include "halftone/Pruning/Units.h"
#include "halftone/Pruning/WeightRows.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Reconstruction/Hessians.h"
#include "halftone/Reconstruction/Refit.h"
#include <numeric>

namespace mlir::halftone {
#define GEN_PASS_DEF_PRUNEWEIGHTS
#include "halftone/Pruning/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// One contraction to prune.
struct Layer {
  Operation *contraction;
  WeightRows weights;
  const Hessian *hessian; ///< null for none
  PruningUnits units;
  double share = 0; ///< of units that become zero
};

struct PruneWeightsPass : halftone::impl::PruneWeightsBase<PruneWeightsPass> {
  using PruneWeightsBase::PruneWeightsBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(checkOptions()) || failed(readHessians(*entry)))
      return signalPassFailure();
    FailureOr<std::vector<Layer>> found = collectLayers(*entry);
    if (failed(found))
      return signalPassFailure();
    chooseShares(*found);
    Sandwiches sandwiches(*entry);
    for (Layer &layer : *found) {
      const std::vector<float> original = layer.weights.values;
      pruneLayer(layer);
      if (const Sandwich *sandwich = sandwiches.find(layer.contraction))
        keepMeans(*sandwich, layer.weights, original);
    }
    if (!assigned) // else biases are corrected behind
      dropMeans(*entry);
  }

private:
  LogicalResult checkOptions();
  LogicalResult readHessians(func::FuncOp entry);
  FailureOr<std::vector<Layer>> collectLayers(func::FuncOp entry);
  void chooseShares(std::vector<Layer> &layers) const;
  std::vector<uint8_t> chooseZeros(const Layer &layer, ArrayRef<double> scores, double share) const;
  void pruneLayer(Layer &layer);
  void refit(Layer &layer, ArrayRef<RefitMatrix> matrices, ArrayRef<float> original, ArrayRef<uint8_t> zero);

  std::optional<Hessians> file;
};

} // namespace

//===----------------------------------------------------------------------===//
// Options and layers
//===----------------------------------------------------------------------===//

LogicalResult PruneWeightsPass::checkOptions() {
  if (!(sparsity >= 0 && sparsity < 1))
    return getOperation().emitError("the share of zeros is from 0 to below 1, not ") << static_cast<double>(sparsity);
  if (pattern == PruningPattern::NOfM && !(keep >= 1 && keep < of && of <= 64))
    return getOperation().emitError("n:m keeps 1 or more weights of each 2 to 64, and not all: not ")
           << static_cast<int64_t>(keep) << ":" << static_cast<int64_t>(of);
  if (rounds < 1)
    return getOperation().emitError("takes one round or more, not ") << static_cast<int64_t>(rounds);
  return success();
}

LogicalResult PruneWeightsPass::readHessians(func::FuncOp entry) {
  const bool isNeeded = !assigned || llvm::any_of(getContractionInputs(entry), [](const ContractionInput &input) {
    return input.contraction->hasAttr(kSparsityAttr);
  });
  if (hessians.empty() || !isNeeded)
    return success();
  FailureOr<Hessians> read = Hessians::readFor(getOperation(), hessians);
  if (failed(read))
    return failure();
  file = std::move(*read);
  return success();
}

/// What was asked for by layer and cannot be, with the reason.
static void leaveDense(Operation *contraction, const Twine &reason) {
  contraction->removeAttr(kSparsityAttr);
  contraction->emitRemark() << "stays dense, whatever sparsity the recipe gives it: " << reason;
}

/// The contractions that have a share of their own, as far as they have blocks.
static SmallVector<ContractionInput> getAssignedContractions(func::FuncOp entry) {
  SmallVector<ContractionInput> assigned;
  for (const ContractionInput &input : getContractionInputs(entry)) {
    if (!input.contraction->hasAttr(kSparsityAttr))
      continue;
    if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(input.contraction))
      leaveDense(input.contraction, "depthwise convolutions have no blocks");
    else
      assigned.push_back(input);
  }
  return assigned;
}

FailureOr<std::vector<Layer>> PruneWeightsPass::collectLayers(func::FuncOp entry) {
  const std::vector<std::string> patterns(exclude.begin(), exclude.end());
  FailureOr<SmallVector<ContractionInput>> inputs =
      assigned ? getAssignedContractions(entry) : getPrunableContractions(entry, patterns, ends);
  if (failed(inputs))
    return failure();
  std::vector<Layer> layers;
  for (const ContractionInput &input : *inputs) {
    WeightRows weights(input.contraction);
    if (assigned && weights.isValid() && weights.channels() < kPruningBlock)
      leaveDense(input.contraction, "it has less than " + Twine(kPruningBlock) + " input channels");
    if (!weights.isValid() || weights.channels() < kPruningBlock)
      continue;
    const Hessian *hessian = file ? file->find(input.rowKey) : nullptr;
    if (file && !hessian && !assigned)
      continue; // nothing is known of what it reads
    if (hessian && (hessian->dimension != weights.columns() || weights.rows() % hessian->groups != 0))
      return input.contraction->emitOpError("has other weights than the Hessians in '") << hessians << "'";
    const int64_t size = pattern == PruningPattern::Blocks ? kPruningBlock : 1;
    PruningUnits units(weights.rows(), weights.columns(), weights.channels(), size);
    layers.push_back({input.contraction, std::move(weights), hessian, std::move(units)});
  }
  return layers;
}

//===----------------------------------------------------------------------===//
// What becomes zero
//===----------------------------------------------------------------------===//

/// The mean over each unit's weights of w^2, or of w^2 H(j, j): what the output's squared error grows by.
static std::vector<double> scoreUnits(const Layer &layer) {
  if (!layer.hessian)
    return layer.units.score(layer.weights.values, [](int64_t, int64_t) { return 1.0; });
  const int64_t perGroup = layer.weights.rows() / layer.hessian->groups;
  return layer.units.score(layer.weights.values, [&](int64_t row, int64_t j) {
    return double(layer.hessian->triangle(row / perGroup)[triangleSize(j + 1) - 1]);
  });
}

void PruneWeightsPass::chooseShares(std::vector<Layer> &layers) const {
  for (Layer &layer : layers)
    layer.share = assigned                           ? layer.contraction->getAttrOfType<FloatAttr>(kSparsityAttr).getValueAsDouble()
                  : pattern == PruningPattern::NOfM ? 1 - double(keep) / of
                                                    : sparsity;
  if (assigned || scope == PruningScope::Layer || pattern == PruningPattern::NOfM)
    return;
  std::vector<std::vector<double>> scores;
  for (const Layer &layer : layers)
    scores.push_back(scoreUnits(layer));
  for (auto [layer, share] : llvm::zip_equal(layers, sharesOverall(scores, sparsity)))
    layer.share = share;
}

/// One byte for each weight: 1 where it becomes zero.
std::vector<uint8_t> PruneWeightsPass::chooseZeros(const Layer &layer, ArrayRef<double> scores, double share) const {
  std::vector<uint8_t> zero(layer.weights.values.size(), 0);
  auto clear = [&](int64_t unit) { layer.units.forEachWeight(unit, [&](int64_t i) { zero[i] = 1; }); };
  if (pattern != PruningPattern::NOfM) {
    const std::vector<int64_t> order = rankScores(scores);
    for (int64_t unit : ArrayRef<int64_t>(order).take_front(std::llround(share * layer.units.count())))
      clear(unit);
    return zero;
  }
  const int64_t channels = layer.weights.channels();
  for (int64_t tap = 0; tap < layer.units.count(); tap += channels)
    for (int64_t first = 0; first < channels; first += of) {
      const int64_t size = std::min<int64_t>(of, channels - first);
      const std::vector<int64_t> order = rankScores(scores.slice(tap + first, size));
      for (int64_t index : ArrayRef<int64_t>(order).drop_back(std::min<int64_t>(keep, size)))
        clear(tap + first + index);
    }
  return zero;
}

//===----------------------------------------------------------------------===//
// One layer
//===----------------------------------------------------------------------===//

/// The rows of each group by its matrix.
void PruneWeightsPass::refit(Layer &layer, ArrayRef<RefitMatrix> matrices, ArrayRef<float> original,
                             ArrayRef<uint8_t> zero) {
  const int64_t size = layer.weights.values.size() / matrices.size();
  for (auto [group, matrix] : llvm::enumerate(matrices))
    refitRows(&getContext(), matrix, MutableArrayRef<float>(layer.weights.values).slice(group * size, size),
              original.slice(group * size, size), zero.slice(group * size, size));
}

void PruneWeightsPass::pruneLayer(Layer &layer) {
  const std::vector<float> original = layer.weights.values;
  std::vector<RefitMatrix> matrices;
  for (int64_t group = 0; layer.hessian && group < layer.hessian->groups; ++group)
    matrices.emplace_back(layer.hessian->triangle(group), layer.hessian->dimension);
  // Equal steps of what is left, so that the last ones, which hurt most, are the smallest. n:m has no steps.
  const int64_t steps = layer.hessian && pattern != PruningPattern::NOfM ? static_cast<int64_t>(rounds) : 1;
  for (int64_t step = 1; step <= steps; ++step) {
    const double share = step == steps ? layer.share : 1 - std::pow(1 - layer.share, double(step) / steps);
    std::vector<uint8_t> zero = chooseZeros(layer, scoreUnits(layer), share);
    for (auto [value, gone] : llvm::zip_equal(layer.weights.values, zero))
      value = gone ? 0.0f : value;
    if (layer.hessian)
      refit(layer, matrices, original, zero);
  }
  layer.weights.store();
  Builder builder(&getContext());
  const int64_t count = llvm::count(layer.weights.values, 0.0f);
  static constexpr StringLiteral kNames[] = {"unstructured", "blocks", "n:m"};
  const PruningPattern chosen = pattern;
  layer.contraction->setAttr(kPrunedAttr, builder.getStringAttr(kNames[static_cast<int>(chosen)]));
  layer.contraction->setAttr(kZerosAttr, builder.getI64IntegerAttr(count));
  layer.contraction->removeAttr(kSparsityAttr);
  if (gradually)
    layer.contraction->setAttr(kPruningAttr, builder.getUnitAttr());
  ++this->layers;
  zeros += count;
}
