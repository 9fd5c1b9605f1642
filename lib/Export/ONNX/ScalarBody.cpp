//===- ScalarBody.cpp - scalar operations of a region as nodes over tensors -===//
#include "ScalarBody.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include <limits>
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

namespace {
/// How the 8-bit integers that an operation reads are taken.
enum class Sign { Any, Signed, Unsigned };

/// An operation whose operands are a node's inputs.
struct NamedScalar {
  StringLiteral operation, type;
  Sign sign = Sign::Any;
};
} // namespace

static constexpr NamedScalar kNamed[] = {
    {"arith.addf", "Add"},
    {"arith.addi", "Add"},
    {"arith.subf", "Sub"},
    {"arith.subi", "Sub"},
    {"arith.mulf", "Mul"},
    {"arith.muli", "Mul"},
    {"arith.divf", "Div"},
    {"arith.divsi", "Div", Sign::Signed},
    {"arith.divui", "Div", Sign::Unsigned},
    {"arith.maximumf", "Max"},
    {"arith.maxnumf", "Max"},
    {"arith.maxsi", "Max", Sign::Signed},
    {"arith.maxui", "Max", Sign::Unsigned},
    {"arith.minimumf", "Min"},
    {"arith.minnumf", "Min"},
    {"arith.minsi", "Min", Sign::Signed},
    {"arith.minui", "Min", Sign::Unsigned},
    {"arith.negf", "Neg"},
    {"arith.select", "Where"},
    {"math.absf", "Abs"},
    {"math.absi", "Abs", Sign::Signed},
    {"math.atan", "Atan"},
    {"math.ceil", "Ceil"},
    {"math.cos", "Cos"},
    {"math.erf", "Erf"},
    {"math.exp", "Exp"},
    {"math.floor", "Floor"},
    {"math.isnan", "IsNaN"},
    {"math.log", "Log"},
    {"math.powf", "Pow"},
    {"math.roundeven", "Round"},
    {"math.sin", "Sin"},
    {"math.sqrt", "Sqrt"},
    {"math.tanh", "Tanh"},
};

/// For integers, and for bool.
static constexpr std::pair<StringLiteral, std::pair<StringLiteral, StringLiteral>> kLogical[] = {
    {"arith.andi", {"BitwiseAnd", "And"}}, {"arith.ori", {"BitwiseOr", "Or"}}, {"arith.xori", {"BitwiseXor", "Xor"}}};

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The loop that each dimension of an operand follows, -1 for one of one element that follows none; nothing for a map
/// that takes other expressions, or a loop twice.
static std::optional<SmallVector<int64_t>> loopsOf(AffineMap map, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> loops;
  for (auto [expression, size] : llvm::zip_equal(map.getResults(), shape)) {
    auto dim = dyn_cast<AffineDimExpr>(expression);
    auto constant = dyn_cast<AffineConstantExpr>(expression);
    if (dim && !llvm::is_contained(loops, int64_t(dim.getPosition())))
      loops.push_back(dim.getPosition());
    else if (constant && constant.getValue() == 0 && size == 1)
      loops.push_back(-1);
    else
      return std::nullopt;
  }
  return loops;
}

SmallVector<int64_t> ScalarBody::chooseLoops(Exporter &exporter, linalg::GenericOp op) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (!map.isPermutation() || !exporter.isBound(operand->get()))
      continue;
    SmallVector<int64_t> loops;
    for (int64_t dim : exporter.read(operand->get(), hintOf(op)).order)
      loops.push_back(map.getDimPosition(dim));
    return loops;
  }
  return identityOrder(op.getNumLoops());
}

/// A constant whose elements are all alike.
static std::optional<Attribute> splatOf(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  auto elements = dyn_cast<ElementsAttr>(attribute);
  if (!elements)
    return attribute;
  return elements.isSplat() ? std::optional(elements.getSplatValue<Attribute>()) : std::nullopt;
}

static std::optional<ConstantTensor> scalarTensor(Attribute attribute) {
  auto typed = dyn_cast<TypedAttr>(attribute);
  if (!typed || !isa<FloatType, IntegerType>(typed.getType()))
    return std::nullopt;
  return makeConstantTensor(DenseElementsAttr::get(RankedTensorType::get({}, typed.getType()), attribute), {}, {});
}

