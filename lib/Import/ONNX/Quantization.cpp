//===- Quantization.cpp - ONNX's QuantizeLinear and DequantizeLinear --------===//
//
//   QuantizeLinear:    code = saturate(roundeven(x / scale) + zero point), an f32 division
//   DequantizeLinear:  x = f32(code - zero point) * scale
//
// With one constant scale and codes of at most 8 bits they are halftone.quantize and halftone.dequantize, rules A1 to A3 of
// docs/Arithmetic.md, which are the same numbers. Unsigned codes are stored 128 lower there. All other casts (scales by axis,
// scales made when the model runs, 16 and 32 bits, floats of 8 bits) are written out in f32. On constants both are computed here; what
// DequantizeLinear makes of them remembers its scales (HostTensor::scales), so that weights are codes again in the end.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Quantization.h"
#include "Broadcast.h"
#include "Operators.h"
#include "Reduction.h"
#include "Shape.h"
#include "SmallFloats.h"
#include "halftone/Analysis/SourceScales.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// Scales and zero points
//===----------------------------------------------------------------------===//

namespace {
/// The least and the greatest code of an element type.
struct CodeRange {
  explicit CodeRange(Type element) {
    int64_t bits = element.getIntOrFloatBitWidth();
    bool isUnsigned = element.isUnsignedInteger();
    low = isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
    high = (int64_t(1) << (isUnsigned ? bits : bits - 1)) - 1;
  }
  int64_t low, high;
};

/// What a node's inputs and attributes say of its cast.
struct Cast {
  Tensor scale;
  std::optional<Tensor> zero;
  Type element;      ///< of the codes
  int64_t axis = -1; ///< along which scales differ; -1: one scale
  int64_t block = 0; ///< how many positions along the axis share a scale; 0: each has its own

  /// The one scale and zero point that make it a cast of halftone's; nothing if it has others.
  std::optional<std::pair<float, int64_t>> asUniform() const;
};
} // namespace

std::optional<std::pair<float, int64_t>> Cast::asUniform() const {
  if (!isa<IntegerType>(element) || !scale.constant || (zero && !zero->constant) || element.getIntOrFloatBitWidth() > 8)
    return std::nullopt;
  std::vector<double> scales = scale.constant->numbers();
  std::vector<int64_t> zeros = zero ? zero->constant->integers() : std::vector<int64_t>{0};
  float first = scales.empty() ? 0 : scales.front();
  if (!llvm::all_equal(scales) || !llvm::all_equal(zeros) || !std::isnormal(first) || first <= 0)
    return std::nullopt;
  return std::make_pair(first, zeros.front());
}

static LogicalResult checkBlocks(Node &node, const Cast &cast, const Tensor &x) {
  SmallVector<int64_t> expected(x.shape);
  if (cast.block < 0 || x.isDynamic() || cast.axis < 0 || cast.axis >= x.rank())
    return node.unsupported("blocks along no static axis");
  expected[cast.axis] = llvm::divideCeil(expected[cast.axis], cast.block);
  return cast.scale.shape == expected ? success() : node.unsupported("scales that do not fit the blocks");
}

static LogicalResult checkCast(Node &node, const Cast &cast, const Tensor &x) {
  if (!cast.scale.element.isF32())
    return node.unsupported("a scale that is not f32");
  if (cast.zero && cast.zero->element != cast.element)
    return node.unsupported("a zero point of another type than the codes");
  if (cast.zero && isSmallFloat(cast.element) && (!cast.zero->constant || llvm::any_of(cast.zero->constant->numbers(), [](double zero) { return zero != 0; })))
    return node.unsupported("a zero point of floats that is not 0");
  if (cast.zero && cast.zero->shape != cast.scale.shape && ShapedType::getNumElements(cast.zero->shape) != 1)
    return node.unsupported("scales and zero points of different shapes");
  if (cast.block)
    return checkBlocks(node, cast, x);
  bool fits = cast.axis < 0 || (cast.scale.rank() == 1 && cast.axis < x.rank() && cast.scale.shape[0] == x.shape[cast.axis]);
  return fits ? success() : node.unsupported("scales that do not fit the axis");
}

