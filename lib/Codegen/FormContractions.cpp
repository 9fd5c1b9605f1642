//===- FormContractions.cpp - linalg contractions to halftone.contract ------===//
//
// Two steps, repeated until nothing changes: a named contraction with constant weights becomes a halftone.contract that
// yields its accumulator, and an elementwise generic that is the only consumer of one becomes the end of its epilogue.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FORMCONTRACTIONS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

//===----------------------------------------------------------------------===//
// Named operations
//===----------------------------------------------------------------------===//

/// The fill's destination if `value` is a tensor filled with zero.
Value zeroFilled(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (!fill || !isZero(fill.getInputs()[0]))
    return {};
  return fill.getOutputs()[0];
}

/// i8 operands with an i32 result, or f32 throughout but for weights that may be i8.
bool hasKernelTypes(Value input, Value weights, Type result) {
  Type in = getElementTypeOrSelf(input.getType()), w = getElementTypeOrSelf(weights.getType());
  Type out = getElementTypeOrSelf(result);
  return (in.isInteger(8) && w.isInteger(8) && out.isInteger(32)) ||
         (in.isF32() && (w.isF32() || w.isInteger(8)) && out.isF32());
}

/// The constant behind `value` with its elements in the order that `source(i)` names, as a constant of `shape`.
template <typename T>
Value rearranged(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape,
                 function_ref<int64_t(int64_t)> source) {
  std::optional<std::vector<T>> elements = getConstantElements<T>(value);
  if (!elements)
    return {};
  std::vector<T> result(elements->size());
  for (int64_t i = 0, e = result.size(); i < e; ++i)
    result[i] = (*elements)[source(i)];
  auto type = RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
  return arith::ConstantOp::create(builder, loc, makeConstant<T>(type, result, "weights"));
}

Value rearrangedWeights(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape,
                        function_ref<int64_t(int64_t)> source) {
  if (getElementTypeOrSelf(value.getType()).isInteger(8))
    return rearranged<int8_t>(builder, loc, value, shape, source);
  return rearranged<float>(builder, loc, value, shape, source);
}

bool isConstant(Value value) {
  return getElementTypeOrSelf(value.getType()).isInteger(8) ? getConstantElements<int8_t>(value).has_value()
                                                            : getConstantElements<float>(value).has_value();
}

/// A contraction whose epilogue yields the accumulator.
ContractOp createContract(OpBuilder &builder, Location loc, Value input, Value weights, Value init, Type resultType,
                          ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations, int64_t groups) {
  auto contract =
      ContractOp::create(builder, loc, TypeRange{resultType}, input, weights, ValueRange{}, init, strides, dilations,
                         groups, builder.getArrayAttr({}), DictionaryAttr());
  Block &block = contract.getEpilogue().emplaceBlock();
  Value accumulator = block.addArgument(getElementTypeOrSelf(resultType), loc);
  OpBuilder inside = OpBuilder::atBlockEnd(&block);
  YieldOp::create(inside, loc, accumulator);
  return contract;
}

struct FormMatmul : OpRewritePattern<linalg::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::MatmulOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.hasUserDefinedMaps() || op.getCast() != linalg::TypeFn::cast_signed)
      return rewriter.notifyMatchFailure(op, "not the plain signed product on tensors");
    Value input = op.getInputs()[0], weights = op.getInputs()[1], init = zeroFilled(op.getOutputs()[0]);
    Type result = op.getResult(0).getType();
    if (!init || !hasKernelTypes(input, weights, result) || !isConstant(weights))
      return rewriter.notifyMatchFailure(op, "needs a zero accumulator and constant weights of the input's type");
    rewriter.replaceOp(op, createContract(rewriter, op.getLoc(), input, weights, init, result, {1, 1}, {1, 1}, 1));
    return success();
  }
};

SmallVector<int64_t> values(DenseIntElementsAttr attribute) { return llvm::to_vector(attribute.getValues<int64_t>()); }

