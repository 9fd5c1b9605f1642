//===- ConvertLayout.cpp - channels-last inside, the source's layout outside ===//
//
// One forward walk over the straight-line function. `twins` maps a value to its channels-last form; an operation with
// a twin operand is rebuilt on twins where its kind allows, else it reads the value back through a transpose. A
// grouped convolution works on 5-D values (N, G, C, H, W), whose channels-last form is (N, H, W, G, C).
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/Interleaving.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTLAYOUT
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Where the dimensions of the channels-last form come from, or nothing for ranks that have none.
static ArrayRef<int64_t> lastFromFirst(int64_t rank) {
  static constexpr int64_t four[] = {0, 2, 3, 1}, five[] = {0, 3, 4, 1, 2};
  if (rank == 4)
    return four;
  return rank == 5 ? ArrayRef<int64_t>(five) : ArrayRef<int64_t>();
}

static SmallVector<int64_t> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [i, p] : llvm::enumerate(permutation))
    result[p] = i;
  return result;
}

template <typename T>
static SmallVector<T> permute(ArrayRef<T> values, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector(permutation, [&](int64_t p) { return values[p]; });
}

static RankedTensorType permute(RankedTensorType type, ArrayRef<int64_t> permutation) {
  return RankedTensorType::get(permute(type.getShape(), permutation), type.getElementType());
}

/// Whether an operation says how the elements of one tensor are to be read, all in the same way.
static bool isCast(Operation *op) {
  if (!isa_and_nonnull<QuantizeOp, DequantizeOp, quant::StorageCastOp>(op))
    return false;
  auto isPerAxis = [](Type type) { return isa<quant::UniformQuantizedPerAxisType, CodebookType>(getElementTypeOrSelf(type)); };
  return !isPerAxis(op->getOperand(0).getType()) && !isPerAxis(op->getResult(0).getType());
}

namespace {
class LayoutConverter {
public:
  LayoutConverter(func::FuncOp function) : function(function), rewriter(function.getContext()) {}

  LogicalResult run();
  int64_t numConverted = 0, numTransposes = 0;

private:
  bool hasTwin(Value value) const { return twins.contains(value); }
  Value transpose(Location loc, Value value, ArrayRef<int64_t> permutation);
  Value last(Value value);
  Value first(Value value);
  void setTwin(Value value, Value twin) { twins[value] = twin; }

  Value transposedConstant(Operation *op, Value weights, ArrayRef<int64_t> permutation, StringRef what);
  Value emptyLike(Location loc, RankedTensorType type, Value batchSource, int64_t batchDim = 0);
  Value filledLike(linalg::LinalgOp op, RankedTensorType type, Value batchSource);

  /// Each returns success with the twin recorded, failure if the op is not its kind.
  LogicalResult convert(Operation *op);
  template <typename From, typename To>
  LogicalResult convertConvolution(From op, ArrayRef<int64_t> weightsPermutation);
  template <typename From, typename To>
  LogicalResult convertPooling(From op);
  LogicalResult convertPad(tensor::PadOp op);
  LogicalResult convertConcat(tensor::ConcatOp op);
  LogicalResult convertSlice(tensor::ExtractSliceOp op);
  LogicalResult convertExpand(tensor::ExpandShapeOp op);
  LogicalResult convertCollapse(tensor::CollapseShapeOp op);
  LogicalResult convertInterleaving(tensor::ExpandShapeOp first);
  LogicalResult convertGeneric(linalg::GenericOp op);
  LogicalResult convertComposite(CompositeOp op);
  LogicalResult convertCast(Operation *op);
  LogicalResult convertTranspose(linalg::TransposeOp op);
  void readCapturedBack(Operation *op);

  func::FuncOp function;
  IRRewriter rewriter;
  DenseMap<Value, Value> twins, backs;
  DenseSet<Operation *> doneAhead; ///< Converted with an operation before them.
};
} // namespace

//===----------------------------------------------------------------------===//
// Values in both layouts
//===----------------------------------------------------------------------===//

/// Transposes; a move of dimensions of extent 1 only is a reshape.
Value LayoutConverter::transpose(Location loc, Value value, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  RankedTensorType result = permute(type, permutation);
  if (type.getRank() == 4 && llvm::count(type.getShape().drop_front(), 1) >= 2) {
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2, 3}};
    Value flat = tensor::CollapseShapeOp::create(rewriter, loc, value, groups);
    return tensor::ExpandShapeOp::create(rewriter, loc, result, flat, groups);
  }
  ++numTransposes;
  Value empty = emptyLike(loc, result, value);
  return linalg::TransposeOp::create(rewriter, loc, value, empty, permutation)->getResult(0);
}

