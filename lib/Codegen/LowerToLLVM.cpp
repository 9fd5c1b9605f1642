//===- LowerToLLVM.cpp - everything to the LLVM dialect ---------------------===//
//
// One full conversion, so that no cast between half-converted dialects is left behind.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/Threading.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERTOLLVM
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Functions of the math dialect that are a few instructions on every target; all others are calls into libm.
static bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp,
             math::IsNaNOp, math::IsNormalOp, math::RoundEvenOp, math::SqrtOp, math::TruncOp>(op);
}

static LogicalResult verifyNoLibraryCall(ModuleOp module) {
  bool failed = false;
  module.walk([&](Operation *op) {
    if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) || isInstruction(op))
      return;
    op->emitOpError("would become a call into a library that an artefact does not have; run halftone-expand-math "
                    "before");
    failed = true;
  });
  return failure(failed);
}

/// What has to be simpler before the conversion: divisions with rounding, and vector operations of high rank.
static LogicalResult simplify(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  vector::populateVectorToVectorCanonicalizationPatterns(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorStepLoweringPatterns(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
  vector::populateVectorTransposeLoweringPatterns(patterns, vector::VectorTransposeLowering::EltWise);
  vector::populateVectorTransferLoweringPatterns(patterns, /*maxTransferRank=*/1);
  // Unreachable blocks, if any, are LLVM's to remove; functions are independent of each other.
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  FrozenRewritePatternSet frozen(std::move(patterns));
  return failableParallelForEach(module.getContext(), llvm::to_vector(module.getOps<func::FuncOp>()), [&](func::FuncOp function) {
    return applyToEnd(function, frozen, config);
  });
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

// In memory each element of one bit has a byte of 0 or 1, as scalars load and store it, whereas LLVM's vectors of them have one bit for each.

namespace {

/// A load of bytes, and which of them are not 0.
struct LoadMask : ConvertOpToLLVMPattern<vector::LoadOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(vector::LoadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!op.getVectorType().getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "not of bits");
    Location loc = op.getLoc();
    Type bytes = op.getVectorType().clone(rewriter.getI8Type());
    Value address = getStridedElementPtr(rewriter, loc, op.getMemRefType(), adaptor.getBase(), adaptor.getIndices());
    Value loaded = LLVM::LoadOp::create(rewriter, loc, bytes, address, /*alignment=*/1);
    Value zero = LLVM::ConstantOp::create(rewriter, loc, bytes, rewriter.getZeroAttr(bytes));
    rewriter.replaceOpWithNewOp<LLVM::ICmpOp>(op, LLVM::ICmpPredicate::ne, loaded, zero);
    return success();
  }
};

struct StoreMask : ConvertOpToLLVMPattern<vector::StoreOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(vector::StoreOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!op.getVectorType().getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "not of bits");
    Value address = getStridedElementPtr(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getBase(), adaptor.getIndices());
    Value bytes = LLVM::ZExtOp::create(rewriter, op.getLoc(), op.getVectorType().clone(rewriter.getI8Type()), adaptor.getValueToStore());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, bytes, address, /*alignment=*/1);
    return success();
  }
};

struct LowerToLLVM : halftone::impl::LowerToLLVMBase<LowerToLLVM> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyNoLibraryCall(module)) || failed(simplify(module)))
      return signalPassFailure();

    MLIRContext *context = &getContext();
    LLVMTypeConverter converter(context, LowerToLLVMOptions(context));
    RewritePatternSet patterns(context);
    populateAMXLegalizeForLLVMExportPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/false);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    patterns.add<LoadMask, StoreMask>(converter, /*benefit=*/2);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);

    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    configureAMXLegalizeForExportTarget(target);
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
