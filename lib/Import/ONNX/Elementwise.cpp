//===- Elementwise.cpp - ONNX's elementwise operators -----------------------===//
//
// Arithmetic becomes linalg.generic; activations that have a name become composites.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Operators.h"
#include "SmallFloats.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static bool isComputable(Type element) {
  bool onlyCodes = element.isInteger(4) || element.isInteger(16);
  return element.isF32() || (isa<IntegerType>(element) && !onlyCodes);
}

static LogicalResult requireComputable(Node &node, const Tensor &tensor) {
  if (isComputable(tensor.element))
    return success();
  return node.unsupported("element type " + llvm::formatv("{0}", tensor.element));
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <typename FloatOp, typename SignedOp, typename UnsignedOp>
static Value emit(OpBuilder &b, Location l, Type element, Value x, Value y) {
  if (isa<FloatType>(element))
    return FloatOp::create(b, l, x, y);
  if (element.isUnsignedInteger())
    return UnsignedOp::create(b, l, x, y);
  return SignedOp::create(b, l, x, y);
}

static Value emitBinary(StringRef type, OpBuilder &b, Location l, Type element, Value x, Value y) {
  using namespace arith;
  if (type == "Add" || type == "Sum" || type == "Mean")
    return emit<AddFOp, AddIOp, AddIOp>(b, l, element, x, y);
  if (type == "Sub")
    return emit<SubFOp, SubIOp, SubIOp>(b, l, element, x, y);
  if (type == "Mul")
    return emit<MulFOp, MulIOp, MulIOp>(b, l, element, x, y);
  if (type == "Div")
    return emit<DivFOp, DivSIOp, DivUIOp>(b, l, element, x, y);
  if (type == "Min")
    return emit<MinimumFOp, MinSIOp, MinUIOp>(b, l, element, x, y);
  return emit<MaximumFOp, MaxSIOp, MaxUIOp>(b, l, element, x, y);
}

/// Whether `activation` is a composite of that name with `x` as its operand.
static CompositeOp matchActivation(const Tensor &activation, const Tensor &x, StringRef name) {
  auto composite = activation.value ? activation.value.getDefiningOp<CompositeOp>() : CompositeOp();
  if (composite && x.value && composite.getName() == name && composite.getInputs()[0] == x.value)
    return composite;
  return {};
}

/// `x sigmoid(x)` and `x hard_sigmoid(x)` (with 1/6 and 1/2), in either order, are silu and hard_swish.
static Value matchGatedActivation(Node &node) {
  for (unsigned i = 0; i < 2; ++i) {
    const Tensor &x = node.input(i), &gate = node.input(1 - i);
    if (matchActivation(gate, x, "sigmoid"))
      return buildUnary(node.builder, node.loc, "silu", x.value);
    CompositeOp hard = matchActivation(gate, x, "hard_sigmoid");
    if (!hard)
      continue;
    auto alpha = hard.getParameters().getAs<FloatAttr>("alpha"), beta = hard.getParameters().getAs<FloatAttr>("beta");
    if (alpha.getValueAsDouble() == 1.0f / 6 && beta.getValueAsDouble() == 0.5)
      return buildUnary(node.builder, node.loc, "hard_swish", x.value);
  }
  return {};
}

/// The reciprocals of constant f32 divisors, each a normal number whose reciprocal is one: a product takes a fraction of a division's time and
/// differs from it by one rounding.
static std::optional<Tensor> reciprocal(const Tensor &divisor) {
  if (!divisor.constant || !divisor.element.isF32())
    return std::nullopt;
  std::vector<double> values = divisor.constant->numbers();
  for (double &value : values) {
    value = static_cast<float>(1 / value);
    if (!std::isnormal(value) || std::abs(value) < std::numeric_limits<float>::min() || std::isinf(static_cast<float>(value)))
      return std::nullopt;
  }
  return toTensor(HostTensor::fromNumbers(divisor.element, divisor.shape, values));
}

LogicalResult onnx_operators::buildArithmetic(Node &node) {
  Tensor result = node.input(0);
  if (failed(requireComputable(node, result)))
    return failure();
  if (node.type() == "Mean" && !result.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", result.element));
  if (node.type() == "Mul")
    if (Value gated = matchGatedActivation(node)) {
      node.setResult(gated);
      return success();
    }
  for (unsigned i = 1; i < node.numInputs(); ++i) {
    Tensor next = node.input(i);
    if (next.element != result.element)
      return node.unsupported("inputs have different element types");
    StringRef type = node.type();
    if (std::optional<Tensor> factor = type == "Div" ? reciprocal(next) : std::nullopt) {
      next = *factor;
      type = "Mul";
    }
    Value value = buildBroadcast(node, {result, next}, result.element, [&](OpBuilder &b, Location l, ValueRange e) {
      return emitBinary(type, b, l, result.element, e[0], e[1]);
    });
    if (!value)
      return failure();
    Type element = result.element; // ui8 is none of the value's
    result = toTensor(value);
    result.element = element;
  }
  if (node.type() == "Mean")
    result.value = buildBroadcast(node, result, result.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
      return arith::DivFOp::create(b, l, e[0], scalarConstant(b, l, result.element, node.numInputs()));
    });
  node.setResult(result);
  return success();
}

static Value emitIntegerCast(OpBuilder &b, Location l, Type from, Type to, Value x) {
  if (to.isInteger(1)) {
    Value zero = scalarConstant(b, l, from, 0);
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, x, zero);
  }
  unsigned fromBits = from.getIntOrFloatBitWidth(), toBits = to.getIntOrFloatBitWidth();
  if (toBits < fromBits)
    return arith::TruncIOp::create(b, l, storageType(to), x);
  if (toBits == fromBits)
    return x;
  if (from.isUnsignedInteger() || from.isInteger(1))
    return arith::ExtUIOp::create(b, l, storageType(to), x);
  return arith::ExtSIOp::create(b, l, storageType(to), x);
}