/// The channels-last form of a value, made by a transpose behind its definition if there is none yet.
Value LayoutConverter::last(Value value) {
  if (hasTwin(value))
    return twins[value];
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(value);
  // Groups are split from channels that are last already, and padding stands next to what it pads.
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (expand && succeeded(convertExpand(expand)))
    return twins[value];
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (pad && succeeded(convertPad(pad)))
    return twins[value];
  // A cast is the same in every order: what it reads is transposed, where that has not happened already.
  if (isCast(value.getDefiningOp()) && succeeded(convertCast(value.getDefiningOp())))
    return twins[value];
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  Value made = transpose(value.getLoc(), value, lastFromFirst(rank));
  twins[value] = made;
  backs[value] = value;
  return made;
}

/// The value in the source's layout: itself if it is still computed, else a transpose of its twin.
Value LayoutConverter::first(Value value) {
  if (!hasTwin(value))
    return value;
  Value &back = backs[value];
  if (!back) {
    OpBuilder::InsertionGuard guard(rewriter);
    Value twin = twins[value];
    rewriter.setInsertionPointAfterValue(twin);
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    back = transpose(value.getLoc(), twin, inverse(lastFromFirst(rank)));
  }
  return back;
}

/// An empty tensor whose dynamic leading dimension is dimension `batchDim` of `batchSource`.
Value LayoutConverter::emptyLike(Location loc, RankedTensorType type, Value batchSource, int64_t batchDim) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, batchSource, batchDim));
  return tensor::EmptyOp::create(rewriter, loc, type, sizes);
}

/// The init of a contraction or pool in the new type, filled as the old one is.
Value LayoutConverter::filledLike(linalg::LinalgOp op, RankedTensorType type, Value batchSource) {
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill)
    return {};
  Value empty = emptyLike(op.getLoc(), type, batchSource);
  return linalg::FillOp::create(rewriter, op.getLoc(), fill.getInputs()[0], empty).getResult(0);
}

//===----------------------------------------------------------------------===//
// Contractions and pools
//===----------------------------------------------------------------------===//

/// The constant in the order of `result`; null if the value is no constant of T.
template <typename T>
static ElementsAttr transposeConstant(Value value, RankedTensorType result, ArrayRef<int64_t> permutation, StringRef what) {
  std::optional<std::vector<T>> elements = getConstantElements<T>(value);
  if (!elements)
    return {};
  std::vector<T> moved = transposeElements<T>(*elements, cast<RankedTensorType>(value.getType()).getShape(), permutation);
  return makeConstant<T>(result, ArrayRef<T>(moved), what);
}

Value LayoutConverter::transposedConstant(Operation *op, Value weights, ArrayRef<int64_t> permutation,
                                          StringRef what) {
  auto type = cast<RankedTensorType>(weights.getType());
  RankedTensorType result = permute(type, permutation);
  if (ElementsAttr moved = transposeConstant<float>(weights, result, permutation, what))
    return arith::ConstantOp::create(rewriter, weights.getLoc(), moved).getResult();
  if (ElementsAttr moved = transposeConstant<int8_t>(weights, result, permutation, what))
    return arith::ConstantOp::create(rewriter, weights.getLoc(), moved).getResult();
  // Weights that are computed are transposed at run time.
  Value empty = tensor::EmptyOp::create(rewriter, op->getLoc(), result, ValueRange{});
  return linalg::TransposeOp::create(rewriter, op->getLoc(), weights, empty, permutation)->getResult(0);
}

template <typename From, typename To>
LogicalResult LayoutConverter::convertConvolution(From op, ArrayRef<int64_t> weightsPermutation) {
  Value input = op.getInputs()[0];
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  RankedTensorType result = permute(type, lastFromFirst(type.getRank()));
  Value twin = last(input);
  Value init = filledLike(op, result, twin);
  if (!init)
    return failure();
  Value weights = transposedConstant(op, op.getInputs()[1], weightsPermutation, "weights");
  auto made = To::create(rewriter, op.getLoc(), result, ValueRange{twin, weights}, ValueRange{init},
                         op.getStridesAttr(), op.getDilationsAttr());
  copySourceScales(op, made);
  setTwin(op->getResult(0), made->getResult(0));
  return success();
}

