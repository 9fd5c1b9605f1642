//===- BoundIndices.cpp - no index that data says leaves its tensor ---------===//
//
// Front ends either assert that indices are in range (torch-mlir), which a compiled library cannot, or say nothing (TOSA's lowering). Assertions go;
// rows of a table are the composite `gather`, which bounds its indices, and other elements that data chooses get the bounds written out.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_BOUNDINDICES
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether the index depends on an element of a tensor.
static bool comesFromData(Value index) {
  if (isa<BlockArgument>(index) || index.getDefiningOp<tensor::ExtractOp>())
    return true;
  Operation *op = index.getDefiningOp();
  return !isa<linalg::IndexOp, tensor::DimOp>(op) && llvm::any_of(op->getOperands(), comesFromData);
}

/// `extract table[.., cast(index), ..]` with the other coordinates those of the result: the dimension that the index chooses along.
static std::optional<int64_t> matchGather(linalg::GenericOp op, tensor::ExtractOp extract) {
  auto table = cast<RankedTensorType>(extract.getTensor().getType());
  if (op.getNumDpsInputs() != 1 || op->getNumResults() != 1 || op.getNumReductionLoops() != 0 || !op.getIndexingMapsArray()[1].isIdentity() ||
      op.getBody()->getTerminator()->getOperand(0) != extract.getResult() || op.getBody()->findAncestorOpInBlock(*extract) != extract.getOperation())
    return std::nullopt;
  auto indices = dyn_cast<RankedTensorType>(op.getInputs()[0].getType());
  std::optional<int64_t> axis;
  for (auto [d, index] : llvm::enumerate(extract.getIndices())) {
    auto cast = index.getDefiningOp<arith::IndexCastOp>();
    if (cast && cast.getIn() == op.getBody()->getArgument(0) && !axis)
      axis = d;
  }
  if (!axis || !indices || !table.hasStaticShape())
    return std::nullopt;
  const int64_t rank = indices.getRank();
  for (auto [d, index] : llvm::enumerate(extract.getIndices())) {
    auto coordinate = index.getDefiningOp<linalg::IndexOp>();
    const int64_t dimension = d, expected = dimension < *axis ? dimension : dimension + rank - 1;
    if (dimension != *axis && (!coordinate || static_cast<int64_t>(coordinate.getDim()) != expected))
      return std::nullopt;
  }
  AffineMap listed = op.getIndexingMapsArray()[0], all = op.getIndexingMapsArray()[1];
  bool fits = static_cast<int64_t>(all.getNumResults()) == table.getRank() + rank - 1 && listed == all.getSliceMap(*axis, rank);
  for (int64_t d = 0; fits && d < table.getRank(); ++d)
    fits = d == *axis || table.getDimSize(d) == cast<RankedTensorType>(op.getResultTypes()[0]).getDimSize(d < *axis ? d : d + rank - 1);
  return fits ? axis : std::nullopt;
}

static void bound(OpBuilder &b, tensor::ExtractOp extract) {
  Location loc = extract.getLoc();
  b.setInsertionPoint(extract);
  for (auto [d, index] : llvm::enumerate(extract.getIndices())) {
    if (matchPattern(index, m_Constant()) || !comesFromData(index))
      continue;
    Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
    Value size = b.createOrFold<tensor::DimOp>(loc, extract.getTensor(), d);
    Value last = arith::SubIOp::create(b, loc, size, one);
    Value inside = arith::MinSIOp::create(b, loc, arith::MaxSIOp::create(b, loc, index, zero), last);
    extract.getIndicesMutable()[d].set(inside);
  }
}

namespace {
struct BoundIndices : halftone::impl::BoundIndicesBase<BoundIndices> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    bool fails = false;
    function.walk([&](cf::AssertOp assertion) {
      if (matchPattern(assertion.getArg(), m_Zero())) {
        assertion.emitError("the model asserts what is never so: ") << assertion.getMsg();
        fails = true;
      }
      assertion.erase();
      ++numAssertions;
    });
    if (fails)
      return signalPassFailure();
    SmallVector<tensor::ExtractOp> extracts;
    function.walk([&](tensor::ExtractOp extract) {
      if (!extract->getParentOfType<CompositeOp>() && llvm::any_of(extract.getIndices(), comesFromData))
        extracts.push_back(extract);
    });
    OpBuilder b(&getContext());
    for (tensor::ExtractOp extract : extracts) {
      auto generic = dyn_cast<linalg::GenericOp>(extract->getParentOp());
      std::optional<int64_t> axis = generic ? matchGather(generic, extract) : std::nullopt;
      if (!axis) {
        bound(b, extract);
        ++numBounded;
        continue;
      }
      b.setInsertionPoint(generic);
      Value rows = buildGather(b, generic.getLoc(), extract.getTensor(), generic.getInputs()[0], *axis);
      generic.getResult(0).replaceAllUsesWith(rows);
      generic.erase();
      ++numGathers;
    }
  }
};
} // namespace
