//===- LowerStructured.cpp - kernels for structured operations --------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/StructuredKernel.h"
#include "halftone/Codegen/VectorEmission.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERSTRUCTURED
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static std::optional<LoopSpace> spaceOf(linalg::LinalgOp op) {
  return canVectorize(*op.getBlock()) ? LoopSpace::of(op) : std::nullopt;
}

bool mlir::halftone::hasStructuredKernel(linalg::LinalgOp op) { return spaceOf(op).has_value(); }

namespace {

struct LowerStructured : halftone::impl::LowerStructuredBase<LowerStructured> {
  using LowerStructuredBase::LowerStructuredBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    SmallVector<Operation *> operations;
    getOperation().walk([&](Operation *op) {
      if (isa_and_present<linalg::LinalgOp, LookupOp, memref::CopyOp>(op))
        operations.push_back(op);
    });
    for (Operation *op : operations)
      if (failed(lower(op, *isa)))
        return signalPassFailure();
  }

private:
  LogicalResult lower(Operation *op, const Isa &isa) {
    if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
      return op->emitOpError("needs memrefs; run bufferization first");
    ImplicitLocOpBuilder b(op->getLoc(), op);
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return lowerLinalg(b, linalgOp, isa);
    Value input = op->getOperand(0);
    auto lookup = dyn_cast<LookupOp>(op);
    Value output = lookup ? lookup.getOutput() : cast<memref::CopyOp>(op).getTarget();
    std::optional<LoopSpace> space = LoopSpace::elementwise({input}, output);
    if (!space)
      return op->emitOpError("needs memrefs with static strides");
    StructuredBody body = lookup ? lookupBody(lookup.getTable(), isa) : copyBody(getElementTypeOrSelf(input.getType()));
    emitStructuredKernel(b, *space, body, isa);
    op->erase();
    ++numVectorized;
    return success();
  }

  LogicalResult lowerLinalg(ImplicitLocOpBuilder &b, linalg::LinalgOp op, const Isa &isa) {
    if (std::optional<LoopSpace> space = spaceOf(op)) {
      emitStructuredKernel(b, *space, bodyOf(op), isa);
      ++numVectorized;
    } else {
      IRRewriter rewriter(b);
      if (failed(linalg::linalgOpToLoops(rewriter, op)))
        return op.emitOpError("cannot be lowered to loops");
      ++numScalar;
    }
    op.erase();
    return success();
  }
};

} // namespace
