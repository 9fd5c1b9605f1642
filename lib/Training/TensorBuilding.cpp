//===- TensorBuilding.cpp - the tensors that gradients are made of ----------===//
#include "TensorBuilding.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::halftone;

/// Partial sums of a long sum, and the least number of terms that is worth cutting.
static constexpr int64_t kMostPartials = 16;
static constexpr int64_t kLongSum = 128;

Value mlir::halftone::buildScalar(OpBuilder &b, Location loc, Type element, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
}

Value mlir::halftone::buildZeros(OpBuilder &b, Location loc, RankedTensorType type) {
  Value empty = tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  return linalg::FillOp::create(b, loc, buildScalar(b, loc, type.getElementType(), 0), empty).getResult(0);
}

Value mlir::halftone::buildConstant(OpBuilder &b, Location loc, RankedTensorType type, ArrayRef<double> values) {
  if (type.getElementType().isF64())
    return arith::ConstantOp::create(b, loc, makeConstant<double>(type, values, "gradient"));
  SmallVector<float> floats(values.begin(), values.end());
  return arith::ConstantOp::create(b, loc, makeConstant<float>(type, floats, "gradient"));
}

Value mlir::halftone::buildPad(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                               double value) {
  RankedTensorType type = tensorType(x);
  SmallVector<OpFoldResult> offsets, sizes, strides, lows, highs;
  SmallVector<int64_t> padded;
  bool cuts = false, pads = false;
  for (auto [extent, l, h] : llvm::zip_equal(type.getShape(), low, high)) {
    cuts |= l < 0 || h < 0;
    pads |= l > 0 || h > 0;
    offsets.push_back(b.getIndexAttr(std::max<int64_t>(-l, 0)));
    sizes.push_back(b.getIndexAttr(extent + std::min<int64_t>(l, 0) + std::min<int64_t>(h, 0)));
    strides.push_back(b.getIndexAttr(1));
    lows.push_back(b.getIndexAttr(std::max<int64_t>(l, 0)));
    highs.push_back(b.getIndexAttr(std::max<int64_t>(h, 0)));
    padded.push_back(extent + l + h);
  }
  if (cuts)
    x = tensor::ExtractSliceOp::create(b, loc, x, offsets, sizes, strides);
  if (!pads)
    return x;
  return tensor::PadOp::create(b, loc, type.clone(padded), x, lows, highs,
                               buildScalar(b, loc, type.getElementType(), value));
}

Value mlir::halftone::buildTranspose(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> permutation) {
  RankedTensorType type = tensorType(x);
  SmallVector<int64_t> shape = applyPermutation(type.getShape(), permutation);
  Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, x, empty, permutation).getResult()[0];
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

static bool usesDim(AffineMap map, int64_t dim) { return map.isFunctionOfDim(dim); }

/// Whether `map` reads loop `dim` as a dimension of its own, or not at all.
static bool isPlain(AffineMap map, int64_t dim) {
  return llvm::all_of(map.getResults(), [&](AffineExpr e) { return isa<AffineDimExpr>(e) || !e.isFunctionOfDim(dim); });
}

namespace {

/// Where the loops of a sum go in the operation that computes it: [part] parallel loops, then sums.
struct LoopOrder {
  int64_t split = -1, parts = 1; ///< the loop that is cut, and into how many
  SmallVector<int64_t> extents;
  SmallVector<AffineExpr> position; ///< the new loop of each old one
  SmallVector<utils::IteratorType> kinds;
};

} // namespace

/// The first summed loop whose cutting every input allows.
static void chooseSplit(const Summation &sum, LoopOrder &order) {
  int64_t terms = 1;
  for (auto [i, extent] : llvm::enumerate(sum.extents))
    terms *= usesDim(sum.out, i) ? 1 : extent;
  if (terms < kLongSum)
    return;
  for (auto [i, extent] : llvm::enumerate(sum.extents)) {
    if (usesDim(sum.out, i) || !llvm::all_of(sum.maps, [&, i = i](AffineMap map) { return isPlain(map, i); }))
      continue;
    for (int64_t parts = std::min(kMostPartials, extent); parts > 1; --parts)
      if (extent % parts == 0) {
        order.split = i;
        order.parts = parts;
        return;
      }
  }
}

static LoopOrder orderLoops(const Summation &sum, MLIRContext *context) {
  LoopOrder order;
  chooseSplit(sum, order);
  order.position.resize(sum.extents.size());
  auto append = [&](int64_t loop, int64_t extent, utils::IteratorType kind) {
    if (loop >= 0)
      order.position[loop] = getAffineDimExpr(order.extents.size(), context);
    order.extents.push_back(extent);
    order.kinds.push_back(kind);
  };
  if (order.split >= 0)
    append(-1, order.parts, utils::IteratorType::parallel);
  for (AffineExpr result : sum.out.getResults()) {
    int64_t loop = cast<AffineDimExpr>(result).getPosition();
    append(loop, sum.extents[loop], utils::IteratorType::parallel);
  }
  for (auto [i, extent] : llvm::enumerate(sum.extents))
    if (!usesDim(sum.out, i))
      append(i, int64_t(i) == order.split ? extent / order.parts : extent, utils::IteratorType::reduction);
  return order;
}

