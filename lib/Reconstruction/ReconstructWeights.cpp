//===- ReconstructWeights.cpp - codes of weights by the layer's error -------------===//
//
// Reads the Hessians and the formats, prunes where it is asked to, and leaves the codes as attributes; RoundLayer.cpp chooses them.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/Biases.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Reconstruction/Hessians.h"
#include "halftone/Reconstruction/Passes.h"
#include "halftone/Reconstruction/Refit.h"
#include "halftone/Reconstruction/Patches.h"
#include "halftone/Reconstruction/RoundLayer.h"
#include "halftone/Reconstruction/Rounding.h"
#include "halftone/Support/Constants.h"
#include "mlir/IR/Threading.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_RECONSTRUCTWEIGHTS
#include "halftone/Reconstruction/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct ReconstructWeightsPass : halftone::impl::ReconstructWeightsBase<ReconstructWeightsPass> {
  using ReconstructWeightsBase::ReconstructWeightsBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(checkOptions()) || failed(reconstructAll(*entry)))
      signalPassFailure();
  }

  LogicalResult checkOptions();
  LogicalResult reconstructAll(func::FuncOp entry);
  LogicalResult reconstruct(Operation *contraction, const Hessian &hessian, bool isEnd);
  void pruneRows(const Hessian &hessian, int64_t unit, RowsOfWeights original, const FormatOfWeights &format,
                 MutableArrayRef<float> rows);
  void markPruned(Operation *contraction, const RoundedWeights &rounded);
  int64_t unitToPrune(Operation *contraction, const WeightChannels &channels, bool isEnd) const;
  void sweepGroups(const Hessian &hessian, int64_t unit, MutableArrayRef<float> rows, const WeightGrid *grid);
};
} // namespace

/// What was made for one step of a loop is for all: its weights are theirs.
static void copyWeights(Operation *from, Operation *to) {
  for (StringRef name : {StringRef(kWeightCodesAttr), StringRef(kWeightScalesAttr), StringRef(kPrunedAttr), StringRef(kZerosAttr)})
    if (Attribute attribute = from->getAttr(name))
      to->setAttr(name, attribute);
}

LogicalResult ReconstructWeightsPass::reconstructAll(func::FuncOp entry) {
  FailureOr<Hessians> file = Hessians::readFor(getOperation(), hessians);
  if (failed(file))
    return failure();
  SmallVector<ContractionInput> inputs = getContractionInputs(entry);
  DenseMap<int64_t, Operation *> firstOfRow;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    const Hessian *hessian = takesHessian(input.contraction) ? file->find(input.rowKey) : nullptr;
    if (!hessian)
      continue;
    Operation *first = firstOfRow.try_emplace(input.row, input.contraction).first->second;
    if (first != input.contraction && getWeightOperand(first).get() == getWeightOperand(input.contraction).get())
      copyWeights(first, input.contraction);
    else if (failed(reconstruct(input.contraction, *hessian, i == 0 || i + 1 == inputs.size())))
      return failure();
  }
  return success();
}

LogicalResult ReconstructWeightsPass::checkOptions() {
  if (!(sparsity >= 0 && sparsity < 1))
    return getOperation().emitError("the share of zeros is from 0 to below 1, not ") << static_cast<double>(sparsity);
  if (!(damping > 0))
    return getOperation().emitError("the damping is a share above 0, not ") << static_cast<double>(damping);
  if (sparsity > 0 && method != WeightRounding::GPTQ)
    return getOperation().emitError("zeros and codes in one sweep are those of gptq");
  if (pattern != "blocks" && pattern != "unstructured")
    return getOperation().emitError("the pattern '") << pattern << "' is none of blocks, unstructured";
  return success();
}

/// The columns that become zero together, of a layer that is pruned; 0 for one that is not.
int64_t ReconstructWeightsPass::unitToPrune(Operation *contraction, const WeightChannels &channels, bool isEnd) const {
  constexpr int64_t block = 4;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(getWeightOperand(contraction).get().getType()).getShape();
  const int64_t inputs = shape[getInputChannelDims(contraction).back()], unit = pattern == "blocks" ? block : 1;
  const bool depthwise = isa<linalg::DepthwiseConv2DNhwcHwcOp>(contraction);
  return sparsity == 0 || isEnd || depthwise || inputs < block || inputs % unit != 0 ? 0 : unit;
}

/// Each group of rows in one sweep, in place.
void ReconstructWeightsPass::sweepGroups(const Hessian &hessian, int64_t unit, MutableArrayRef<float> rows,
                                         const WeightGrid *grid) {
  const int64_t size = rows.size() / hessian.groups, outputs = size / hessian.dimension;
  for (int64_t group = 0; group < hessian.groups; ++group)
    sweepSparse(rows.slice(group * size, size), group * outputs, CholeskyFactor(hessian.triangle(group), unit, damping), grid, sparsity,
                unit);
}

