//===- Constants.cpp - constant tensors as bytes ----------------------------===//
#include "halftone/Support/Constants.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/ConstantPool.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

bool mlir::halftone::isZero(Value scalar) { return matchPattern(scalar, m_AnyZeroFloat()) || matchPattern(scalar, m_Zero()); }

/// Whether T holds an element of the type as it is stored.
template <typename T>
static bool holds(Type type) {
  if constexpr (std::is_same_v<T, float>)
    return type.isF32();
  else if constexpr (std::is_same_v<T, double>)
    return type.isF64();
  else if constexpr (std::is_same_v<T, bool>)
    return type.isInteger(1);
  else
    return type.isInteger(sizeof(T) * 8);
}

template <typename T>
static std::optional<std::vector<T>> readResource(DenseResourceElementsAttr attribute) {
  AsmResourceBlob *blob = attribute.getRawHandle().getBlob();
  if (!blob || blob->getData().size() != attribute.getType().getNumElements() * sizeof(T))
    return std::nullopt;
  std::vector<T> elements(attribute.getType().getNumElements());
  if (!elements.empty())
    std::memcpy(&elements[0], blob->getData().data(), blob->getData().size());
  return elements;
}

template <>
std::optional<std::vector<bool>> readResource<bool>(DenseResourceElementsAttr attribute) {
  AsmResourceBlob *blob = attribute.getRawHandle().getBlob();
  if (!blob || static_cast<int64_t>(blob->getData().size()) != attribute.getType().getNumElements())
    return std::nullopt;
  return std::vector<bool>(blob->getData().begin(), blob->getData().end());
}

template <typename T>
std::optional<std::vector<T>> mlir::halftone::getElements(Attribute attribute) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements || !holds<T>(elements.getElementType()))
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    return readResource<T>(resource);
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return std::vector<T>(dense.value_begin<T>(), dense.value_end<T>());
  return std::nullopt;
}

template <typename T>
std::optional<std::vector<T>> mlir::halftone::getConstantElements(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<quant::StorageCastOp, StorageCastOp>(op))
      break;
    value = op->getOperand(0);
  }
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  return getElements<T>(attribute);
}

template <typename T>
std::vector<T> mlir::halftone::transposeElements(ArrayRef<T> from, ArrayRef<int64_t> shape,
                                                 ArrayRef<int64_t> permutation) {
  int64_t rank = shape.size();
  SmallVector<int64_t> strides(rank, 1);
  for (int64_t i = rank - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  SmallVector<int64_t> index(rank, 0);
  std::vector<T> to;
  to.reserve(from.size());
  int64_t source = 0;
  for (size_t n = 0; n < from.size(); ++n) {
    to.push_back(from[source]);
    for (int64_t i = rank - 1; i >= 0; --i) {
      source += strides[permutation[i]];
      if (++index[i] < shape[permutation[i]])
        break;
      source -= strides[permutation[i]] * shape[permutation[i]];
      index[i] = 0;
    }
  }
  return to;
}

#define INSTANTIATE(T) template std::vector<T> mlir::halftone::transposeElements(ArrayRef<T>, ArrayRef<int64_t>, ArrayRef<int64_t>);
INSTANTIATE(float)
INSTANTIATE(int8_t)
INSTANTIATE(int16_t)
INSTANTIATE(int32_t)
INSTANTIATE(int64_t)
#undef INSTANTIATE

#define INSTANTIATE(T)                                                                                                 \
  template std::optional<std::vector<T>> mlir::halftone::getElements<T>(Attribute);                                    \
  template std::optional<std::vector<T>> mlir::halftone::getConstantElements<T>(Value);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(int8_t)
INSTANTIATE(uint8_t)
INSTANTIATE(int32_t)
INSTANTIATE(int64_t)
INSTANTIATE(bool)
#undef INSTANTIATE

static bool isSplat(ArrayRef<char> bytes, int64_t count) {
  if (count <= 1)
    return true;
  size_t size = bytes.size() / count;
  return std::memcmp(bytes.data(), bytes.data() + size, bytes.size() - size) == 0;
}

ElementsAttr mlir::halftone::makeConstant(RankedTensorType type, ArrayRef<char> bytes, StringRef name) {
  int64_t count = type.getNumElements();
  bool small = count <= 64 || isSplat(bytes, count);
  // Constants of bool are always dense: the translation to LLVM knows no resource of them.
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(type, values);
  }
  if (small) {
    // A buffer of one element is read as a splat.
    ArrayRef<char> buffer = count > 1 && isSplat(bytes, count) ? bytes.take_front(bytes.size() / count) : bytes;
    return DenseElementsAttr::getFromRawBuffer(type, buffer);
  }
  return type.getContext()->getOrLoadDialect<HalftoneDialect>()->getRegisteredInterface<SharedConstants>()->make(type, bytes, name);
}
