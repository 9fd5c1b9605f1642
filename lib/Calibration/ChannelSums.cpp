//===- ChannelSums.cpp - exact sums by channel ------------------------------===//
#include "ChannelSums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

/// sums[at] += more.
static void add(OpBuilder &builder, Location loc, Value sums, Value at, Value more) {
  Value old = memref::LoadOp::create(builder, loc, sums, at);
  Value sum = arith::AddIOp::create(builder, loc, old, more);
  memref::StoreOp::create(builder, loc, sum, sums, at);
}

/// The value in steps of 2^-24; 0 for what would not fit, and for NaN, whose comparisons are false.
static Value toFixedPoint(OpBuilder &builder, Location loc, Value value) {
  auto number = [&](float x) -> Value {
    return arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(), APFloat(x));
  };
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, value, number(0x1p38f));
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, value, number(-0x1p38f));
  Value fits = arith::AndIOp::create(builder, loc, below, above);
  Value finite = arith::SelectOp::create(builder, loc, fits, value, number(0.0f));
  Value scaled = arith::MulFOp::create(builder, loc, finite, number(0x1p24f));
  return arith::FPToSIOp::create(builder, loc, builder.getI64Type(), scaled);
}

void mlir::halftone::emitChannelSums(OpBuilder &builder, Location loc, Value tensor, Value sums, int64_t offset) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  Value first = index(offset), last = index(offset + type.getShape().back()), positions = index(1);
  SmallVector<Value> lower(type.getRank(), index(0)), upper, steps(type.getRank(), index(1));
  for (int64_t i = 0; i < type.getRank(); ++i) {
    upper.push_back(type.isDynamicDim(i) ? Value(tensor::DimOp::create(builder, loc, tensor, i)) : index(type.getDimSize(i)));
    if (i + 1 < type.getRank())
      positions = arith::MulIOp::create(builder, loc, positions, upper.back());
  }
  scf::buildLoopNest(builder, loc, lower, upper, steps, [&](OpBuilder &body, Location where, ValueRange indices) {
    Value value = tensor::ExtractOp::create(body, where, tensor, indices);
    Value at = arith::AddIOp::create(body, where, first, indices.back());
    add(body, where, sums, at, toFixedPoint(body, where, value));
  });
  add(builder, loc, sums, last, arith::IndexCastOp::create(builder, loc, builder.getI64Type(), positions));
}