/// The mean squares of what the weights meet, up to a factor: groups x dimension. A hundredth of their mean is added, as
/// for the factor, so that no weight is free.
static std::vector<float> diagonalsOf(const Hessian &hessian) {
  std::vector<float> diagonals;
  for (int64_t group = 0; group < hessian.groups; ++group) {
    double mean = 0;
    for (int64_t i = 0; i < hessian.dimension; ++i)
      mean += double(hessian.triangle(group)[triangleSize(i + 1) - 1]) / hessian.dimension;
    for (int64_t i = 0; i < hessian.dimension; ++i)
      diagonals.push_back(hessian.triangle(group)[triangleSize(i + 1) - 1] + (mean > 0 ? 0.01 * mean : 1.0));
  }
  return diagonals;
}

/// Makes rows zero where the sweep that also rounds does, and the weights that are kept what is best then.
void ReconstructWeightsPass::pruneRows(const Hessian &hessian, int64_t unit, RowsOfWeights original, const FormatOfWeights &format,
                                       MutableArrayRef<float> rows) {
  // Scales are for the weights that zeros alone would leave.
  const std::vector<float> weights = original.values.vec();
  std::vector<float> swept = weights;
  sweepGroups(hessian, unit, swept, /*grid=*/nullptr);
  WeightGrid grid = chooseGrid({original.outputs, original.dimension, swept, original.importance, true}, format, weightScales);
  swept = weights;
  sweepGroups(hessian, unit, swept, &grid);
  // A level of 0 alone is no zero of the pattern: the weight may become another one again.
  std::vector<uint8_t> zero(rows.size(), 0);
  for (size_t begin = 0; begin < rows.size(); begin += unit)
    if (llvm::all_of(ArrayRef<float>(swept).slice(begin, unit), [](float level) { return level == 0; })) {
      std::fill_n(zero.begin() + begin, unit, 1);
      std::fill_n(rows.begin() + begin, unit, 0.0f);
    }
  std::vector<RefitMatrix> matrices;
  for (int64_t group = 0; group < hessian.groups; ++group)
    matrices.emplace_back(hessian.triangle(group), hessian.dimension);
  const int64_t columns = hessian.dimension, perGroup = original.outputs / hessian.groups;
  parallelFor(&getContext(), 0, original.outputs, [&](size_t row) {
    matrices[row / perGroup].refit(rows.slice(row * columns, columns), ArrayRef<float>(weights).slice(row * columns, columns),
                                   ArrayRef<uint8_t>(zero).slice(row * columns, columns));
  });
}

/// Says that the zeros are meant, and how many there are.
void ReconstructWeightsPass::markPruned(Operation *contraction, const RoundedWeights &rounded) {
  Builder builder(&getContext());
  contraction->setAttr(kPrunedAttr, builder.getStringAttr(pattern));
  contraction->setAttr(kZerosAttr, builder.getI64IntegerAttr(llvm::count(rounded.codes, 0)));
}

LogicalResult ReconstructWeightsPass::reconstruct(Operation *contraction, const Hessian &hessian, bool isEnd) {
  WeightChannels channels(contraction);
  std::optional<std::vector<float>> values = getConstantElements<float>(getWeightOperand(contraction).get());
  if (!values || !llvm::all_of(*values, [](float value) { return std::isfinite(value); }))
    return success(); // halftone-insert-casts says what is wrong
  if (static_cast<int64_t>(values->size()) != channels.outputs * hessian.dimension ||
      channels.outputs % hessian.groups != 0)
    return contraction->emitOpError("has other weights than the Hessians in '") << hessians << "'; calibrate this model again";
  FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
  if (failed(format))
    return failure();
  // Rows are output channels; row-major weights give the columns of each in the Hessian's order.
  std::vector<int64_t> places = channels.places();
  std::vector<float> rows(values->size());
  for (size_t i = 0; i < values->size(); ++i)
    rows[places[i]] = (*values)[i];
  const int64_t unit = unitToPrune(contraction, channels, isEnd);
  if (unit && format->granularity.kind == Granularity::Group)
    return contraction->emitOpError("has weights by group, which are not pruned while they are rounded; prune them first");
  std::vector<float> importance = diagonalsOf(hessian);
  RowsOfWeights all{channels.outputs, hessian.dimension, rows, importance};
  all.leastScales = findLeastScales(contraction, channels.outputs);
  if (unit)
    pruneRows(hessian, unit, all, *format, rows);
  const LayerRounding how = {method, weightScales, isPruned(contraction) || unit, damping};
  const RoundedLayer chosen = roundLayer(&getContext(), hessian, all, *format, how);
  RoundedWeights rounded{std::vector<int8_t>(values->size()), chosen.grid.scales};
  for (size_t i = 0; i < values->size(); ++i)
    rounded.codes[i] = chosen.grid.code(channels.output[i], places[i] % hessian.dimension, chosen.rows[places[i]]);
  attachWeights(contraction, rounded);
  if (unit)
    markPruned(contraction, rounded);
  ++reconstructed;
  return success();
}
