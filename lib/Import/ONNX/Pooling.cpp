//===- Pooling.cpp - ONNX's pools -------------------------------------------===//
//
// MaxPool becomes a named linalg pooling over data padded with the lowest value, AveragePool the composite avg_pool; a
// global pool is a pool whose kernel is the whole plane. A pool over depth, height and width is one over planes and then one over depth.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static LogicalResult checkRank(Node &node, const Tensor &x) {
  if (x.rank() >= 3 && x.rank() <= 5)
    return success();
  return node.unsupported("an input of rank " + Twine(x.rank()));
}

/// The pool over the spatial dimensions of `x`, however many, by pools over two.
static Value poolPlanes(Node &node, Value x, const Window &window, function_ref<Value(Value, const Window &)> pool) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
  if (shape.size() < 5)
    return removeHeight(node, pool(addHeight(node, x), window), shape.size());
  auto [plane, depth] = splitWindow(window);
  Value pooled = pool(reshape(node, x, {shape[0], shape[1] * shape[2], shape[3], shape[4]}), plane);
  pooled = pool(reshape(node, pooled, {shape[0], shape[1], shape[2], plane.output[0] * plane.output[1]}), depth);
  return reshape(node, pooled, {shape[0], shape[1], depth.output[0], plane.output[0], plane.output[1]});
}

/// The lowest value of a type that MaxPool takes.
static Value lowest(Node &node, Type element) {
  if (isa<FloatType>(element))
    return scalarConstant(node.builder, node.loc, element, -std::numeric_limits<double>::infinity());
  return scalarConstant(node.builder, node.loc, element, element.isUnsignedInteger() ? 0 : -128);
}

static Value buildMax(Node &node, Value x, Type element, const Window &window) {
  OpBuilder &b = node.builder;
  Value low = lowest(node, element);
  Value padded = padWindow(node, x, window, low);
  auto type = cast<RankedTensorType>(x.getType());
  Value init =
      makeFilled(node, {type.getDimSize(0), type.getDimSize(1), window.output[0], window.output[1]}, x, low);
  Value kernel = tensor::EmptyOp::create(b, node.loc, window.kernel, type.getElementType());
  auto strides = b.getI64TensorAttr(window.strides), dilations = b.getI64TensorAttr(window.dilations);
  if (!element.isUnsignedInteger())
    return linalg::PoolingNchwMaxOp::create(b, node.loc, init.getType(), ValueRange{padded, kernel}, init, strides,
                                            dilations)
        .getResult(0);
  // Upstream has an unsigned maximum for NHWC only.
  SmallVector<int64_t> toLast = {0, 2, 3, 1}, toFirst = {0, 3, 1, 2};
  Value result = linalg::PoolingNhwcMaxUnsignedOp::create(b, node.loc, transpose(node, init, toLast).getType(),
                                                          ValueRange{transpose(node, padded, toLast), kernel},
                                                          transpose(node, init, toLast), strides, dilations)
                     .getResult(0);
  return transpose(node, result, toFirst);
}

LogicalResult onnx_operators::buildMaxPool(Node &node) {
  const Tensor &x = node.input(0);
  (void)node.getInt("storage_order", 0); // concerns the indices only
  if (node.hasResult(1))
    return node.unsupported("its second output, the indices");
  if (failed(checkRank(node, x)))
    return failure();
  if (!x.element.isF32() && x.element.getIntOrFloatBitWidth() != 8)
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  FailureOr<Window> window =
      readWindow(node, ArrayRef<int64_t>(x.shape).drop_front(2), node.getInts("kernel_shape"), /*isPool=*/true);
  if (failed(window))
    return failure();
  Type element = x.element;
  auto pool = [&](Value value, const Window &part) { return buildMax(node, value, element, part); };
  node.setResult(poolPlanes(node, node.operand(0), *window, pool), element);
  return success();
}

/// A window that is the whole plane.
static Window wholePlane(const Tensor &x) {
  SmallVector<int64_t> spatial(ArrayRef<int64_t>(x.shape).drop_front(2));
  if (spatial.size() == 1)
    spatial.insert(spatial.begin(), 1);
  Window window;
  window.kernel.assign(spatial.begin(), spatial.end());
  window.strides.assign(spatial.size(), 1);
  window.dilations = window.output = window.strides;
  window.pads.assign(2 * spatial.size(), 0);
  window.overhang.assign(spatial.size(), 0);
  return window;
}

