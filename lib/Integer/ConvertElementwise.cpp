//===- ConvertElementwise.cpp - elementwise operations of several tensors
//---===//
//
// Rule A11: additions, subtractions and products of two quantized tensors have
// multipliers of their own; any other region computes in f32 between the codes
// of its operands and of its result.
//
//===----------------------------------------------------------------------===//
#include "ElementwiseRegion.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTELEMENTWISE
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether the generic computes from codes or accumulators.
static bool readsCodes(linalg::GenericOp op) {
  return llvm::any_of(op.getInputs(), [](Value input) {
    return matchDequantized(input) ||
           getElementTypeOrSelf(input.getType()).isInteger();
  });
}

/// The operations between codes and a quantization become one generic.
static void joinRegion(IRRewriter &rewriter, QuantizeOp op) {
  ElementwiseRegion region = ElementwiseRegion::find(op.getInput());
  if (region.inlineFunctions(rewriter))
    region = ElementwiseRegion::find(op.getInput());
  region.join(rewriter);
}

namespace {
/// `core(a, b)` with clamps behind it, a and b dequantized.
struct BinaryCore {
  Operation *op;
  OpOperand *operands[2];
  SmallVector<std::pair<bool, float>>
      clamps; // {is a maximum, number}, in order
};
} // namespace

static std::optional<BinaryCore> matchBinary(linalg::GenericOp generic) {
  BinaryCore core;
  Value value = generic.getBody()->getTerminator()->getOperand(0);
  for (;;) {
    core.op = value.getDefiningOp();
    if (!core.op || core.op->getNumOperands() != 2 ||
        core.op->getBlock() != generic.getBody())
      return std::nullopt;
    bool isMaximum = isa<arith::MaximumFOp, arith::MaxNumFOp>(core.op);
    if (!isMaximum && !isa<arith::MinimumFOp, arith::MinNumFOp>(core.op))
      break;
    std::optional<float> right = matchNumber(core.op->getOperand(1)),
                         left = matchNumber(core.op->getOperand(0));
    if (!right && !left)
      return std::nullopt;
    core.clamps.push_back({isMaximum, right ? *right : *left});
    value = core.op->getOperand(right ? 0 : 1);
  }
  std::reverse(core.clamps.begin(), core.clamps.end());
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(core.op))
    return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    auto argument = dyn_cast<BlockArgument>(core.op->getOperand(i));
    if (!argument || argument.getOwner() != generic.getBody())
      return std::nullopt;
    core.operands[i] = generic.getMatchingOpOperand(argument);
    if (!matchDequantized(core.operands[i]->get()))
      return std::nullopt;
  }
  return core;
}

/// f32(q - z) * m of one operand of an addition.
static Value emitTerm(OpBuilder &builder, Location loc, Value code,
                      const CodeFormat &input, const CodeFormat &output) {
  float multiplier =
      static_cast<float>(double(input.scale) / double(output.scale));
  Value logical = emitLogical(builder, loc, code, input.zero);
  Value real =
      arith::SIToFPOp::create(builder, loc, builder.getF32Type(), logical);
  return arith::MulFOp::create(builder, loc, real,
                               emitFloat(builder, loc, multiplier));
}

/// The result of the core in units of the output's scale.
static Value emitBinary(OpBuilder &builder, Location loc, Operation *op,
                        ValueRange codes, const CodeFormat &a,
                        const CodeFormat &b, const CodeFormat &output) {
  if (isa<arith::MulFOp>(op)) {
    float multiplier = static_cast<float>(double(a.scale) * double(b.scale) /
                                          double(output.scale));
    Value product = arith::MulIOp::create(
        builder, loc, emitLogical(builder, loc, codes[0], a.zero),
        emitLogical(builder, loc, codes[1], b.zero));
    Value real =
        arith::SIToFPOp::create(builder, loc, builder.getF32Type(), product);
    return arith::MulFOp::create(builder, loc, real,
                                 emitFloat(builder, loc, multiplier));
  }
  Value left = emitTerm(builder, loc, codes[0], a, output),
        right = emitTerm(builder, loc, codes[1], b, output);
  if (isa<arith::AddFOp>(op))
    return arith::AddFOp::create(builder, loc, left, right);
  return arith::SubFOp::create(builder, loc, left, right);
}