template <typename From, typename To>
LogicalResult LayoutConverter::convertPooling(From op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  RankedTensorType result = permute(type, lastFromFirst(type.getRank()));
  Value twin = last(op.getInputs()[0]);
  Value init = filledLike(op, result, twin);
  if (!init)
    return failure();
  auto made = To::create(rewriter, op.getLoc(), result, ValueRange{twin, op.getInputs()[1]}, ValueRange{init},
                         op.getStridesAttr(), op.getDilationsAttr());
  setTwin(op->getResult(0), made->getResult(0));
  return success();
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

LogicalResult LayoutConverter::convertPad(tensor::PadOp op) {
  auto type = op.getResultType();
  ArrayRef<int64_t> permutation = lastFromFirst(type.getRank());
  Value constant = op.getConstantPaddingValue();
  if (!constant)
    return failure();
  SmallVector<OpFoldResult> low = permute(ArrayRef<OpFoldResult>(op.getMixedLowPad()), permutation);
  SmallVector<OpFoldResult> high = permute(ArrayRef<OpFoldResult>(op.getMixedHighPad()), permutation);
  auto made = tensor::PadOp::create(rewriter, op.getLoc(), permute(type, permutation), last(op.getSource()), low, high, constant);
  setTwin(op.getResult(), made.getResult());
  return success();
}

LogicalResult LayoutConverter::convertConcat(tensor::ConcatOp op) {
  ArrayRef<int64_t> permutation = lastFromFirst(op.getResultType().getRank());
  SmallVector<Value> inputs = llvm::map_to_vector(op.getInputs(), [&](Value v) { return last(v); });
  int64_t dim = inverse(permutation)[op.getDim()];
  auto made = tensor::ConcatOp::create(rewriter, op.getLoc(), permute(op.getResultType(), permutation), dim, inputs);
  setTwin(op.getResult(), made.getResult());
  return success();
}

LogicalResult LayoutConverter::convertSlice(tensor::ExtractSliceOp op) {
  RankedTensorType type = op.getResultType();
  if (type.getRank() != op.getSourceType().getRank())
    return failure();
  ArrayRef<int64_t> permutation = lastFromFirst(type.getRank());
  auto move = [&](SmallVector<OpFoldResult> values) { return permute(ArrayRef<OpFoldResult>(values), permutation); };
  auto made = tensor::ExtractSliceOp::create(rewriter, op.getLoc(), permute(type, permutation), last(op.getSource()),
                                             move(op.getMixedOffsets()), move(op.getMixedSizes()), move(op.getMixedStrides()));
  setTwin(op.getResult(), made.getResult());
  return success();
}

/// Channels split into groups: (N, C, H, W) to (N, G, C/G, H, W).
LogicalResult LayoutConverter::convertExpand(tensor::ExpandShapeOp op) {
  static const SmallVector<ReassociationIndices> grouped = {{0}, {1, 2}, {3}, {4}};
  if (op.getReassociationIndices() != grouped)
    return failure();
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2}, {3, 4}};
  RankedTensorType type = permute(op.getResultType(), lastFromFirst(5));
  setTwin(op.getResult(), tensor::ExpandShapeOp::create(rewriter, op.getLoc(), type, last(op.getSrc()), groups));
  return success();
}

/// Groups joined into channels, or positions of extent 1 dropped.
LogicalResult LayoutConverter::convertCollapse(tensor::CollapseShapeOp op) {
  static const SmallVector<ReassociationIndices> grouped = {{0}, {1, 2}, {3}, {4}}, flat = {{0}, {1, 2, 3}};
  RankedTensorType from = op.getSrcType();
  if (op.getReassociationIndices() == grouped) {
    SmallVector<ReassociationIndices> groups = {{0}, {1}, {2}, {3, 4}};
    RankedTensorType type = permute(op.getResultType(), lastFromFirst(4));
    setTwin(op.getResult(), tensor::CollapseShapeOp::create(rewriter, op.getLoc(), type, last(op.getSrc()), groups));
    return success();
  }
  bool onlyChannels = from.getRank() == 4 && from.getDimSize(2) == 1 && from.getDimSize(3) == 1;
  if (!onlyChannels || op.getReassociationIndices() != flat)
    return failure();
  Value made = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), op.getResultType(), last(op.getSrc()), flat);
  rewriter.replaceAllUsesWith(op.getResult(), made);
  return success();
}