static Value emitCast(OpBuilder &b, Location l, Type from, Type to, Value x) {
  Type type = storageType(to);
  bool isUnsigned = from.isUnsignedInteger() || from.isInteger(1);
  if (isa<IntegerType>(from) && isa<IntegerType>(to))
    return emitIntegerCast(b, l, from, to, x);
  if (isa<IntegerType>(from))
    return isUnsigned ? arith::UIToFPOp::create(b, l, type, x).getResult()
                      : arith::SIToFPOp::create(b, l, type, x).getResult();
  if (to.isInteger(1))
    return arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNE, x, scalarConstant(b, l, from, 0));
  if (to.isUnsignedInteger())
    return arith::FPToUIOp::create(b, l, type, x);
  return arith::FPToSIOp::create(b, l, type, x);
}

/// The same bits in another type of as many.
LogicalResult onnx_operators::buildBitCast(Node &node) {
  Tensor x = node.input(0);
  const int64_t wanted = node.getInt("to", 0);
  Type to = elementType(node.builder.getContext(), wanted);
  auto isRead = [](Type element) { return element.isF32() || element.isInteger(8) || element.isInteger(32) || element.isInteger(64); };
  if (!to || !isRead(to) || !isRead(x.element) || to.getIntOrFloatBitWidth() != x.element.getIntOrFloatBitWidth())
    return node.unsupported("bits of " + llvm::formatv("{0}", x.element).str() + " as those of ONNX's element type " + std::to_string(wanted));
  Value value = node.operand(0);
  if (to.isF32() != x.element.isF32())
    value = buildBroadcast(node, x, to, [&](OpBuilder &b, Location l, ValueRange e) -> Value { return arith::BitcastOp::create(b, l, to, e[0]); });
  node.setResult(value, to); // integers of either sign are stored alike
  return success();
}

