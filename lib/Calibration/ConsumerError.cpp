//===- ConsumerError.cpp - what rounding errors become where they are read ---===//
#include "ConsumerError.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"

using namespace mlir;
using namespace mlir::halftone;

/// The sums over the output channels of (sum w)^2 and of sum w^2, as a quotient.
static double weightOfContraction(Operation *contraction) {
  Value operand = getWeightOperand(contraction).get();
  std::optional<std::vector<float>> weights = getConstantElements<float>(operand);
  if (!weights)
    return 1;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(operand.getType()).getShape();
  SmallVector<int64_t> channelDims = getOutputChannelDims(contraction);
  std::vector<double> sums;
  double squares = 0, coherent = 0;
  for (size_t i = 0; i < weights->size(); ++i) {
    int64_t channel = 0;
    for (int64_t dim : channelDims)
      channel = channel * shape[dim] + static_cast<int64_t>(i) / ShapedType::getNumElements(shape.drop_front(dim + 1)) % shape[dim];
    if (channel >= static_cast<int64_t>(sums.size()))
      sums.resize(channel + 1, 0);
    double weight = (*weights)[i];
    sums[channel] += weight;
    squares += weight * weight;
  }
  for (double sum : sums)
    coherent += sum * sum;
  return squares > 0 ? coherent / squares : 1;
}

/// The elements of a window.
static double weightOfPool(CompositeOp pool) {
  auto kernel = pool.getParameters().getAs<DenseI64ArrayAttr>("kernel");
  double count = 1;
  for (int64_t size : kernel ? kernel.asArrayRef() : ArrayRef<int64_t>())
    count *= size;
  return count;
}

static void collect(Value value, SmallVectorImpl<double> &weights) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    OpKind kind = classify(user);
    if (kind == OpKind::Movement || kind == OpKind::MaxPool)
      collect(user->getResult(0), weights);
    else if (kind == OpKind::Contraction && &use == &getActivationOperand(user))
      weights.push_back(weightOfContraction(user));
    else if (kind == OpKind::AveragePool)
      weights.push_back(weightOfPool(cast<CompositeOp>(user)));
    else
      weights.push_back(1);
  }
}

double mlir::halftone::weightOfMeanError(Value value) {
  SmallVector<double> weights;
  collect(value, weights);
  double sum = 0;
  for (double weight : weights)
    sum += weight;
  return weights.empty() ? 1 : sum / weights.size();
}
