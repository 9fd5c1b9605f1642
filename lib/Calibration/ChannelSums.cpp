//===- ChannelSums.cpp - exact sums and extrema by channel, ranges by row ----===//
#include "ChannelSums.h"
#include "halftone/Calibration/Statistics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

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

/// The larger one; `largest` where `value` is NaN.
static Value emitLarger(OpBuilder &builder, Location loc, Value value, Value largest) {
  Value isLarger = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, value, largest);
  return arith::SelectOp::create(builder, loc, isLarger, value, largest);
}

void mlir::halftone::emitChannelSums(OpBuilder &builder, Location loc, Value tensor, Value sums, int64_t offset) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  const int64_t width = type.getShape().back();
  Value first = index(offset), last = index(offset + width), positions = index(1);
  Value highs = index(width + 1), lows = index(2 * width + 1), ranges = index(offset + 3 * width + 1);
  Value one = arith::ConstantIntOp::create(builder, loc, 1, 64), none = number(builder, loc, 0.0f);
  SmallVector<Value> lower(type.getRank(), index(0)), upper, steps(type.getRank(), index(1));
  for (int64_t i = 0; i < type.getRank(); ++i) {
    upper.push_back(type.isDynamicDim(i) ? Value(tensor::DimOp::create(builder, loc, tensor, i)) : index(type.getDimSize(i)));
    if (i + 1 < type.getRank())
      positions = arith::MulIOp::create(builder, loc, positions, upper.back());
  }
  // What a row's elements add, and the largest of them and of their negatives.
  auto observe = [&](OpBuilder &body, Location where, ValueRange indices, ValueRange largest) -> scf::ValueVector {
    Value element = tensor::ExtractOp::create(body, where, tensor, indices), value = emitFinite(body, where, element);
    Value negated = arith::NegFOp::create(body, where, value);
    Value at = arith::AddIOp::create(body, where, first, indices.back());
    add(body, where, sums, at, toFixedPoint(body, where, value));
    raise(body, where, sums, arith::AddIOp::create(body, where, at, highs), value);
    raise(body, where, sums, arith::AddIOp::create(body, where, at, lows), negated);
    return {emitLarger(body, where, value, largest[0]), emitLarger(body, where, negated, largest[1])};
  };
  auto inner = [&](ArrayRef<Value> values) { return ValueRange(values.drop_front()); };
  scf::buildLoopNest(builder, loc, lower.front(), upper.front(), steps.front(), [&](OpBuilder &row, Location where, ValueRange outer) {
    scf::LoopNest nest = scf::buildLoopNest(row, where, inner(lower), inner(upper), inner(steps), {none, none},
                                            [&](OpBuilder &body, Location nested, ValueRange others, ValueRange largest) {
                                              SmallVector<Value> indices(outer);
                                              llvm::append_range(indices, others);
                                              return observe(body, nested, indices, largest);
                                            });
    Value range = arith::AddFOp::create(row, where, nest.results[0], nest.results[1]);
    Value bits = arith::BitcastOp::create(row, where, row.getI32Type(), range);
    Value prefix = arith::ShRUIOp::create(row, where, bits, arith::ConstantIntOp::create(row, where, kRangeShift, 32));
    Value at = arith::IndexCastOp::create(row, where, row.getIndexType(), prefix);
    add(row, where, sums, arith::AddIOp::create(row, where, ranges, at), one);
  });
  add(builder, loc, sums, last, arith::IndexCastOp::create(builder, loc, builder.getI64Type(), positions));
}
