//===- ContractionAdjoint.cpp - convolutions and matrix products ------------===//
//
//   data:    dx = a convolution of dy, in phases (WindowAdjoint.h), with the weights flipped and transposed
//   weights: dw[k, ic, oc] = sum over images and positions of x[position + k, ic] dy[position, oc]
//
// The flipped weights are a tensor of their own, so that the data gradient is the same named operation as the forward
// one, and runs in the same kernel.
//
//===----------------------------------------------------------------------===//
#include "Adjoints.h"
#include "TensorBuilding.h"
#include "WindowAdjoint.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

static Value product(OpBuilder &b, Location loc, ValueRange e) { return arith::MulFOp::create(b, loc, e[0], e[1]); }

static AffineMap mapOf(MLIRContext *context, int64_t loops, ArrayRef<AffineExpr> results) {
  return AffineMap::get(loops, 0, results, context);
}

namespace {

/// A convolution of rank-4 or grouped NHWC tensors: where its kernel's dimensions stand in the weights.
struct Convolution {
  Value x, w, y;
  WindowAxis rows, columns;
  SmallVector<int64_t> strides, dilations;
};

} // namespace

/// `kernelAt` is the dimension of the weights that is the kernel's height; the width follows.
template <typename OpTy>
static Convolution convolutionOf(OpTy op, int64_t kernelAt) {
  Convolution conv = {op.getInputs()[0], op.getInputs()[1], op.getResult(0), {}, {}, {}, {}};
  conv.strides = llvm::to_vector(op.getStrides().template getValues<int64_t>());
  conv.dilations = llvm::to_vector(op.getDilations().template getValues<int64_t>());
  ArrayRef<int64_t> in = tensorType(conv.x).getShape(), out = tensorType(conv.y).getShape();
  ArrayRef<int64_t> kernel = tensorType(conv.w).getShape().slice(kernelAt, 2);
  conv.rows = {kernel[0], conv.strides[0], conv.dilations[0], in[1], out[1]};
  conv.columns = {kernel[1], conv.strides[1], conv.dilations[1], in[2], out[2]};
  return conv;
}

/// The convolution as a function of the tensor that its input pads.
static Convolution behindPadding(Convolution conv) {
  conv.x = skipPadding(conv.x, conv.rows, conv.columns);
  return conv;
}

/// The input position that output (h, w) reads through tap (kh, kw).
static std::pair<AffineExpr, AffineExpr> inputPosition(const Convolution &conv, AffineExpr h, AffineExpr w,
                                                       AffineExpr kh, AffineExpr kw) {
  return {h * conv.rows.stride + kh * conv.rows.dilation, w * conv.columns.stride + kw * conv.columns.dilation};
}

/// The taps of two phases, in the order of their window: the weights' kernel coordinates at (t, u).
static std::pair<AffineExpr, AffineExpr> flippedTap(const WindowPhase &rows, const WindowPhase &columns, AffineExpr t,
                                                    AffineExpr u) {
  return {rows.tapAt(0) - t * rows.tapStep, columns.tapAt(0) - u * columns.tapStep};
}

/// The weights read at `results` of the loops `extents`.
static Value rearrange(OpBuilder &b, Location loc, Value weights, ArrayRef<int64_t> extents,
                       ArrayRef<AffineExpr> results) {
  return buildElementwise(b, loc, weights, mapOf(b.getContext(), extents.size(), results),
                          getAsIndexOpFoldResult(b.getContext(), extents), tensorType(weights).getElementType(),
                          [](OpBuilder &, Location, ValueRange e) { return e[0]; });
}

/// The convolution `OpTy` with stride 1 of phase-padded `dy` with `weights`.
template <typename OpTy>
static Value convolvePhase(OpBuilder &b, Location loc, Value dy, Value weights, ArrayRef<int64_t> shape,
                           const WindowPhase &rows, const WindowPhase &columns) {
  Value init = buildZeros(b, loc, tensorType(dy).clone(shape));
  auto strides = b.getI64TensorAttr({1, 1}), dilations = b.getI64TensorAttr({rows.spacing, columns.spacing});
  Value padded = padForPhases(b, loc, dy, rows, columns, 0);
  return OpTy::create(b, loc, init.getType(), ValueRange{padded, weights}, init, strides, dilations).getResult(0);
}

//===----------------------------------------------------------------------===//
// One group
//===----------------------------------------------------------------------===//