struct FormConvolution : OpRewritePattern<linalg::Conv2DNhwcHwcfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::Conv2DNhwcHwcfOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return failure();
    Value input = op.getInputs()[0], weights = op.getInputs()[1], init = zeroFilled(op.getOutputs()[0]);
    Type result = op.getResult(0).getType();
    if (!init || !hasKernelTypes(input, weights, result) || !isConstant(weights))
      return rewriter.notifyMatchFailure(op, "needs a zero accumulator and constant weights of the input's type");
    rewriter.replaceOp(op, createContract(rewriter, op.getLoc(), input, weights, init, result, values(op.getStrides()),
                                          values(op.getDilations()), 1));
    return success();
  }
};

struct FormDepthwise : OpRewritePattern<linalg::DepthwiseConv2DNhwcHwcOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::DepthwiseConv2DNhwcHwcOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return failure();
    Value input = op.getInputs()[0], weights = op.getInputs()[1], init = zeroFilled(op.getOutputs()[0]);
    Type result = op.getResult(0).getType();
    if (!init || !hasKernelTypes(input, weights, result))
      return rewriter.notifyMatchFailure(op, "needs a zero accumulator and weights of the input's type");
    ArrayRef<int64_t> shape = cast<ShapedType>(weights.getType()).getShape();
    Value packed = rearrangedWeights(rewriter, op.getLoc(), weights, {shape[0], shape[1], 1, shape[2]},
                                     [](int64_t i) { return i; });
    if (!packed)
      return rewriter.notifyMatchFailure(op, "needs constant weights");
    rewriter.replaceOp(op, createContract(rewriter, op.getLoc(), input, packed, init, result, values(op.getStrides()),
                                          values(op.getDilations()), shape[2]));
    return success();
  }
};

/// Matches the collapse of a grouped convolution's result to NHWC; its input is the expansion of an NHWC tensor.
struct FormGrouped : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CollapseShapeOp collapse, PatternRewriter &rewriter) const override {
    auto op = collapse.getSrc().getDefiningOp<linalg::Conv2DNhwgcGfhwcOp>();
    if (!op || !op->hasOneUse() || collapse.getResultType().getRank() != 4)
      return rewriter.notifyMatchFailure(collapse, "not the only use of a grouped convolution");
    auto expand = op.getInputs()[0].getDefiningOp<tensor::ExpandShapeOp>();
    Value weights = op.getInputs()[1], init = zeroFilled(op.getOutputs()[0]);
    Type result = collapse.getResultType();
    if (!expand || expand.getSrcType().getRank() != 4 || !init || !hasKernelTypes(expand.getSrc(), weights, result))
      return rewriter.notifyMatchFailure(op, "needs a zero accumulator, an expanded input and weights of its type");
    ArrayRef<int64_t> shape = cast<ShapedType>(weights.getType()).getShape(); // G F KH KW C
    int64_t groups = shape[0], filters = shape[1], kernel = shape[2] * shape[3], channels = shape[4];
    Value packed = rearrangedWeights(
        rewriter, op.getLoc(), weights, {shape[2], shape[3], channels, groups * filters}, [&](int64_t i) {
          int64_t column = i % (groups * filters), channel = i / (groups * filters) % channels;
          return (column * kernel + i / (groups * filters) / channels) * channels + channel;
        });
    if (!packed)
      return rewriter.notifyMatchFailure(op, "needs constant weights");
    Value flatInit = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), result, init, collapse.getReassociation());
    rewriter.replaceOp(collapse, createContract(rewriter, op.getLoc(), expand.getSrc(), packed, flatInit, result,
                                                values(op.getStrides()), values(op.getDilations()), groups));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

