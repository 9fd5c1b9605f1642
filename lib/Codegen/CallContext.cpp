//===- CallContext.cpp - what a call of `run` and its layers get -----------===//
#include "CallContext.h"
#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::halftone;

static LLVM::LLVMStructType contextType(MLIRContext *context) {
  auto pointer = LLVM::LLVMPointerType::get(context);
  return LLVM::LLVMStructType::getLiteral(context, {pointer, pointer, IntegerType::get(context, 64), pointer});
}

static Value contextField(OpBuilder &builder, Location loc, Value context, int32_t index) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  return LLVM::GEPOp::create(builder, loc, pointer, contextType(builder.getContext()), context,
                             ArrayRef<LLVM::GEPArg>{0, index});
}

CallState mlir::halftone::loadContext(OpBuilder &builder, Location loc, Value context) {
  auto types = contextType(builder.getContext()).getBody();
  auto load = [&](int32_t index) {
    return LLVM::LoadOp::create(builder, loc, types[index], contextField(builder, loc, context, index));
  };
  return {load(0), load(1), load(2), load(3)};
}

Value mlir::halftone::storeContext(OpBuilder &builder, Location loc, const CallState &state) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), 1);
  Value context = LLVM::AllocaOp::create(builder, loc, pointer, contextType(builder.getContext()), one);
  const Value fields[] = {state.inputs, state.outputs, state.batch, state.workspace};
  for (auto [i, value] : llvm::enumerate(fields))
    LLVM::StoreOp::create(builder, loc, value, contextField(builder, loc, context, i));
  return context;
}

Value mlir::halftone::pointerToMemref(OpBuilder &builder, Location loc, Value pointer, MemRefType type, Value leading) {
  LLVMTypeConverter converter(builder.getContext());
  auto descriptor = MemRefDescriptor::poison(builder, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(builder, loc, pointer);
  descriptor.setAlignedPtr(builder, loc, pointer);
  descriptor.setConstantOffset(builder, loc, 0);
  const SmallVector<int64_t> strides = *staticStrides(type);
  for (int64_t i = 0, rank = type.getRank(); i < rank; ++i) {
    descriptor.setConstantStride(builder, loc, i, strides[i]);
    if (type.isDynamicDim(i))
      descriptor.setSize(builder, loc, i, leading);
    else
      descriptor.setConstantSize(builder, loc, i, type.getDimSize(i));
  }
  return UnrealizedConversionCastOp::create(builder, loc, type, Value(descriptor)).getResult(0);
}

Value mlir::halftone::pointerSlot(OpBuilder &builder, Location loc, Value array, unsigned index) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  return LLVM::GEPOp::create(builder, loc, pointer, pointer, array, ArrayRef<LLVM::GEPArg>{int32_t(index)});
}

Value mlir::halftone::loadPointer(OpBuilder &builder, Location loc, Value array, unsigned index) {
  return LLVM::LoadOp::create(builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), pointerSlot(builder, loc, array, index));
}

Value mlir::halftone::memrefToPointer(OpBuilder &builder, Location loc, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  [[maybe_unused]] LogicalResult known = type.getStridesAndOffset(strides, offset);
  assert(succeeded(known) && !ShapedType::isDynamic(offset) && "views have constant offsets");
  LLVMTypeConverter converter(builder.getContext());
  Value structure = UnrealizedConversionCastOp::create(builder, loc, converter.convertType(type), memref).getResult(0);
  Value begin = MemRefDescriptor(structure).alignedPtr(builder, loc);
  Value bytes = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), offset * (storedBits(type.getElementType()) / 8));
  return LLVM::GEPOp::create(builder, loc, begin.getType(), builder.getI8Type(), begin, ArrayRef<LLVM::GEPArg>{bytes});
}
