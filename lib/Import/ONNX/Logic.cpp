//===- Logic.cpp - ONNX's comparisons, logical operators and Where ----------===//
#include "Broadcast.h"
#include "Operators.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <limits>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
struct Comparison {
  StringLiteral type;
  arith::CmpFPredicate ofFloats;
  arith::CmpIPredicate ofSigned, ofUnsigned;
};
} // namespace

static constexpr Comparison kComparisons[] = {
    {"Equal", arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, arith::CmpIPredicate::eq},
    {"Greater", arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt, arith::CmpIPredicate::ugt},
    {"GreaterOrEqual", arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge, arith::CmpIPredicate::uge},
    {"Less", arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, arith::CmpIPredicate::ult},
    {"LessOrEqual", arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, arith::CmpIPredicate::ule},
};

static bool isBool(Type element) { return element.isInteger(1); }

LogicalResult onnx_operators::buildComparison(Node &node) {
  const Comparison *row = llvm::find_if(kComparisons, [&](const Comparison &c) { return c.type == node.type(); });
  Tensor x = node.input(0), y = node.input(1);
  Type element = x.element;
  if (element != y.element || !(element.isF32() || isa<IntegerType>(element)))
    return node.unsupported("inputs of element types " + llvm::formatv("{0} and {1}", element, y.element).str());
  return setBroadcast(node, {x, y}, node.builder.getI1Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    if (element.isF32())
      return arith::CmpFOp::create(b, l, row->ofFloats, e[0], e[1]);
    bool isUnsigned = element.isUnsignedInteger() || isBool(element);
    return arith::CmpIOp::create(b, l, isUnsigned ? row->ofUnsigned : row->ofSigned, e[0], e[1]);
  });
}

/// And, Or, Xor and Not of bools; BitwiseAnd, ... of integers.
LogicalResult onnx_operators::buildLogic(Node &node) {
  StringRef type = node.type();
  const bool ofIntegers = type.consume_front("Bitwise");
  SmallVector<Tensor> tensors;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    tensors.push_back(node.input(i));
    Type element = tensors.back().element;
    if (!isa<IntegerType>(element) || isBool(element) == ofIntegers || element != tensors.front().element)
      return node.unsupported("element type " + llvm::formatv("{0}", element).str());
  }
  Type element = tensors.front().element;
  return setBroadcast(node, tensors, element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    if (type == "And")
      return arith::AndIOp::create(b, l, e[0], e[1]);
    if (type == "Or")
      return arith::OrIOp::create(b, l, e[0], e[1]);
    return arith::XOrIOp::create(b, l, e[0], e.size() > 1 ? e[1] : scalarConstant(b, l, element, isBool(element) ? 1 : -1)); // Xor, Not
  });
}

/// IsNaN and IsInf.
LogicalResult onnx_operators::buildIsSpecial(Node &node) {
  const Tensor x = node.input(0);
  bool isInf = node.type() == "IsInf", low = isInf && node.getInt("detect_negative", 1), high = isInf && node.getInt("detect_positive", 1);
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  return setBroadcast(node, x, node.builder.getI1Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    auto compare = [&](arith::CmpFPredicate predicate, Value y) { return arith::CmpFOp::create(b, l, predicate, e[0], y); };
    auto equals = [&](bool wanted, double y) -> Value {
      return wanted ? compare(arith::CmpFPredicate::OEQ, scalarConstant(b, l, x.element, y)).getResult()
                    : scalarConstant(b, l, b.getI1Type(), 0);
    };
    if (!isInf)
      return compare(arith::CmpFPredicate::UNO, e[0]);
    const double infinity = std::numeric_limits<double>::infinity();
    return arith::OrIOp::create(b, l, equals(low, -infinity), equals(high, infinity));
  });
}

/// The upper or lower triangle of matrices; the rest is 0.
LogicalResult onnx_operators::buildTrilu(Node &node) {
  const Tensor x = node.input(0);
  HostTensorRef offset = node.constant(1);
  const bool upper = node.getInt("upper", 1);
  ArrayRef<int64_t> matrix = ArrayRef<int64_t>(x.shape).take_back(2);
  if (x.rank() < 2 || ShapedType::isDynamicShape(matrix) || (node.hasInput(1) && !offset) ||
      !(x.element.isF32() || isa<IntegerType>(x.element)))
    return node.unsupported("an input of rank below 2 or dynamic matrices, or k that is not constant");
  const int64_t k = offset ? static_cast<int64_t>(offset->scalar()) : 0;
  std::vector<int64_t> inside;
  for (int64_t row = 0; row < matrix[0]; ++row)
    for (int64_t column = 0; column < matrix[1]; ++column)
      inside.push_back(upper ? column >= row + k : column <= row + k);
  Tensor mask = toTensor(HostTensor::fromIntegers(node.builder.getI1Type(), matrix, inside));
  return setBroadcast(node, {mask, x}, x.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::SelectOp::create(b, l, e[0], e[1], scalarConstant(b, l, x.element, 0));
  });
}

/// 1 along a diagonal, 0 elsewhere.
LogicalResult onnx_operators::buildEyeLike(Node &node) {
  const Tensor &x = node.input(0);
  Type element = node.hasAttribute("dtype") ? elementType(node.builder.getContext(), node.getInt("dtype", 1)) : x.element;
  const int64_t k = node.getInt("k", 0);
  if (!element || x.rank() != 2 || x.isDynamic())
    return node.unsupported("an input that is no matrix of static shape, or its dtype");
  std::vector<double> numbers;
  for (int64_t row = 0; row < x.shape[0]; ++row)
    for (int64_t column = 0; column < x.shape[1]; ++column)
      numbers.push_back(column == row + k ? 1 : 0);
  std::vector<int64_t> integers(numbers.begin(), numbers.end());
  node.setResult(isa<FloatType>(element) ? HostTensor::fromNumbers(element, x.shape, numbers) : HostTensor::fromIntegers(element, x.shape, integers));
  return success();
}

LogicalResult onnx_operators::buildWhere(Node &node) {
  Tensor condition = node.input(0), x = node.input(1), y = node.input(2);
  if (!isBool(condition.element) || x.element != y.element)
    return node.unsupported("a condition that is not bool, or values of different element types");
  return setBroadcast(node, {condition, x, y}, x.element, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::SelectOp::create(b, l, e[0], e[1], e[2]);
  });
}