namespace {
struct QuantizedGeneric : OpRewritePattern<QuantizeOp> {
  QuantizedGeneric(MLIRContext *context, Pass::Statistic &converted)
      : OpRewritePattern(context), converted(converted) {}

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto generic = op.getInput().getDefiningOp<linalg::GenericOp>();
    std::optional<CodeFormat> output =
        CodeFormat::get(op.getResult().getType());
    if (!generic || !output || !generic->hasOneUse() ||
        !isElementwise(generic) || !readsCodes(generic))
      return rewriter.notifyMatchFailure(
          op, "not the quantization of what a generic computes from codes");
    std::optional<BinaryCore> core = matchBinary(generic);
    Value codes = core ? rewriteBinary(rewriter, generic, *core, *output)
                       : rewriteRegion(rewriter, generic, *output);
    Type element = getElementTypeOrSelf(op.getResult().getType());
    rewriter.replaceOp(op,
                       quantizedFrom(rewriter, op.getLoc(), codes, element));
    ++converted;
    return success();
  }

private:
  static Value rewriteBinary(PatternRewriter &rewriter,
                             linalg::GenericOp generic, const BinaryCore &core,
                             const CodeFormat &output) {
    Location loc = generic.getLoc();
    Dequantized a = *matchDequantized(core.operands[0]->get()),
                b = *matchDequantized(core.operands[1]->get());
    Bounds bounds(output);
    for (auto [isMaximum, number] : core.clamps)
      isMaximum ? bounds.applyMaximum(number) : bounds.applyMinimum(number);
    SmallVector<Value> inputs{codesOf(rewriter, loc, a.quantized),
                              codesOf(rewriter, loc, b.quantized)};
    SmallVector<AffineMap> maps{
        generic.getMatchingIndexingMap(core.operands[0]),
        generic.getMatchingIndexingMap(core.operands[1])};
    return createElementwise(
        rewriter, loc, sizesOf(rewriter, loc, generic->getResult(0)),
        rewriter.getI8Type(), inputs, maps,
        [&](OpBuilder &builder, Location nested, ValueRange codes) {
          Value y = emitBinary(builder, nested, core.op, codes, a.format,
                               b.format, output);
          return emitCode(builder, nested, y, bounds, output.zero);
        });
  }

  /// Dequantizes each operand, computes the region, quantizes.
  static Value rewriteRegion(PatternRewriter &rewriter,
                             linalg::GenericOp generic,
                             const CodeFormat &output) {
    Location loc = generic.getLoc();
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    SmallVector<std::optional<CodeFormat>> formats;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      std::optional<Dequantized> source = matchDequantized(operand->get());
      inputs.push_back(source ? codesOf(rewriter, loc, source->quantized)
                              : operand->get());
      maps.push_back(generic.getMatchingIndexingMap(operand));
      formats.push_back(source ? std::optional(source->format) : std::nullopt);
    }
    Block &body = *generic.getBody();
    return createElementwise(
        rewriter, loc, sizesOf(rewriter, loc, generic->getResult(0)),
        rewriter.getI8Type(), inputs, maps,
        [&](OpBuilder &builder, Location nested, ValueRange scalars) {
          IRMapping mapping;
          for (auto [i, scalar] : llvm::enumerate(scalars))
            mapping.map(body.getArgument(i),
                        formats[i]
                            ? emitReal(builder, nested, scalar, *formats[i])
                            : scalar);
          for (Operation &op : body.without_terminator())
            builder.clone(op, mapping);
          Value real =
              mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
          return emitQuantized(builder, nested, real, output);
        });
  }

  Pass::Statistic &converted;
};

struct ConvertElementwise
    : halftone::impl::ConvertElementwiseBase<ConvertElementwise> {
  void runOnOperation() override {
    SmallVector<QuantizeOp> quantizations(getOperation().getOps<QuantizeOp>());
    IRRewriter rewriter(&getContext());
    for (QuantizeOp op : quantizations)
      joinRegion(rewriter, op);
    RewritePatternSet conversion(&getContext());
    conversion.add<QuantizedGeneric>(&getContext(), converted);
    if (failed(applyToEnd(getOperation(), std::move(conversion))))
      signalPassFailure();
  }
};
} // namespace
