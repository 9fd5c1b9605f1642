//===- Constants.cpp - constants of a module as ONNX has them ---------------===//
#include "Exporter.h"
#include "halftone/Support/Constants.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

template <typename T>
static std::string toBytes(ArrayRef<T> values) {
  return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
}

/// The elements as integers of their size, in the order of the permuted dimensions.
template <typename T>
static std::string permutedBytes(ArrayRef<char> bytes, ArrayRef<int64_t> shape, ArrayRef<int64_t> order) {
  if (llvm::is_sorted(order))
    return std::string(bytes.begin(), bytes.end());
  std::vector<T> elements(bytes.size() / sizeof(T));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(elements.data()));
  std::vector<T> moved = transposeElements<T>(elements, shape, order);
  return toBytes<T>(moved);
}

/// Row-major elements; a splat has one.
static std::optional<std::string> elementBytes(Attribute attribute, int64_t size) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || static_cast<int64_t>(blob->getData().size()) != resource.getType().getNumElements() * size)
      return std::nullopt;
    return std::string(blob->getData().begin(), blob->getData().end());
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  if (dense.getElementType().isInteger(1)) {
    std::vector<bool> values = dense.isSplat() ? std::vector<bool>{dense.getSplatValue<bool>()} : *getElements<bool>(dense);
    return std::string(values.begin(), values.end());
  }
  return std::string(dense.getRawData().begin(), dense.getRawData().end());
}

std::optional<ConstantTensor> exporter::makeConstantTensor(Attribute attribute, ArrayRef<int64_t> order,
                                                           ArrayRef<int64_t> shape) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  int32_t type = elements ? onnxType(elements.getElementType()) : 0;
  if (!type)
    return std::nullopt;
  int64_t size = std::max(1u, elements.getElementType().getIntOrFloatBitWidth() / 8);
  std::optional<std::string> bytes = ::elementBytes(attribute, size);
  if (!bytes)
    return std::nullopt;
  ConstantTensor tensor{type, SmallVector<int64_t>(shape), ""};
  int64_t count = elements.getNumElements();
  if (elements.isSplat()) {
    tensor.bytes.reserve(count * size);
    for (int64_t i = 0; i < count; ++i)
      tensor.bytes += *bytes;
    return tensor;
  }
  ArrayRef<int64_t> from = elements.getShapedType().getShape();
  ArrayRef<char> raw(bytes->data(), bytes->size());
  switch (size) {
  case 1:
    tensor.bytes = permutedBytes<int8_t>(raw, from, order);
    break;
  case 2:
    tensor.bytes = permutedBytes<int16_t>(raw, from, order);
    break;
  case 4:
    tensor.bytes = permutedBytes<int32_t>(raw, from, order);
    break;
  default:
    tensor.bytes = permutedBytes<int64_t>(raw, from, order);
  }
  return tensor;
}

template <typename T>
static ConstantTensor makeVectorOf(int32_t type, ArrayRef<T> values) {
  return {type, {static_cast<int64_t>(values.size())}, toBytes(values)};
}

ConstantTensor exporter::makeVector(ArrayRef<float> values) { return makeVectorOf(onnx::TensorProto::FLOAT, values); }
ConstantTensor exporter::makeVector(ArrayRef<int8_t> values) { return makeVectorOf(onnx::TensorProto::INT8, values); }
ConstantTensor exporter::makeVector(ArrayRef<uint8_t> values) { return makeVectorOf(onnx::TensorProto::UINT8, values); }
ConstantTensor exporter::makeVector(ArrayRef<int32_t> values) { return makeVectorOf(onnx::TensorProto::INT32, values); }
