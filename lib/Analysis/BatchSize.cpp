//===- BatchSize.cpp - another number of samples for a program --------------===//
//
// From the arguments on, each value that has samples keeps in mind which of its dimensions they are. An operation takes
// them from its operands to its results; what is only there to be written to is made anew.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/BatchSize.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {

class BatchSetter {
public:
  explicit BatchSetter(int64_t size) : size(size) {}

  LogicalResult run(func::FuncOp entry);

private:
  LogicalResult visitBlock(Block &block);
  LogicalResult visit(Operation *op);
  LogicalResult visitLinalg(linalg::LinalgOp op);
  LogicalResult visitContract(ContractOp op);
  LogicalResult visitCollapse(tensor::CollapseShapeOp op);
  LogicalResult visitExpand(tensor::ExpandShapeOp op);
  LogicalResult visitSlice(tensor::ExtractSliceOp op);
  LogicalResult visitConcat(tensor::ConcatOp op);
  LogicalResult visitPad(tensor::PadOp op);
  LogicalResult visitCast(Operation *op);
  LogicalResult visitComposite(CompositeOp op);
  LogicalResult visitSize(tensor::DimOp op);

  /// The loop that goes over the samples; nothing, after a diagnostic, if it is not one loop.
  FailureOr<unsigned> findLoop(linalg::LinalgOp op);
  /// A value without samples, one that operations on no inputs but an empty tensor give, with `extent` in a dimension.
  Value stretch(Value value, int64_t dim, int64_t extent);

  bool hasSamples(Value value) const { return dims.contains(value); }
  /// Says which dimension of a value the samples are, and how many elements it has now.
  void set(Value value, int64_t dim, int64_t extent) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = extent;
    value.setType(RankedTensorType::get(shape, type.getElementType(), type.getEncoding()));
    dims[value] = dim;
  }
  int64_t extentOf(Value value) { return tensorType(value).getDimSize(dims.lookup(value)); }
  static LogicalResult refuse(Operation *op, const Twine &why) {
    return op->emitOpError("cannot take another batch: ") << why;
  }

  int64_t size;
  DenseMap<Value, int64_t> dims;
};

} // namespace

LogicalResult mlir::halftone::setBatchSize(func::FuncOp entry, int64_t size) { return BatchSetter(size).run(entry); }

LogicalResult BatchSetter::run(func::FuncOp entry) {
  if (size < 1)
    return entry.emitError("a batch has 1 or more samples, not ") << size;
  for (BlockArgument argument : entry.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.getRank() == 0)
      return entry.emitError("argument ") << argument.getArgNumber() << " has no dimension for samples";
    set(argument, 0, size);
    entry.removeArgAttr(argument.getArgNumber(), kDimsAttr);
  }
  if (failed(visitBlock(entry.getBody().front())))
    return failure();
  ValueRange results = entry.getBody().front().getTerminator()->getOperands();
  entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(), results.getTypes()));
  for (auto [i, result] : llvm::enumerate(results)) {
    entry.removeResultAttr(i, StringAttr::get(entry.getContext(), kDimsAttr));
    if (hasSamples(result) && dims.lookup(result) != 0)
      return entry.emitError("result ") << i << " has the samples in dimension " << dims.lookup(result) << ", not in the first";
  }
  return success();
}

LogicalResult BatchSetter::visitBlock(Block &block) {
  auto reads = [&](ValueRange values) { return llvm::any_of(values, [&](Value value) { return hasSamples(value); }); };
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op.getRegions(), captured);
    if (reads(captured.getArrayRef()))
      return refuse(&op, "it reads elements of the samples by their place");
    if (reads(op.getOperands()) && failed(visit(&op)))
      return failure();
  }
  return success();
}

LogicalResult BatchSetter::visit(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](linalg::LinalgOp linalg) { return visitLinalg(linalg); })
      .Case([&](ContractOp contract) { return visitContract(contract); })
      .Case([&](tensor::CollapseShapeOp reshape) { return visitCollapse(reshape); })
      .Case([&](tensor::ExpandShapeOp reshape) { return visitExpand(reshape); })
      .Case([&](tensor::ExtractSliceOp slice) { return visitSlice(slice); })
      .Case([&](tensor::ConcatOp concat) { return visitConcat(concat); })
      .Case([&](tensor::PadOp pad) { return visitPad(pad); })
      .Case<QuantizeOp, DequantizeOp, LookupOp>([&](Operation *cast) { return visitCast(cast); })
      .Case([&](CompositeOp composite) { return visitComposite(composite); })
      .Case([&](tensor::DimOp size) { return visitSize(size); })
      .Default([&](Operation *other) { return refuse(other, "there is no rule for this operation"); });
}

//===----------------------------------------------------------------------===//
// Structured operations
//===----------------------------------------------------------------------===//

