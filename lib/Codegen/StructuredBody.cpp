//===- StructuredBody.cpp - what structured kernels compute -----------------===//
#include "halftone/Codegen/StructuredKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <memory>

using namespace mlir;
using namespace mlir::halftone;

StructuredBody mlir::halftone::bodyOf(linalg::LinalgOp op) {
  StructuredBody body;
  Block *block = op.getBlock();
  for (OpOperand *input : op.getDpsInputOperands())
    body.usesInput.push_back(!op.getMatchingBlockArgument(input).use_empty());
  body.readsOutput = op.payloadUsesValueFromOperand(op.getDpsInitOperand(0));
  for (BlockArgument argument : block->getArguments())
    body.widestBits = std::max(body.widestBits, storedBits(argument.getType()));
  for (Operation &inner : block->without_terminator())
    body.widestBits = std::max(body.widestBits, storedBits(inner.getResult(0).getType()));
  body.operations = llvm::range_size(block->without_terminator());
  body.emit = [block](ImplicitLocOpBuilder &b, ArrayRef<Value> inputs, Value output, int64_t lanes) {
    SmallVector<Value> arguments(inputs);
    arguments.push_back(output);
    return emitBody(b, *block, arguments, lanes, block->getTerminator()->getOperands())[0];
  };
  return body;
}

StructuredBody mlir::halftone::copyBody(Type element) {
  StructuredBody body;
  body.usesInput = {true};
  body.widestBits = storedBits(element);
  body.emit = [](ImplicitLocOpBuilder &, ArrayRef<Value> inputs, Value, int64_t) { return inputs[0]; };
  return body;
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

static constexpr int64_t kQuarter = 64;

/// Both halves of the table are looked up by the low 7 bits, which are those of code + 128; the code's sign chooses.
static Value permuteBytes(ImplicitLocOpBuilder &b, ArrayRef<Value> quarters, Value codes, int64_t lanes) {
  auto type = VectorType::get({kQuarter}, b.getI8Type());
  if (lanes != kQuarter) {
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(type));
    codes = lanes == 1 ? Value(vector::InsertOp::create(b, codes, none, 0))
                       : Value(vector::InsertStridedSliceOp::create(b, codes, none, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1}));
  }
  auto half = [&](Value first, Value second) -> Value {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.vpermi2var.qi.512"),
                                         ValueRange{first, codes, second})
        .getResults();
  };
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  Value negative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, codes, zero);
  Value result = arith::SelectOp::create(b, negative, half(quarters[0], quarters[1]), half(quarters[2], quarters[3]));
  if (lanes == kQuarter)
    return result;
  if (lanes == 1)
    return vector::ExtractOp::create(b, result, 0);
  return vector::ExtractStridedSliceOp::create(b, result, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{lanes}, ArrayRef<int64_t>{1});
}

/// One load for each code.
static Value loadEntries(ImplicitLocOpBuilder &b, Value table, Value codes, int64_t lanes) {
  auto entryOf = [&](Value code) -> Value {
    Value index = arith::IndexCastOp::create(b, b.getIndexType(), code);
    return memref::LoadOp::create(b, table, add(b, index, 128));
  };
  if (lanes == 1)
    return entryOf(codes);
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(codes.getType()));
  for (int64_t lane = 0; lane < lanes; ++lane)
    result = vector::InsertOp::create(b, entryOf(vector::ExtractOp::create(b, codes, lane)), result, lane);
  return result;
}

StructuredBody mlir::halftone::lookupBody(Value table, const Isa &isa) {
  StructuredBody body;
  body.usesInput = {true};
  if (!isa.permutesBytes) {
    body.widestBits = 64; // scalar indices: few lanes at a time
    body.operations = kQuarter;
    body.emit = [table](ImplicitLocOpBuilder &b, ArrayRef<Value> inputs, Value, int64_t lanes) {
      return loadEntries(b, table, inputs[0], lanes);
    };
    return body;
  }
  body.operations = 6;
  auto quarters = std::make_shared<SmallVector<Value>>();
  body.begin = [quarters, table](ImplicitLocOpBuilder &b) {
    quarters->clear();
    for (int64_t quarter = 0; quarter < 4; ++quarter)
      quarters->push_back(vector::LoadOp::create(b, VectorType::get({kQuarter}, b.getI8Type()), table,
                                                 indexConstant(b, quarter * kQuarter)));
  };
  body.emit = [quarters](ImplicitLocOpBuilder &b, ArrayRef<Value> inputs, Value, int64_t lanes) {
    return permuteBytes(b, *quarters, inputs[0], lanes);
  };
  return body;
}