/// The cast of a node; failure after `node.unsupported`.
static FailureOr<Cast> readCast(Node &node, Type element) {
  const Tensor &x = node.input(0);
  Cast cast{node.input(1), std::nullopt, element};
  if (node.hasInput(2))
    cast.zero = node.input(2);
  cast.block = node.getInt("block_size", 0);
  int64_t axis = node.getInt("axis", 1);
  if (cast.block || ShapedType::getNumElements(cast.scale.shape) != 1)
    cast.axis = fromStart(axis, x.rank());
  if (failed(checkCast(node, cast, x)))
    return failure();
  return cast;
}

/// The element type of the codes that QuantizeLinear makes.
static FailureOr<Type> readCodesElement(Node &node) {
  int64_t wanted = node.getInt("output_dtype", 0);
  Type element = wanted ? storedType(node.builder.getContext(), wanted) : Type();
  if (wanted && (!element || element.isF32() || element.isF64()))
    return node.unsupported("codes that are neither integers nor floats of 8 bits");
  if (!element)
    element = node.hasInput(2) ? node.input(2).element : Type(node.builder.getIntegerType(8, /*isSigned=*/false));
  if (isSmallFloat(element) ? element.getIntOrFloatBitWidth() < 8 : !isa<IntegerType>(element) || element.getIntOrFloatBitWidth() > 16)
    return node.unsupported("codes that are not integers of 4, 8 or 16 bits or floats of 8");
  return element;
}

/// The cast of a QuantizeLinear; failure after `node.unsupported`.
static FailureOr<Cast> readQuantizer(Node &node) {
  FailureOr<Type> element = readCodesElement(node);
  if (failed(element))
    return failure();
  return readCast(node, *element);
}

/// One scalar, or a tensor that broadcasts along the axis to the rank.
static Tensor alongAxis(Node &node, const Tensor &tensor, int64_t axis, int64_t rank) {
  if (axis < 0 || tensor.rank() != 1)
    return tensor;
  SmallVector<int64_t> shape(rank - axis, 1);
  shape[0] = tensor.shape[0];
  if (tensor.constant)
    return toTensor(tensor.constant->reshaped(shape));
  Tensor result = toTensor(reshape(node, tensor.value, shape));
  result.element = tensor.element;
  return result;
}

//===----------------------------------------------------------------------===//
// Casts of halftone's
//===----------------------------------------------------------------------===//

/// Codes are stored as signed bytes: unsigned ones of 8 bits are 128 lower.
static int64_t storageShift(Type element) { return element.isUnsignedInteger(8) ? 128 : 0; }

static quant::UniformQuantizedType uniformType(Node &node, Type element, float scale, int64_t zero) {
  CodeRange range(element);
  int64_t shift = storageShift(element);
  return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed, node.builder.getI8Type(), node.builder.getF32Type(), scale,
                                          zero - shift, range.low - shift, range.high - shift);
}

/// The bytes with the highest bit flipped: unsigned codes to signed ones and back.
static Value flipSign(Node &node, Value bytes) {
  auto type = cast<RankedTensorType>(bytes.getType());
  return buildElementwise(node.builder, node.loc, bytes, {}, node.mixedSizes(type.getShape(), bytes), type.getElementType(),
                          [](OpBuilder &b, Location l, ValueRange e) -> Value {
                            return arith::XOrIOp::create(b, l, e[0], scalarConstant(b, l, b.getI8Type(), -128));
                          });
}

Value importer::toSigned(Node &node, const Tensor &codes) {
  if (codes.codes) {
    auto type = cast<RankedTensorType>(codes.codes.getType());
    return quant::StorageCastOp::create(node.builder, node.loc, type.clone(node.builder.getI8Type()), codes.codes);
  }
  Value bytes = materialize(node, codes);
  return storageShift(codes.element) ? flipSign(node, bytes) : bytes;
}

static void setCodes(Node &node, Value codes, Type element) {
  auto type = cast<RankedTensorType>(codes.getType());
  Value bytes = quant::StorageCastOp::create(node.builder, node.loc, type.clone(node.builder.getI8Type()), codes);
  Tensor result = toTensor(storageShift(element) ? flipSign(node, bytes) : bytes);
  result.element = element;
  result.codes = codes;
  node.setResult(result);
}

