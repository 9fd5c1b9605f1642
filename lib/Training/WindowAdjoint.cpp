//===- WindowAdjoint.cpp - pooling, and what sliding windows share ----------===//
#include "WindowAdjoint.h"
#include "Adjoints.h"
#include "TensorBuilding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

WindowPhase mlir::halftone::phaseOf(const WindowAxis &axis, int64_t offset) {
  const int64_t common = std::gcd(axis.stride, axis.dilation);
  WindowPhase phase = {};
  phase.offset = offset;
  phase.tapStep = axis.stride / common;
  phase.spacing = axis.dilation / common;
  phase.inputs = llvm::divideCeil(axis.inputs - offset, axis.stride);
  const int64_t position = axis.first + offset;
  while (phase.firstTap < axis.kernel && phase.firstTap * axis.dilation % axis.stride != position % axis.stride)
    ++phase.firstTap;
  if (phase.firstTap >= axis.kernel)
    return phase;
  const int64_t first = (phase.firstTap * axis.dilation - position) / axis.stride;
  if (first >= phase.inputs) // the taps lie beyond the input
    return phase;
  phase.taps = (axis.kernel - 1 - phase.firstTap) / phase.tapStep + 1;
  phase.low = first + (phase.taps - 1) * phase.spacing;
  phase.high = phase.inputs - first - axis.outputs;
  return phase;
}

Value mlir::halftone::skipPadding(Value x, WindowAxis &rows, WindowAxis &columns) {
  auto pad = x.getDefiningOp<tensor::PadOp>();
  if (!pad || !pad.getConstantPaddingValue())
    return x;
  ArrayRef<int64_t> low = pad.getStaticLow(), high = pad.getStaticHigh();
  for (auto [i, widths] : llvm::enumerate(llvm::zip_equal(low, high))) {
    auto [l, h] = widths;
    bool isSpatial = i == 1 || i == 2;
    if (ShapedType::isDynamic(l) || ShapedType::isDynamic(h) || l < 0 || h < 0 || (!isSpatial && (l || h)))
      return x;
  }
  rows.first = low[1];
  rows.inputs = pad.getSourceType().getDimSize(1);
  columns.first = low[2];
  columns.inputs = pad.getSourceType().getDimSize(2);
  return pad.getSource();
}

Value mlir::halftone::padForPhases(OpBuilder &b, Location loc, Value x, const WindowPhase &rows,
                                   const WindowPhase &columns, double value) {
  SmallVector<int64_t> low(tensorType(x).getRank(), 0), high(low);
  low[1] = rows.low;
  low[2] = columns.low;
  high[1] = rows.high;
  high[2] = columns.high;
  return buildPad(b, loc, x, low, high, value);
}

Value mlir::halftone::buildFromPhases(OpBuilder &b, Location loc, RankedTensorType type, const WindowAxis &rows,
                                      const WindowAxis &columns,
                                      function_ref<Value(const WindowPhase &, const WindowPhase &)> emitPhase) {
  Value whole;
  bool complete = true;
  SmallVector<std::pair<WindowPhase, WindowPhase>> phases;
  for (int64_t row = 0; row < std::min(rows.stride, rows.inputs); ++row)
    for (int64_t column = 0; column < std::min(columns.stride, columns.inputs); ++column) {
      WindowPhase down = phaseOf(rows, row), across = phaseOf(columns, column);
      if (down.taps && across.taps)
        phases.emplace_back(down, across);
      else
        complete = false;
    }
  if (rows.stride == 1 && columns.stride == 1 && complete)
    return emitPhase(phases[0].first, phases[0].second);
  whole = complete ? tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType()).getResult()
                   : buildZeros(b, loc, type);
  for (auto &[down, across] : phases) {
    Value part = emitPhase(down, across);
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), strides(type.getRank(), b.getIndexAttr(1));
    offsets[1] = b.getIndexAttr(down.offset);
    offsets[2] = b.getIndexAttr(across.offset);
    strides[1] = b.getIndexAttr(rows.stride);
    strides[2] = b.getIndexAttr(columns.stride);
    SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(b.getContext(), tensorType(part).getShape());
    whole = tensor::InsertSliceOp::create(b, loc, part, whole, offsets, sizes, strides);
  }
  return whole;
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

