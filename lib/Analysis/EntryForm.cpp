//===- EntryForm.cpp - what an operation of the entry form is ---------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

bool mlir::halftone::isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 0 && type.getElementType().isF32();
}

bool mlir::halftone::isConstant(Value value) {
  Attribute attribute;
  return matchPattern(value, m_Constant(&attribute));
}

/// One value for all elements: then an operation with it is still the same function for each element.
static bool isSplatConstant(Value value) {
  ElementsAttr attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return false;
  return attribute.isSplat() || attribute.getNumElements() == 1;
}

/// Padding with 0 (in every range), or with -inf in front of a max pool (never taken).
static bool padsWithinRange(tensor::PadOp pad) {
  Value value = pad.getConstantPaddingValue();
  FloatAttr constant;
  if (!value || !matchPattern(value, m_Constant(&constant)))
    return false;
  if (constant.getValue().isZero())
    return true;
  return constant.getValue().isInfinity() && constant.getValue().isNegative() &&
         llvm::all_of(pad->getUsers(), [](Operation *user) { return isa<linalg::PoolingNhwcMaxOp>(user); });
}

static OpKind classifyGeneric(linalg::GenericOp op) {
  auto computes = [](Operation &inner) {
    return isa<linalg::YieldOp>(inner) || isa<arith::ArithDialect, math::MathDialect>(inner.getDialect());
  };
  if (op.getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops() || !isFloatTensor(op.getResult(0)) ||
      !op.getIndexingMapsArray().back().isIdentity() || !llvm::all_of(*op.getBody(), computes) ||
      !op.getBody()->getArguments().back().use_empty())
    return OpKind::Other;
  Value activation;
  bool unary = true;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (isConstant(operand->get())) {
      unary &= isSplatConstant(operand->get());
      continue;
    }
    if (!isFloatTensor(operand->get()))
      return OpKind::Other;
    unary &= !activation && op.getMatchingIndexingMap(operand).isIdentity();
    activation = operand->get();
  }
  if (!activation)
    return OpKind::Other;
  return unary ? OpKind::Unary : OpKind::Elementwise;
}

static OpKind classifyComposite(CompositeOp op) {
  if (op.getName() == "gather" && isConstant(op.getInputs()[0]) && isFloatTensor(op.getInputs()[0]) &&
      op.getParameters().getAs<IntegerAttr>("axis").getInt() == 0)
    return OpKind::Table;
  if (op.getInputs().empty() || op.getNumResults() != 1 || !isFloatTensor(op.getInputs()[0]))
    return OpKind::Other;
  return llvm::StringSwitch<OpKind>(op.getName())
      .Case("avg_pool", OpKind::AveragePool)
      .Case("resize", op.getInputs().size() == 1 ? OpKind::Movement : OpKind::Other) // to the nearest: a copy
      .Cases({"gelu", "silu", "hard_swish", "hard_sigmoid", "sigmoid", "tanh", "exp", "sqrt", "leaky_relu"},
             op.getInputs().size() == 1 ? OpKind::Unary : OpKind::Other)
      .Default(OpKind::Other);
}

bool mlir::halftone::startsAtZero(linalg::LinalgOp op) {
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.getInputs()[0], m_AnyZeroFloat());
}

/// A product of two activations: with a constant factor it has no integer form.
static bool multipliesActivations(linalg::BatchMatmulOp op) {
  return !op.hasUserDefinedMaps() && llvm::none_of(op.getInputs(), [](Value factor) { return isConstant(traceRoot(factor)); });
}

OpKind mlir::halftone::classify(Operation *op) {
  if (isa<linalg::FillOp, tensor::EmptyOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
    return OpKind::Initial;
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp, linalg::TransposeOp>(op))
    return OpKind::Movement;
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return padsWithinRange(pad) ? OpKind::Movement : OpKind::Other;
  if (isa<linalg::PoolingNhwcMaxOp>(op))
    return OpKind::MaxPool;
  if (isa<tensor::ConcatOp>(op))
    return OpKind::Concat;
  if (isa<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp, linalg::Conv2DNhwgcGfhwcOp, linalg::MatmulOp>(op))
    return startsAtZero(cast<linalg::LinalgOp>(op)) ? OpKind::Contraction : OpKind::Other;
  if (auto product = dyn_cast<linalg::BatchMatmulOp>(op))
    return startsAtZero(product) && multipliesActivations(product) ? OpKind::Contraction : OpKind::Other;
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return classifyGeneric(generic);
  if (auto composite = dyn_cast<CompositeOp>(op))
    return classifyComposite(composite);
  return OpKind::Other;
}

bool mlir::halftone::isCompute(Operation *op) {
  OpKind kind = classify(op);
  return kind != OpKind::Initial && kind != OpKind::Movement &&
         llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
}

StringRef mlir::halftone::kindName(OpKind kind) {
  static constexpr StringLiteral names[] = {"initial",     "movement", "contraction", "max_pool", "avg_pool",
                                            "elementwise", "unary",    "concat",      "table",    "other"};
  return names[static_cast<int>(kind)];
}

