//===- ReconstructWeights.cpp - codes of weights by the layer's error -------------===//
//
// Output channels are independent: 16 at a time share one walk over the factor, and go to threads.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Reconstruction/Hessians.h"
#include "halftone/Reconstruction/Passes.h"
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
    if (failed(entry) || failed(reconstructAll(*entry)))
      signalPassFailure();
  }

  LogicalResult reconstructAll(func::FuncOp entry);
  LogicalResult reconstruct(Operation *contraction, const Hessian &hessian);
  void roundGroup(const Hessian &hessian, int64_t group, MutableArrayRef<float> rows, int64_t first, NearestLevel nearest);
};
} // namespace

LogicalResult ReconstructWeightsPass::reconstructAll(func::FuncOp entry) {
  if (bits < 2 || bits > 8)
    return getOperation().emitError("weights have 2 to 8 bits, not ") << static_cast<int>(bits);
  llvm::Expected<Hessians> file = Hessians::read(hessians);
  if (!file)
    return getOperation().emitError(llvm::toString(file.takeError()));
  auto hash = getOperation()->getAttrOfType<StringAttr>(kSourceHashAttr);
  if (hash && hash.getValue() != file->sourceHash)
    return getOperation().emitError("has source hash '")
           << hash.getValue() << "', but the Hessians in '" << hessians << "' are of '" << file->sourceHash << "'";
  for (const ContractionInput &input : getContractionInputs(entry))
    if (const Hessian *hessian = isInt8(input.contraction) ? file->find(input.key) : nullptr)
      if (failed(reconstruct(input.contraction, *hessian)))
        return failure();
  return success();
}

/// The rows of one group, from weights to levels.
void ReconstructWeightsPass::roundGroup(const Hessian &hessian, int64_t group, MutableArrayRef<float> rows, int64_t first,
                                        NearestLevel nearest) {
  constexpr int64_t together = 16;
  int64_t dimension = hessian.dimension, count = rows.size() / dimension;
  ArrayRef<int64_t> triangle = hessian.triangle(group);
  CholeskyFactor factor(triangle);
  parallelFor(&getContext(), 0, (count + together - 1) / together, [&](size_t task) {
    int64_t begin = task * together, size = std::min(together, count - begin);
    MutableArrayRef<float> levels = rows.slice(begin * dimension, size * dimension);
    std::vector<float> weights = levels.vec();
    roundGPTQ(levels, first + begin, factor, nearest);
    if (method != WeightRounding::AdaRound)
      return;
    for (int64_t row = 0; row < size; ++row)
      descend(ArrayRef<float>(weights).slice(row * dimension, dimension), levels.slice(row * dimension, dimension),
              first + begin + row, triangle, nearest);
  });
}

LogicalResult ReconstructWeightsPass::reconstruct(Operation *contraction, const Hessian &hessian) {
  WeightChannels channels(contraction);
  std::optional<std::vector<float>> values = getConstantElements<float>(getWeightOperand(contraction).get());
  if (!values || !llvm::all_of(*values, [](float value) { return std::isfinite(value); }))
    return success(); // halftone-insert-casts says what is wrong
  if (static_cast<int64_t>(values->size()) != channels.outputs * hessian.dimension ||
      channels.outputs % hessian.groups != 0)
    return contraction->emitOpError("has other weights than the Hessians in '") << hessians << "'; calibrate this model again";
  int limit = (1 << (bits - 1)) - 1;
  std::vector<float> scales = findWeightScales(*values, channels, weightScales, limit);
  // Rows are output channels; row-major weights give the columns of each in the Hessian's order.
  std::vector<int64_t> place(values->size()), used(channels.outputs, 0);
  std::vector<float> rows(values->size());
  for (size_t i = 0; i < values->size(); ++i) {
    int32_t output = channels.output[i];
    place[i] = output * hessian.dimension + used[output]++;
    rows[place[i]] = (*values)[i];
  }
  const std::vector<float> original = isPruned(contraction) ? rows : std::vector<float>();
  auto nearest = [&](int64_t output, int64_t column, double value) {
    if (!original.empty() && original[output * hessian.dimension + column] == 0)
      return 0.0f; // pruned
    return quantizeWeight(static_cast<float>(value), scales[output], limit) * scales[output];
  };
  int64_t outputs = channels.outputs / hessian.groups, size = outputs * hessian.dimension;
  for (int64_t group = 0; group < hessian.groups; ++group)
    roundGroup(hessian, group, MutableArrayRef<float>(rows).slice(group * size, size), group * outputs, nearest);
  std::vector<int8_t> codes(values->size());
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = quantizeWeight(rows[place[i]], scales[channels.output[i]], limit);
  auto type = cast<RankedTensorType>(getWeightOperand(contraction).get().getType());
  Builder builder(&getContext());
  contraction->setAttr(kWeightCodesAttr, makeConstant<int8_t>(type.clone(builder.getI8Type()), codes, "codes"));
  contraction->setAttr(kWeightScalesAttr, builder.getDenseF32ArrayAttr(scales));
  ++reconstructed;
  return success();
}