namespace {

/// A pooling of NHWC tensors.
struct Pool {
  Value x, y;
  WindowAxis rows, columns;
  Value source; ///< x, or what x pads: the adjoint is the source's
};

} // namespace

template <typename OpTy>
static Pool poolOf(OpTy op) {
  Pool pool = {op.getInputs()[0], op.getResult(0), {}, {}, {}};
  auto strides = llvm::to_vector(op.getStrides().template getValues<int64_t>());
  auto dilations = llvm::to_vector(op.getDilations().template getValues<int64_t>());
  ArrayRef<int64_t> window = tensorType(op.getInputs()[1]).getShape();
  ArrayRef<int64_t> in = tensorType(pool.x).getShape(), out = tensorType(pool.y).getShape();
  pool.rows = {window[0], strides[0], dilations[0], in[1], out[1]};
  pool.columns = {window[1], strides[1], dilations[1], in[2], out[2]};
  return pool;
}

/// The number of the first tap of each window whose input is the maximum, as a float; the number of taps if none is.
static Value buildFirstMaximum(OpBuilder &b, Location loc, const Pool &pool) {
  MLIRContext *context = b.getContext();
  RankedTensorType type = tensorType(pool.y);
  Type element = type.getElementType();
  AffineExpr n, h, w, c, kh, kw;
  bindDims(context, n, h, w, c, kh, kw);
  SmallVector<double> numbers(pool.rows.kernel * pool.columns.kernel);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value taps = buildConstant(b, loc, RankedTensorType::get({pool.rows.kernel, pool.columns.kernel}, element), numbers);
  Value none = buildScalar(b, loc, element, numbers.size());
  Value init = tensor::EmptyOp::create(b, loc, type.getShape(), element);
  init = linalg::FillOp::create(b, loc, none, init).getResult(0);
  SmallVector<AffineExpr> window = {n, h * pool.rows.stride + kh * pool.rows.dilation,
                                    w * pool.columns.stride + kw * pool.columns.dilation, c};
  auto output = AffineMap::get(6, 0, {n, h, w, c}, context);
  SmallVector<AffineMap> maps = {AffineMap::get(6, 0, window, context), output,
                                 AffineMap::get(6, 0, {kh, kw}, context), output};
  SmallVector<utils::IteratorType> kinds(6, utils::IteratorType::parallel);
  kinds[4] = kinds[5] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(b, loc, type, ValueRange{pool.x, pool.y, taps}, init, maps, kinds,
                                   [&](OpBuilder &nested, Location l, ValueRange e) {
                                     Value equal = arith::CmpFOp::create(nested, l, arith::CmpFPredicate::OEQ, e[0], e[1]);
                                     Value tap = arith::SelectOp::create(nested, l, equal, e[2], none);
                                     Value least = arith::MinimumFOp::create(nested, l, e[3], tap);
                                     linalg::YieldOp::create(nested, l, least);
                                   })
      .getResult(0);
}

/// The loops of a phase: positions of the phase's inputs, then taps; and how they read the padded outputs.
static Summation phaseLoops(OpBuilder &b, RankedTensorType type, const WindowPhase &rows, const WindowPhase &columns,
                            ArrayRef<Value> padded) {
  AffineExpr n, i, j, c, t, u;
  bindDims(b.getContext(), n, i, j, c, t, u);
  Summation sum;
  sum.extents = {type.getDimSize(0), rows.inputs, columns.inputs, type.getDimSize(3), rows.taps, columns.taps};
  sum.inputs.append(padded.begin(), padded.end());
  sum.maps.append(padded.size(), AffineMap::get(6, 0, {n, i + t * rows.spacing, j + u * columns.spacing, c}, b.getContext()));
  sum.out = AffineMap::get(6, 0, {n, i, j, c}, b.getContext());
  return sum;
}

