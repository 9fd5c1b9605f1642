//===- VerifyInteger.cpp - the contract of the integer stage
//----------------===//
//
// From the IR alone: no quantized type is left, no accumulator can overflow
// (rule A18), and each operation that stays float says why.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstdlib>
#include <map>

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYINTEGER
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static bool isQuantizedType(Type type) {
  return isa<quant::QuantizedType, CodebookType>(getElementTypeOrSelf(type));
}

static LogicalResult verifyTypes(Operation *op) {
  SmallVector<Type> types(op->getResultTypes());
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    llvm::append_range(types, function.getArgumentTypes());
    llvm::append_range(types, function.getResultTypes());
  }
  auto found = llvm::find_if(types, isQuantizedType);
  if (found != types.end())
    return op->emitError("has the quantized type ")
           << *found << " behind the integer stage";
  return success();
}

//===----------------------------------------------------------------------===//
// Overflow
//===----------------------------------------------------------------------===//

/// The i32 constant that the only reader of the accumulator adds to it, through
/// a reshape; empty if there is none.
static std::vector<int32_t> addedBias(Value accumulator) {
  while (accumulator.hasOneUse() &&
         isa<tensor::CollapseShapeOp>(*accumulator.user_begin()))
    accumulator = accumulator.user_begin()->getResult(0);
  auto generic = accumulator.hasOneUse()
                     ? dyn_cast<linalg::GenericOp>(*accumulator.user_begin())
                     : linalg::GenericOp();
  if (!generic || generic.isDpsInit(&*accumulator.use_begin()))
    return {};
  Value scalar = generic.getMatchingBlockArgument(&*accumulator.use_begin());
  for (Operation *user : scalar.getUsers()) {
    auto sum = dyn_cast<arith::AddIOp>(user);
    auto bias = sum ? dyn_cast<BlockArgument>(
                          sum.getLhs() == scalar ? sum.getRhs() : sum.getLhs())
                    : BlockArgument();
    if (!bias || bias.getOwner() != generic.getBody())
      continue;
    if (auto elements = getConstantElements<int32_t>(
            generic.getMatchingOpOperand(bias)->get()))
      return std::move(*elements);
  }
  return {};
}

/// sum |w| for each output channel, in row-major order of the channels in the
/// result.
static std::vector<int64_t> magnitudes(linalg::LinalgOp op, OpOperand &operand,
                                       ArrayRef<int8_t> weights) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(operand.get().getType()).getShape();
  SmallVector<int64_t> strides(
      shape.size(), 0); // of each weight dimension in the channel index
  int64_t channels = 1;
  for (AffineExpr expr : llvm::reverse(output.getResults()))
    if (std::optional<unsigned> position = map.getResultPosition(expr)) {
      strides[*position] = channels;
      channels *= shape[*position];
    }
  std::vector<int64_t> sums(channels, 0);
  for (int64_t flat = 0, e = weights.size(); flat < e; ++flat) {
    int64_t channel = 0, rest = flat;
    for (int64_t d = shape.size() - 1; d >= 0; rest /= shape[d--])
      channel += rest % shape[d] * strides[d];
    sums[channel] += std::abs(int(weights[flat]));
  }
  return sums;
}

