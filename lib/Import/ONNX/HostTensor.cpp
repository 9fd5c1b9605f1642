//===- HostTensor.cpp - tensors known at import -----------------------------===//
#include "HostTensor.h"
#include "SmallFloats.h"
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

int64_t importer::elementBytes(Type element) {
  return std::max(1u, element.getIntOrFloatBitWidth() / 8);
}

int64_t HostTensor::count() const { return ShapedType::getNumElements(shape); }

namespace {
template <typename To, typename From>
std::vector<To> convert(const std::string &bytes) {
  std::vector<From> elements(bytes.size() / sizeof(From));
  if (!elements.empty())
    std::memcpy(elements.data(), bytes.data(), bytes.size());
  return std::vector<To>(elements.begin(), elements.end());
}

template <typename To, typename From>
std::string store(ArrayRef<From> values) {
  std::string bytes(values.size() * sizeof(To), '\0');
  for (auto [i, value] : llvm::enumerate(values)) {
    To element = static_cast<To>(value);
    std::memcpy(&bytes[i * sizeof(To)], &element, sizeof(To));
  }
  return bytes;
}

template <typename To>
std::vector<To> convertAny(const HostTensor &tensor) {
  Type element = tensor.element;
  if (element.isF32())
    return convert<To, float>(tensor.bytes);
  if (element.isF64())
    return convert<To, double>(tensor.bytes);
  if (isSmallFloat(element)) {
    std::vector<float> numbers = decodeSmallFloats(element, tensor.bytes);
    return std::vector<To>(numbers.begin(), numbers.end());
  }
  if (element.isInteger(64))
    return convert<To, int64_t>(tensor.bytes);
  if (element.isInteger(32))
    return convert<To, int32_t>(tensor.bytes);
  if (element.isUnsignedInteger(16))
    return convert<To, uint16_t>(tensor.bytes);
  if (element.isInteger(16))
    return convert<To, int16_t>(tensor.bytes);
  if (element.isInteger(1) || element.isUnsignedInteger())
    return convert<To, uint8_t>(tensor.bytes);
  return convert<To, int8_t>(tensor.bytes);
}
} // namespace

std::vector<int64_t> HostTensor::integers() const { return convertAny<int64_t>(*this); }

std::vector<double> HostTensor::numbers() const { return convertAny<double>(*this); }

HostTensor HostTensor::fromIntegers(Type element, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  HostTensor result{element, SmallVector<int64_t>(shape), {}, {}, false};
  if (element.isInteger(64)) {
    result.bytes = store<int64_t>(values);
    result.symbolic = llvm::is_contained(values, ShapedType::kDynamic);
  } else if (element.isInteger(32)) {
    result.bytes = store<int32_t>(values);
  } else if (element.isInteger(16)) {
    result.bytes = store<uint16_t>(values);
  } else {
    result.bytes = store<uint8_t>(values);
  }
  return result;
}

HostTensor HostTensor::fromNumbers(Type element, ArrayRef<int64_t> shape, ArrayRef<double> values) {
  HostTensor result{element, SmallVector<int64_t>(shape), {}, {}, false};
  if (isSmallFloat(element))
    result.bytes = encodeSmallFloats(element, values, /*saturates=*/true);
  else
    result.bytes = element.isF64() ? store<double>(values) : store<float>(values);
  return result;
}

/// The scales along dimension `axis` of another form of the tensor; none if there is no such dimension.
static std::shared_ptr<const HostScales> moveScales(const HostTensor &tensor, std::optional<int64_t> axis) {
  if (!tensor.scales || tensor.scales->axis < 0)
    return tensor.scales;
  if (!axis)
    return nullptr;
  HostScales moved = *tensor.scales;
  moved.axis = *axis;
  return std::make_shared<const HostScales>(std::move(moved));
}

/// The dimension of `shape` that has the elements of dimension `axis` of `from`, a shape with the same elements.
static std::optional<int64_t> findSameAxis(ArrayRef<int64_t> from, int64_t axis, ArrayRef<int64_t> shape) {
  int64_t before = ShapedType::getNumElements(from.take_front(axis)), count = 1;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (count == before && size == from[axis])
      return i;
    count *= size;
  }
  return std::nullopt;
}

HostTensor HostTensor::reshaped(ArrayRef<int64_t> newShape) const {
  HostTensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  if (scales && scales->axis >= 0)
    result.scales = moveScales(*this, findSameAxis(shape, scales->axis, newShape));
  return result;
}

HostTensor HostTensor::gathered(ArrayRef<int64_t> newShape, ArrayRef<int64_t> positions) const {
  int64_t size = elementBytes(element);
  HostTensor result{element, SmallVector<int64_t>(newShape), std::string(positions.size() * size, '\0'), name, false};
  result.scales = moveScales(*this, std::nullopt);
  for (auto [i, position] : llvm::enumerate(positions))
    std::memcpy(&result.bytes[i * size], &bytes[position * size], size);
  if (symbolic)
    result.symbolic = llvm::is_contained(result.integers(), ShapedType::kDynamic);
  return result;
}

HostTensor HostTensor::transposed(ArrayRef<int64_t> permutation) const {
  SmallVector<int64_t> strides = rowMajorStrides(shape), newShape, newStrides;
  for (int64_t d : permutation) {
    newShape.push_back(shape[d]);
    newStrides.push_back(strides[d]);
  }
  HostTensor result = gathered(newShape, stridedIndices<int64_t>(newShape, newStrides));
  if (scales && scales->axis >= 0)
    result.scales = moveScales(*this, llvm::find(permutation, scales->axis) - permutation.begin());
  return result;
}

SmallVector<int64_t> importer::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}