/// The tensor as codes of the type: those that a QuantizeLinear made, or its bytes.
static Value asCodes(Node &node, const Tensor &x, quant::UniformQuantizedType type) {
  if (x.codes && getElementTypeOrSelf(x.codes.getType()) == type)
    return x.codes;
  Value bytes = toSigned(node, x);
  return quant::StorageCastOp::create(node.builder, node.loc, cast<RankedTensorType>(bytes.getType()).clone(type), bytes);
}

//===----------------------------------------------------------------------===//
// Casts written out
//===----------------------------------------------------------------------===//

Value importer::emitWide(OpBuilder &b, Location l, Type element, Value x) {
  Type i32 = b.getI32Type();
  if (x.getType() == i32)
    return x;
  if (element.isUnsignedInteger())
    return arith::ExtUIOp::create(b, l, i32, x);
  return arith::ExtSIOp::create(b, l, i32, x);
}

Value importer::emitQuantize(OpBuilder &b, Location l, Type element, Value x, Value scale, Value zero) {
  CodeRange range(element);
  Type f32 = b.getF32Type();
  Value low = scalarConstant(b, l, f32, range.low), high = scalarConstant(b, l, f32, range.high);
  Value y = math::RoundEvenOp::create(b, l, arith::DivFOp::create(b, l, x, scale));
  if (zero)
    y = arith::AddFOp::create(b, l, y, arith::SIToFPOp::create(b, l, f32, emitWide(b, l, element, zero)));
  Value above = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, y, low);
  y = arith::SelectOp::create(b, l, above, y, low);
  Value below = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OLT, y, high);
  y = arith::SelectOp::create(b, l, below, y, high);
  Value code = arith::FPToSIOp::create(b, l, b.getI32Type(), y);
  Type stored = storageType(element);
  return stored.isInteger(32) ? code : arith::TruncIOp::create(b, l, stored, code).getResult();
}

/// Whether what a float of 8 bits does not reach becomes its greatest.
static bool saturates(Node &node) { return node.getInt("saturate", 1); }

/// What is cast, its scales, and its zero points if there are any, which broadcast.
static SmallVector<Tensor> readTensors(Node &node, const Cast &cast) {
  const Tensor x = node.input(0);
  SmallVector<Tensor> tensors{x, alongAxis(node, cast.scale, cast.axis, x.rank())};
  if (cast.zero)
    tensors.push_back(alongAxis(node, *cast.zero, cast.axis, x.rank()));
  return tensors;
}

static LogicalResult quantizeWrittenOut(Node &node, const Cast &cast) {
  if (isSmallFloat(cast.element)) {
    SmallVector<Tensor> tensors = readTensors(node, cast);
    Value codes = buildBroadcast(node, ArrayRef(tensors).take_front(2), node.builder.getF32Type(), [&](OpBuilder &b, Location l, ValueRange e) {
      return emitSmallFloat(b, l, cast.element, arith::DivFOp::create(b, l, e[0], e[1]), saturates(node));
    });
    node.setResult(codes, cast.element);
    return success(codes != nullptr);
  }
  return setBroadcast(node, readTensors(node, cast), cast.element, [&](OpBuilder &b, Location l, ValueRange e) {
    return emitQuantize(b, l, cast.element, e[0], e[1], e.size() > 2 ? e[2] : Value());
  });
}

static LogicalResult dequantizeWrittenOut(Node &node, const Cast &cast) {
  if (isSmallFloat(cast.element)) {
    SmallVector<Tensor> tensors = readTensors(node, cast);
    tensors[0] = asFloats(tensors[0]);
    return setBroadcast(node, ArrayRef(tensors).take_front(2), node.builder.getF32Type(),
                        [&](OpBuilder &b, Location l, ValueRange e) -> Value { return arith::MulFOp::create(b, l, e[0], e[1]); });
  }
  return setBroadcast(node, readTensors(node, cast), node.builder.getF32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value logical = emitWide(b, l, cast.element, e[0]);
    if (e.size() > 2)
      logical = arith::SubIOp::create(b, l, logical, emitWide(b, l, cast.element, e[2]));
    return arith::MulFOp::create(b, l, arith::SIToFPOp::create(b, l, b.getF32Type(), logical), e[1]);
  });
}

