//===- Constants.h - constant tensors as bytes ------------------------------===//
//
// Large constants are `dense_resource` blobs, small ones and splats are `dense`. These functions read and make both,
// so that no pass has to know which one it meets.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_SUPPORT_CONSTANTS_H
#define HALFTONE_SUPPORT_CONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>
#include <vector>

namespace mlir::halftone {

/// The elements of a constant tensor in row-major order, splats expanded; nothing if the attribute has another
/// element type. T is float, double, int8_t, uint8_t, int32_t, int64_t or bool (i1; one byte each in the result).
template <typename T>
std::optional<std::vector<T>> getElements(Attribute attribute);

/// Like the above for the result of a constant operation (arith.constant, or quant.scast / halftone.storage_cast of
/// one); nothing if the value is not constant.
template <typename T>
std::optional<std::vector<T>> getConstantElements(Value value);

/// Whether a scalar is a constant 0, an integer or a float of either sign.
bool isZero(Value scalar);

/// Row-major elements of shape `shape` in the order of the transposed tensor, whose dimension i is dimension
/// permutation[i] of the old one.
template <typename T>
std::vector<T> transposeElements(ArrayRef<T> from, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation);

/// A constant tensor attribute with the given row-major bytes (little endian; i1 as one byte each): `dense` up to 64
/// elements or for a splat, else a `dense_resource` named `name` (made unique), or the one that was made of the same type and bytes before.
ElementsAttr makeConstant(RankedTensorType type, ArrayRef<char> bytes, StringRef name);

template <typename T>
ElementsAttr makeConstant(RankedTensorType type, ArrayRef<T> elements, StringRef name) {
  return makeConstant(type, ArrayRef<char>(reinterpret_cast<const char *>(elements.data()), elements.size() * sizeof(T)), name);
}

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_CONSTANTS_H