/// The contraction that `generic` can end: elementwise, computed from that contraction's result by the identity map,
/// which has no other user.
ContractOp matchTail(linalg::GenericOp generic) {
  if (!generic.hasPureTensorSemantics() || generic->getNumResults() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops() || generic.hasIndexSemantics() ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity() ||
      generic.payloadUsesValueFromOperand(generic.getDpsInitOperand(0)))
    return {};
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    auto contract = operand->get().getDefiningOp<ContractOp>();
    if (!contract || contract.getPacking())
      continue;
    auto readsIt = [&](OpOperand &use) {
      return use.getOwner() == generic && generic.isDpsInput(&use) && generic.getMatchingIndexingMap(&use).isIdentity();
    };
    if (llvm::all_of(contract->getUses(), readsIt))
      return contract;
  }
  return {};
}

/// Whether every other operand is read elementwise: a shaped value through a map of dimensions and constants.
bool hasSimpleOperands(linalg::GenericOp generic, ContractOp contract) {
  return llvm::all_of(generic.getDpsInputOperands(), [&](OpOperand *operand) {
    return isa<RankedTensorType>(operand->get().getType()) &&
           llvm::all_of(generic.getMatchingIndexingMap(operand).getResults(), llvm::IsaPred<AffineDimExpr, AffineConstantExpr>);
  });
}

struct FuseTail : OpRewritePattern<linalg::GenericOp> {
  FuseTail(MLIRContext *context, Pass::Statistic &fused) : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    ContractOp contract = matchTail(generic);
    if (!contract || !hasSimpleOperands(generic, contract))
      return rewriter.notifyMatchFailure(generic, "not the elementwise tail of a contraction");
    SmallVector<Value> operands(contract.getEpilogueInputs());
    SmallVector<Attribute> maps(contract.getEpilogueMaps().getValue());
    for (OpOperand *operand : generic.getDpsInputOperands())
      if (operand->get().getDefiningOp() != contract) {
        operands.push_back(operand->get());
        maps.push_back(AffineMapAttr::get(generic.getMatchingIndexingMap(operand)));
      }
    auto merged = ContractOp::create(rewriter, rewriter.getFusedLoc({contract.getLoc(), generic.getLoc()}),
                                     generic->getResultTypes(), contract.getInput(), contract.getWeights(), operands,
                                     generic.getDpsInitOperand(0)->get(), contract.getStrides(), contract.getDilations(),
                                     contract.getGroups(), rewriter.getArrayAttr(maps), DictionaryAttr());
    mergeRegions(rewriter, contract, generic, merged);
    rewriter.replaceOp(generic, merged);
    rewriter.eraseOp(contract);
    ++fused;
    return success();
  }

private:
  /// Fills `merged` with the contraction's epilogue followed by the generic's body.
  static void mergeRegions(PatternRewriter &rewriter, ContractOp contract, linalg::GenericOp generic,
                           ContractOp merged) {
    Block &first = contract.getEpilogue().front(), &second = generic.getRegion().front();
    Block *block = rewriter.createBlock(&merged.getEpilogue());
    IRMapping mapping;
    auto addArgument = [&](BlockArgument old) {
      mapping.map(old, block->addArgument(old.getType(), old.getLoc()));
    };
    llvm::for_each(first.getArguments(), addArgument);
    for (Operation &op : first.without_terminator())
      rewriter.clone(op, mapping);
    Value accumulated = mapping.lookup(cast<YieldOp>(first.getTerminator()).getValues()[0]);
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      BlockArgument argument = generic.getMatchingBlockArgument(operand);
      if (operand->get().getDefiningOp() == contract)
        mapping.map(argument, accumulated);
      else
        addArgument(argument);
    }
    for (Operation &op : second.without_terminator())
      rewriter.clone(op, mapping);
    Value result = mapping.lookupOrDefault(second.getTerminator()->getOperand(0));
    YieldOp::create(rewriter, generic.getLoc(), result);
  }

  Pass::Statistic &fused;
};

struct FormContractions : halftone::impl::FormContractionsBase<FormContractions> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FormMatmul, FormConvolution, FormDepthwise, FormGrouped>(&getContext());
    patterns.add<FuseTail>(&getContext(), numFused);
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([&](ContractOp) { ++numContractions; });
  }
};

} // namespace