static Value plainData(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  RankedTensorType type = tensorType(conv.x), weights = tensorType(conv.w);
  const int64_t in = weights.getDimSize(2), out = weights.getDimSize(3);
  return buildFromPhases(b, loc, type, conv.rows, conv.columns, [&](const WindowPhase &rows, const WindowPhase &columns) {
    AffineExpr t, u, o, i;
    bindDims(b.getContext(), t, u, o, i);
    auto [kh, kw] = flippedTap(rows, columns, t, u);
    Value flipped = rearrange(b, loc, conv.w, {rows.taps, columns.taps, out, in}, {kh, kw, i, o});
    return convolvePhase<linalg::Conv2DNhwcHwcfOp>(b, loc, dy, flipped,
                                                   {type.getDimSize(0), rows.inputs, columns.inputs, in}, rows, columns);
  });
}

static Value plainWeights(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  AffineExpr kh, kw, i, o, n, h, w;
  bindDims(b.getContext(), kh, kw, i, o, n, h, w);
  auto [row, column] = inputPosition(conv, h, w, kh, kw);
  Summation sum;
  sum.extents.assign(tensorType(conv.w).getShape());
  llvm::append_range(sum.extents, tensorType(dy).getShape().drop_back());
  sum.inputs = {conv.x, dy};
  sum.maps = {mapOf(b.getContext(), 7, {n, row, column, i}), mapOf(b.getContext(), 7, {n, h, w, o})};
  sum.out = mapOf(b.getContext(), 7, {kh, kw, i, o});
  return buildSum(b, loc, sum, product);
}

//===----------------------------------------------------------------------===//
// Depthwise
//===----------------------------------------------------------------------===//

static Value depthwiseData(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  RankedTensorType type = tensorType(conv.x);
  const int64_t channels = type.getDimSize(3);
  return buildFromPhases(b, loc, type, conv.rows, conv.columns, [&](const WindowPhase &rows, const WindowPhase &columns) {
    AffineExpr t, u, c;
    bindDims(b.getContext(), t, u, c);
    auto [kh, kw] = flippedTap(rows, columns, t, u);
    Value flipped = rearrange(b, loc, conv.w, {rows.taps, columns.taps, channels}, {kh, kw, c});
    return convolvePhase<linalg::DepthwiseConv2DNhwcHwcOp>(
        b, loc, dy, flipped, {type.getDimSize(0), rows.inputs, columns.inputs, channels}, rows, columns);
  });
}

static Value depthwiseWeights(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  AffineExpr kh, kw, c, n, h, w;
  bindDims(b.getContext(), kh, kw, c, n, h, w);
  auto [row, column] = inputPosition(conv, h, w, kh, kw);
  Summation sum;
  sum.extents.assign(tensorType(conv.w).getShape());
  llvm::append_range(sum.extents, tensorType(dy).getShape().drop_back());
  sum.inputs = {conv.x, dy};
  sum.maps = {mapOf(b.getContext(), 6, {n, row, column, c}), mapOf(b.getContext(), 6, {n, h, w, c})};
  sum.out = mapOf(b.getContext(), 6, {kh, kw, c});
  return buildSum(b, loc, sum, product);
}

//===----------------------------------------------------------------------===//
// Groups: x is N H W G C, w is G F KH KW C, y is N OH OW G F
//===----------------------------------------------------------------------===//

static Value groupedData(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  RankedTensorType type = tensorType(conv.x), weights = tensorType(conv.w);
  const int64_t groups = weights.getDimSize(0), filters = weights.getDimSize(1), channels = weights.getDimSize(4);
  return buildFromPhases(b, loc, type, conv.rows, conv.columns, [&](const WindowPhase &rows, const WindowPhase &columns) {
    AffineExpr g, c, t, u, f;
    bindDims(b.getContext(), g, c, t, u, f);
    auto [kh, kw] = flippedTap(rows, columns, t, u);
    Value flipped = rearrange(b, loc, conv.w, {groups, channels, rows.taps, columns.taps, filters}, {g, f, kh, kw, c});
    return convolvePhase<linalg::Conv2DNhwgcGfhwcOp>(
        b, loc, dy, flipped, {type.getDimSize(0), rows.inputs, columns.inputs, groups, channels}, rows, columns);
  });
}