/// Dimensions split, moved and joined, of 4-D values: the parts of each dimension stay together. From the first of the three on.
LogicalResult LayoutConverter::convertInterleaving(tensor::ExpandShapeOp first) {
  auto userOf = [](Operation *op) { return op->hasOneUse() ? *op->user_begin() : nullptr; };
  Operation *second = userOf(first), *third = second ? userOf(second) : nullptr;
  std::optional<Interleaving> found = third && third->getNumResults() == 1 ? Interleaving::match(third->getResult(0)) : std::nullopt;
  if (!found || found->expand != first)
    return failure();
  Interleaving op = *found;
  RankedTensorType from = op.expand.getSrcType(), to = op.collapse.getResultType();
  if (from.getRank() != 4 || to.getRank() != 4)
    return failure();
  ArrayRef<int64_t> permutation = lastFromFirst(4);
  // The parts of each dimension in the new order of dimensions, and the groups that they form.
  auto regroup = [&](ArrayRef<ReassociationIndices> groups, SmallVector<int64_t> &parts) {
    SmallVector<ReassociationIndices> moved(groups.size());
    for (auto [group, p] : llvm::zip_equal(moved, permutation))
      for (int64_t part : groups[p]) {
        group.push_back(parts.size());
        parts.push_back(part);
      }
    return moved;
  };
  SmallVector<int64_t> split, joined;
  SmallVector<ReassociationIndices> splits = regroup(op.expand.getReassociationIndices(), split);
  SmallVector<ReassociationIndices> joins = regroup(op.collapse.getReassociationIndices(), joined);
  SmallVector<int64_t> placeOf = inverse(split), moves;
  for (int64_t part : joined)
    moves.push_back(placeOf[op.transpose.getPermutation()[part]]);
  Location loc = op.collapse.getLoc();
  RankedTensorType parts = permute(op.expand.getResultType(), split);
  if (llvm::count_if(parts.getShape(), ShapedType::isDynamic) > 1 || (!parts.hasStaticShape() && (!parts.isDynamicDim(0) || moves[0] != 0)))
    return failure(); // only a batch is open
  Value expanded = tensor::ExpandShapeOp::create(rewriter, loc, parts, last(op.getSource()), splits);
  ++numTransposes;
  RankedTensorType moved = permute(parts, moves);
  Value transposed = linalg::TransposeOp::create(rewriter, loc, expanded, emptyLike(loc, moved, expanded), moves)->getResult(0);
  setTwin(op.collapse.getResult(), tensor::CollapseShapeOp::create(rewriter, loc, permute(to, permutation), transposed, joins));
  doneAhead.insert(op.transpose);
  doneAhead.insert(op.collapse);
  return success();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// Reads and writes twins through permuted maps; the iteration space is the same, its order follows the result.
LogicalResult LayoutConverter::convertGeneric(linalg::GenericOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (op->getNumResults() != 1 || !type || op.getNumParallelLoops() != op.getNumLoops() ||
      lastFromFirst(type.getRank()).empty() || !op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>() ||
      !op.getIndexingMapMatchingResult(op->getOpResult(0)).isIdentity() || op.hasIndexSemantics())
    return failure();
  int64_t rank = type.getRank();
  ArrayRef<int64_t> permutation = lastFromFirst(rank);
  // Loop i of the new nest is loop permutation[i] of the old one, so that the result is written in order.
  SmallVector<AffineExpr> renamed(rank);
  for (auto [i, p] : llvm::enumerate(permutation))
    renamed[p] = getAffineDimExpr(i, op.getContext());
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  // The operand that has the dynamic batch may have fewer dimensions than the result, as one that broadcasts without those of size 1.
  Value batchSource;
  int64_t batchDim = 0;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    Value value = operand->get();
    auto operandType = dyn_cast<RankedTensorType>(value.getType());
    std::optional<unsigned> batch = operandType ? map.getResultPosition(rewriter.getAffineDimExpr(0)) : std::nullopt;
    SmallVector<AffineExpr> results(map.getResults());
    if (operandType && operandType.getRank() == rank) {
      value = last(value);
      results = permute(ArrayRef<AffineExpr>(results), permutation);
    }
    if (batch && operandType.isDynamicDim(*batch))
      batchSource = value, batchDim = *batch;
    AffineMap moved = AffineMap::get(rank, 0, results, op.getContext());
    maps.push_back(moved.replaceDimsAndSymbols(renamed, {}, rank, 0));
    inputs.push_back(value);
  }
  RankedTensorType result = permute(type, permutation);
  maps.push_back(rewriter.getMultiDimIdentityMap(rank));
  if (!batchSource && type.isDynamicDim(0))
    return failure();
  Value empty = emptyLike(op.getLoc(), result, batchSource, batchDim);
  auto made = linalg::GenericOp::create(rewriter, op.getLoc(), result, inputs, ValueRange{empty}, maps, op.getIteratorTypesArray());
  rewriter.cloneRegionBefore(op.getRegion(), made.getRegion(), made.getRegion().begin());
  setTwin(op->getResult(0), made->getResult(0));
  return success();
}

