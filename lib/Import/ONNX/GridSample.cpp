//===- GridSample.cpp - ONNX's GridSample ---------------------------------===//
//
// Each position of the result names a place in the picture by two numbers from -1 to 1. The four positions around it (one, for the
// nearest) are gathered as rows of channels and weighed. What lies outside is 0, or brought inside first.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// One axis of the picture, as scalars of an elementwise operation.
class Axis {
public:
  Axis(OpBuilder &builder, Location loc, int64_t size, StringRef padding, bool alignsCorners)
      : b(loc, builder), size(size), padding(padding), alignsCorners(alignsCorners) {}

  /// The source coordinate that a number of the grid stands for, within a step of the axis.
  Value coordinate(Value number) {
    const double half = 0.5 * (alignsCorners ? size - 1 : size);
    Value at = add(mul(number, half), half - (alignsCorners ? 0 : 0.5));
    if (padding == "reflection")
      at = reflect(at);
    // also NaN, which no comparison holds for
    const double low = padding == "zeros" ? -2 : 0, high = padding == "zeros" ? size + 1 : size - 1;
    at = select(arith::CmpFPredicate::OGT, at, low, at, constant(low));
    return select(arith::CmpFPredicate::OLT, at, high, at, constant(high));
  }

  /// The position `step` behind the one at or below a coordinate, within the axis.
  Value position(Value at, int64_t step) {
    Value moved = arith::AddIOp::create(b, toInteger(at), integer(step));
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, moved, integer(0)), integer(size - 1));
  }

  /// How much the position counts: 0 if it is outside.
  Value weight(Value at, int64_t step, bool isNearest) {
    Value below = arith::SIToFPOp::create(b, b.getF32Type(), toInteger(at)), above = arith::SubFOp::create(b, at, below);
    Value share = isNearest ? constant(1) : step ? above : Value(arith::SubFOp::create(b, constant(1), above));
    if (padding != "zeros")
      return share;
    Value place = add(below, step);
    share = select(arith::CmpFPredicate::OGE, place, 0, share, constant(0));
    return select(arith::CmpFPredicate::OLE, place, size - 1, share, constant(0));
  }

  Value integer(int64_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); }

private:
  /// Mirrored at the edges as often as it takes: at the outermost positions, or half a step beyond them.
  Value reflect(Value at) {
    const double low = alignsCorners ? 0 : -0.5, range = alignsCorners ? size - 1 : size;
    if (range == 0)
      return constant(0);
    Value from = math::AbsFOp::create(b, add(at, -low)), turns = math::FloorOp::create(b, mul(from, 0.5 / range));
    Value rest = arith::SubFOp::create(b, from, mul(turns, 2 * range)), back = arith::SubFOp::create(b, constant(2 * range), rest);
    return add(select(arith::CmpFPredicate::OGT, rest, range, back, rest), low);
  }

  Value constant(double value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value))); }
  Value add(Value x, double y) { return arith::AddFOp::create(b, x, constant(y)); }
  Value mul(Value x, double y) { return arith::MulFOp::create(b, x, constant(y)); }
  Value select(arith::CmpFPredicate predicate, Value x, double bound, Value yes, Value no) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, predicate, x, constant(bound)), yes, no);
  }
  Value toInteger(Value at) { return arith::FPToSIOp::create(b, b.getI32Type(), math::FloorOp::create(b, at)); }

  ImplicitLocOpBuilder b;
  int64_t size;
  StringRef padding;
  bool alignsCorners;
};

struct Sampling {
  std::string padding;
  bool isNearest, alignsCorners;
};
} // namespace