Value importer::subtractZero(Node &node, const Tensor &x, const std::optional<Tensor> &zero) {
  SmallVector<Tensor> tensors{x};
  if (zero)
    tensors.push_back(*zero);
  return buildBroadcast(node, tensors, node.builder.getI32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value wide = emitWide(b, l, x.element, e[0]);
    return e.size() > 1 ? arith::SubIOp::create(b, l, wide, emitWide(b, l, x.element, e[1])).getResult() : wide;
  });
}

//===----------------------------------------------------------------------===//
// On constants
//===----------------------------------------------------------------------===//

/// The index among the scales of each element of a tensor of the shape.
static std::vector<int64_t> scalePositions(const Cast &cast, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 0);
  if (cast.axis >= 0 && !cast.block)
    strides[cast.axis] = 1;
  if (!cast.block)
    return stridedIndices<int64_t>(shape, strides);
  SmallVector<int64_t> own = rowMajorStrides(cast.scale.shape);
  int64_t inner = rowMajorStrides(shape)[cast.axis], extent = shape[cast.axis], ownExtent = cast.scale.shape[cast.axis];
  std::vector<int64_t> positions(ShapedType::getNumElements(shape));
  for (int64_t i = 0, e = positions.size(); i < e; ++i)
    positions[i] = (i / (inner * extent) * ownExtent + i / inner % extent / cast.block) * inner + i % inner;
  return positions;
}

/// The zero point at a position among the scales.
static int64_t zeroAt(ArrayRef<int64_t> zeros, int64_t position) { return zeros.empty() ? 0 : zeros[zeros.size() == 1 ? 0 : position]; }

std::optional<HostTensor> onnx_operators::evaluateQuantizeLinear(Node &node) {
  const HostTensor &x = *node.constant(0);
  FailureOr<Cast> cast = readQuantizer(node);
  if (failed(cast) || !x.element.isF32())
    return std::nullopt;
  std::vector<double> numbers = x.numbers(), scales = cast->scale.constant->numbers();
  std::vector<int64_t> codes, positions = scalePositions(*cast, x.shape);
  if (isSmallFloat(cast->element)) {
    for (auto [number, position] : llvm::zip_equal(numbers, positions))
      number = static_cast<float>(number) / static_cast<float>(scales[position]);
    return HostTensor{cast->element, x.shape, encodeSmallFloats(cast->element, numbers, saturates(node)), {}, false};
  }
  (void)saturates(node); // integers always do
  CodeRange range(cast->element);
  std::vector<int64_t> zeros = cast->zero ? cast->zero->constant->integers() : std::vector<int64_t>();
  for (auto [number, position] : llvm::zip_equal(numbers, positions)) {
    float rounded = std::nearbyint(static_cast<float>(number) / static_cast<float>(scales[position])) + zeroAt(zeros, position);
    rounded = rounded > range.low ? rounded : range.low; // NaN is the lowest
    codes.push_back(rounded < range.high ? static_cast<int64_t>(rounded) : range.high);
  }
  return HostTensor::fromIntegers(cast->element, x.shape, codes);
}

std::shared_ptr<const HostScales> importer::describeScales(HostScales scales, int64_t least, int64_t greatest) {
  if (!scales.problem.empty())
    return std::make_shared<HostScales>(std::move(scales));
  if (!llvm::all_of(scales.scales, [](float scale) { return std::isnormal(scale) && scale > 0; }))
    scales.problem = "a scale of its weights is no normal number above 0";
  else if (least < -255 || greatest > 255)
    scales.problem = "its weights have codes that reach " + std::to_string(std::max(-least, greatest)) + " steps from 0, and those of bytes reach 255";
  scales.signedBytes = least >= -128 && greatest <= 127;
  return std::make_shared<HostScales>(std::move(scales));
}

/// The scales of a constant that the cast makes.
static HostScales scalesOf(const Cast &cast) {
  HostScales result;
  for (double scale : cast.scale.constant->numbers())
    result.scales.push_back(scale);
  result.axis = cast.axis;
  if (cast.block)
    result.problem = "its weights have a scale for every " + std::to_string(cast.block) + " elements of the reduction";
  return result;
}

