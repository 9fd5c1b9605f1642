//===- ChannelSums.cpp - exact sums and extrema by channel ------------------===//
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

static Value number(OpBuilder &builder, Location loc, float x) {
  return arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(), APFloat(x));
}

/// The value; 0 for what would not fit into fixed point, and for NaN, whose comparisons are false.
static Value emitFinite(OpBuilder &builder, Location loc, Value value) {
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, value, number(builder, loc, 0x1p38f));
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, value, number(builder, loc, -0x1p38f));
  Value fits = arith::AndIOp::create(builder, loc, below, above);
  return arith::SelectOp::create(builder, loc, fits, value, number(builder, loc, 0.0f));
}

/// In steps of 2^-24.
static Value toFixedPoint(OpBuilder &builder, Location loc, Value finite) {
  Value scaled = arith::MulFOp::create(builder, loc, finite, number(builder, loc, 0x1p24f));
  return arith::FPToSIOp::create(builder, loc, builder.getI64Type(), scaled);
}

/// peaks[at] = max(peaks[at], bits of value), which are ordered as the values are that are not negative; others count as 0.
static void raise(OpBuilder &builder, Location loc, Value peaks, Value at, Value value) {
  Value bits = arith::BitcastOp::create(builder, loc, builder.getI32Type(), value);
  Value none = arith::ConstantIntOp::create(builder, loc, 0, 32);
  Value wide = arith::ExtUIOp::create(builder, loc, builder.getI64Type(), arith::MaxSIOp::create(builder, loc, bits, none));
  Value old = memref::LoadOp::create(builder, loc, peaks, at);
  Value highest = arith::MaxSIOp::create(builder, loc, old, wide);
  memref::StoreOp::create(builder, loc, highest, peaks, at);
}

void mlir::halftone::emitChannelSums(OpBuilder &builder, Location loc, Value tensor, Value sums, int64_t offset) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  const int64_t width = type.getShape().back();
  Value first = index(offset), last = index(offset + width), positions = index(1);
  Value highs = index(width + 1), lows = index(2 * width + 1);
  SmallVector<Value> lower(type.getRank(), index(0)), upper, steps(type.getRank(), index(1));
  for (int64_t i = 0; i < type.getRank(); ++i) {
    upper.push_back(type.isDynamicDim(i) ? Value(tensor::DimOp::create(builder, loc, tensor, i)) : index(type.getDimSize(i)));
    if (i + 1 < type.getRank())
      positions = arith::MulIOp::create(builder, loc, positions, upper.back());
  }
  scf::buildLoopNest(builder, loc, lower, upper, steps, [&](OpBuilder &body, Location where, ValueRange indices) {
    Value value = emitFinite(body, where, tensor::ExtractOp::create(body, where, tensor, indices));
    Value at = arith::AddIOp::create(body, where, first, indices.back());
    add(body, where, sums, at, toFixedPoint(body, where, value));
    raise(body, where, sums, arith::AddIOp::create(body, where, at, highs), value);
    raise(body, where, sums, arith::AddIOp::create(body, where, at, lows), arith::NegFOp::create(body, where, value));
  });
  add(builder, loc, sums, last, arith::IndexCastOp::create(builder, loc, builder.getI64Type(), positions));
}
