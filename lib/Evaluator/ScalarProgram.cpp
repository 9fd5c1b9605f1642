//===- ScalarProgram.cpp - scalar arithmetic on registers -------------------===//
#include "ScalarProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

int64_t mlir::halftone::elementBytes(Type type) {
  if (type.isF32() || type.isInteger(32))
    return 4;
  if (type.isF64() || type.isInteger(64) || type.isIndex())
    return 8;
  if (type.isInteger(16))
    return 2;
  if (type.isInteger(1) || type.isInteger(8) || !type.isIntOrIndexOrFloat())
    return 1;
  return 0;
}

Register mlir::halftone::loadElement(const HostTensor &tensor, int64_t index) {
  Register value{0};
  bool isFloat = tensor.elementType.isF32();
  switch (elementBytes(tensor.elementType)) {
  case 1:
    value.i = tensor.data<int8_t>()[index];
    break;
  case 2:
    value.i = tensor.data<int16_t>()[index];
    break;
  case 4:
    if (isFloat)
      value.f = tensor.data<float>()[index];
    else
      value.i = tensor.data<int32_t>()[index];
    break;
  default:
    value.i = tensor.data<int64_t>()[index];
  }
  return value;
}

void mlir::halftone::storeElement(HostTensor &tensor, int64_t index, Register value) {
  switch (elementBytes(tensor.elementType)) {
  case 1:
    tensor.data<int8_t>()[index] = value.i;
    break;
  case 2:
    tensor.data<int16_t>()[index] = value.i;
    break;
  case 4:
    std::memcpy(tensor.data<int32_t>() + index, &value, 4);
    break;
  default:
    tensor.data<int64_t>()[index] = value.i;
  }
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// The value of the low bits, sign-extended; i1 is 0 or 1.
static int64_t wrap(int64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  if (width >= 64)
    return value;
  return int64_t(uint64_t(value) << (64 - width)) >> (64 - width);
}

static uint64_t unsignedOf(int64_t value, unsigned width) {
  return width >= 64 ? uint64_t(value) : uint64_t(value) & ((uint64_t(1) << width) - 1);
}

template <typename T>
static T maximum(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

template <typename T>
static T minimum(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

/// The nearest integer, of two the even one; zero has the sign of x.
template <typename T>
static T roundEven(T x) {
  return std::isfinite(x) ? std::copysign(x - std::remainder(x, T(1)), x) : x;
}

template <typename T>
static bool compareFloats(arith::CmpFPredicate predicate, T a, T b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse: return false;
  case arith::CmpFPredicate::OEQ: return !unordered && a == b;
  case arith::CmpFPredicate::OGT: return !unordered && a > b;
  case arith::CmpFPredicate::OGE: return !unordered && a >= b;
  case arith::CmpFPredicate::OLT: return !unordered && a < b;
  case arith::CmpFPredicate::OLE: return !unordered && a <= b;
  case arith::CmpFPredicate::ONE: return !unordered && a != b;
  case arith::CmpFPredicate::ORD: return !unordered;
  case arith::CmpFPredicate::UEQ: return unordered || a == b;
  case arith::CmpFPredicate::UGT: return unordered || a > b;
  case arith::CmpFPredicate::UGE: return unordered || a >= b;
  case arith::CmpFPredicate::ULT: return unordered || a < b;
  case arith::CmpFPredicate::ULE: return unordered || a <= b;
  case arith::CmpFPredicate::UNE: return unordered || a != b;
  case arith::CmpFPredicate::UNO: return unordered;
  case arith::CmpFPredicate::AlwaysTrue: return true;
  }
  return false;
}

static bool compareIntegers(arith::CmpIPredicate predicate, int64_t a, int64_t b, unsigned width) {
  uint64_t ua = unsignedOf(a, width), ub = unsignedOf(b, width);
  switch (predicate) {
  case arith::CmpIPredicate::eq: return a == b;
  case arith::CmpIPredicate::ne: return a != b;
  case arith::CmpIPredicate::slt: return a < b;
  case arith::CmpIPredicate::sle: return a <= b;
  case arith::CmpIPredicate::sgt: return a > b;
  case arith::CmpIPredicate::sge: return a >= b;
  case arith::CmpIPredicate::ult: return ua < ub;
  case arith::CmpIPredicate::ule: return ua <= ub;
  case arith::CmpIPredicate::ugt: return ua > ub;
  case arith::CmpIPredicate::uge: return ua >= ub;
  }
  return false;
}

/// The integer part, saturated where the conversion is undefined.
static int64_t truncateToInteger(double value, unsigned width) {
  double limit = std::ldexp(1.0, width - 1);
  if (std::isnan(value))
    return 0;
  if (value >= limit)
    return int64_t((uint64_t(1) << (width - 1)) - 1);
  return value <= -limit ? -int64_t(uint64_t(1) << (width - 1)) : int64_t(value);
}

// One executor for each operation; `A`, `B`, `C` are its operands, `R` its result, `w` and `v` the widths of result and
// first operand.
#define EXECUTE(...) [](const Instruction &n, Register *r) {                                                           \
    [[maybe_unused]] Register A = r[n.operands[0]], B = r[n.operands[1]], C = r[n.operands[2]];                        \
    [[maybe_unused]] Register &R = r[n.target];                                                                        \
    [[maybe_unused]] unsigned w = n.width, v = n.operandWidth;                                                         \
    __VA_ARGS__;                                                                                                       \
  }
#define FLOATS(expression)                                                                                             \
  EXECUTE({                                                                                                            \
    if (w == 64) {                                                                                                     \
      [[maybe_unused]] double a = A.d, b = B.d, c = C.d;                                                               \
      R.d = expression;                                                                                                \
    } else {                                                                                                           \
      [[maybe_unused]] float a = A.f, b = B.f, c = C.f;                                                                \
      R.f = expression;                                                                                                \
    }                                                                                                                  \
  })
#define INTEGERS(expression) EXECUTE(R.i = wrap(expression, w))

void (*ScalarProgram::executor(Operation &op))(const Instruction &, Register *) {
  using Execute = void (*)(const Instruction &, Register *);
  return TypeSwitch<Operation *, Execute>(&op)
      .Case([](arith::AddFOp) { return FLOATS(a + b); })
      .Case([](arith::SubFOp) { return FLOATS(a - b); })
      .Case([](arith::MulFOp) { return FLOATS(a * b); })
      .Case([](arith::DivFOp) { return FLOATS(a / b); })
      .Case([](arith::NegFOp) { return FLOATS(-a); })
      .Case([](arith::MaximumFOp) { return FLOATS(maximum(a, b)); })
      .Case([](arith::MinimumFOp) { return FLOATS(minimum(a, b)); })
      .Case([](arith::MaxNumFOp) { return FLOATS(std::isnan(a) ? b : std::isnan(b) ? a : maximum(a, b)); })
      .Case([](arith::MinNumFOp) { return FLOATS(std::isnan(a) ? b : std::isnan(b) ? a : minimum(a, b)); })
      .Case([](math::FmaOp) { return FLOATS(std::fma(a, b, c)); })
      .Case([](math::SqrtOp) { return FLOATS(std::sqrt(a)); })
      .Case([](math::RoundEvenOp) { return FLOATS(roundEven(a)); })
      .Case([](math::FloorOp) { return FLOATS(std::floor(a)); })
      .Case([](math::CeilOp) { return FLOATS(std::ceil(a)); })
      .Case([](math::TruncOp) { return FLOATS(std::trunc(a)); })
      .Case([](math::AbsFOp) { return FLOATS(std::fabs(a)); })
      .Case([](math::CopySignOp) { return FLOATS(std::copysign(a, b)); })
      .Case([](arith::CmpFOp) {
        return EXECUTE(auto p = arith::CmpFPredicate(n.immediate);
                       R.i = v == 64 ? compareFloats(p, A.d, B.d) : compareFloats(p, A.f, B.f));
      })
      .Case([](arith::CmpIOp) { return EXECUTE(R.i = compareIntegers(arith::CmpIPredicate(n.immediate), A.i, B.i, v)); })
      .Case([](arith::SelectOp) { return EXECUTE(R = A.i & 1 ? B : C); })
      .Case([](arith::AddIOp) { return INTEGERS(uint64_t(A.i) + uint64_t(B.i)); })
      .Case([](arith::SubIOp) { return INTEGERS(uint64_t(A.i) - uint64_t(B.i)); })
      .Case([](arith::MulIOp) { return INTEGERS(uint64_t(A.i) * uint64_t(B.i)); })
      .Case([](math::AbsIOp) { return INTEGERS(A.i < 0 ? -uint64_t(A.i) : uint64_t(A.i)); })
      .Case([](arith::DivSIOp) { return INTEGERS(B.i ? A.i / B.i : 0); })
      .Case([](arith::DivUIOp) { return INTEGERS(B.i ? unsignedOf(A.i, w) / unsignedOf(B.i, w) : 0); })
      .Case([](arith::RemSIOp) { return INTEGERS(B.i ? A.i % B.i : 0); })
      .Case([](arith::AndIOp) { return INTEGERS(A.i & B.i); })
      .Case([](arith::OrIOp) { return INTEGERS(A.i | B.i); })
      .Case([](arith::XOrIOp) { return INTEGERS(A.i ^ B.i); })
      .Case([](arith::ShLIOp) { return INTEGERS(uint64_t(A.i) << (B.i & 63)); })
      .Case([](arith::ShRSIOp) { return INTEGERS(A.i >> (B.i & 63)); })
      .Case([](arith::ShRUIOp) { return INTEGERS(unsignedOf(A.i, w) >> (B.i & 63)); })
      .Case([](arith::MaxSIOp) { return EXECUTE(R.i = std::max(A.i, B.i)); })
      .Case([](arith::MinSIOp) { return EXECUTE(R.i = std::min(A.i, B.i)); })
      .Case([](arith::MaxUIOp) { return EXECUTE(R.i = unsignedOf(A.i, w) > unsignedOf(B.i, w) ? A.i : B.i); })
      .Case([](arith::MinUIOp) { return EXECUTE(R.i = unsignedOf(A.i, w) < unsignedOf(B.i, w) ? A.i : B.i); })
      .Case([](arith::ExtSIOp) { return EXECUTE(R.i = v == 1 ? -(A.i & 1) : A.i); })
      .Case([](arith::ExtUIOp) { return EXECUTE(R.i = int64_t(unsignedOf(A.i, v))); })
      .Case([](arith::TruncIOp) { return INTEGERS(A.i); })
      .Case([](arith::IndexCastOp) { return INTEGERS(v == 1 ? -(A.i & 1) : A.i); })
      .Case([](arith::IndexCastUIOp) { return INTEGERS(int64_t(unsignedOf(A.i, v))); })
      .Case([](arith::BitcastOp) {
        return EXECUTE(R.i = 0; std::memcpy(&R, &A, w / 8); if (n.immediate) R.i = wrap(R.i, w));
      })
      .Case([](arith::ExtFOp) { return EXECUTE(R.d = A.f); })
      .Case([](arith::TruncFOp) { return EXECUTE(R.f = float(A.d)); })
      .Case([](arith::SIToFPOp) {
        return EXECUTE(int64_t x = v == 1 ? -(A.i & 1) : A.i; if (w == 64) R.d = double(x); else R.f = float(x));
      })
      .Case([](arith::UIToFPOp) {
        return EXECUTE(uint64_t x = unsignedOf(A.i, v); if (w == 64) R.d = double(x); else R.f = float(x));
      })
      .Case([](arith::FPToSIOp) { return EXECUTE(R.i = truncateToInteger(v == 64 ? A.d : double(A.f), w)); })
      .Case([](arith::FPToUIOp) {
        return EXECUTE(double x = v == 64 ? A.d : double(A.f); R.i = wrap(x > 0 ? int64_t(uint64_t(x)) : 0, w));
      })
      .Case([](linalg::IndexOp) { return EXECUTE(R.i = n.indices[n.immediate]); })
      .Case([](tensor::ExtractOp) {
        return EXECUTE(int64_t at = 0; for (auto [d, p] : llvm::enumerate(n.positions)) at =
                                           at * n.tensor->shape[d] + r[p].i;
                       R = loadElement(*n.tensor, at));
      })
      .Default([](Operation *) -> Execute { return nullptr; });
}

void (*ScalarProgram::fusedExecutor())(const Instruction &, Register *) { return FLOATS(std::fma(a, b, c)); }

//===----------------------------------------------------------------------===//
// Resolution
//===----------------------------------------------------------------------===//

static unsigned widthOf(Type type) { return type.isIndex() ? 64 : type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0; }

int32_t ScalarProgram::define(Value value) {
  int32_t number = registers.size();
  registers.push_back(Register{0});
  numbers[value] = number;
  return number;
}

std::optional<Register> mlir::halftone::constantRegister(Attribute attribute) {
  Register value{0};
  if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
    value.i = integer.getType().isInteger(1) ? integer.getValue().getZExtValue() : integer.getValue().getSExtValue();
    return value;
  }
  auto number = dyn_cast<FloatAttr>(attribute);
  if (!number)
    return std::nullopt;
  if (number.getType().isF32())
    value.f = number.getValue().convertToFloat();
  else if (number.getType().isF64())
    value.d = number.getValue().convertToDouble();
  else
    return std::nullopt;
  return value;
}