std::optional<HostTensor> onnx_operators::evaluateDequantizeLinear(Node &node) {
  const HostTensor &x = *node.constant(0);
  FailureOr<Cast> cast = readCast(node, x.element);
  if (failed(cast) || (x.isFloat() && !isSmallFloat(x.element)) || x.symbolic || (node.getInt(kKeepCodes, 0) && cast->asUniform()))
    return std::nullopt;
  if (isSmallFloat(x.element)) {
    std::vector<double> numbers = x.numbers(), scales = cast->scale.constant->numbers();
    for (auto [number, position] : llvm::zip_equal(numbers, scalePositions(*cast, x.shape)))
      number = static_cast<float>(number) * static_cast<float>(scales[position]);
    return HostTensor::fromNumbers(node.builder.getF32Type(), x.shape, numbers);
  }
  std::vector<int64_t> codes = x.integers(), zeros = cast->zero ? cast->zero->constant->integers() : std::vector<int64_t>();
  std::vector<double> scales = cast->scale.constant->numbers(), numbers;
  int64_t least = 0, greatest = 0;
  for (auto [code, position] : llvm::zip_equal(codes, scalePositions(*cast, x.shape))) {
    int64_t logical = code - zeroAt(zeros, position);
    least = std::min(least, logical);
    greatest = std::max(greatest, logical);
    numbers.push_back(static_cast<float>(logical) * static_cast<float>(scales[position]));
  }
  HostTensor result = HostTensor::fromNumbers(node.builder.getF32Type(), x.shape, numbers);
  result.scales = describeScales(scalesOf(*cast), least, greatest);
  return result;
}

std::optional<SignedWeights> importer::readSignedWeights(Node &node, unsigned zero, int64_t axis) {
  HostTensorRef weights = node.constant(1), zeroPoint = node.constant(zero);
  if (!weights || (node.hasInput(zero) && !zeroPoint))
    return std::nullopt;
  std::vector<int64_t> codes = weights->integers(), bytes = codes, zeros = zeroPoint ? zeroPoint->integers() : std::vector<int64_t>();
  if (zeros.size() > 1 && static_cast<int64_t>(zeros.size()) != weights->shape[axis])
    return std::nullopt;
  SmallVector<int64_t> strides(weights->shape.size(), 0);
  strides[axis] = 1;
  for (auto [code, position] : llvm::zip_equal(bytes, stridedIndices<int64_t>(weights->shape, strides)))
    code -= zeroAt(zeros, position);
  if (llvm::all_of(bytes, [](int64_t code) { return code >= -128 && code <= 127; })) {
    zeros.clear();
  } else {
    const int64_t shift = weights->element.isUnsignedInteger() ? 128 : 0;
    bytes = codes;
    for (int64_t &code : bytes)
      code -= shift;
    for (int64_t &code : zeros)
      code -= shift;
  }
  HostTensor result = HostTensor::fromIntegers(node.builder.getI8Type(), weights->shape, bytes);
  result.name = weights->name;
  return SignedWeights{std::move(result), std::move(zeros)};
}

/// product - za weightSums - zw (inputSums - count za), za and zw of signed bytes.
Value importer::subtractZeros(Node &node, IntegerProduct parts, Type input, const std::optional<Tensor> &zero) {
  const int64_t shift = input.isUnsignedInteger() ? 128 : 0;
  if (!shift && !zero && !parts.zeros)
    return parts.product;
  SmallVector<Tensor> tensors{toTensor(parts.product), toTensor(std::move(parts.weightSums))};
  if (parts.zeros)
    tensors.append({toTensor(*parts.zeros), toTensor(parts.inputSums)});
  if (zero)
    tensors.push_back(*zero);
  return buildBroadcast(node, tensors, node.builder.getI32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value za = scalarConstant(b, l, b.getI32Type(), -shift);
    if (zero)
      za = arith::AddIOp::create(b, l, emitWide(b, l, input, e.back()), za);
    Value sum = arith::SubIOp::create(b, l, e[0], arith::MulIOp::create(b, l, e[1], za));
    if (!parts.zeros)
      return sum;
    Value count = scalarConstant(b, l, b.getI32Type(), parts.count);
    Value distance = arith::SubIOp::create(b, l, e[3], arith::MulIOp::create(b, l, za, count));
    return arith::SubIOp::create(b, l, sum, arith::MulIOp::create(b, l, e[2], distance));
  });
}

