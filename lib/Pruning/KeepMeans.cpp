//===- KeepMeans.cpp - biases make up for pruned weights --------------------===//
#include "halftone/Pruning/KeepMeans.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/Biases.h"

using namespace mlir;
using namespace mlir::halftone;

void mlir::halftone::keepMeans(const Sandwich &sandwich, const WeightRows &weights, ArrayRef<float> original) {
  auto means = sandwich.anchor->getAttrOfType<DenseF32ArrayAttr>(kChannelMeansAttr);
  OpOperand *bias = findBias(sandwich.anchor, weights.rows());
  const int64_t channels = weights.channels(), columns = weights.columns();
  if (!means || !bias || means.size() % channels != 0)
    return;
  const int64_t perGroup = weights.rows() / (means.size() / channels);
  std::vector<double> errors(weights.rows(), 0);
  for (int64_t row = 0; row < weights.rows(); ++row)
    for (int64_t j = 0; j < columns; ++j)
      errors[row] += (double(weights.values[row * columns + j]) - original[row * columns + j]) *
                     means[row / perGroup * channels + j % channels];
  subtractFromBias(*bias, errors);
}

void mlir::halftone::dropMeans(func::FuncOp function) {
  for (const ContractionInput &input : getContractionInputs(function))
    input.contraction->removeAttr(kChannelMeansAttr);
}
