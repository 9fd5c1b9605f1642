//===- SimulateLevels.cpp - codebook weights as float arithmetic ------------===//
//
// With codes c = x / s and levels r(k), integers of [-127, 127], a weight is the level r(a) nearest to c, the upper one
// half-way, times s. Gradients pass both roundings, that of the level and that to a level, as if they were not there:
//
//   y = (r(a) + sum over k with r(k) = r(a) of (l(k) - l(k)') + (clip(c) - clip(c)')) s
//
// where primes count as constants, so that both differences are 0; l(k) is a level before it is rounded, and clip ends at the
// least and the greatest level. So a level gets the sum of what its weights get, and a weight what its real value gets.
//
//===----------------------------------------------------------------------===//
#include "SimulateLevels.h"
#include "TensorBuilding.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Training/Passes.h"
#include <limits>

using namespace mlir;
using namespace mlir::halftone;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

/// Builds over the elements of the weights, over the levels, and over both.
class LevelBuilder {
public:
  LevelBuilder(OpBuilder &b, Location loc, RankedTensorType type, int64_t count)
      : b(b), loc(loc), type(type), count(count) {}

  Value perElement(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, ElementBuilder build) {
    return buildElementwise(b, loc, inputs, maps, getAsIndexOpFoldResult(b.getContext(), type.getShape()),
                            type.getElementType(), build);
  }
  Value perLevel(ArrayRef<Value> inputs, ElementBuilder build) {
    return buildElementwise(b, loc, inputs, {}, {b.getIndexAttr(count)}, type.getElementType(), build);
  }
  /// `combine` over the levels of a term, whose values are those of the elements, then the level, then what is combined so
  /// far. Counts as a constant. Over elements, or with none over nothing.
  Value reduce(ArrayRef<Value> elements, Value levels, double init, ElementBuilder combine);
  /// The same value as a constant to gradients. A canonicalization would take the copy for its source, so none may come
  /// before differentiation.
  Value freeze(Value value);

  AffineMap element() { return b.getMultiDimIdentityMap(type.getRank()); }
  AffineMap scalar() { return AffineMap::get(type.getRank(), 0, {}, b.getContext()); }

  OpBuilder &b;
  Location loc;
  RankedTensorType type;
  int64_t count;
};

} // namespace

/// The first `rank` of rank + 1 loops: those over the elements.
static AffineMap outerLoops(OpBuilder &b, int64_t rank) {
  SmallVector<AffineExpr> dims;
  for (int64_t d = 0; d < rank; ++d)
    dims.push_back(b.getAffineDimExpr(d));
  return AffineMap::get(rank + 1, 0, dims, b.getContext());
}

/// The last: that over the levels.
static AffineMap innerLoop(OpBuilder &b, int64_t rank) {
  return AffineMap::get(rank + 1, 0, {b.getAffineDimExpr(rank)}, b.getContext());
}

static Value first(OpBuilder &, Location, ValueRange e) { return e[0]; }

static Value distance(OpBuilder &n, Location l, ValueRange e) {
  return math::AbsFOp::create(n, l, arith::SubFOp::create(n, l, e[0], e[1]));
}

Value LevelBuilder::reduce(ArrayRef<Value> elements, Value levels, double init, ElementBuilder combine) {
  const int64_t rank = elements.empty() ? 0 : type.getRank();
  AffineMap outer = outerLoops(b, rank);
  SmallVector<Value> inputs(elements);
  inputs.push_back(levels);
  SmallVector<AffineMap> maps(elements.size(), outer);
  maps.push_back(innerLoop(b, rank));
  maps.push_back(outer);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds.push_back(utils::IteratorType::reduction);
  Value empty = tensor::EmptyOp::create(b, loc, type.getShape().take_front(rank), type.getElementType());
  Value start = linalg::FillOp::create(b, loc, buildScalar(b, loc, type.getElementType(), init), empty).getResult(0);
  auto generic = linalg::GenericOp::create(b, loc, TypeRange(start.getType()), inputs, ValueRange(start), maps, kinds,
                                           [&](OpBuilder &n, Location l, ValueRange e) {
                                             linalg::YieldOp::create(n, l, combine(n, l, e));
                                           });
  generic->setAttr(kStopGradientAttr, b.getUnitAttr());
  return generic.getResult(0);
}