/// C's fmod, which is exact. A round subtracts as many divisors as a quotient of 24 bits says: what is left is exact, and 2^23 times smaller or within one
/// divisor of the remainder, on either side. No quotient overflows, since divisors of 2^150 and 2^75 times the size, of which the remainder is one of
/// theirs, come first; what quotients are left, up to 2^127 and 2^75, and one round to be within [0, divisor) make 7 and 5 rounds.
static Value emitRemainder(OpBuilder &builder, Location loc, Value x, Value y) {
  constexpr std::pair<int, int> kStages[] = {{2, 7}, {1, 5}, {0, 5}}; // factors of 2^75, rounds
  ImplicitLocOpBuilder b(loc, builder);
  using arith::CmpFPredicate;
  Value zero = scalarConstant(b, loc, b.getF32Type(), 0), infinity = scalarConstant(b, loc, b.getF32Type(), std::numeric_limits<double>::infinity());
  Value rest = math::AbsFOp::create(b, x), size = math::AbsFOp::create(b, y);
  for (auto [factors, rounds] : kStages) {
    Value divisor = size;
    for (int i = 0; i < factors; ++i)
      divisor = arith::MulFOp::create(b, divisor, scalarConstant(b, loc, b.getF32Type(), std::ldexp(1.0, 75)));
    for (int round = 0; round < rounds; ++round) {
      Value quotient = math::FloorOp::create(b, arith::DivFOp::create(b, rest, divisor));
      Value next = math::FmaOp::create(b, arith::NegFOp::create(b, quotient), divisor, rest);
      Value isLess = arith::CmpFOp::create(b, CmpFPredicate::OLT, rest, zero), isMore = arith::CmpFOp::create(b, CmpFPredicate::OGE, rest, divisor);
      rest = arith::SelectOp::create(b, arith::OrIOp::create(b, isLess, isMore), next, rest); // of a divisor beyond the numbers nothing
    }
  }
  Value negative = arith::NegFOp::create(b, rest);
  rest = arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OEQ, x, zero), x, rest); // of either sign
  rest = arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OLT, x, zero), negative, rest);
  // NaN for an infinite dividend and a divisor of 0 or NaN.
  Value isFinite = arith::CmpFOp::create(b, CmpFPredicate::OLT, math::AbsFOp::create(b, x), infinity);
  Value hasDivisor = arith::CmpFOp::create(b, CmpFPredicate::OGT, size, zero);
  Value nan = scalarConstant(b, loc, b.getF32Type(), std::numeric_limits<double>::quiet_NaN());
  return arith::SelectOp::create(b, arith::AndIOp::create(b, isFinite, hasDivisor), rest, nan);
}

/// The remainder with the divisor's sign, or (fmod) the dividend's.
LogicalResult onnx_operators::buildMod(Node &node) {
  Tensor x = node.input(0), divisor = node.input(1);
  const bool ofDividend = node.getInt("fmod", 0);
  const bool isUnsigned = x.element.isUnsignedInteger();
  if (ofDividend && x.element.isF32() && divisor.element.isF32())
    return setBroadcast(node, {x, divisor}, x.element, [](OpBuilder &b, Location l, ValueRange e) { return emitRemainder(b, l, e[0], e[1]); });
  if (!(x.element.isInteger(8) || x.element.isInteger(32) || x.element.isInteger(64)) || divisor.element != x.element)
    return node.unsupported("element types " + llvm::formatv("{0} and {1}", x.element, divisor.element).str());
  return setBroadcast(node, {x, divisor}, x.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    if (isUnsigned) { // bytes: of 32 bits they are not negative
      Value wide = arith::RemSIOp::create(b, l, arith::ExtUIOp::create(b, l, b.getI32Type(), e[0]), arith::ExtUIOp::create(b, l, b.getI32Type(), e[1]));
      return arith::TruncIOp::create(b, l, b.getI8Type(), wide);
    }
    Value rest = arith::RemSIOp::create(b, l, e[0], e[1]), zero = scalarConstant(b, l, x.element, 0);
    if (ofDividend)
      return rest;
    auto isNegative = [&](Value value) { return arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, value, zero); };
    Value differ = arith::XOrIOp::create(b, l, isNegative(rest), isNegative(e[1]));
    Value left = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, rest, zero);
    Value moved = arith::AddIOp::create(b, l, rest, e[1]);
    return arith::SelectOp::create(b, l, arith::AndIOp::create(b, l, differ, left), moved, rest);
  });
}

