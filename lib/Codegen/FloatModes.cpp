//===- FloatModes.cpp - rounding and denormals of a call -------------------===//
#include "FloatModes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::halftone;

/// SSE and AVX: all exceptions masked, rounding to nearest even, denormals kept. AArch64's default is 0.
static constexpr int32_t kDefaultMxcsr = 0x1F80;

Value FloatModes::pin(OpBuilder &builder, Location loc) const {
  if (architecture == Architecture::AArch64) {
    Type word = builder.getI64Type();
    Value saved =
        LLVM::CallIntrinsicOp::create(builder, loc, word, builder.getStringAttr("llvm.aarch64.get.fpcr"), ValueRange())
            .getResults();
    restore(builder, loc, LLVM::ConstantOp::create(builder, loc, word, 0));
    return saved;
  }
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), 1);
  Value saved = LLVM::AllocaOp::create(builder, loc, pointer, builder.getI32Type(), one);
  Value pinned = LLVM::AllocaOp::create(builder, loc, pointer, builder.getI32Type(), one);
  Value word = LLVM::ConstantOp::create(builder, loc, builder.getI32Type(), kDefaultMxcsr);
  LLVM::CallIntrinsicOp::create(builder, loc, builder.getStringAttr("llvm.x86.sse.stmxcsr"), ValueRange{saved});
  LLVM::StoreOp::create(builder, loc, word, pinned);
  restore(builder, loc, pinned);
  return saved;
}

void FloatModes::restore(OpBuilder &builder, Location loc, Value saved) const {
  StringRef name = architecture == Architecture::AArch64 ? "llvm.aarch64.set.fpcr" : "llvm.x86.sse.ldmxcsr";
  LLVM::CallIntrinsicOp::create(builder, loc, builder.getStringAttr(name), ValueRange{saved});
}