FailureOr<Scalar> ScalarBody::readOperand(OpOperand &operand) {
  Value value = operand.get();
  int64_t count = op.getNumLoops();
  if (std::optional<Attribute> splat = splatOf(value))
    if (std::optional<ConstantTensor> constant = scalarTensor(*splat))
      return Scalar{exporter.graph.addConstant(std::move(*constant), ""), llvm::SmallBitVector(count)};
  if (!isa<RankedTensorType>(value.getType()))
    return unsupported("a scalar operand that is not constant");
  ArrayRef<int64_t> shape = shapeOf(value);
  std::optional<SmallVector<int64_t>> dims = loopsOf(op.getMatchingIndexingMap(&operand), shape);
  if (!dims)
    return unsupported("an operand that is read at other places than those of the loops");
  SmallVector<int64_t> place = inverse(loops), order = identityOrder(shape.size()), sizes;
  auto placeOf = [&](int64_t dim) { return (*dims)[dim] < 0 ? -1 : place[(*dims)[dim]]; };
  llvm::sort(order, [&](int64_t a, int64_t b) { return std::make_pair(placeOf(a), a) < std::make_pair(placeOf(b), b); });
  llvm::SmallBitVector depends(count);
  for (int64_t dim : order) {
    if (placeOf(dim) < 0)
      continue;
    depends.set((*dims)[dim]);
    if (sizes.empty())
      sizes.assign(count - placeOf(dim), 1);
    sizes[sizes.size() - count + placeOf(dim)] = shape[dim];
  }
  std::string name = exporter.read(value, order, sizes, hint.empty() ? "" : hint + "/constant");
  bool isUnsigned = exporter.isBound(value) && exporter.read(value, hint).isUnsigned;
  return Scalar{name, depends, isUnsigned};
}

FailureOr<Scalar> ScalarBody::read(Value value) {
  if (auto found = scalars.find(value); found != scalars.end())
    return found->second;
  FailureOr<Scalar> scalar = failure();
  auto argument = dyn_cast<BlockArgument>(value);
  Attribute attribute;
  if (argument && argument.getOwner() == op.getBody()) {
    scalar = readOperand(*op.getMatchingOpOperand(argument));
  } else if (matchPattern(value, m_Constant(&attribute))) {
    std::optional<ConstantTensor> constant = scalarTensor(attribute);
    if (!constant)
      return unsupported("a constant of a type that ONNX has not");
    scalar = Scalar{exporter.graph.addConstant(std::move(*constant), ""), llvm::SmallBitVector(op.getNumLoops())};
  } else {
    return unsupported("a scalar from outside of its region");
  }
  if (succeeded(scalar))
    scalars[value] = *scalar;
  return scalar;
}

FailureOr<SmallVector<Scalar>> ScalarBody::readAll(ValueRange values) {
  SmallVector<Scalar> result;
  for (Value value : values) {
    FailureOr<Scalar> scalar = read(value);
    if (failed(scalar))
      return failure();
    result.push_back(*scalar);
  }
  return result;
}

FailureOr<Scalar> ScalarBody::expand(Scalar scalar) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges(), sizes;
  bool missing = false;
  for (int64_t loop : loops) {
    sizes.push_back(scalar.loops[loop] ? 1 : extents[loop]);
    missing |= !scalar.loops[loop];
    if (ShapedType::isDynamic(sizes.back()))
      return unsupported("a result that repeats along a dynamic dimension");
  }
  if (!missing)
    return scalar;
  scalar.name = exporter.graph.addNode("Expand", {scalar.name, exporter.graph.addIntegers(sizes, "")}, hint);
  scalar.loops.set();
  return scalar;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

Scalar ScalarBody::makeNode(StringRef type, ArrayRef<Scalar> inputs, ArrayRef<NodeAttribute> attributes) {
  SmallVector<std::string> names;
  Scalar result{"", llvm::SmallBitVector(op.getNumLoops()), false};
  for (const Scalar &input : inputs) {
    names.push_back(input.name);
    result.loops |= input.loops;
    result.isUnsigned |= input.isUnsigned;
  }
  result.name = exporter.graph.addNode(type, names, hint, attributes);
  return result;
}