//===----------------------------------------------------------------------===//
// Casts of codes that the source has written out
//===----------------------------------------------------------------------===//

std::shared_ptr<const HostScales> importer::scalesOfIntegers() {
  HostScales scales{{1.0f}};
  scales.written = true;
  return std::make_shared<HostScales>(std::move(scales));
}

/// The one dimension of a tensor of `rank` dimensions along which what broadcasts to it differs; -1: none; nothing: several.
static std::optional<int64_t> findOnlyAxis(ArrayRef<int64_t> shape, int64_t rank) {
  int64_t axis = -1;
  for (auto [d, size] : llvm::enumerate(shape)) {
    if (size != 1 && axis >= 0)
      return std::nullopt;
    if (size != 1)
      axis = rank - static_cast<int64_t>(shape.size()) + d;
  }
  return axis;
}

std::shared_ptr<const HostScales> importer::moveWrittenScales(StringRef type, const HostTensor &x, const HostTensor &factor) {
  if (!x.scales || !x.scales->written || factor.count() == 0)
    return nullptr;
  if (type == "Sub" || type == "Add")
    return x.scales; // whether the zero point is whole steps is seen in the weights
  std::optional<int64_t> axis = findOnlyAxis(factor.shape, x.shape.size());
  if (!axis || (*axis >= 0 && x.scales->axis >= 0 && *axis != x.scales->axis))
    return nullptr;
  HostScales result = *x.scales;
  std::vector<double> factors = factor.numbers();
  result.axis = std::max(*axis, result.axis);
  result.scales.resize(std::max(factors.size(), result.scales.size()));
  for (auto [i, scale] : llvm::enumerate(result.scales)) {
    const double number = std::abs(factors[factors.size() == 1 ? 0 : i]), before = x.scales->scales[x.scales->scales.size() == 1 ? 0 : i];
    // Where a scale is 0 all weights are.
    scale = static_cast<float>(number == 0 ? before : type == "Div" ? before / number : before * number);
    if (!std::isnormal(scale))
      return nullptr;
  }
  return std::make_shared<HostScales>(std::move(result));
}

/// Leaves the scales at what reads the codes.
static void setSourceScales(Operation *op, const HostScales &scales) {
  op->setAttr(kSourceScalesAttr, DenseF32ArrayAttr::get(op->getContext(), scales.scales));
  if (scales.written)
    op->setAttr(kSourceWrittenAttr, UnitAttr::get(op->getContext()));
}

void importer::tagWeights(Value contraction, const Tensor &weights, int64_t axis) {
  Operation *op = contraction ? contraction.getDefiningOp() : nullptr;
  if (!op || !weights.constant || !weights.constant->scales)
    return;
  const HostScales &scales = *weights.constant->scales;
  Builder builder(op->getContext());
  std::string problem = scales.problem;
  if (problem.empty() && scales.axis >= 0 && scales.axis != axis)
    problem = "its weights have scales along another axis than that of its output channels";
  if (!problem.empty() && scales.written)
    return; // floats like any others
  if (!problem.empty()) {
    op->setAttr(kReasonAttr, builder.getStringAttr(problem));
    return;
  }
  setSourceScales(op, scales);
  if (scales.dynamic)
    op->setAttr(kSourceDynamicAttr, builder.getUnitAttr());
}

