//===- VerifyCodegen.cpp - the contract of the codegen stage ----------------===//
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinDialect.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYCODEGEN
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static LogicalResult verifyDialect(Operation *op) {
  if (isa_and_nonnull<affine::AffineDialect, amx::AMXDialect, arith::ArithDialect, BuiltinDialect, cf::ControlFlowDialect,
                      func::FuncDialect, LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                      ub::UBDialect, vector::VectorDialect>(op->getDialect()))
    return success();
  return op->emitOpError("is not of a dialect that is alive after the codegen stage");
}

static LogicalResult verifyMemory(Operation *op) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  if (llvm::any_of(op->getResultTypes(), isTensor) || llvm::any_of(op->getOperandTypes(), isTensor))
    return op->emitOpError("computes a tensor behind bufferization");
  if (isa<memref::AllocOp, memref::DeallocOp, memref::ReallocOp, memref::CopyOp>(op))
    return op->emitOpError("is a call into a library that an artefact does not have");
  return success();
}

/// Functions are called by `run`, once a layer; a loop that calls is not a kernel.
static LogicalResult verifyCalls(Operation *op) {
  bool inLoop = op->getParentOfType<scf::ForOp>() || op->getParentOfType<scf::WhileOp>();
  if (isa<scf::ForallOp, scf::ParallelOp>(op))
    return op->emitOpError("is a parallel loop that was not outlined");
  if (inLoop && isa<func::CallOp, func::CallIndirectOp, LLVM::CallOp>(op))
    return op->emitOpError("is a call inside of a loop");
  return success();
}

/// Rounding is written out: the order of a float reduction and the fusion of a product with a sum are not LLVM's choice.
static LogicalResult verifyFloats(Operation *op) {
  bool isFloat = op->getNumResults() == 1 && isa<FloatType>(getElementTypeOrSelf(op->getResult(0).getType()));
  if (isa<vector::FMAOp>(op))
    return op->emitOpError("may be rounded once or twice; math.fma is always rounded once");
  if (isFloat && isa<vector::ContractionOp, vector::MultiDimReductionOp, vector::ReductionOp>(op))
    return op->emitOpError("sums floats in an order that is not written out");
  return success();
}

namespace {

struct VerifyCodegen : halftone::impl::VerifyCodegenBase<VerifyCodegen> {
  void runOnOperation() override {
    if (!getOperation().lookupSymbol<func::FuncOp>(kRunName)) {
      getOperation().emitError("has no entry function @") << kRunName;
      return signalPassFailure();
    }
    bool failedAny = false;
    getOperation()->walk([&](Operation *op) {
      failedAny |= failed(verifyDialect(op)) || failed(verifyMemory(op)) || failed(verifyCalls(op)) ||
                   failed(verifyFloats(op));
    });
    if (failedAny)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