FailureOr<int32_t> ScalarProgram::registerOf(Value value, LookupScalar &scalars) {
  if (auto it = numbers.find(value); it != numbers.end())
    return it->second;
  std::optional<Register> outside = scalars(value);
  if (auto constant = value.getDefiningOp<arith::ConstantOp>(); constant && !outside)
    outside = constantRegister(constant.getValue());
  if (!outside)
    return failure();
  int32_t number = define(value);
  registers[number] = *outside;
  return number;
}

LogicalResult ScalarProgram::add(Operation &op, LookupTensor &tensors, LookupScalar &scalars) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    std::optional<Register> value = constantRegister(constant.getValue());
    if (!value)
      return op.emitError("the evaluator does not know this constant's type");
    registers[define(constant.getResult())] = *value;
    return success();
  }
  Instruction instruction;
  instruction.execute = executor(op);
  if (!instruction.execute || op.getNumResults() != 1)
    return op.emitError("the evaluator does not know '") << op.getName() << "'";
  auto extract = dyn_cast<tensor::ExtractOp>(op);
  if (extract) {
    instruction.tensor = tensors(extract.getTensor());
    if (!instruction.tensor)
      return op.emitError("the evaluator has no value for the tensor");
  }
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    if (extract && i == 0)
      continue;
    FailureOr<int32_t> number = registerOf(operand, scalars);
    if (failed(number))
      return op.emitError("the evaluator has no value for operand ") << i;
    if (extract)
      instruction.positions.push_back(*number);
    else if (i < 3)
      instruction.operands[i] = *number;
  }
  if (op.getNumOperands() && !extract)
    instruction.operandWidth = widthOf(op.getOperand(0).getType());
  instruction.width = widthOf(op.getResult(0).getType());
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    instruction.immediate = int64_t(compare.getPredicate());
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    instruction.immediate = int64_t(compare.getPredicate());
  if (auto index = dyn_cast<linalg::IndexOp>(op))
    instruction.immediate = index.getDim();
  if (isa<arith::BitcastOp>(op))
    instruction.immediate = isa<IntegerType>(op.getResult(0).getType());
  instruction.indices = indexStorage;
  instruction.target = define(op.getResult(0));
  instructions.push_back(std::move(instruction));
  return success();
}