static AvgPool averageOf(const Window &window, bool countIncludePad) {
  return {window.kernel, window.strides, window.dilations, window.pads, window.overhang, countIncludePad};
}

static LogicalResult buildAverage(Node &node, const Window &window, bool countIncludePad) {
  const Tensor &x = node.input(0);
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  auto pool = [&](Value value, const Window &part) { return buildAvgPool(node.builder, node.loc, value, averageOf(part, countIncludePad)); };
  node.setResult(poolPlanes(node, node.operand(0), window, pool));
  return success();
}

LogicalResult onnx_operators::buildAveragePool(Node &node) {
  const Tensor &x = node.input(0);
  if (failed(checkRank(node, x)))
    return failure();
  FailureOr<Window> window =
      readWindow(node, ArrayRef<int64_t>(x.shape).drop_front(2), node.getInts("kernel_shape"), /*isPool=*/true);
  if (failed(window))
    return failure();
  return buildAverage(node, *window, node.getInt("count_include_pad", 0));
}

static LogicalResult checkWholePlane(Node &node, const Tensor &x) {
  if (failed(checkRank(node, x)))
    return failure();
  if (ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front()))
    return node.unsupported("a dynamic spatial dimension");
  return success();
}

LogicalResult onnx_operators::buildGlobalAveragePool(Node &node) {
  if (failed(checkWholePlane(node, node.input(0))))
    return failure();
  return buildAverage(node, wholePlane(node.input(0)), /*countIncludePad=*/false);
}

LogicalResult onnx_operators::buildGlobalMaxPool(Node &node) {
  const Tensor &x = node.input(0);
  if (failed(checkWholePlane(node, x)))
    return failure();
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  Type element = x.element;
  Window window = wholePlane(x);
  auto pool = [&](Value value, const Window &part) { return buildMax(node, value, element, part); };
  node.setResult(poolPlanes(node, node.operand(0), window, pool));
  return success();
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// |x|^p, or its inverse.
static Value buildPower(Node &node, Value x, double p) {
  return buildBroadcast(node, toTensor(x), node.builder.getF32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    if (p == 2)
      return arith::MulFOp::create(b, l, e[0], e[0]);
    if (p == 0.5)
      return math::SqrtOp::create(b, l, e[0]);
    Value magnitude = math::AbsFOp::create(b, l, e[0]);
    return p == 1 ? magnitude : math::PowFOp::create(b, l, magnitude, scalarConstant(b, l, b.getF32Type(), p)).getResult();
  });
}

/// The p-th root of the sum of p-th powers, which is their mean times the elements of the kernel.
static LogicalResult buildNorm(Node &node, const Window &window, int64_t p) {
  const Tensor &x = node.input(0);
  if (!x.element.isF32() || p < 1)
    return node.unsupported("element type " + llvm::formatv("{0}", x.element).str() + ", or p below 1");
  if (llvm::any_of(window.overhang, [](int64_t i) { return i != 0; }))
    return node.unsupported("ceil_mode where windows reach beyond the pads");
  auto pool = [&](Value value, const Window &part) { return buildAvgPool(node.builder, node.loc, value, averageOf(part, /*countIncludePad=*/true)); };
  Value mean = poolPlanes(node, buildPower(node, node.operand(0), p), window, pool);
  Value sum = buildBroadcast(node, toTensor(mean), node.builder.getF32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::MulFOp::create(b, l, e[0], scalarConstant(b, l, b.getF32Type(), ShapedType::getNumElements(window.kernel)));
  });
  node.setResult(buildPower(node, sum, 1.0 / p));
  return success();
}

LogicalResult onnx_operators::buildLpPool(Node &node) {
  const Tensor &x = node.input(0);
  if (failed(checkRank(node, x)))
    return failure();
  FailureOr<Window> window = readWindow(node, ArrayRef<int64_t>(x.shape).drop_front(2), node.getInts("kernel_shape"), /*isPool=*/true);
  return failed(window) ? failure() : buildNorm(node, *window, node.getInt("p", 2));
}

LogicalResult onnx_operators::buildGlobalLpPool(Node &node) {
  if (failed(checkWholePlane(node, node.input(0))))
    return failure();
  return buildNorm(node, wholePlane(node.input(0)), node.getInt("p", 2));
}
