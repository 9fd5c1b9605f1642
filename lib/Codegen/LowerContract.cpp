//===- LowerContract.cpp - kernels for the contractions ---------------------===//
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERCONTRACT
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct LowerContract : halftone::impl::LowerContractBase<LowerContract> {
  using LowerContractBase::LowerContractBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    FailureOr<CostTable> table = CostTable::of(getOperation(), *isa);
    if (failed(table))
      return signalPassFailure();
    costs = std::move(*table);
    SmallVector<ContractOp> contractions;
    getOperation().walk([&](ContractOp op) { contractions.push_back(op); });
    for (ContractOp op : contractions) {
      if (failed(lower(op, *isa)))
        return signalPassFailure();
      ++numKernels;
    }
  }

private:
  CostTable costs;

  LogicalResult lower(ContractOp op, const Isa &isa) {
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      if (!type || !staticStrides(type))
        return op.emitOpError("needs memrefs with static strides, got ") << operand.getType();
    }
    if (!canVectorize(op.getEpilogue().front()))
      return op.emitOpError("needs an epilogue of elementwise operations");
    if (needsCopy(op))
      copyInput(op);
    if (failed(emitKernel(op, isa)))
      return failure();
    op.erase();
    return success();
  }

  /// What lies apart is copied together first.
  static void copyInput(ContractOp op) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    auto type = cast<MemRefType>(op.getInput().getType());
    SmallVector<Value> extents;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        extents.push_back(memref::DimOp::create(b, op.getInput(), dim));
    auto dense = MemRefType::get(type.getShape(), type.getElementType());
    Value copy = memref::AllocOp::create(b, dense, extents);
    linalg::CopyOp::create(b, op.getInput(), copy);
    op.getInputMutable().assign(copy);
  }

  LogicalResult emitKernel(ContractOp op, const Isa &isa) const {
    if (DepthwiseLayout::isDepthwise(op)) {
      FailureOr<DepthwiseLayout> layout = DepthwiseLayout::fromAttribute(op);
      if (failed(layout))
        return op.emitOpError("needs packed weights; run halftone-pack-weights first");
      emitDepthwiseKernel(op, *layout, isa);
      return success();
    }
    if (std::optional<SparseLayout> layout = SparseLayout::fromAttribute(op)) {
      emitSparseKernel(op, *layout, isa);
      return success();
    }
    if (std::optional<WinogradLayout> layout = WinogradLayout::fromAttribute(op)) {
      emitWinogradKernel(op, *layout, isa);
      return success();
    }
    FailureOr<PackedLayout> layout = PackedLayout::fromAttribute(op);
    if (failed(layout))
      return op.emitOpError("needs packed weights; run halftone-pack-weights first");
    if (layout->kernel->dot == DotKind::Tile) {
      if (!layout->tapsFollow(op)) // as tiles take them
        copyInput(op);
      emitAmxKernel(op, *layout, isa, costs);
    } else {
      emitContractKernel(op, *layout, isa, costs);
    }
    return success();
  }
};

} // namespace