Value LevelBuilder::freeze(Value value) {
  RankedTensorType shape = tensorType(value);
  Value copy = buildElementwise(b, loc, {value}, {}, getAsIndexOpFoldResult(b.getContext(), shape.getShape()),
                                shape.getElementType(), first);
  copy.getDefiningOp()->setAttr(kStopGradientAttr, b.getUnitAttr());
  return copy;
}

/// x - x', 0 with the gradient of x.
static Value carrier(OpBuilder &n, Location l, ValueRange e) { return arith::SubFOp::create(n, l, e[0], e[1]); }

Value mlir::halftone::simulateLevels(OpBuilder &b, Location loc, Value x, Value steps, AffineMap step, Value levels, double unit) {
  LevelBuilder build(b, loc, tensorType(x), tensorType(levels).getDimSize(0));
  Value real = build.perLevel({levels}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    auto constant = [&](double value) { return buildScalar(n, l, e[0].getType(), value); };
    Value level = arith::DivFOp::create(n, l, e[0], constant(unit));
    level = arith::MaximumFOp::create(n, l, level, constant(-kWeightMax));
    return arith::MinimumFOp::create(n, l, level, constant(kWeightMax));
  });
  Value rounded = build.perLevel({real}, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return math::RoundEvenOp::create(n, l, e[0]);
  });
  rounded = build.freeze(rounded);
  Value least = build.reduce({}, rounded, kInfinity, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::MinimumFOp::create(n, l, e[0], e[1]);
  });
  Value greatest = build.reduce({}, rounded, -kInfinity, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::MaximumFOp::create(n, l, e[0], e[1]);
  });

  Value clipped = build.perElement({x, steps, least, greatest}, {build.element(), step, build.scalar(), build.scalar()},
                                   [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                     Value code = arith::DivFOp::create(n, l, e[0], e[1]);
                                     code = arith::MaximumFOp::create(n, l, code, e[2]);
                                     return arith::MinimumFOp::create(n, l, code, e[3]);
                                   });
  Value codes = build.freeze(clipped);
  Value nearest = build.reduce({codes}, rounded, kInfinity, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::MinimumFOp::create(n, l, distance(n, l, e), e[2]);
  });
  Value chosen = build.reduce({codes, nearest}, rounded, -kInfinity, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value is = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OLE, distance(n, l, {e[0], e[2]}), e[1]);
    Value none = buildScalar(n, l, e[0].getType(), -kInfinity);
    return arith::MaximumFOp::create(n, l, arith::SelectOp::create(n, l, is, e[2], none), e[3]);
  });

  // What the level is moved by: 0, but for gradients.
  Value moves = build.perLevel({real, build.freeze(real)}, carrier);
  SmallVector<int64_t> extents(build.type.getShape());
  extents.push_back(build.count);
  AffineMap outer = outerLoops(b, build.type.getRank()), inner = innerLoop(b, build.type.getRank());
  Value moved = buildSum(b, loc, {extents, {chosen, rounded, moves}, {outer, inner, inner}, outer},
                         [](OpBuilder &n, Location l, ValueRange e) -> Value {
                           Value is = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, e[0], e[1]);
                           return arith::SelectOp::create(n, l, is, e[2], buildScalar(n, l, e[2].getType(), 0));
                         });
  return build.perElement({chosen, moved, clipped, codes, steps},
                          {build.element(), build.element(), build.element(), build.element(), step},
                          [](OpBuilder &n, Location l, ValueRange e) -> Value {
                            Value code = arith::AddFOp::create(n, l, e[0], e[1]);
                            code = arith::AddFOp::create(n, l, code, carrier(n, l, {e[2], e[3]}));
                            return arith::MulFOp::create(n, l, code, e[4]);
                          });
}