/// 8-bit integers with the other sign, the same bits.
Scalar ScalarBody::asSigned(Scalar scalar, bool isUnsigned) {
  if (scalar.isUnsigned == isUnsigned)
    return scalar;
  int64_t type = isUnsigned ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8;
  Scalar result = makeNode("Cast", scalar, {{"to", type}});
  result.isUnsigned = isUnsigned;
  return result;
}

/// Whether a value is a contraction's own result, or that of a grouped convolution with its groups joined: not another view of
/// a tensor that others read, too.
static bool isProduct(Value value) {
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    return collapse.getSrc().getDefiningOp<linalg::Conv2DNhwgcGfhwcOp>() && collapse.getSrc().hasOneUse();
  return isa_and_nonnull<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp, linalg::MatmulOp>(value.getDefiningOp());
}

/// An addition of a constant by channel to a contraction that nobody else reads: the node's bias.
bool ScalarBody::takeBias(Operation &scalar) {
  if (!isa<arith::AddFOp>(scalar))
    return false;
  for (unsigned i = 0; i < 2; ++i) {
    auto sum = dyn_cast<BlockArgument>(scalar.getOperand(i)), bias = dyn_cast<BlockArgument>(scalar.getOperand(1 - i));
    if (!sum || !bias || sum.getOwner() != op.getBody() || bias.getOwner() != op.getBody() || !sum.hasOneUse())
      continue;
    OpOperand *product = op.getMatchingOpOperand(sum), *constant = op.getMatchingOpOperand(bias);
    std::optional<std::vector<float>> values = getConstantElements<float>(constant->get());
    auto dims = loopsOf(op.getMatchingIndexingMap(constant), shapeOf(constant->get()));
    if (!values || !dims || !isProduct(product->get()) || !product->get().hasOneUse() || !exporter.isBound(product->get()) || loops.size() < 2 ||
        !op.getMatchingIndexingMap(product).isPermutation())
      continue;
    llvm::erase(*dims, -1);
    // Channels are dimension 1 of what Conv and Gemm make.
    FailureOr<Scalar> read = readOperand(*product);
    if (failed(read) || *dims != SmallVector<int64_t>{loops[1]} || !addBias(exporter, read->name, *values))
      continue;
    scalars[scalar.getResult(0)] = *read;
    return true;
  }
  return false;
}

/// The bound of a maximum or minimum with a constant f32, and its other operand.
static std::optional<std::pair<float, Value>> matchClamp(linalg::GenericOp op, Operation &scalar) {
  if (!isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MinimumFOp, arith::MinNumFOp>(scalar))
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i) {
    Value bound = scalar.getOperand(1 - i);
    if (auto argument = dyn_cast<BlockArgument>(bound); argument && argument.getOwner() == op.getBody())
      bound = op.getMatchingOpOperand(argument)->get();
    std::optional<Attribute> splat = splatOf(bound);
    auto number = splat ? dyn_cast<FloatAttr>(*splat) : FloatAttr();
    if (number && number.getType().isF32())
      return std::make_pair(number.getValue().convertToFloat(), scalar.getOperand(i));
  }
  return std::nullopt;
}

static bool isMaximum(Operation &op) { return isa<arith::MaximumFOp, arith::MaxNumFOp>(op); }

/// Relu, or a Clip, which takes both bounds where a maximum is followed by a minimum alone.
FailureOr<Scalar> ScalarBody::emitClamp(Operation &scalar, float bound, Value x) {
  Operation *user = scalar.getResult(0).hasOneUse() ? *scalar.user_begin() : nullptr;
  if (isMaximum(scalar) && user && !isMaximum(*user) && matchClamp(op, *user))
    return read(x); // the minimum reads the bound itself
  std::optional<float> low, high;
  (isMaximum(scalar) ? low : high) = bound;
  if (Operation *before = x.getDefiningOp(); before && !isMaximum(scalar) && isMaximum(*before) && x.hasOneUse())
    if (auto inner = matchClamp(op, *before))
      low = inner->first;
  FailureOr<Scalar> input = read(x);
  if (failed(input))
    return failure();
  if (low && *low == 0 && !high)
    return makeNode("Relu", *input);
  Scalar none{"", llvm::SmallBitVector(op.getNumLoops())};
  auto number = [&](std::optional<float> value) {
    return value ? Scalar{exporter.graph.addScalar(*value, ""), none.loops} : none;
  };
  SmallVector<Scalar> inputs{*input, number(low)};
  if (high)
    inputs.push_back(number(high));
  return makeNode("Clip", inputs);
}