std::string mlir::halftone::locationName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return llvm::json::fixUTF8(name.getName().getValue()); // what a file of any source has is not always UTF-8
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return locationName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (std::string name = locationName(part); !name.empty())
        return name;
  return "";
}

Value mlir::halftone::traceRoot(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    OpKind kind = classify(op);
    // The joining of a grouped convolution's groups has a range of its own.
    if ((kind != OpKind::Movement && kind != OpKind::MaxPool) || op->hasAttr(kRangeAttr))
      break;
    value = op->getOperand(0);
  }
  return value;
}

OpOperand &mlir::halftone::getActivationOperand(Operation *contraction) { return contraction->getOpOperand(0); }

OpOperand &mlir::halftone::getWeightOperand(Operation *contraction) { return contraction->getOpOperand(1); }

/// The dimensions of the weights whose loop also indexes another operand directly (not summed with a tap's offset), in
/// that operand's order.
static SmallVector<int64_t> sharedDims(Operation *contraction, OpOperand *other) {
  auto op = cast<linalg::LinalgOp>(contraction);
  AffineMap weights = op.getMatchingIndexingMap(&getWeightOperand(contraction));
  SmallVector<int64_t> dims;
  for (AffineExpr expression : op.getMatchingIndexingMap(other).getResults())
    if (isa<AffineDimExpr>(expression))
      if (std::optional<unsigned> position = weights.getResultPosition(expression))
        dims.push_back(*position);
  return dims;
}

Operation *mlir::halftone::findContraction(Value weights) {
  for (OpOperand &use : weights.getUses()) {
    Operation *user = use.getOwner();
    if (classify(user) == OpKind::Contraction && &getWeightOperand(user) == &use)
      return user;
    if (isa<QuantizeOp, DequantizeOp>(user) || classify(user) == OpKind::Movement)
      if (Operation *contraction = findContraction(user->getResult(0)))
        return contraction;
  }
  return nullptr;
}

SmallVector<int64_t> mlir::halftone::getOutputChannelDims(Operation *contraction) {
  return sharedDims(contraction, cast<linalg::LinalgOp>(contraction).getDpsInitOperand(0));
}

SmallVector<int64_t> mlir::halftone::getInputChannelDims(Operation *contraction) {
  return sharedDims(contraction, &getActivationOperand(contraction));
}

void mlir::halftone::replaceConstant(OpOperand &operand, ArrayRef<float> elements, StringRef name) {
  OpBuilder builder(operand.getOwner());
  Location loc = operand.get().getLoc();
  std::string known = locationName(loc);
  auto type = cast<RankedTensorType>(operand.get().getType());
  Operation *old = operand.get().getDefiningOp();
  operand.set(arith::ConstantOp::create(builder, loc, makeConstant<float>(type, elements, known.empty() ? name : known)));
  if (old->use_empty())
    old->erase();
}

FailureOr<func::FuncOp> mlir::halftone::getEntry(ModuleOp module) {
  auto entry = module.lookupSymbol<func::FuncOp>("main");
  if (entry && !entry.isExternal() && entry.getBody().hasOneBlock())
    return entry;
  module.emitError("needs an entry function @main with a body of one block");
  return failure();
}

std::optional<std::pair<float, float>> mlir::halftone::getRange(Value value) {
  Attribute attribute;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()))
      attribute = function.getArgAttr(argument.getArgNumber(), kRangeAttr);
  } else {
    attribute = value.getDefiningOp()->getAttr(kRangeAttr);
  }
  auto range = dyn_cast_or_null<DenseF32ArrayAttr>(attribute);
  if (!range || range.size() != 2 || !std::isfinite(range[0]) || !std::isfinite(range[1]) || range[0] > range[1])
    return std::nullopt;
  return std::make_pair(range[0], range[1]);
}

void mlir::halftone::setRange(Value value, float low, float high) {
  auto range = DenseF32ArrayAttr::get(value.getContext(), {low, high});
  if (auto argument = dyn_cast<BlockArgument>(value))
    cast<func::FuncOp>(argument.getOwner()->getParentOp()).setArgAttr(argument.getArgNumber(), kRangeAttr, range);
  else
    value.getDefiningOp()->setAttr(kRangeAttr, range);
}

bool mlir::halftone::hasQuantizedWeights(Operation *op) {
  auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  return classify(op) == OpKind::Contraction && !isa<linalg::BatchMatmulOp>(op) && precision && precision.getValue() != "float";
}

void mlir::halftone::setPrecision(Operation *op, StringRef precision, StringRef reason) {
  if (precision == kWeightsPrecision)
    reason = "its weights are codes, its activations floats";
  Builder b(op->getContext());
  op->setAttr(kPrecisionAttr, b.getStringAttr(precision));
  op->removeAttr(kReasonAttr);
  if (precision == "float" || precision == kWeightsPrecision)
    op->setAttr(kReasonAttr, b.getStringAttr(reason));
}

static bool hasPrecision(Operation *op, StringRef name) {
  auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  return precision && precision.getValue() == name;
}

bool mlir::halftone::isInt8(Operation *op) { return hasPrecision(op, "int8"); }

bool mlir::halftone::isDynamic(Operation *op) { return hasPrecision(op, kDynamicPrecision); }