FailureOr<unsigned> BatchSetter::findLoop(linalg::LinalgOp op) {
  std::optional<unsigned> loop;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!hasSamples(operand.get()))
      continue;
    auto dim = dyn_cast<AffineDimExpr>(op.getMatchingIndexingMap(&operand).getResult(dims.lookup(operand.get())));
    if (!dim || (loop && *loop != dim.getPosition()))
      return refuse(op, "its samples do not stay side by side");
    loop = dim.getPosition();
  }
  if (op.getIteratorTypesArray()[*loop] != utils::IteratorType::parallel)
    return refuse(op, "it sums over the samples");
  bool counts = false;
  op.getBlock()->walk([&](linalg::IndexOp index) { counts |= index.getDim() == *loop; });
  if (counts)
    return refuse(op, "it reads the number of a sample");
  return *loop;
}

/// The dimension of an operand that a loop goes over; nothing if it reads the same for all samples.
static FailureOr<std::optional<int64_t>> dimOfLoop(AffineMap map, unsigned loop) {
  std::optional<int64_t> found;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(loop))
      continue;
    if (found || !isa<AffineDimExpr>(expr))
      return failure();
    found = i;
  }
  return found;
}

LogicalResult BatchSetter::visitLinalg(linalg::LinalgOp op) {
  FailureOr<unsigned> loop = findLoop(op);
  if (failed(loop))
    return failure();
  int64_t extent = 0;
  for (Value operand : op->getOperands())
    if (hasSamples(operand))
      extent = extentOf(operand);
  for (OpOperand &operand : op->getOpOperands()) {
    FailureOr<std::optional<int64_t>> dim = dimOfLoop(op.getMatchingIndexingMap(&operand), *loop);
    if (failed(dim))
      return refuse(op, "its samples do not stay side by side");
    if (!*dim || hasSamples(operand.get()))
      continue;
    Value value = stretch(operand.get(), **dim, extent);
    if (!value)
      return refuse(op, "operand " + Twine(operand.getOperandNumber()) + " has one value for each of the old samples");
    operand.set(value);
  }
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    FailureOr<std::optional<int64_t>> dim = dimOfLoop(op.getIndexingMapMatchingResult(result), *loop);
    if (failed(dim) || !*dim)
      return refuse(op, "it mixes samples");
    set(result, **dim, extent);
  }
  return success();
}

/// Samples are the images of a convolution, or the rows of a matrix product.
LogicalResult BatchSetter::visitContract(ContractOp op) {
  if (!hasSamples(op.getInput()) || dims.lookup(op.getInput()) != 0)
    return refuse(op, "its samples do not lead");
  const int64_t extent = extentOf(op.getInput());
  for (auto [operand, attribute] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps())) {
    FailureOr<std::optional<int64_t>> dim = dimOfLoop(cast<AffineMapAttr>(attribute).getValue(), 0);
    if (failed(dim) || dim->has_value() != hasSamples(operand) || (*dim && **dim != dims.lookup(operand)))
      return refuse(op, "its samples do not stay side by side");
  }
  Value output = hasSamples(op.getOutput()) ? op.getOutput() : stretch(op.getOutput(), 0, extent);
  if (!output)
    return refuse(op, "its output has one value for each of the old samples");
  op.getOutputMutable().assign(output);
  set(op->getResult(0), 0, extent);
  return success();
}

Value BatchSetter::stretch(Value value, int64_t dim, int64_t extent) {
  Operation *source = value.getDefiningOp();
  auto type = tensorType(value);
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = extent;
  if (ShapedType::isDynamicShape(shape))
    return {};
  OpBuilder b(value.getContext());
  b.setInsertionPointAfterValue(value);
  if (isa_and_nonnull<tensor::EmptyOp>(source))
    return tensor::EmptyOp::create(b, value.getLoc(), shape, type.getElementType());
  auto made = dyn_cast_or_null<linalg::LinalgOp>(source);
  if (!made || made->getNumResults() != 1)
    return {};
  auto loop = dyn_cast<AffineDimExpr>(made.getIndexingMapMatchingResult(cast<OpResult>(value)).getResult(dim));
  for (OpOperand *input : made.getDpsInputOperands())
    if (!loop || made.getMatchingIndexingMap(input).isFunctionOfDim(loop.getPosition()))
      return {};
  Value init = stretch(made.getDpsInits().front(), dim, extent);
  if (!init)
    return {};
  Operation *copy = b.clone(*source);
  cast<linalg::LinalgOp>(copy).getDpsInitsMutable()[0].set(init);
  copy->getResult(0).setType(init.getType());
  return copy->getResult(0);
}

//===----------------------------------------------------------------------===//
// Data movement and casts
//===----------------------------------------------------------------------===//

/// The group of dimensions that `dim` is one of.
static const ReassociationIndices &groupOf(ArrayRef<ReassociationIndices> groups, int64_t dim, int64_t &number) {
  number = llvm::find_if(groups, [&](const ReassociationIndices &group) { return llvm::is_contained(group, dim); }) -
           groups.begin();
  return groups[number];
}

