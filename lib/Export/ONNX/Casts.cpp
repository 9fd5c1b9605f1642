//===- Casts.cpp - quantize and dequantize in QDQ form ----------------------===//
//
// QuantizeLinear rounds x / scale half to even, adds the zero point and saturates; DequantizeLinear is
// (code - zero point) * scale: rules A1 to A3 of docs/Arithmetic.md but for NaN. Codes and zero points of activations may be
// written 128 higher, as uint8, which stands for the same numbers. Constant codes are int8, or int4 where
// all are within -8 to 7 and the type says that they must be; codebooks become the int8 levels that their codes stand for.
//
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "halftone/Support/Constants.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

/// A value alone, or a vector of the values of an axis.
template <typename T>
static std::string addParameter(Exporter &exporter, ArrayRef<T> values, bool perAxis) {
  ConstantTensor tensor = makeVector(values);
  if (!perAxis)
    tensor.shape.clear();
  return exporter.graph.addConstant(std::move(tensor), "");
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Adds scale and zero point, and `axis` where there are several.
static LogicalResult addType(Exporter &exporter, Operation *op, Type element, ArrayRef<int64_t> order,
                             SmallVectorImpl<std::string> &inputs, SmallVectorImpl<NodeAttribute> &attributes) {
  SmallVector<float> scales;
  SmallVector<int8_t> zeroPoints;
  auto quantized = dyn_cast<quant::QuantizedType>(element);
  if (!quantized || !quantized.isSigned() || quantized.getStorageTypeIntegralWidth() != 8)
    return exporter.unsupported(op, "codes that are not of signed 8-bit integers");
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (perAxis) {
    scales.assign(perAxis.getScales().begin(), perAxis.getScales().end());
    zeroPoints.assign(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
    attributes.push_back({"axis", inverse(order)[perAxis.getQuantizedDimension()]});
  } else if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element)) {
    scales.push_back(uniform.getScale());
    zeroPoints.push_back(uniform.getZeroPoint());
  } else {
    return exporter.unsupported(op, "codes that are not uniform");
  }
  inputs.push_back(addParameter<float>(exporter, scales, perAxis != nullptr));
  if (exporter.options.unsignedActivations) {
    auto shifted = llvm::map_to_vector(zeroPoints, [](int8_t zero) { return static_cast<uint8_t>(zero + 128); });
    inputs.push_back(addParameter<uint8_t>(exporter, shifted, perAxis != nullptr));
  } else {
    inputs.push_back(addParameter<int8_t>(exporter, zeroPoints, perAxis != nullptr));
  }
  return success();
}

/// The cast of `from`, in the same order.
static FailureOr<Tensor> makeCast(Exporter &exporter, Operation *op, StringRef type, Type element, const Tensor &from) {
  SmallVector<std::string> inputs{from.name};
  SmallVector<NodeAttribute> attributes;
  if (failed(addType(exporter, op, element, from.order, inputs, attributes)))
    return failure();
  // Bits that were made from unsigned bytes are signed codes from here on.
  if (from.isUnsigned && !exporter.options.unsignedActivations)
    inputs.front() = exporter.graph.addNode("Cast", from.name, hintOf(op), {{"to", int64_t(onnx::TensorProto::INT8)}});
  return Tensor{exporter.graph.addNode(type, inputs, hintOf(op), attributes), from.order};
}

static LogicalResult exportCast(Exporter &exporter, Operation *op, StringRef type, Type element, const Tensor &from) {
  FailureOr<Tensor> made = makeCast(exporter, op, type, element, from);
  if (failed(made))
    return failure();
  exporter.bind(op->getResult(0), *made);
  return success();
}

/// The values that the codes of a type stand for at their ends: QuantizeLinear saturates only where int8 ends.
static FailureOr<Tensor> clipToCodes(Exporter &exporter, QuantizeOp op, quant::QuantizedType type, Tensor from) {
  auto uniform = dyn_cast<quant::UniformQuantizedType>(type);
  if (!uniform)
    return exporter.unsupported(op, "codes of a smaller range than int8 with a scale for each channel");
  auto bound = [&](int64_t code) {
    return exporter.graph.addScalar(static_cast<float>(double(code - uniform.getZeroPoint()) * uniform.getScale()), "");
  };
  from.name = exporter.graph.addNode("Clip", {from.name, bound(type.getStorageTypeMin()), bound(type.getStorageTypeMax())}, hintOf(op));
  return from;
}

LogicalResult exporter::exportQuantize(Exporter &exporter, QuantizeOp op) {
  auto type = dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(op.getResult().getType()));
  FailureOr<Tensor> from = exporter.read(op.getInput(), hintOf(op));
  if (type && type.isSigned() && (type.getStorageTypeMin() != -128 || type.getStorageTypeMax() != 127))
    from = clipToCodes(exporter, op, type, *from);
  return failed(from) ? failure() : exportCast(exporter, op, "QuantizeLinear", type, *from);
}