bool ScalarProgram::addFused(Operation &op, Value accumulator) {
  auto sum = dyn_cast<arith::AddFOp>(op);
  if (!accumulator || !sum || op.getBlock()->getTerminator()->getOperand(0) != sum.getResult() ||
      (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
    return false;
  Value other = sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs();
  auto product = other.getDefiningOp<arith::MulFOp>();
  if (!product || !product->hasOneUse())
    return false;
  Instruction instruction;
  instruction.execute = fusedExecutor();
  instruction.operands[0] = numbers.lookup(product.getLhs());
  instruction.operands[1] = numbers.lookup(product.getRhs());
  instruction.operands[2] = numbers.lookup(accumulator);
  instruction.width = instruction.operandWidth = widthOf(sum.getType());
  instruction.target = define(sum.getResult());
  instructions.push_back(std::move(instruction));
  return true;
}

LogicalResult ScalarProgram::build(Block &block, LookupTensor tensors, LookupScalar scalars, Value accumulator) {
  registers.push_back(Register{0});
  for (BlockArgument argument : block.getArguments())
    arguments.push_back(define(argument));
  for (Operation &op : block.without_terminator())
    if (!addFused(op, accumulator) && failed(add(op, tensors, scalars)))
      return failure();
  for (Value value : block.getTerminator()->getOperands()) {
    FailureOr<int32_t> number = registerOf(value, scalars);
    if (failed(number))
      return block.getTerminator()->emitError("the evaluator has no value for the result");
    results.push_back(*number);
  }
  return success();
}

void ScalarProgram::run() {
  Register *base = registers.data();
  for (const Instruction &instruction : instructions)
    instruction.execute(instruction, base);
}