LogicalResult BatchSetter::visitCollapse(tensor::CollapseShapeOp op) {
  SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
  int64_t number = 0, extent = 1;
  for (int64_t dim : groupOf(groups, dims.lookup(op.getSrc()), number)) {
    if (dim < dims.lookup(op.getSrc()) && op.getSrcType().getDimSize(dim) != 1)
      return refuse(op, "its samples do not stay side by side");
    extent *= op.getSrcType().getDimSize(dim);
  }
  if (ShapedType::isDynamic(extent))
    return refuse(op, "it has other dynamic dimensions");
  set(op.getResult(), number, extent);
  return success();
}

LogicalResult BatchSetter::visitExpand(tensor::ExpandShapeOp op) {
  const ReassociationIndices group = op.getReassociationIndices()[dims.lookup(op.getSrc())];
  int64_t rest = 1, extent = extentOf(op.getSrc());
  for (int64_t dim : ArrayRef<int64_t>(group).drop_front())
    rest *= op.getResultType().getDimSize(dim);
  if (ShapedType::isDynamicShape(op.getResultType().getShape().drop_front(group.front() + 1)) || extent % rest != 0)
    return refuse(op, "it cuts the samples in pieces");
  SmallVector<int64_t> shape(op.getResultType().getShape());
  shape[group.front()] = extent / rest;
  // The sizes of the result are a property of the operation, too.
  OpBuilder b(op);
  auto type = RankedTensorType::get(shape, op.getResultType().getElementType());
  auto made = tensor::ExpandShapeOp::create(b, op.getLoc(), type, op.getSrc(), op.getReassociationIndices());
  op.getResult().replaceAllUsesWith(made.getResult());
  op.erase();
  dims[made.getResult()] = group.front();
  return success();
}

LogicalResult BatchSetter::visitSlice(tensor::ExtractSliceOp op) {
  int64_t dim = dims.lookup(op.getSource());
  const int64_t old = op.getStaticSizes()[dim];
  if (op.getStaticOffsets()[dim] != 0 || op.getStaticStrides()[dim] != 1 ||
      op.getResultType().getRank() != op.getSourceType().getRank() || old != op.getResultType().getDimSize(dim))
    return refuse(op, "it takes some of the samples");
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  OpBuilder b(op);
  sizes[dim] = b.getIndexAttr(extentOf(op.getSource()));
  auto made = tensor::ExtractSliceOp::create(b, op.getLoc(), op.getSource(), op.getMixedOffsets(), sizes, op.getMixedStrides());
  op.getResult().replaceAllUsesWith(made.getResult());
  op.erase();
  dims[made.getResult()] = dim;
  return success();
}

LogicalResult BatchSetter::visitConcat(tensor::ConcatOp op) {
  int64_t dim = dims.lookup(op.getInputs().front());
  for (Value input : op.getInputs())
    if (!hasSamples(input) || dims.lookup(input) != dim || dim == static_cast<int64_t>(op.getDim()))
      return refuse(op, "its parts differ in their samples");
  set(op.getResult(), dim, extentOf(op.getInputs().front()));
  return success();
}

LogicalResult BatchSetter::visitPad(tensor::PadOp op) {
  int64_t dim = dims.lookup(op.getSource());
  if (op.getStaticLow()[dim] != 0 || op.getStaticHigh()[dim] != 0)
    return refuse(op, "it pads the samples");
  set(op.getResult(), dim, extentOf(op.getSource()));
  return success();
}

LogicalResult BatchSetter::visitCast(Operation *op) {
  Value input = op->getOperand(0);
  if (auto lookup = dyn_cast<LookupOp>(op)) {
    Value output = stretch(lookup.getOutput(), dims.lookup(input), extentOf(input));
    if (!output)
      return refuse(op, "its output has one value for each of the old samples");
    lookup.getOutputMutable().assign(output);
  }
  set(op->getResult(0), dims.lookup(input), extentOf(input));
  return success();
}

LogicalResult BatchSetter::visitComposite(CompositeOp op) {
  Block &body = op.getBody().front();
  for (auto [input, argument] : llvm::zip_equal(op.getInputs(), body.getArguments()))
    if (hasSamples(input))
      set(argument, dims.lookup(input), extentOf(input));
  if (failed(visitBlock(body)))
    return failure();
  for (auto [result, yielded] : llvm::zip_equal(op->getResults(), body.getTerminator()->getOperands()))
    if (hasSamples(yielded))
      set(result, dims.lookup(yielded), extentOf(yielded));
  return success();
}

LogicalResult BatchSetter::visitSize(tensor::DimOp op) {
  std::optional<int64_t> dim = op.getConstantIndex();
  if (!dim || tensorType(op.getSource()).isDynamicDim(*dim))
    return refuse(op, "it has other dynamic dimensions");
  OpBuilder b(op);
  Value size = arith::ConstantIndexOp::create(b, op.getLoc(), tensorType(op.getSource()).getDimSize(*dim));
  op.getResult().replaceAllUsesWith(size);
  op.erase();
  return success();
}