/// Whether the source has the composite's channels last: its operand is no N x C x H x W.
static bool isChannelsLast(CompositeOp op) {
  auto flag = op.getParameters().getAs<BoolAttr>("channels_last");
  return flag && flag.getValue();
}

/// The same composite with its channels last, on operands that are; failure for names without a layout rule.
static FailureOr<Value> rebuildChannelsLast(OpBuilder &builder, CompositeOp op, ValueRange inputs) {
  static const SmallVector<int64_t> axisOf = inverse(lastFromFirst(4));
  StringRef name = op.getName();
  DictionaryAttr parameters = op.getParameters();
  auto axis = parameters.getAs<IntegerAttr>("axis");
  if (name == "avg_pool") {
    AvgPool pool = AvgPool::fromParameters(parameters);
    pool.channelsLast = true;
    return buildAvgPool(builder, op.getLoc(), inputs[0], pool);
  }
  if (name == "resize") {
    ResizeNearest resize = ResizeNearest::fromParameters(parameters);
    resize.channelsLast = true;
    return buildResizeNearest(builder, op.getLoc(), inputs[0], resize);
  }
  if (name == "batch_norm")
    return buildBatchNorm(builder, op.getLoc(), inputs[0], inputs[1], inputs[2], inputs[3], inputs[4],
                          parameters.getAs<FloatAttr>("epsilon").getValueAsDouble(), axisOf[axis.getInt()]);
  if (name == "softmax")
    return buildSoftmax(builder, op.getLoc(), inputs[0], axisOf[axis.getInt()]);
  if (Value made = inputs.size() == 1 ? buildUnary(builder, op.getLoc(), name, inputs[0], parameters) : Value())
    return made;
  return failure();
}

/// Pools and resizes move to channels-last wherever they stand.
static bool isSpatial(Operation *op) {
  auto composite = dyn_cast<CompositeOp>(op);
  return composite && !isChannelsLast(composite) && (composite.getName() == "avg_pool" || composite.getName() == "resize");
}

LogicalResult LayoutConverter::convertComposite(CompositeOp op) {
  if (op->getNumResults() != 1 || isChannelsLast(op))
    return failure();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || type.getRank() != 4)
    return failure();
  SmallVector<Value> inputs(op.getInputs());
  inputs[0] = last(inputs[0]);
  FailureOr<Value> made = rebuildChannelsLast(rewriter, op, inputs);
  if (failed(made))
    return failure();
  setTwin(op->getResult(0), *made);
  return success();
}

LogicalResult LayoutConverter::convertCast(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  ArrayRef<int64_t> permutation = lastFromFirst(type.getRank());
  if (permutation.empty())
    return failure();
  Operation *made = mlir::clone(rewriter, op, permute(type, permutation), last(op->getOperand(0)));
  setTwin(op->getResult(0), made->getResult(0));
  return success();
}

