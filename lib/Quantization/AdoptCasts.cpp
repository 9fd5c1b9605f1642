//===- AdoptCasts.cpp - the casts that a source has -------------------------===//
//
// The source decides what is rounded and by which scales. This pass only brings it to the quantized form: casts next to the
// operations that they serve, weights as codes, and on each operation whether it computes from codes, or why not.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Quantization/Weights.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Rewriting.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>
#include <tuple>

namespace mlir::halftone {
#define GEN_PASS_DEF_ADOPTCASTS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

static bool isActivationType(Type element) { return isa<quant::UniformQuantizedType>(element); }

/// The type of the codes that a value shows, behind movement; null if it is floats.
static quant::UniformQuantizedType findCodesType(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      return dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(dequantize.getInput().getType()));
    if (classify(op) != OpKind::Movement)
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// The quantize that alone reads a value, or null.
static QuantizeOp findOnlyQuantize(Value value) {
  auto quantize = value.hasOneUse() ? dyn_cast<QuantizeOp>(*value.user_begin()) : QuantizeOp();
  return quantize && isActivationType(getElementTypeOrSelf(quantize.getResult().getType())) ? quantize : QuantizeOp();
}

namespace {
/// quantize(reshape x) -> reshape(quantize x), so that the rounding ends the sandwich that makes x.
struct RoundBeforeReshape : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op, PatternRewriter &rewriter) const override {
    Operation *reshape = op.getInput().getDefiningOp();
    Type element = getElementTypeOrSelf(op.getResult().getType());
    if (!isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(reshape) || !op.getInput().hasOneUse() || !isActivationType(element))
      return rewriter.notifyMatchFailure(op, "not the only reader of a reshape");
    Value source = reshape->getOperand(0);
    if (source.getDefiningOp<DequantizeOp>() || !source.hasOneUse())
      return rewriter.notifyMatchFailure(op, "what is reshaped has codes already, or other readers");
    auto type = cast<RankedTensorType>(source.getType());
    Value codes = QuantizeOp::create(rewriter, op.getLoc(), type.clone(element), source);
    SmallVector<Value> operands = llvm::to_vector(reshape->getOperands());
    operands[0] = codes;
    Operation *moved = mlir::clone(rewriter, reshape, op.getResult().getType(), operands);
    rewriter.replaceOp(op, moved->getResults());
    return success();
  }
};
} // namespace

/// The largest of codes is a code: the result of a max pool is rounded to its operand's type, which changes nothing.
static void roundMaxPool(OpBuilder &builder, linalg::PoolingNhwcMaxOp pool) {
  quant::UniformQuantizedType type = findCodesType(pool.getInputs()[0]);
  Value result = pool->getResult(0);
  QuantizeOp quantize = type ? findOnlyQuantize(result) : QuantizeOp();
  if (!type || (quantize && getElementTypeOrSelf(quantize.getResult().getType()) == type))
    return;
  builder.setInsertionPointAfter(pool);
  auto tensorType = cast<RankedTensorType>(result.getType());
  auto rounded = QuantizeOp::create(builder, pool.getLoc(), tensorType.clone(type), result);
  auto real = DequantizeOp::create(builder, pool.getLoc(), tensorType, rounded, Value(), Value());
  result.replaceAllUsesExcept(real, rounded);
}

//===----------------------------------------------------------------------===//
// Precision
//===----------------------------------------------------------------------===//

static StringRef describe(Operation *op) {
  if (auto composite = dyn_cast<CompositeOp>(op))
    return composite.getName();
  return op->getName().getStringRef();
}

static constexpr StringLiteral kNoCodesRead = "the model does not quantize what it reads",
                               kNoCodesGiven = "the model does not quantize its result";

namespace {
struct AdoptCastsPass : halftone::impl::AdoptCastsBase<AdoptCastsPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(arrangeCasts(*entry)))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    adopted.clear();
    for (Operation &op : llvm::make_early_inc_range(entry->getBody().front())) {
      if (auto pool = dyn_cast<linalg::PoolingNhwcMaxOp>(op))
        roundMaxPool(builder, pool);
      else if (classify(&op) == OpKind::Contraction && failed(adoptWeights(builder, &op)))
        return signalPassFailure();
    }
    for (auto &[key, codes] : adopted)
      if (Operation *constant = std::get<Value>(key).getDefiningOp(); constant->use_empty())
        constant->erase();
    adopted.clear();
    assignPrecisions(*entry);
  }

  LogicalResult arrangeCasts(func::FuncOp entry) {
    RewritePatternSet patterns(&getContext());
    patterns.add<RoundBeforeReshape>(&getContext());
    return applyToEnd(entry, std::move(patterns));
  }

  LogicalResult adoptWeights(OpBuilder &builder, Operation *contraction);
  void assignPrecisions(func::FuncOp entry);
  void assignSandwich(const Sandwich &sandwich);
  void assignContraction(const Sandwich &sandwich);
  std::string refuseContraction(Operation *contraction, StringRef &precision);
  std::string refuseAlone(Operation *op);
  void setPrecision(Operation *op, StringRef precision, StringRef reason = "");

  /// By floats, scales and operator: what contractions read instead. The steps of a recurrent network have the same.
  llvm::MapVector<std::tuple<Value, Attribute, OperationName>, Value> adopted;
};
} // namespace