/// `input` with the cut loop's dimension in two, and its map over the new loops.
static std::pair<Value, AffineMap> cutInput(OpBuilder &b, Location loc, Value input, AffineMap map,
                                            const LoopOrder &order) {
  SmallVector<AffineExpr> results;
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    int64_t extent = tensorType(input).getDimSize(i);
    groups.emplace_back();
    if (order.split >= 0 && expr == getAffineDimExpr(order.split, b.getContext())) {
      groups.back().push_back(shape.size());
      shape.push_back(order.parts);
      results.push_back(b.getAffineDimExpr(0));
      extent /= order.parts;
    }
    groups.back().push_back(shape.size());
    shape.push_back(extent);
    results.push_back(expr.replaceDims(order.position));
  }
  auto moved = AffineMap::get(order.extents.size(), 0, results, b.getContext());
  if (shape.size() == map.getNumResults())
    return {input, moved};
  return {tensor::ExpandShapeOp::create(b, loc, tensorType(input).clone(shape), input, groups), moved};
}

/// Erases operations of the region whose results nothing reads.
static void eraseDeadScalars(Block &block) {
  SmallVector<Operation *> operations;
  for (Operation &op : block.without_terminator())
    operations.push_back(&op);
  for (Operation *op : llvm::reverse(operations))
    if (isOpTriviallyDead(op))
      op->erase();
}

/// Takes away inputs that the region does not read, as long as the others still tell every loop's extent.
static void dropUnusedInputs(linalg::GenericOp op) {
  for (int64_t i = op.getNumDpsInputs() - 1; i >= 0; --i) {
    if (!op.getBody()->getArgument(i).use_empty())
      continue;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps.erase(maps.begin() + i);
    llvm::SmallBitVector known(op.getNumLoops());
    for (AffineMap map : maps)
      for (AffineExpr result : map.getResults())
        if (auto dim = dyn_cast<AffineDimExpr>(result))
          known.set(dim.getPosition());
    if (!known.all())
      continue;
    op.getInputsMutable().erase(i);
    op.getBody()->eraseArgument(i);
    op.setIndexingMapsAttr(Builder(op.getContext()).getAffineMapArrayAttr(maps));
  }
}

/// `linalg.index` of the old loops, in the region, as those of the new ones.
static void moveIndices(linalg::GenericOp op, const LoopOrder &order) {
  for (linalg::IndexOp index : llvm::to_vector(op.getBody()->getOps<linalg::IndexOp>())) {
    OpBuilder b(index);
    int64_t old = index.getDim(), moved = cast<AffineDimExpr>(order.position[old]).getPosition();
    if (old != order.split) {
      index.setDim(moved);
      continue;
    }
    Value chunk = arith::ConstantIndexOp::create(b, op.getLoc(), order.extents[moved]);
    Value first = arith::MulIOp::create(b, op.getLoc(), linalg::IndexOp::create(b, op.getLoc(), 0), chunk);
    Value inside = linalg::IndexOp::create(b, op.getLoc(), moved);
    index.replaceAllUsesWith(arith::AddIOp::create(b, op.getLoc(), first, inside).getResult());
    index.erase();
  }
}

/// The input that an elementwise operation copies, or null.
static Value copiedInput(linalg::GenericOp op) {
  auto argument = dyn_cast<BlockArgument>(op.getBody()->getTerminator()->getOperand(0));
  if (op.getNumReductionLoops() || !argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return {};
  bool identity = op.getIndexingMapsArray()[argument.getArgNumber()] == op.getIndexingMapsArray().back();
  return identity ? op.getInputs()[argument.getArgNumber()] : Value();
}

static Value addPartials(OpBuilder &b, Location loc, Value partials) {
  RankedTensorType type = tensorType(partials);
  int64_t rank = type.getRank();
  Value init = buildZeros(b, loc, type.clone(type.getShape().drop_front()));
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds[0] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(b, loc, init.getType(), partials, init, {identity, identity.dropResult(0)}, kinds,
                                   [](OpBuilder &n, Location l, ValueRange e) {
                                     Value sum = arith::AddFOp::create(n, l, e[1], e[0]);
                                     linalg::YieldOp::create(n, l, sum);
                                   })
      .getResult(0);
}

Value mlir::halftone::buildSum(OpBuilder &b, Location loc, const Summation &sum, ElementBuilder term) {
  LoopOrder order = orderLoops(sum, b.getContext());
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (auto [input, map] : llvm::zip_equal(sum.inputs, sum.maps)) {
    auto [value, moved] = cutInput(b, loc, input, map, order);
    inputs.push_back(value);
    maps.push_back(moved);
  }
  int64_t parallel = llvm::count(order.kinds, utils::IteratorType::parallel), loops = order.extents.size();
  bool sums = parallel < loops;
  AffineMap identity = AffineMap::getMultiDimIdentityMap(loops, b.getContext());
  maps.push_back(AffineMap::get(loops, 0, identity.getResults().take_front(parallel), b.getContext()));
  Type element = getElementTypeOrSelf(inputs.back().getType());
  auto type = RankedTensorType::get(ArrayRef(order.extents).take_front(parallel), element);
  Value init = sums ? buildZeros(b, loc, type) : tensor::EmptyOp::create(b, loc, type.getShape(), element).getResult();
  auto generic = linalg::GenericOp::create(b, loc, type, inputs, init, maps, order.kinds,
                                           [&](OpBuilder &n, Location l, ValueRange e) {
                                             Value value = term(n, l, e.drop_back());
                                             if (sums)
                                               value = arith::AddFOp::create(n, l, e.back(), value);
                                             linalg::YieldOp::create(n, l, value);
                                           });
  moveIndices(generic, order);
  eraseDeadScalars(*generic.getBody());
  if (Value copied = copiedInput(generic)) {
    generic.erase();
    return copied;
  }
  dropUnusedInputs(generic);
  return order.split >= 0 ? addPartials(b, loc, generic.getResult(0)) : generic.getResult(0);
}