static Value groupedWeights(OpBuilder &b, Location loc, const Convolution &conv, Value dy) {
  AffineExpr g, f, kh, kw, c, n, h, w;
  bindDims(b.getContext(), g, f, kh, kw, c, n, h, w);
  auto [row, column] = inputPosition(conv, h, w, kh, kw);
  Summation sum;
  sum.extents.assign(tensorType(conv.w).getShape());
  llvm::append_range(sum.extents, tensorType(dy).getShape().take_front(3));
  sum.inputs = {conv.x, dy};
  sum.maps = {mapOf(b.getContext(), 8, {n, row, column, g, c}), mapOf(b.getContext(), 8, {n, h, w, g, f})};
  sum.out = mapOf(b.getContext(), 8, {g, f, kh, kw, c});
  return buildSum(b, loc, sum, product);
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// y = a b, with the dimensions of `batch` in front: da = dy b^T, db = a^T dy.
template <typename OpTy>
static void differentiateProduct(Adjoints &adjoints, OpTy op, Value dy, int64_t batch) {
  OpBuilder &b = adjoints.b;
  Location loc = op.getLoc();
  Value x = op.getInputs()[0], w = op.getInputs()[1];
  auto transposed = [&](Value value) {
    auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, batch + 2));
    std::swap(permutation[batch], permutation[batch + 1]);
    return buildTranspose(b, loc, value, permutation);
  };
  if (adjoints.needs(x)) {
    Value init = buildZeros(b, loc, tensorType(x));
    adjoints.add(loc, x, OpTy::create(b, loc, ValueRange{dy, transposed(w)}, init).getResult(0));
  }
  if (!adjoints.needs(w))
    return;
  if (batch) {
    Value init = buildZeros(b, loc, tensorType(w));
    adjoints.add(loc, w, OpTy::create(b, loc, ValueRange{transposed(x), dy}, init).getResult(0));
    return;
  }
  AffineExpr k, n, m;
  bindDims(b.getContext(), k, n, m);
  Summation sum;
  sum.extents = {tensorType(w).getDimSize(0), tensorType(w).getDimSize(1), tensorType(x).getDimSize(0)};
  sum.inputs = {x, dy};
  sum.maps = {mapOf(b.getContext(), 3, {m, k}), mapOf(b.getContext(), 3, {m, n})};
  sum.out = mapOf(b.getContext(), 3, {k, n});
  adjoints.add(loc, w, buildSum(b, loc, sum, product));
}

static bool hasPlainMaps(Operation *op) {
  auto matmul = dyn_cast<linalg::MatmulOp>(op);
  auto batched = dyn_cast<linalg::BatchMatmulOp>(op);
  return (matmul && !matmul.hasUserDefinedMaps()) || (batched && !batched.hasUserDefinedMaps());
}

LogicalResult mlir::halftone::differentiateContraction(Adjoints &adjoints, Operation *op, Value dy, bool &known) {
  using Gradient = Value (*)(OpBuilder &, Location, const Convolution &, Value);
  auto convolution = [&](const Convolution &conv, Gradient data, Gradient weights) {
    known = true;
    if (adjoints.needs(conv.x)) {
      Convolution inner = behindPadding(conv);
      adjoints.add(op->getLoc(), inner.x, data(adjoints.b, op->getLoc(), inner, dy));
    }
    if (adjoints.needs(conv.w))
      adjoints.add(op->getLoc(), conv.w, weights(adjoints.b, op->getLoc(), conv, dy));
    adjoints.add(op->getLoc(), op->getOperand(2), dy); // the accumulator's start
    return success();
  };
  if (auto plain = dyn_cast<linalg::Conv2DNhwcHwcfOp>(op))
    return convolution(convolutionOf(plain, 0), plainData, plainWeights);
  if (auto depthwise = dyn_cast<linalg::DepthwiseConv2DNhwcHwcOp>(op))
    return convolution(convolutionOf(depthwise, 0), depthwiseData, depthwiseWeights);
  if (auto grouped = dyn_cast<linalg::Conv2DNhwgcGfhwcOp>(op))
    return convolution(convolutionOf(grouped, 2), groupedData, groupedWeights);
  if (!hasPlainMaps(op))
    return failure();
  known = true;
  if (auto matmul = dyn_cast<linalg::MatmulOp>(op))
    differentiateProduct(adjoints, matmul, dy, 0);
  else
    differentiateProduct(adjoints, cast<linalg::BatchMatmulOp>(op), dy, 1);
  adjoints.add(op->getLoc(), op->getOperand(2), dy);
  return success();
}