LogicalResult AdoptCastsPass::adoptWeights(OpBuilder &builder, Operation *contraction) {
  auto scales = contraction->getAttrOfType<DenseF32ArrayAttr>(kSourceScalesAttr);
  if (!scales)
    return success();
  contraction->removeAttr(kSourceScalesAttr);
  const bool isWritten = contraction->removeAttr(kSourceWrittenAttr) != nullptr;
  OpOperand &weights = getWeightOperand(contraction);
  const std::tuple<Value, Attribute, OperationName> key = {weights.get(), scales, contraction->getName()};
  if (auto known = adopted.find(key); known != adopted.end()) {
    weights.set(known->second);
    return success();
  }
  std::optional<std::vector<float>> values = getConstantElements<float>(weights.get());
  std::optional<RoundedWeights> rounded = values ? takeCodes(contraction, *values, scales) : std::nullopt;
  if (!rounded && isWritten)
    return success(); // floats, as they stand there
  if (!rounded) {
    contraction->setAttr(kReasonAttr, builder.getStringAttr("its weights are no multiples of the scales that the model gives them"));
    return success();
  }
  if (failed(replaceWeights(builder, contraction, *rounded)))
    return failure();
  adopted[key] = weights.get();
  ++numWeights;
  return success();
}

/// Why a contraction is float, else nothing and its precision.
std::string AdoptCastsPass::refuseContraction(Operation *contraction, StringRef &precision) {
  Value weights = getWeightOperand(contraction).get();
  auto reason = contraction->getAttrOfType<StringAttr>(kReasonAttr);
  bool readsCodes = findCodesType(getActivationOperand(contraction).get()) != nullptr;
  bool isDynamic = contraction->removeAttr(kSourceDynamicAttr) != nullptr;
  while (isa_and_present<tensor::ExpandShapeOp>(weights.getDefiningOp()))
    weights = weights.getDefiningOp()->getOperand(0);
  auto dequantize = weights.getDefiningOp<DequantizeOp>();
  if (dequantize && getConstantElements<int8_t>(dequantize.getInput())) {
    precision = readsCodes  ? StringRef("int8")
                : isDynamic ? StringRef(kDynamicPrecision)
                            : StringRef(kWeightsPrecision);
    return "";
  }
  if (reason)
    return reason.str();
  if (!isConstant(weights))
    return "its weights are not constant";
  return readsCodes ? "the model does not quantize its weights" : kNoCodesRead.str();
}

/// A contraction in whose tail something reads floats ends in floats before it.
void AdoptCastsPass::assignContraction(const Sandwich &sandwich) {
  StringRef precision;
  std::string reason = refuseContraction(sandwich.anchor, precision);
  bool rounded = findOnlyQuantize(sandwich.result()) != nullptr;
  bool tailReadsCodes = llvm::all_of(sandwich.activations(), [&](OpOperand *operand) {
    return operand->getOwner() == sandwich.anchor || findCodesType(operand->get());
  });
  unsigned integers = sandwich.members().size() - (rounded && tailReadsCodes && precision == "int8" ? 0 : sandwich.floatTail().size());
  for (auto [i, member] : llvm::enumerate(sandwich.members())) {
    if (!reason.empty())
      setPrecision(member, "float", reason);
    else if (i < integers)
      setPrecision(member, precision);
    else
      setPrecision(member, "float", precision != "int8" ? "activations are floats" : rounded ? kNoCodesRead : kNoCodesGiven);
  }
}

/// Why an operation without weights is float.
static StringRef refuseOperands(ArrayRef<Value> operands, Value result) {
  if (!llvm::all_of(operands, findCodesType))
    return kNoCodesRead;
  return findOnlyQuantize(result) ? StringRef() : StringRef(kNoCodesGiven);
}

void AdoptCastsPass::assignSandwich(const Sandwich &sandwich) {
  if (sandwich.kind == OpKind::Contraction)
    return assignContraction(sandwich);
  SmallVector<Value> operands = llvm::map_to_vector(sandwich.activations(), [](OpOperand *operand) { return operand->get(); });
  StringRef reason = refuseOperands(operands, sandwich.result());
  for (Operation *member : sandwich.members())
    setPrecision(member, reason.empty() ? "int8" : "float", reason);
}

/// Whether rows are picked from what the source has as codes; what it writes out in floats stays so.
static bool isTableOfCodes(Operation *op) {
  return classify(op) == OpKind::Table && op->hasAttr(kSourceScalesAttr) && !op->hasAttr(kSourceWrittenAttr);
}

/// Why an operation that is no part of a sandwich is float.
std::string AdoptCastsPass::refuseAlone(Operation *op) {
  OpKind kind = classify(op);
  if (kind == OpKind::MaxPool)
    return findCodesType(op->getOperand(0)) ? "" : kNoCodesRead.str();
  if (kind == OpKind::Concat)
    return refuseOperands(llvm::to_vector(op->getOperands()), op->getResult(0)).str();
  if (kind == OpKind::Table)
    return isTableOfCodes(op) ? "" : "the rows that it picks are floats";
  return (describe(op) + " has no integer form").str();
}

void AdoptCastsPass::assignPrecisions(func::FuncOp entry) {
  Sandwiches sandwiches(entry);
  for (const Sandwich &sandwich : sandwiches.all())
    assignSandwich(sandwich);
  for (Operation &op : entry.getBody().front().without_terminator()) {
    if (sandwiches.find(&op) || !isCompute(&op) || isa<QuantizeOp, DequantizeOp, StorageCastOp, quant::StorageCastOp>(op))
      continue;
    std::string reason = refuseAlone(&op);
    setPrecision(&op, !reason.empty() ? "float" : isTableOfCodes(&op) ? StringRef(kWeightsPrecision) : "int8", reason);
  }
}

void AdoptCastsPass::setPrecision(Operation *op, StringRef precision, StringRef reason) {
  halftone::setPrecision(op, precision, reason);
  ++(precision == "float" ? floatOpsLeft : int8Ops);
}