/// x^p; the constant exponents 1/2, 1, 2 and 3 need no power function.
LogicalResult onnx_operators::buildPow(Node &node) {
  Tensor x = node.input(0), exponent = node.input(1);
  if (!x.element.isF32() || !isComputable(exponent.element))
    return node.unsupported("element types " + llvm::formatv("{0} and {1}", x.element, exponent.element).str());
  bool isConstant = exponent.constant && !exponent.constant->symbolic && exponent.constant->count() == 1;
  double power = isConstant ? exponent.constant->scalar() : 0;
  if (power == 0.5) {
    node.setResult(buildUnary(node.builder, node.loc, "sqrt", node.operand(0)));
    return success();
  }
  return setBroadcast(node, {x, exponent}, x.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    if (power == 1 || power == 2 || power == 3) {
      Value product = e[0];
      for (int i = 1; i < power; ++i)
        product = arith::MulFOp::create(b, l, product, e[0]);
      return product;
    }
    return math::PowFOp::create(b, l, e[0], exponent.element.isF32() ? e[1] : emitCast(b, l, exponent.element, x.element, e[1]));
  });
}

//===----------------------------------------------------------------------===//
// Unary operators and activations
//===----------------------------------------------------------------------===//

static Value emitUnary(StringRef type, OpBuilder &b, Location l, Type element, Value x) {
  Value zero = scalarConstant(b, l, element, 0);
  if (type == "Relu")
    return emit<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(b, l, element, x, zero);
  bool isFloat = isa<FloatType>(element);
  if (type == "Neg")
    return isFloat ? arith::NegFOp::create(b, l, x).getResult() : arith::SubIOp::create(b, l, zero, x).getResult();
  if (type == "Abs")
    return isFloat ? math::AbsFOp::create(b, l, x).getResult() : math::AbsIOp::create(b, l, x).getResult();
  if (type == "Floor")
    return math::FloorOp::create(b, l, x);
  if (type == "Ceil")
    return math::CeilOp::create(b, l, x);
  return math::ErfOp::create(b, l, x);
}

LogicalResult onnx_operators::buildUnaryArithmetic(Node &node) {
  const Tensor &x = node.input(0);
  bool integerToo = llvm::is_contained({"Relu", "Neg", "Abs"}, node.type());
  if (!x.element.isF32() && !(integerToo && isComputable(x.element) && !x.element.isUnsignedInteger()))
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  node.setResult(buildBroadcast(node, x, x.element, [&](OpBuilder &b, Location l, ValueRange e) {
    return emitUnary(node.type(), b, l, x.element, e[0]);
  }));
  return success();
}

/// One bound of Clip: absent, or a tensor of one element.
static LogicalResult readBound(Node &node, unsigned i, SmallVectorImpl<Tensor> &tensors) {
  if (!node.hasInput(i))
    return success();
  if (ShapedType::getNumElements(node.input(i).shape) != 1)
    return node.unsupported("a bound with more than one element");
  tensors.push_back(node.input(i));
  return success();
}

LogicalResult onnx_operators::buildClip(Node &node) {
  SmallVector<Tensor> tensors = {node.input(0)};
  Type element = tensors[0].element;
  bool hasLow = node.hasInput(1), hasHigh = node.hasInput(2);
  if (node.opset < 11 && !isa<FloatType>(element))
    return node.unsupported(llvm::formatv("element type {0} before opset 12", element));
  auto readAttribute = [&](StringRef name, bool &has) { // before opset 11
    if (node.opset >= 11 || !node.hasAttribute(name))
      return;
    tensors.push_back(toTensor(HostTensor::fromNumbers(element, {}, {node.getFloat(name, 0)})));
    has = true;
  };
  readAttribute("min", hasLow);
  readAttribute("max", hasHigh);
  if (failed(requireComputable(node, tensors[0])) || failed(readBound(node, 1, tensors)) ||
      failed(readBound(node, 2, tensors)))
    return failure();
  if (!hasLow && !hasHigh) {
    node.setResult(tensors[0]);
    return success();
  }
  node.setResult(buildBroadcast(node, tensors, element,
                                [&](OpBuilder &b, Location l, ValueRange e) {
                                  Value x = e[0];
                                  if (hasLow)
                                    x = emitBinary("Max", b, l, element, x, e[1]);
                                  return hasHigh ? emitBinary("Min", b, l, element, x, e.back()) : x;
                                }),
                 element);
  return success();
}