LogicalResult exporter::exportDequantize(Exporter &exporter, DequantizeOp op) {
  return exportCast(exporter, op, "DequantizeLinear", getElementTypeOrSelf(op.getInput().getType()), exporter.read(op.getInput(), hintOf(op)));
}

FailureOr<Tensor> exporter::dequantizeAs(Exporter &exporter, DequantizeOp op, Value codes, ArrayRef<int64_t> order) {
  Tensor from{exporter.read(codes, order, hintOf(op)), SmallVector<int64_t>(order)};
  return makeCast(exporter, op, "DequantizeLinear", getElementTypeOrSelf(op.getInput().getType()), from);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static std::optional<Codes> decodeCodebook(DequantizeOp op, std::vector<int8_t> codes) {
  std::optional<std::vector<int8_t>> levels = getConstantElements<int8_t>(op.getLevels());
  std::optional<std::vector<float>> scales = getConstantElements<float>(op.getScales());
  if (!levels || !scales)
    return std::nullopt;
  for (int8_t &code : codes) {
    size_t index = static_cast<uint8_t>(code);
    if (index >= levels->size())
      return std::nullopt;
    code = (*levels)[index];
  }
  int64_t axis = cast<CodebookType>(getElementTypeOrSelf(op.getInput().getType())).getAxis();
  return Codes{std::move(codes), *scales, std::vector<int8_t>(scales->size(), 0), axis};
}

/// Whether all codes of a type are 4-bit integers, and its zero points, too.
static bool isNarrow(quant::QuantizedType type) { return type.getStorageTypeMin() >= -8 && type.getStorageTypeMax() <= 7; }

std::optional<Codes> exporter::findCodes(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return std::nullopt;
  std::optional<std::vector<int8_t>> codes = getConstantElements<int8_t>(dequantize.getInput());
  if (!codes)
    return std::nullopt;
  Type element = getElementTypeOrSelf(dequantize.getInput().getType());
  if (isa<CodebookType>(element))
    return decodeCodebook(dequantize, std::move(*codes));
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element))
    return Codes{std::move(*codes), {float(uniform.getScale())}, {int8_t(uniform.getZeroPoint())}, -1, isNarrow(uniform)};
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (!perAxis)
    return std::nullopt;
  Codes result{std::move(*codes), {}, {}, perAxis.getQuantizedDimension(), isNarrow(perAxis)};
  result.scales.assign(perAxis.getScales().begin(), perAxis.getScales().end());
  result.zeroPoints.assign(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
  return result;
}

/// The dimension of `shape` that has the elements of dimension `axis` of `from`, a shape with the same elements.
static int64_t findAxis(ArrayRef<int64_t> from, int64_t axis, ArrayRef<int64_t> shape) {
  int64_t before = ShapedType::getNumElements(from.take_front(axis)), count = 1;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (count == before && size == from[axis])
      return i;
    count *= size;
  }
  return -1;
}

/// Integers of 4 bits, two in a byte, the first one in the lower half.
static std::string packNibbles(ArrayRef<int8_t> codes) {
  std::string bytes((codes.size() + 1) / 2, '\0');
  for (auto [i, code] : llvm::enumerate(codes))
    bytes[i / 2] |= (code & 15) << (i % 2 * 4);
  return bytes;
}

/// Codes or zero points: int4 or int8.
static std::string addCodes(Exporter &exporter, ArrayRef<int8_t> codes, ArrayRef<int64_t> shape, bool narrow, StringRef hint) {
  ConstantTensor tensor = makeVector(codes);
  tensor.shape.assign(shape.begin(), shape.end());
  if (narrow) {
    tensor.type = kInt4;
    tensor.bytes = packNibbles(codes);
    exporter.graph.require(21);
  }
  return exporter.graph.addConstant(std::move(tensor), hint);
}

std::string exporter::makeDequantized(Exporter &exporter, Value value, const Codes &codes, ArrayRef<int64_t> order,
                                      ArrayRef<int64_t> shape, StringRef hint) {
  SmallVector<NodeAttribute> attributes;
  SmallVector<int64_t> parameterShape;
  ArrayRef<int64_t> own = shapeOf(value);
  if (codes.axis >= 0) {
    attributes.push_back({"axis", findAxis(permuted(own, order), inverse(order)[codes.axis], shape)});
    parameterShape.push_back(codes.scales.size());
  }
  std::vector<int8_t> moved = transposeElements<int8_t>(codes.codes, own, order);
  std::string constant = addCodes(exporter, moved, shape, codes.narrow, (hint + "/codes").str());
  std::string zeroPoints = addCodes(exporter, codes.zeroPoints, parameterShape, codes.narrow, "");
  return exporter.graph.addNode("DequantizeLinear",
                                {constant, addParameter<float>(exporter, codes.scales, codes.axis >= 0), zeroPoints}, hint,
                                attributes);
}
