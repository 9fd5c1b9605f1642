//===- TosaForms.cpp - operations of TOSA that have a form of ours ----------===//
#include "TosaForms.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Interpolation.h"
#include "halftone/Import/ResizeModes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Tosa/Utils/ConversionUtils.h"
#include <limits>

using namespace mlir;
using namespace mlir::halftone;

static bool isF32(Value value) { return getElementTypeOrSelf(value).isF32(); }

namespace {
struct JoinTensors : OpRewritePattern<tosa::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tosa::ConcatOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getResult()))
      return failure();
    rewriter.replaceOpWithNewOp<tensor::ConcatOp>(op, op.getType(), op.getAxis(), op.getInput1());
    return success();
  }
};

/// MLIR's lowering takes the amounts for numbers that are computed.
struct PadByConstants : OpRewritePattern<tosa::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tosa::PadOp op, PatternRewriter &rewriter) const override {
    SmallVector<int64_t> amounts; // low and high of each dimension
    DenseElementsAttr fill;
    if (!isF32(op.getResult()) || !tosa::getConstShapeValues(op.getPadding().getDefiningOp(), amounts) || !matchPattern(op.getPadConst(), m_Constant(&fill)))
      return failure();
    SmallVector<OpFoldResult> low, high;
    for (auto [i, amount] : llvm::enumerate(amounts))
      (i % 2 ? high : low).push_back(rewriter.getIndexAttr(amount));
    Value value = arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getF32FloatAttr(*fill.getValues<float>().begin()));
    rewriter.replaceOpWithNewOp<tensor::PadOp>(op, op.getType(), op.getInput1(), low, high, value);
    return success();
  }
};

/// Its divisor leaves padding out.
struct AveragePool : OpRewritePattern<tosa::AvgPool2dOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tosa::AvgPool2dOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (!isF32(op.getInput()) || type.isDynamicDim(1) || type.isDynamicDim(2))
      return failure();
    AvgPool pool;
    pool.kernel.assign(op.getKernel().begin(), op.getKernel().end());
    pool.strides.assign(op.getStride().begin(), op.getStride().end());
    ArrayRef<int64_t> pad = op.getPad(); // top, bottom, left, right
    pool.pads = {pad[0], pad[2], pad[1], pad[3]};
    pool.channelsLast = true;
    rewriter.replaceOp(op, buildAvgPool(rewriter, op.getLoc(), op.getInput(), pool));
    return success();
  }
};

template <typename OpTy>
struct Function : OpRewritePattern<OpTy> {
  Function(MLIRContext *context, StringRef name) : OpRewritePattern<OpTy>(context), name(name) {}
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!isF32(op->getResult(0)))
      return failure();
    rewriter.replaceOp(op, buildUnary(rewriter, op.getLoc(), name, op->getOperand(0)));
    return success();
  }
  StringRef name;
};

/// A bound that no finite value reaches is none.
struct OneSidedClamp : OpRewritePattern<tosa::ClampOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tosa::ClampOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getInput()) || op.getNanMode() != tosa::NanPropagationMode::PROPAGATE)
      return failure();
    constexpr float largest = std::numeric_limits<float>::max();
    float low = cast<FloatAttr>(op.getMinVal()).getValue().convertToFloat(), high = cast<FloatAttr>(op.getMaxVal()).getValue().convertToFloat();
    if ((low > -largest) == (high < largest))
      return failure();
    auto sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getInput());
    auto bound = [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
      Value limit = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(high < largest ? high : low));
      return high < largest ? arith::MinimumFOp::create(b, loc, e[0], limit).getResult() : arith::MaximumFOp::create(b, loc, e[0], limit).getResult();
    };
    rewriter.replaceOp(op, buildElementwise(rewriter, op.getLoc(), op.getInput(), {}, sizes, rewriter.getF32Type(), bound));
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

/// Where each output position of an axis of `in` positions reads: at `(i * denominator + offset) / numerator`.
static SmallVector<Interpolated> resizeSources(int64_t in, int64_t out, int64_t numerator, int64_t denominator, int64_t offset) {
  return llvm::map_to_vector(llvm::seq<int64_t>(0, out), [&](int64_t i) {
    int64_t position = i * denominator + offset, low = llvm::divideFloorSigned(position, numerator);
    float weight = static_cast<float>(position - low * numerator) / static_cast<float>(numerator);
    auto inside = [&](int64_t at) { return std::clamp<int64_t>(at, 0, in - 1); };
    return Interpolated{inside(low), inside(low + 1), weight};
  });
}

/// `low + weight (high - low)` between rows (`dimension` 1) or columns (2) of `x`.
static Value interpolate(PatternRewriter &rewriter, Location loc, Value x, ArrayRef<Interpolated> sources, int64_t dimension) {
  auto pick = [&](int64_t Interpolated::*which) {
    return pickAlong(rewriter, loc, x, dimension - 1, llvm::map_to_vector(sources, [&](const Interpolated &source) { return source.*which; }),
                     /*channelsLast=*/true);
  };
  Value low = pick(&Interpolated::low), high = pick(&Interpolated::high);
  std::vector<float> weights;
  for (const Interpolated &source : sources)
    weights.push_back(source.weight);
  auto weightType = RankedTensorType::get(static_cast<int64_t>(weights.size()), rewriter.getF32Type());
  Value weight = arith::ConstantOp::create(rewriter, loc, makeConstant<float>(weightType, weights, "resize_weights"));
  AffineMap identity = rewriter.getMultiDimIdentityMap(4), along = identity.getSliceMap(dimension, 1);
  return buildElementwise(rewriter, loc, {low, high, weight}, {identity, identity, along}, tensor::getMixedSizes(rewriter, loc, low),
                          rewriter.getF32Type(), interpolateBetween);
}

namespace {
struct Resize : OpRewritePattern<tosa::ResizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tosa::ResizeOp op, PatternRewriter &rewriter) const override {
    SmallVector<int64_t> scale, offset;
    auto in = cast<RankedTensorType>(op.getInput().getType()), out = cast<RankedTensorType>(op.getType());
    if (!isF32(op.getInput()) || !tosa::getConstShapeValues(op.getScale().getDefiningOp(), scale) ||
        !tosa::getConstShapeValues(op.getOffset().getDefiningOp(), offset) || llvm::any_of(ArrayRef<int64_t>{1, 2}, [&](int64_t d) {
          return in.isDynamicDim(d) || out.isDynamicDim(d);
        }))
      return failure();
    auto sources = [&](int64_t axis) {
      return resizeSources(in.getDimSize(1 + axis), out.getDimSize(1 + axis), scale[2 * axis], scale[2 * axis + 1], offset[axis]);
    };
    SmallVector<Interpolated> rows = sources(0), columns = sources(1);
    Value result = op.getInput();
    if (op.getMode() == tosa::ResizeMode::BILINEAR) {
      result = interpolate(rewriter, op.getLoc(), interpolate(rewriter, op.getLoc(), result, rows, 1), columns, 2);
    } else {
      auto nearest = [](const Interpolated &source) { return source.weight >= 0.5f ? source.high : source.low; };
      result = buildResizeNearest(rewriter, op.getLoc(), result, {llvm::map_to_vector(rows, nearest), llvm::map_to_vector(columns, nearest), true});
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::halftone::populateTosaForms(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<JoinTensors, PadByConstants, AveragePool, OneSidedClamp, Resize>(context);
  patterns.add<Function<tosa::SigmoidOp>>(context, "sigmoid");
  patterns.add<Function<tosa::TanhOp>>(context, "tanh");
  patterns.add<Function<tosa::ExpOp>>(context, "exp");
}
