//===- Normalization.cpp - ONNX's BatchNormalization and Softmax ------------===//
#include "Operators.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

LogicalResult onnx_operators::buildBatchNormalization(Node &node) {
  const Tensor &x = node.input(0);
  float epsilon = node.getFloat("epsilon", 1e-5f);
  (void)node.getFloat("momentum", 0.9f); // for training only
  if (node.getInt("training_mode", 0) || node.hasResult(1))
    return node.unsupported("training_mode");
  if (!x.element.isF32() || x.rank() < 2)
    return node.unsupported("an input that is not f32 with a channel dimension");
  for (unsigned i = 1; i < 5; ++i)
    if (!node.hasInput(i) || !node.input(i).element.isF32() ||
        node.input(i).shape != ArrayRef<int64_t>{x.shape[1]})
      return node.unsupported("scale, bias, mean and variance must be f32 with one entry for each channel");
  node.setResult(buildBatchNorm(node.builder, node.loc, node.operand(0), node.operand(1), node.operand(2),
                                node.operand(3), node.operand(4), epsilon, /*axis=*/1));
  return success();
}

LogicalResult onnx_operators::buildSoftmax(Node &node) {
  const Tensor &x = node.input(0);
  SmallVector<int64_t> shape(x.shape), joined;
  bool joins = node.opset < 13; // from the axis on, all dimensions are one
  int64_t axis = node.getInt("axis", joins ? 1 : -1), rank = x.rank();
  axis += axis < 0 ? rank : 0;
  if (!x.element.isF32() || axis < 0 || axis >= rank || ShapedType::isDynamic(shape[axis]))
    return node.unsupported("an input that is not f32, or axis outside its static dimensions");
  Value value = node.operand(0);
  if (joins && axis + 1 < rank) {
    joined.assign(shape.begin(), shape.begin() + axis);
    joined.push_back(ShapedType::getNumElements(ArrayRef<int64_t>(shape).drop_front(axis)));
    value = reshape(node, value, joined);
  }
  value = halftone::buildSoftmax(node.builder, node.loc, value, axis);
  node.setResult(joined.empty() ? value : reshape(node, value, shape));
  return success();
}