/// The number of terms of each output's sum.
static int64_t countTerms(linalg::LinalgOp op) {
  int64_t terms = 1;
  for (auto [extent, iterator] :
       llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    terms *= iterator == utils::IteratorType::reduction ? extent : 1;
  return terms;
}

static bool sumsCodes(linalg::LinalgOp op) {
  return op.getNumReductionLoops() > 0 && op->getNumResults() == 1 &&
         getElementTypeOrSelf(op->getOperand(0).getType()).isInteger(8) &&
         getElementTypeOrSelf(op->getResult(0).getType()).isInteger(32);
}

/// The largest product of two codes, with their zero points where these are operands.
static int64_t largestProduct(linalg::LinalgOp op) {
  if (isa<linalg::PoolingNhwcSumOp>(op))
    return 256;
  int64_t product = 1;
  for (unsigned factor : {0, 1}) {
    APInt zero(32, 0);
    if (isa<linalg::QuantizedBatchMatmulOp>(op) && !matchPattern(op->getOperand(2 + factor), m_ConstantInt(&zero)))
      return kLargest; // unknown
    product *= 128 + std::abs(zero.getSExtValue());
  }
  return product;
}

/// Rule A18 on stored values.
static LogicalResult verifyNoOverflow(linalg::LinalgOp op) {
  if (!sumsCodes(op))
    return success();
  std::vector<int32_t> bias = addedBias(op->getResult(0));
  int64_t mostAdded = 0;
  for (int64_t element : bias)
    mostAdded = std::max(mostAdded, std::abs(element));
  const int64_t bound = countTerms(op) * largestProduct(op);
  if (bound + mostAdded <= kLargest) // whatever the weights are
    return success();
  for (OpOperand *operand : op.getDpsInputOperands()) {
    std::optional<std::vector<int8_t>> weights =
        getConstantElements<int8_t>(operand->get());
    if (!weights)
      continue;
    for (auto [channel, magnitude] :
         llvm::enumerate(magnitudes(op, *operand, *weights))) {
      int64_t added =
          bias.empty() ? 0 : std::abs(int64_t(bias[channel % bias.size()]));
      if (magnitude * 128 + added > kLargest)
        return op->emitError("its accumulator of channel ")
               << channel << " can reach " << magnitude * 128 + added
               << ", beyond 32 bits (rule A18)";
    }
    return success();
  }
  if (bound > kLargest)
    return op->emitError("its accumulator can reach ")
           << bound << ", beyond 32 bits (rule A18)";
  return success();
}

//===----------------------------------------------------------------------===//
// Float that remains
//===----------------------------------------------------------------------===//

/// Whether the operation computes floats from floats; data movement and casts
/// do not.
static bool isFloatOp(Operation *op) {
  if (isa<linalg::FillOp, linalg::TransposeOp, linalg::CopyOp>(op) ||
      !isa<linalg::LinalgOp, CompositeOp>(op))
    return false;
  auto isFloat = [](Value value) {
    return isa<FloatType>(getElementTypeOrSelf(value.getType()));
  };
  auto reads = [&](Value value) {
    Operation *def = value.getDefiningOp();
    return isa<RankedTensorType>(value.getType()) &&
           !(def && def->hasTrait<OpTrait::ConstantLike>());
  };
  SmallVector<Value> inputs(op->getOperands());
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    inputs = structured.getDpsInputs();
  llvm::erase_if(inputs, [&](Value value) { return !reads(value); });
  return llvm::any_of(op->getResults(), isFloat) &&
         llvm::any_of(inputs, isFloat);
}

/// What is said of an operation that stays float.
static std::string describeFloatOp(Operation *op) {
  auto reason = op->getAttrOfType<StringAttr>(kReasonAttr);
  auto composite = dyn_cast<CompositeOp>(op);
  return (llvm::Twine("stays float") + (composite ? " (" + composite.getName() + ")" : "") + ": " +
          (reason ? reason.getValue() : "not between quantized tensors"))
      .str();
}

namespace {
struct VerifyInteger : halftone::impl::VerifyIntegerBase<VerifyInteger> {
  void runOnOperation() override {
    // At the location alone: the operation's text would drown the list. The steps of a recurrent network have one.
    llvm::MapVector<Location, std::map<std::string, int64_t>> remarks;
    WalkResult result =
        getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
          auto structured = dyn_cast<linalg::LinalgOp>(op);
          if (failed(verifyTypes(op)) ||
              (structured && failed(verifyNoOverflow(structured))))
            return WalkResult::interrupt();
          if (isFloatOp(op)) {
            ++remarks[op->getLoc()][describeFloatOp(op)];
            ++floatOps;
          }
          return isa<CompositeOp>(op) ? WalkResult::skip()
                                      : WalkResult::advance();
        });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (const auto &[location, texts] : remarks)
      for (const auto &[text, count] : texts) {
        InFlightDiagnostic remark = emitRemark(location) << text;
        if (count > 1)
          remark << " (" << count << " operations)";
      }
    MultiplyAccumulates counts = countMultiplyAccumulates(getOperation());
    integerMultiplyAccumulates += counts.integer;
    floatMultiplyAccumulates += counts.floating;
    emitRemark(getOperation()->getLoc())
        << llvm::formatv("{0:f2} % of {1} multiply-accumulates run in integers",
                         counts.integerPercent(),
                         counts.integer + counts.floating)
               .str();
  }
};
} // namespace