/// Each window's gradient goes to its first maximum, as in PyTorch.
static Value differentiateMax(OpBuilder &b, Location loc, const Pool &pool, Value dy) {
  Value first = buildFirstMaximum(b, loc, pool);
  RankedTensorType type = tensorType(pool.source);
  return buildFromPhases(b, loc, type, pool.rows, pool.columns, [&](const WindowPhase &rows, const WindowPhase &columns) {
    SmallVector<double> numbers;
    for (int64_t t = 0; t < rows.taps; ++t)
      for (int64_t u = 0; u < columns.taps; ++u)
        numbers.push_back(rows.tapAt(t) * pool.columns.kernel + columns.tapAt(u));
    auto tapType = RankedTensorType::get({rows.taps, columns.taps}, type.getElementType());
    Summation sum = phaseLoops(b, type, rows, columns, {padForPhases(b, loc, dy, rows, columns, 0),
                                                        padForPhases(b, loc, first, rows, columns, -1)});
    sum.inputs.push_back(buildConstant(b, loc, tapType, numbers));
    sum.maps.push_back(AffineMap::get(6, 0, {b.getAffineDimExpr(4), b.getAffineDimExpr(5)}, b.getContext()));
    return buildSum(b, loc, sum, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value chosen = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, e[1], e[2]);
      return arith::SelectOp::create(n, l, chosen, e[0], buildScalar(n, l, type.getElementType(), 0));
    });
  });
}

/// Every input of a window gets the gradient of its sum.
static Value differentiateSum(OpBuilder &b, Location loc, const Pool &pool, Value dy) {
  RankedTensorType type = tensorType(pool.source);
  auto keep = [](OpBuilder &, Location, ValueRange e) { return e[0]; };
  auto isWhole = [](const WindowAxis &axis) {
    return axis.outputs == 1 && axis.kernel >= axis.first + axis.inputs && axis.dilation == 1;
  };
  if (isWhole(pool.rows) && isWhole(pool.columns)) {
    AffineExpr n, h, w, c, zero = b.getAffineConstantExpr(0);
    bindDims(b.getContext(), n, h, w, c);
    return buildElementwise(b, loc, dy, AffineMap::get(4, 0, {n, zero, zero, c}, b.getContext()),
                            getAsIndexOpFoldResult(b.getContext(), type.getShape()), type.getElementType(), keep);
  }
  return buildFromPhases(b, loc, type, pool.rows, pool.columns, [&](const WindowPhase &rows, const WindowPhase &columns) {
    Summation sum = phaseLoops(b, type, rows, columns, {padForPhases(b, loc, dy, rows, columns, 0)});
    // The taps' extents stand in a window that is not read.
    sum.inputs.push_back(tensor::EmptyOp::create(b, loc, {rows.taps, columns.taps}, type.getElementType()));
    sum.maps.push_back(AffineMap::get(6, 0, {b.getAffineDimExpr(4), b.getAffineDimExpr(5)}, b.getContext()));
    return buildSum(b, loc, sum, keep);
  });
}

LogicalResult mlir::halftone::differentiateWindow(Adjoints &adjoints, Operation *op, Value dy, bool &known) {
  auto max = dyn_cast<linalg::PoolingNhwcMaxOp>(op);
  auto sum = dyn_cast<linalg::PoolingNhwcSumOp>(op);
  if (!max && !sum)
    return failure();
  known = true;
  Pool pool = max ? poolOf(max) : poolOf(sum);
  if (!adjoints.needs(pool.x))
    return success();
  pool.source = skipPadding(pool.x, pool.rows, pool.columns);
  Value dx = max ? differentiateMax(adjoints.b, op->getLoc(), pool, dy) : differentiateSum(adjoints.b, op->getLoc(), pool, dy);
  adjoints.add(op->getLoc(), pool.source, dx);
  return success();
}