void importer::tagTable(Value gather, const Tensor &table) {
  Operation *op = gather ? gather.getDefiningOp() : nullptr;
  const HostScales *scales = table.constant ? table.constant->scales.get() : nullptr;
  if (!op || !scales || !scales->problem.empty() || !scales->signedBytes || scales->axis > 0)
    return; // floats like any others
  setSourceScales(op, *scales);
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

LogicalResult onnx_operators::buildQuantizeLinear(Node &node) {
  if (!node.input(0).element.isF32())
    return node.unsupported("an input that is not f32");
  FailureOr<Cast> cast = readQuantizer(node);
  if (failed(cast))
    return failure();
  if (cast->block)
    return node.unsupported("blocks of an activation");
  auto uniform = cast->asUniform();
  (void)saturates(node); // integers always do
  Value x = node.operand(0);
  auto type = mlir::cast<RankedTensorType>(x.getType());
  if (!uniform || type.getRank() == 0)
    return quantizeWrittenOut(node, *cast);
  Type codes = uniformType(node, cast->element, uniform->first, uniform->second);
  setCodes(node, QuantizeOp::create(node.builder, node.loc, type.clone(codes), x), cast->element);
  return success();
}

LogicalResult onnx_operators::buildDequantizeLinear(Node &node) {
  (void)node.getInt(kKeepCodes, 0); // of constants
  Tensor x = node.input(0);
  if (!isSmallFloat(x.element) && (!isa<IntegerType>(x.element) || x.element.getIntOrFloatBitWidth() > 32 || x.element.isInteger(1)))
    return node.unsupported("codes of type " + llvm::formatv("{0}", x.element));
  FailureOr<Cast> cast = readCast(node, x.element);
  if (failed(cast))
    return failure();
  if (cast->block)
    return node.unsupported("blocks of an activation");
  auto uniform = cast->asUniform();
  if (uniform && x.rank() == 0 && x.constant)
    x = toTensor(x.constant->reshaped({1})); // broadcasts alike
  if (!uniform || x.rank() == 0)
    return dequantizeWrittenOut(node, *cast);
  Value codes = asCodes(node, x, uniformType(node, x.element, uniform->first, uniform->second));
  auto type = mlir::cast<RankedTensorType>(codes.getType()).clone(node.builder.getF32Type());
  node.setResult(DequantizeOp::create(node.builder, node.loc, type, codes, Value(), Value()));
  return success();
}

//===----------------------------------------------------------------------===//
// DynamicQuantizeLinear
//===----------------------------------------------------------------------===//

/// The greatest or least element; the last dimension is reduced last, so that the long part goes by vectors.
static Value findExtreme(Node &node, StringRef reduction, Value x) {
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  if (rank > 1)
    x = buildReduction(node, reduction, x, llvm::to_vector(llvm::seq<int64_t>(0, rank - 1)));
  return rank > 0 ? buildReduction(node, reduction, x, {0}) : x;
}

/// scale = (max(x, 0) - min(x, 0)) / 255, 1 if that is 0; zero point = saturate(roundeven(-min / scale)).
LogicalResult onnx_operators::buildDynamicQuantizeLinear(Node &node) {
  const Tensor x = node.input(0);
  if (!x.element.isF32())
    return node.unsupported("an input that is not f32");
  if (x.isDynamic())
    return node.unsupported("a range over the dynamic dimension, which would couple samples: give it one size");
  Type f32 = x.element, code = node.builder.getIntegerType(8, /*isSigned=*/false);
  Value greatest = findExtreme(node, "ReduceMax", node.operand(0)), least = findExtreme(node, "ReduceMin", node.operand(0));
  Value scale = buildBroadcast(node, {toTensor(greatest), toTensor(least)}, f32, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value zero = scalarConstant(b, l, f32, 0);
    Value range = arith::SubFOp::create(b, l, arith::MaximumFOp::create(b, l, e[0], zero), arith::MinimumFOp::create(b, l, e[1], zero));
    Value step = arith::DivFOp::create(b, l, range, scalarConstant(b, l, f32, 255));
    Value isZero = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, step, zero);
    return arith::SelectOp::create(b, l, isZero, scalarConstant(b, l, f32, 1), step);
  });
  Value zero = buildBroadcast(node, {toTensor(least), toTensor(scale)}, code, [&](OpBuilder &b, Location l, ValueRange e) {
    Value none = scalarConstant(b, l, f32, 0);
    return emitQuantize(b, l, code, arith::SubFOp::create(b, l, none, arith::MinimumFOp::create(b, l, e[0], none)), e[1], Value());
  });
  Tensor zeroPoint = toTensor(zero);
  zeroPoint.element = code;
  Value codes = buildBroadcast(node, {x, toTensor(scale), zeroPoint}, code, [&](OpBuilder &b, Location l, ValueRange e) {
    return emitQuantize(b, l, code, e[0], e[1], e[2]);
  });
  node.setResult(codes, code);
  node.setResult(scale, f32, 1);
  node.setResult(zero, code, 2);
  return success();
}