/// A source that is channels-last in part, as TOSA of a model whose pictures have their channels first: what it transposes is the twin of the result, and
/// what it transposes back is the twin.
LogicalResult LayoutConverter::convertTranspose(linalg::TransposeOp op) {
  static const SmallVector<int64_t> firstFromLast = inverse(lastFromFirst(4));
  Value result = op->getResult(0), source = op.getInput();
  if (op.getPermutation() == ArrayRef<int64_t>(firstFromLast)) {
    setTwin(result, source);
    return success();
  }
  if (op.getPermutation() != lastFromFirst(4) || !hasTwin(source))
    return failure();
  rewriter.replaceAllUsesWith(result, twins[source]);
  return success();
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

LogicalResult LayoutConverter::convert(Operation *op) {
  using namespace linalg;
  if (doneAhead.contains(op))
    return success();
  if (auto conv = dyn_cast<Conv2DNchwFchwOp>(op))
    return convertConvolution<Conv2DNchwFchwOp, Conv2DNhwcHwcfOp>(conv, {2, 3, 1, 0});
  if (auto conv = dyn_cast<DepthwiseConv2DNchwChwOp>(op))
    return convertConvolution<DepthwiseConv2DNchwChwOp, DepthwiseConv2DNhwcHwcOp>(conv, {1, 2, 0});
  if (auto conv = dyn_cast<Conv2DNgchwGfchwOp>(op))
    return convertConvolution<Conv2DNgchwGfchwOp, Conv2DNhwgcGfhwcOp>(conv, {0, 1, 3, 4, 2});
  if (auto pool = dyn_cast<PoolingNchwMaxOp>(op))
    return convertPooling<PoolingNchwMaxOp, PoolingNhwcMaxOp>(pool);
  if (auto pool = dyn_cast<PoolingNchwSumOp>(op))
    return convertPooling<PoolingNchwSumOp, PoolingNhwcSumOp>(pool);
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return convertTranspose(transpose);
  // A value that some convolution reads through a transpose is not thereby channels-last for its other users.
  if (!isSpatial(op) &&
      llvm::none_of(op->getOperands(), [&](Value v) { return hasTwin(v) && backs.lookup(v) != v; }))
    return failure();
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tensor::PadOp o) { return convertPad(o); })
      .Case([&](tensor::ConcatOp o) { return convertConcat(o); })
      .Case([&](tensor::ExtractSliceOp o) { return convertSlice(o); })
      .Case([&](tensor::ExpandShapeOp o) { return success(succeeded(convertInterleaving(o)) || succeeded(convertExpand(o))); })
      .Case([&](tensor::CollapseShapeOp o) { return convertCollapse(o); })
      .Case([&](linalg::GenericOp o) { return convertGeneric(o); })
      .Case([&](CompositeOp o) { return convertComposite(o); })
      .Case<QuantizeOp, DequantizeOp, quant::StorageCastOp>([&](Operation *o) { return isCast(o) ? convertCast(o) : failure(); })
      .Default([](Operation *) { return failure(); });
}

/// What a body reads by its place (the rows of a resize, for example) it reads in the source's layout: moved back, or the
/// layers before it would be computed a second time.
void LayoutConverter::readCapturedBack(Operation *op) {
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      for (OpOperand &operand : inner->getOpOperands())
        if (hasTwin(operand.get()))
          operand.set(first(operand.get()));
    });
}

LogicalResult LayoutConverter::run() {
  SmallVector<Operation *> order;
  for (Operation &op : function.getBody().front())
    order.push_back(&op);
  SmallVector<Operation *> converted;
  for (Operation *op : order) {
    rewriter.setInsertionPoint(op);
    readCapturedBack(op);
    if (succeeded(convert(op))) {
      converted.push_back(op);
      ++numConverted;
      continue;
    }
    for (OpOperand &operand : op->getOpOperands())
      if (!isa<tensor::DimOp>(op) || !hasTwin(operand.get()))
        operand.set(first(operand.get()));
  }
  // A size asked of a converted value is asked of its twin.
  for (Operation *op : order) {
    auto dim = dyn_cast<tensor::DimOp>(op);
    if (!dim || !hasTwin(dim.getSource()) || backs.lookup(dim.getSource()) == dim.getSource())
      continue;
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!index)
      return dim.emitOpError("has an index that is not constant");
    rewriter.setInsertionPoint(dim);
    int64_t rank = cast<RankedTensorType>(dim.getSource().getType()).getRank();
    Value size = tensor::DimOp::create(rewriter, dim.getLoc(), twins[dim.getSource()], inverse(lastFromFirst(rank))[*index]);
    rewriter.replaceOp(dim, size);
  }
  for (Operation *op : llvm::reverse(converted))
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
  return success();
}

namespace {
struct ConvertLayout : halftone::impl::ConvertLayoutBase<ConvertLayout> {
  void runOnOperation() override {
    if (!llvm::hasSingleElement(getOperation().getBody()))
      return;
    LayoutConverter converter(getOperation());
    if (failed(converter.run()))
      return signalPassFailure();
    numConverted += converter.numConverted;
    numTransposes += converter.numTransposes;
  }
};
} // namespace
