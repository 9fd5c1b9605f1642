//===- SmallFloats.cpp - numbers of 4 and 8 bits with an exponent ------------===//
//
// ONNX's FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ and FLOAT4E2M1 store tensors; what computes is f32, which has all of their numbers.
// Initializers are decoded. What a run casts to 8 bits is rounded to a number of the type and stays f32: with m bits behind the leading one and the least
// exponent e of normal numbers, x is a multiple of step = 2^(max(floor(log2 |x|), e) - m), a power of two, so that roundeven(x / step) * step is exact.
//
//===----------------------------------------------------------------------===//
#include "SmallFloats.h"
#include "Broadcast.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;
using llvm::APFloat;

bool importer::isSmallFloat(Type element) { return isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 8; }

static const llvm::fltSemantics &semanticsOf(Type element) { return cast<FloatType>(element).getFloatSemantics(); }

/// The greatest number of the type.
static float greatestOf(Type element) { return APFloat::getLargest(semanticsOf(element)).convertToDouble(); }

std::vector<float> importer::decodeSmallFloats(Type element, const std::string &codes) {
  const unsigned bits = element.getIntOrFloatBitWidth();
  std::vector<float> table, numbers;
  for (unsigned code = 0; code < 1u << bits; ++code)
    table.push_back(APFloat(semanticsOf(element), llvm::APInt(bits, code)).convertToDouble());
  for (char code : codes)
    numbers.push_back(table[static_cast<uint8_t>(code) & (table.size() - 1)]);
  return numbers;
}

std::string importer::encodeSmallFloats(Type element, ArrayRef<double> numbers, bool saturates) {
  const float greatest = greatestOf(element);
  std::string codes;
  for (double number : numbers) {
    if (saturates && std::abs(number) > greatest)
      number = std::copysign(greatest, number);
    APFloat value(static_cast<float>(number));
    bool losesInfo;
    value.convert(semanticsOf(element), APFloat::rmNearestTiesToEven, &losesInfo);
    codes.push_back(static_cast<char>(value.bitcastToAPInt().getZExtValue()));
  }
  return codes;
}

HostTensor importer::widenSmallFloats(const HostTensor &codes) {
  HostTensor wide = HostTensor::fromNumbers(Float32Type::get(codes.element.getContext()), codes.shape, codes.numbers());
  wide.name = codes.name;
  return wide;
}

Tensor importer::asFloats(const Tensor &tensor) {
  if (!isSmallFloat(tensor.element))
    return tensor;
  if (tensor.constant)
    return toTensor(widenSmallFloats(*tensor.constant));
  return toTensor(tensor.value);
}

Value importer::emitSmallFloat(OpBuilder &builder, Location loc, Type element, Value x, bool saturates) {
  ImplicitLocOpBuilder b(loc, builder);
  using arith::CmpFPredicate;
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  auto number = [&](double value) { return scalarConstant(b, loc, f32, value); };
  const llvm::fltSemantics &semantics = semanticsOf(element);
  const int fraction = APFloat::semanticsPrecision(semantics) - 1, exponent = APFloat::semanticsMinExponent(semantics);
  Value greatest = number(greatestOf(element)), least = number(-greatestOf(element));
  if (saturates) { // NaN compares false and stays
    x = arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OGT, x, greatest), greatest, x);
    x = arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OLT, x, least), least, x);
  }
  Value exponentBits = arith::AndIOp::create(b, arith::BitcastOp::create(b, i32, x), scalarConstant(b, loc, i32, 0x7f800000));
  Value power = arith::MaximumFOp::create(b, arith::BitcastOp::create(b, f32, exponentBits), number(std::ldexp(1.0, exponent)));
  Value step = arith::MulFOp::create(b, power, number(std::ldexp(1.0, -fraction)));
  Value rounded = arith::MulFOp::create(b, math::RoundEvenOp::create(b, arith::DivFOp::create(b, x, step)), step);
  if (!saturates) { // infinity divided by its step is NaN, which is no number of the type either
    const bool hasInfinity = APFloat::semanticsHasInf(semantics);
    Value beyond = number(hasInfinity ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN());
    beyond = arith::MulFOp::create(b, x, beyond);
    Value isWithin = arith::CmpFOp::create(b, CmpFPredicate::OLE, math::AbsFOp::create(b, rounded), greatest);
    rounded = arith::SelectOp::create(b, isWithin, rounded, beyond);
  }
  if (APFloat(semantics, llvm::APInt(8, 0x80)).isNaN()) // no -0
    rounded = arith::AddFOp::create(b, rounded, number(0));
  return rounded;
}

bool importer::takesSmallFloats(StringRef type) {
  static constexpr StringLiteral kTypes[] = {"Cast",           "CastLike", "Concat", "Constant", "DequantizeLinear", "Flatten", "Gather",    "Identity",
                                             "QuantizeLinear", "Reshape",  "Shape",  "Size",     "Slice",            "Split",   "Squeeze",   "Transpose",
                                             "Unsqueeze"};
  return llvm::is_contained(kTypes, type);
}