namespace {
/// A comparison as ONNX has it.
struct Comparison {
  StringLiteral type;
  bool negated = false;
  Sign sign = Sign::Any;
};
} // namespace

static std::optional<Comparison> comparisonOf(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OEQ:
    return Comparison{"Equal"};
  case P::UNE:
    return Comparison{"Equal", true};
  case P::OLT:
    return Comparison{"Less"};
  case P::UGE:
    return Comparison{"Less", true};
  case P::OLE:
    return Comparison{"LessOrEqual"};
  case P::UGT:
    return Comparison{"LessOrEqual", true};
  case P::OGT:
    return Comparison{"Greater"};
  case P::ULE:
    return Comparison{"Greater", true};
  case P::OGE:
    return Comparison{"GreaterOrEqual"};
  case P::ULT:
    return Comparison{"GreaterOrEqual", true};
  default:
    return std::nullopt;
  }
}

static Comparison comparisonOf(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return {"Equal"};
  case P::ne:
    return {"Equal", true};
  case P::slt:
    return {"Less", false, Sign::Signed};
  case P::sle:
    return {"LessOrEqual", false, Sign::Signed};
  case P::sgt:
    return {"Greater", false, Sign::Signed};
  case P::sge:
    return {"GreaterOrEqual", false, Sign::Signed};
  case P::ult:
    return {"Less", false, Sign::Unsigned};
  case P::ule:
    return {"LessOrEqual", false, Sign::Unsigned};
  case P::ugt:
    return {"Greater", false, Sign::Unsigned};
  case P::uge:
    return {"GreaterOrEqual", false, Sign::Unsigned};
  }
  llvm_unreachable("all predicates are above");
}

/// Whether an operation takes its operands as unsigned numbers of a width that ONNX computes with so. Bool has no sign.
static bool hasUnsignedForm(Type type) { return type.isInteger(8) || type.isInteger(1); }

FailureOr<Scalar> ScalarBody::emitComparison(Operation &scalar) {
  std::optional<Comparison> comparison;
  auto floats = dyn_cast<arith::CmpFOp>(scalar);
  if (floats && floats.getPredicate() == arith::CmpFPredicate::UNO && floats.getLhs() == floats.getRhs()) {
    FailureOr<Scalar> input = read(floats.getLhs());
    if (failed(input))
      return failure();
    return makeNode("IsNaN", *input);
  }
  if (floats)
    comparison = comparisonOf(floats.getPredicate());
  else
    comparison = comparisonOf(cast<arith::CmpIOp>(scalar).getPredicate());
  Type type = scalar.getOperand(0).getType();
  if (!comparison || (comparison->sign == Sign::Unsigned && !hasUnsignedForm(type)))
    return unsupported("a comparison that ONNX has not");
  FailureOr<SmallVector<Scalar>> inputs = readAll(scalar.getOperands());
  if (failed(inputs))
    return failure();
  bool isUnsigned = comparison->sign == Sign::Unsigned ||
                    (comparison->sign == Sign::Any && ((*inputs)[0].isUnsigned || (*inputs)[1].isUnsigned));
  if (type.isInteger(8))
    for (Scalar &input : *inputs)
      input = asSigned(input, isUnsigned);
  Scalar result = makeNode(comparison->type, *inputs);
  result.isUnsigned = false;
  return comparison->negated ? makeNode("Not", result) : result;
}

FailureOr<Scalar> ScalarBody::emitCopySign(Operation &scalar) {
  FailureOr<SmallVector<Scalar>> inputs = readAll(scalar.getOperands());
  if (failed(inputs))
    return failure();
  ConstantTensor number = *scalarTensor(FloatAttr::get(scalar.getResult(0).getType(), 0.0));
  Scalar zero = {exporter.graph.addConstant(std::move(number), ""), llvm::SmallBitVector(op.getNumLoops())};
  Scalar magnitude = makeNode("Abs", (*inputs)[0]);
  return makeNode("Where", {makeNode("Less", {(*inputs)[1], zero}), makeNode("Neg", magnitude), magnitude});
}

