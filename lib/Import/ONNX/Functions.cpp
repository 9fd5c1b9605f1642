//===- Functions.cpp - ONNX's functions of one number, by their formulas ----===//
//
// Functions that no later stage knows by name. Each is one row: the operator, the defaults of its attributes, its formula.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Operators.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// Formulas over f32 scalars.
class Formula {
public:
  Formula(OpBuilder &builder, Location loc) : b(loc, builder) {}

  Value constant(float x) { return arith::ConstantOp::create(b, b.getF32FloatAttr(x)); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value less(Value x, Value y) { return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  template <typename Op>
  Value call(Value x) {
    return Op::create(b, x);
  }

  /// alpha (e^(x / alpha) - 1) where x is negative, else x.
  Value elu(Value x, float alpha, float divisor) {
    Value power = call<math::ExpOp>(div(x, constant(divisor)));
    return select(less(x, constant(0)), mul(constant(alpha), sub(power, constant(1))), x);
  }

  /// log(1 + e^x), without overflow.
  Value softplus(Value x) {
    Value power = call<math::ExpOp>(arith::NegFOp::create(b, call<math::AbsFOp>(x)));
    Value positive = arith::MaximumFOp::create(b, x, constant(0));
    return add(positive, call<math::LogOp>(add(constant(1), power)));
  }

  /// -1, 0 or 1.
  Value sign(Value x) {
    Value zero = constant(0);
    return select(less(zero, x), constant(1), select(less(x, zero), constant(-1), zero));
  }

private:
  ImplicitLocOpBuilder b;
};

struct Function {
  StringLiteral type;
  float alpha, gamma; ///< the defaults of the attributes; 0 where the operator has none
  Value (*emit)(Formula &f, Value x, float alpha, float gamma);
};
} // namespace

template <typename Op>
static Value call(Formula &f, Value x, float, float) {
  return f.call<Op>(x);
}

static constexpr Function kFunctions[] = {
    {"Acos", 0, 0, call<math::AcosOp>},
    {"Acosh", 0, 0, call<math::AcoshOp>},
    {"Asin", 0, 0, call<math::AsinOp>},
    {"Asinh", 0, 0, call<math::AsinhOp>},
    {"Atan", 0, 0, call<math::AtanOp>},
    {"Atanh", 0, 0, call<math::AtanhOp>},
    {"Celu", 1, 0, [](Formula &f, Value x, float alpha, float) { return f.elu(x, alpha, alpha); }},
    {"Cos", 0, 0, call<math::CosOp>},
    {"Cosh", 0, 0, call<math::CoshOp>},
    {"Elu", 1, 0, [](Formula &f, Value x, float alpha, float) { return f.elu(x, alpha, 1); }},
    {"Log", 0, 0, call<math::LogOp>},
    {"Mish", 0, 0, [](Formula &f, Value x, float, float) { return f.mul(x, f.call<math::TanhOp>(f.softplus(x))); }},
    {"Reciprocal", 0, 0, [](Formula &f, Value x, float, float) { return f.div(f.constant(1), x); }},
    {"Round", 0, 0, call<math::RoundEvenOp>},
    {"Selu", 1.67326319217681884765625f, 1.05070102214813232421875f,
     [](Formula &f, Value x, float alpha, float gamma) { return f.mul(f.constant(gamma), f.elu(x, alpha, 1)); }},
    {"Sign", 0, 0, [](Formula &f, Value x, float, float) { return f.sign(x); }},
    {"Sin", 0, 0, call<math::SinOp>},
    {"Sinh", 0, 0, call<math::SinhOp>},
    {"Softplus", 0, 0, [](Formula &f, Value x, float, float) { return f.softplus(x); }},
    {"Softsign", 0, 0,
     [](Formula &f, Value x, float, float) { return f.div(x, f.add(f.constant(1), f.call<math::AbsFOp>(x))); }},
    {"Tan", 0, 0, call<math::TanOp>},
    {"ThresholdedRelu", 1, 0,
     [](Formula &f, Value x, float alpha, float) {
       return f.select(f.less(f.constant(alpha), x), x, f.constant(0));
     }},
};

LogicalResult onnx_operators::buildFunction(Node &node) {
  const Function *function = llvm::find_if(kFunctions, [&](const Function &row) { return row.type == node.type(); });
  const Tensor &x = node.input(0);
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  float alpha = function->alpha ? node.getFloat("alpha", function->alpha) : 0;
  float gamma = function->gamma ? node.getFloat("gamma", function->gamma) : 0;
  if (node.type() == "Celu" && alpha == 0)
    return node.unsupported("alpha = 0");
  node.setResult(buildBroadcast(node, x, x.element, [&](OpBuilder &b, Location l, ValueRange e) {
    Formula formula(b, l);
    return function->emit(formula, e[0], alpha, gamma);
  }));
  return success();
}

/// Values within lambd of 0 become 0, the others come nearer to 0 by the bias.
LogicalResult onnx_operators::buildShrink(Node &node) {
  const Tensor &x = node.input(0);
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  const float bias = node.getFloat("bias", 0), lambd = node.getFloat("lambd", 0.5f);
  return setBroadcast(node, x, x.element, [&](OpBuilder &b, Location l, ValueRange e) {
    Formula f(b, l);
    Value above = f.select(f.less(f.constant(lambd), e[0]), f.sub(e[0], f.constant(bias)), f.constant(0));
    return f.select(f.less(e[0], f.constant(-lambd)), f.add(e[0], f.constant(bias)), above);
  });
}

LogicalResult onnx_operators::buildPRelu(Node &node) {
  Tensor x = node.input(0), slope = node.input(1);
  if (!x.element.isF32() || !slope.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  if (broadcastShapes(x.shape, slope.shape) != x.shape)
    return node.unsupported("a slope that does not broadcast to the input");
  return setBroadcast(node, {x, slope}, x.element, [](OpBuilder &b, Location l, ValueRange e) {
    Formula f(b, l);
    return f.select(f.less(e[0], f.constant(0)), f.mul(e[0], e[1]), e[0]);
  });
}
