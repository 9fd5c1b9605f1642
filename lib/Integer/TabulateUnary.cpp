//===- TabulateUnary.cpp - elementwise functions of one tensor as tables
//----===//
//
// A function from 8-bit codes to 8-bit codes has 256 values: evaluate it at all
// of them (rule A12).
//
//===----------------------------------------------------------------------===//
#include "CodeTensors.h"
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_TABULATEUNARY
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The one dequantized tensor from which generics and composites compute
/// `value`; null if there is none or several.
static DequantizeOp findSource(Value value) {
  DequantizeOp source;
  SmallVector<Value> worklist{value};
  DenseSet<Value> seen;
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (!seen.insert(next).second)
      continue;
    if (!op)
      return {};
    if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
      if ((source && source != dequantize) || !matchDequantized(next))
        return {};
      source = dequantize;
    } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      if (!isElementwise(generic))
        return {};
      llvm::append_range(worklist, generic.getInputs());
    } else if (isa<CompositeOp>(op)) {
      llvm::append_range(worklist, op->getOperands());
    } else if (!op->hasTrait<OpTrait::ConstantLike>()) {
      return {};
    }
  }
  return source;
}

/// The real numbers of the codes -128 to 127 (rule A3).
static std::vector<float> realsOfCodes(const CodeFormat &format) {
  std::vector<float> reals;
  for (int32_t code = -128; code < 128; ++code)
    reals.push_back(static_cast<float>(code - format.zero) * format.scale);
  return reals;
}

static bool tabulate(IRRewriter &rewriter, QuantizeOp op) {
  std::optional<CodeFormat> output = CodeFormat::get(op.getResult().getType());
  DequantizeOp source = findSource(op.getInput());
  if (!output || !source ||
      source.getResult().getType() != op.getInput().getType())
    return false;
  if (source.getInput().getType() == op.getResult().getType() &&
      source.getResult() == op.getInput()) {
    rewriter.replaceOp(op, source.getInput());
    return false;
  }
  CodeFormat input = *CodeFormat::get(source.getInput().getType());
  FailureOr<std::vector<float>> values =
      evaluatePointwise(source.getResult(), op.getInput(), realsOfCodes(input));
  if (failed(values))
    return false;
  std::vector<int8_t> table;
  for (float value : *values)
    table.push_back(
        static_cast<int8_t>(output->logicalValue(value) + output->zero));
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  auto tableType = RankedTensorType::get({256}, rewriter.getI8Type());
  Value constant = arith::ConstantOp::create(
      rewriter, loc,
      makeConstant<int8_t>(tableType, ArrayRef<int8_t>(table), "table"));
  Value codes = codesOf(rewriter, loc, source.getInput());
  Value init = tensor::EmptyOp::create(
      rewriter, loc, sizesOf(rewriter, loc, codes), rewriter.getI8Type());
  Value result =
      LookupOp::create(rewriter, loc, init.getType(), codes, constant, init)
          .getResult(0);
  rewriter.replaceOp(
      op, quantizedFrom(rewriter, loc, result,
                        getElementTypeOrSelf(op.getResult().getType())));
  return true;
}

namespace {
struct TabulateUnary : halftone::impl::TabulateUnaryBase<TabulateUnary> {
  void runOnOperation() override {
    SmallVector<QuantizeOp> quantizations(getOperation().getOps<QuantizeOp>());
    IRRewriter rewriter(&getContext());
    for (QuantizeOp op : quantizations)
      tabulated += tabulate(rewriter, op);
    eraseUnused(rewriter, getOperation());
  }
};
} // namespace