static LogicalResult buildActivation(Node &node, StringRef name, ArrayRef<NamedAttribute> parameters = {}) {
  if (!node.input(0).element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", node.input(0).element));
  DictionaryAttr dictionary = node.builder.getDictionaryAttr(parameters);
  node.setResult(buildUnary(node.builder, node.loc, name, node.operand(0), dictionary));
  return success();
}

LogicalResult onnx_operators::buildSigmoid(Node &node) { return buildActivation(node, "sigmoid"); }
LogicalResult onnx_operators::buildTanh(Node &node) { return buildActivation(node, "tanh"); }
LogicalResult onnx_operators::buildExp(Node &node) { return buildActivation(node, "exp"); }
LogicalResult onnx_operators::buildSqrt(Node &node) { return buildActivation(node, "sqrt"); }
LogicalResult onnx_operators::buildHardSwish(Node &node) { return buildActivation(node, "hard_swish"); }

LogicalResult onnx_operators::buildGelu(Node &node) {
  std::string approximate = node.getString("approximate", "none");
  if (approximate != "tanh" && approximate != "none")
    return node.unsupported("approximate = '" + approximate + "'");
  Builder &b = node.builder;
  if (approximate == "tanh")
    return buildActivation(node, "gelu", b.getNamedAttr("approximate", b.getStringAttr("tanh")));
  return buildActivation(node, "gelu");
}

LogicalResult onnx_operators::buildHardSigmoid(Node &node) {
  Builder &b = node.builder;
  return buildActivation(node, "hard_sigmoid",
                         {b.getNamedAttr("alpha", b.getF32FloatAttr(node.getFloat("alpha", 0.2f))),
                          b.getNamedAttr("beta", b.getF32FloatAttr(node.getFloat("beta", 0.5f)))});
}

LogicalResult onnx_operators::buildLeakyRelu(Node &node) {
  Builder &b = node.builder;
  return buildActivation(node, "leaky_relu",
                         b.getNamedAttr("alpha", b.getF32FloatAttr(node.getFloat("alpha", 0.01f))));
}

//===----------------------------------------------------------------------===//
// Cast
//===----------------------------------------------------------------------===//

/// Cast, and CastLike to the type of its second input.
LogicalResult onnx_operators::buildCast(Node &node) {
  const Tensor x = asFloats(node.input(0));
  const bool like = node.type() == "CastLike";
  Type to = like ? node.input(1).element : runtimeType(storedType(node.builder.getContext(), node.getInt("to", 0)));
  const bool saturates = node.getInt("saturate", 1); // concerns 8-bit floats only
  if (to && isSmallFloat(to) && to.getIntOrFloatBitWidth() == 8 && x.element.isF32()) {
    node.setResult(buildBroadcast(node, x, x.element,
                                  [&](OpBuilder &b, Location l, ValueRange e) { return emitSmallFloat(b, l, to, e[0], saturates); }),
                   to);
    return success();
  }
  if (!to || !isComputable(to) || !isComputable(x.element))
    return node.unsupported("a cast from " + llvm::formatv("{0}", x.element).str() + " to " +
                            (like ? llvm::formatv("{0}", to).str() : "ONNX's element type " + std::to_string(node.getInt("to", 0))));
  if (to == x.element) {
    node.setResult(x);
    return success();
  }
  node.setResult(buildBroadcast(node, x, to,
                                [&](OpBuilder &b, Location l, ValueRange e) {
                                  return emitCast(b, l, x.element, to, e[0]);
                                }),
                 to);
  return success();
}