static FailureOr<Sampling> readSampling(Node &node) {
  std::string mode = node.getString("mode", node.opset < 20 ? "bilinear" : "linear");
  Sampling sampling = {node.getString("padding_mode", "zeros"), mode == "nearest", node.getInt("align_corners", 0) != 0};
  if (!llvm::is_contained({"nearest", "linear", "bilinear"}, mode) || !llvm::is_contained({"zeros", "border", "reflection"}, sampling.padding))
    return node.unsupported("mode '" + mode + "' with padding_mode '" + sampling.padding + "'");
  const Tensor &x = node.input(0), &grid = node.input(1);
  if (!x.element.isF32() || !grid.element.isF32() || x.rank() != 4 || grid.rank() != 4 || grid.shape.back() != 2 || x.isDynamic() ||
      grid.isDynamic() || x.shape[0] != grid.shape[0])
    return node.unsupported("an input or grid that is not f32 of rank 4 and static shape, with as many pictures as grids");
  return sampling;
}

LogicalResult onnx_operators::buildGridSample(Node &node) {
  const Tensor x = node.input(0), grid = node.input(1);
  FailureOr<Sampling> sampling = readSampling(node);
  if (failed(sampling))
    return failure();
  OpBuilder &b = node.builder;
  const int64_t height = x.shape[2], width = x.shape[3];
  Value rows = reshape(node, transpose(node, node.operand(0), {0, 2, 3, 1}), {x.shape[0] * height * width, x.shape[1]});
  SliceRange range{{0, 0, 0, 0}, grid.shape, {1, 1, 1, 1}};
  range.sizes.back() = 1;
  auto numbers = [&](int64_t which) {
    range.starts.back() = which;
    return toTensor(extract(node, node.operand(1), range));
  };
  SmallVector<int64_t> firsts;
  for (int64_t i = 0; i < x.shape[0]; ++i)
    firsts.push_back(i * height * width);
  Tensor inputs[] = {numbers(0), numbers(1), toTensor(HostTensor::fromIntegers(b.getI32Type(), {x.shape[0], 1, 1, 1}, firsts))};
  // Rounding to the nearest position moves the coordinate first, halves to the even one.
  auto locate = [&](OpBuilder &n, Location l, Axis &axis, Value number) {
    Value at = axis.coordinate(number);
    return sampling->isNearest ? math::RoundEvenOp::create(n, l, at).getResult() : at;
  };
  const int64_t steps = sampling->isNearest ? 1 : 2;
  SmallVector<Tensor> parts;
  for (int64_t down = 0; down < steps; ++down)
    for (int64_t right = 0; right < steps; ++right) {
      auto build = [&](bool isPlace) {
        return [&, isPlace](OpBuilder &n, Location l, ValueRange e) -> Value {
          Axis across(n, l, width, sampling->padding, sampling->alignsCorners), along(n, l, height, sampling->padding, sampling->alignsCorners);
          Value column = locate(n, l, across, e[0]), row = locate(n, l, along, e[1]);
          if (!isPlace)
            return arith::MulFOp::create(n, l, along.weight(row, down, sampling->isNearest), across.weight(column, right, sampling->isNearest));
          Value line = arith::MulIOp::create(n, l, along.position(row, down), across.integer(width));
          return arith::AddIOp::create(n, l, e[2], arith::AddIOp::create(n, l, line, across.position(column, right)));
        };
      };
      Value place = buildBroadcast(node, inputs, b.getI32Type(), build(true));
      Value flat = reshape(node, place, ArrayRef(grid.shape).drop_back());
      parts.push_back(toTensor(halftone::buildGather(b, node.loc, rows, flat, /*axis=*/0)));
      parts.push_back(toTensor(buildBroadcast(node, ArrayRef(inputs).take_front(2), b.getF32Type(), build(false))));
    }
  Value sampled = buildBroadcast(node, parts, x.element, [](OpBuilder &n, Location l, ValueRange e) {
    Value sum;
    for (size_t i = 0; i < e.size(); i += 2) {
      Value term = arith::MulFOp::create(n, l, e[i], e[i + 1]);
      sum = sum ? arith::AddFOp::create(n, l, sum, term).getResult() : term;
    }
    return sum;
  });
  node.setResult(transpose(node, sampled, {0, 3, 1, 2}));
  return success();
}
