//===- Requantization.cpp - from accumulators and codes to codes
//------------===//
#include "Requantization.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

std::optional<CodeFormat> CodeFormat::get(Type type) {
  auto uniform =
      dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(type));
  if (!uniform)
    return std::nullopt;
  return CodeFormat{static_cast<float>(uniform.getScale()),
                    static_cast<int32_t>(uniform.getZeroPoint()),
                    static_cast<int32_t>(uniform.getStorageTypeMin()),
                    static_cast<int32_t>(uniform.getStorageTypeMax())};
}

int32_t CodeFormat::logicalValue(float real) const {
  float quotient = real / scale, smallest = low - zero, largest = high - zero;
  float above = quotient > smallest ? quotient : smallest;
  return static_cast<int32_t>(
      std::nearbyint(above < largest ? above : largest));
}

void Bounds::applyMaximum(float real) {
  int32_t bound = format.logicalValue(real);
  low = std::max(low, bound);
  high = std::max(high, bound);
}

void Bounds::applyMinimum(float real) {
  int32_t bound = format.logicalValue(real);
  low = std::min(low, bound);
  high = std::min(high, bound);
}

Value mlir::halftone::emitFloat(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(value));
}

Value mlir::halftone::emitInteger(OpBuilder &builder, Location loc,
                                  int32_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getI32IntegerAttr(value));
}

Value mlir::halftone::emitLogical(OpBuilder &builder, Location loc, Value code,
                                  int32_t zero) {
  Value wide = arith::ExtSIOp::create(builder, loc, builder.getI32Type(), code);
  return arith::SubIOp::create(builder, loc, wide,
                               emitInteger(builder, loc, zero));
}

Value mlir::halftone::emitReal(OpBuilder &builder, Location loc, Value code,
                               const CodeFormat &format) {
  Value logical = emitLogical(builder, loc, code, format.zero);
  Value real =
      arith::SIToFPOp::create(builder, loc, builder.getF32Type(), logical);
  return arith::MulFOp::create(builder, loc, real,
                               emitFloat(builder, loc, format.scale));
}

Value mlir::halftone::emitClamp(OpBuilder &builder, Location loc, Value y,
                                Value low, Value high) {
  Value isAbove =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, y, low);
  Value above = arith::SelectOp::create(builder, loc, isAbove, y, low);
  Value isBelow = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT,
                                        above, high);
  return arith::SelectOp::create(builder, loc, isBelow, above, high);
}

Value mlir::halftone::emitCode(OpBuilder &builder, Location loc, Value y,
                               const Bounds &bounds, int32_t zero) {
  Value low = emitFloat(builder, loc, bounds.getLow()),
        high = emitFloat(builder, loc, bounds.getHigh());
  Value clamped = emitClamp(builder, loc, y, low, high);
  Value rounded = math::RoundEvenOp::create(builder, loc, clamped);
  Value logical =
      arith::FPToSIOp::create(builder, loc, builder.getI32Type(), rounded);
  Value code = arith::AddIOp::create(builder, loc, logical,
                                     emitInteger(builder, loc, zero));
  return arith::TruncIOp::create(builder, loc, builder.getI8Type(), code);
}

Value mlir::halftone::emitQuantized(OpBuilder &builder, Location loc,
                                    Value real, const CodeFormat &format) {
  Value quotient = arith::DivFOp::create(builder, loc, real,
                                         emitFloat(builder, loc, format.scale));
  return emitCode(builder, loc, quotient, Bounds(format), format.zero);
}