FailureOr<Scalar> ScalarBody::emitCast(Operation &scalar) {
  Type from = scalar.getOperand(0).getType(), to = scalar.getResult(0).getType();
  bool unsignedSource = isa<arith::UIToFPOp, arith::ExtUIOp>(scalar), unsignedResult = isa<arith::FPToUIOp>(scalar);
  if ((unsignedSource && !hasUnsignedForm(from)) || (unsignedResult && !hasUnsignedForm(to)) || !onnxType(to) ||
      !onnxType(from) || (from.isInteger(1) && isa<arith::SIToFPOp, arith::ExtSIOp>(scalar)) ||
      (to.isInteger(1) && !isa<arith::FPToUIOp>(scalar)))
    return unsupported("the cast " + scalar.getName().getStringRef());
  FailureOr<Scalar> input = read(scalar.getOperand(0));
  if (failed(input))
    return failure();
  if (from.isInteger(8))
    *input = asSigned(*input, unsignedSource);
  bool isUnsigned = unsignedResult && to.isInteger(8);
  Scalar result = makeNode("Cast", *input, {{"to", int64_t(isUnsigned ? int32_t(onnx::TensorProto::UINT8) : onnxType(to))}});
  result.isUnsigned = isUnsigned;
  return result;
}

FailureOr<Scalar> ScalarBody::emitNamed(Operation &scalar) {
  StringRef name = scalar.getName().getStringRef(), type;
  Sign sign = Sign::Any;
  Type element = scalar.getOperand(0).getType();
  for (const NamedScalar &known : kNamed)
    if (known.operation == name) {
      type = known.type;
      sign = known.sign;
    }
  for (const auto &[operation, types] : kLogical)
    if (operation == name)
      type = element.isInteger(1) ? types.second : types.first;
  if (type.empty() || (sign == Sign::Unsigned && !hasUnsignedForm(element)) ||
      (element.isInteger(1) && llvm::is_contained({"Add", "Sub", "Mul", "Div", "Max", "Min"}, type)))
    return unsupported("the scalar operation " + name);
  FailureOr<SmallVector<Scalar>> inputs = readAll(scalar.getOperands());
  if (failed(inputs))
    return failure();
  bool isUnsigned = sign == Sign::Unsigned ||
                    (sign == Sign::Any && llvm::any_of(*inputs, [](const Scalar &input) { return input.isUnsigned; }));
  for (auto [input, operand] : llvm::zip_equal(*inputs, scalar.getOperands()))
    if (operand.getType().isInteger(8))
      input = asSigned(input, isUnsigned);
  return makeNode(type, *inputs);
}

FailureOr<Scalar> ScalarBody::emitAny(Operation &scalar) {
  if (auto clamp = matchClamp(op, scalar))
    return emitClamp(scalar, clamp->first, clamp->second);
  if (isa<arith::CmpFOp, arith::CmpIOp>(scalar))
    return emitComparison(scalar);
  if (isa<arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp, arith::FPToUIOp, arith::ExtSIOp, arith::ExtUIOp,
          arith::TruncIOp, arith::ExtFOp, arith::TruncFOp>(scalar))
    return emitCast(scalar);
  if (isa<math::CopySignOp>(scalar))
    return emitCopySign(scalar);
  if (isa<math::FmaOp>(scalar)) {
    FailureOr<SmallVector<Scalar>> inputs = readAll(scalar.getOperands());
    if (failed(inputs))
      return failure();
    return makeNode("Add", {makeNode("Mul", {(*inputs)[0], (*inputs)[1]}), (*inputs)[2]});
  }
  if (scalar.getNumOperands() == 0 || scalar.getNumResults() != 1)
    return unsupported("the scalar operation " + scalar.getName().getStringRef());
  return emitNamed(scalar);
}

LogicalResult ScalarBody::emit(Operation &scalar) {
  if (scalar.hasTrait<OpTrait::ConstantLike>() || takeBias(scalar))
    return success();
  FailureOr<Scalar> result = emitAny(scalar);
  if (succeeded(result))
    scalars[scalar.getResult(0)] = *result;
  return success(succeeded(result));
}
