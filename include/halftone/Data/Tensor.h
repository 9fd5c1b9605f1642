//===- Tensor.h - A dense array with a name
//--------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_TENSOR_H
#define HALFTONE_DATA_TENSOR_H

#include "halftone-c/Artefact.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace mlir::halftone {

/// The element types of data; the values are the artefact's.
enum class ElementType : int32_t {
  F32 = HALFTONE_F32,
  I8 = HALFTONE_I8,
  U8 = HALFTONE_U8,
  I32 = HALFTONE_I32,
  I64 = HALFTONE_I64,
  Bool = HALFTONE_BOOL
};

/// "f32", "i8", "u8", "i32", "i64", "bool".
llvm::StringRef elementName(ElementType type);

/// Bytes of one element.
int64_t elementBytes(ElementType type);

using Shape = llvm::SmallVector<int64_t, 4>;

/// "[64, 3, 8]"; -1, the symbolic batch, is "batch".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// The product of the extents; nothing if one is negative or it overflows.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// Allocates at the artefact's alignment, so that data goes to a model as is.
template <typename T> struct ModelAllocator {
  using value_type = T;
  ModelAllocator() = default;
  template <typename U> ModelAllocator(const ModelAllocator<U> &) {}
  T *allocate(size_t count) {
    return static_cast<T *>(::operator new(
        count * sizeof(T), std::align_val_t(HALFTONE_ALIGNMENT)));
  }
  void deallocate(T *data, size_t) {
    ::operator delete(data, std::align_val_t(HALFTONE_ALIGNMENT));
  }
  bool operator==(const ModelAllocator &) const { return true; }
  bool operator!=(const ModelAllocator &) const { return false; }
};

/// A dense, row-major, little-endian array that owns its bytes.
struct Tensor {
  std::string name;
  ElementType type = ElementType::F32;
  Shape shape;
  std::vector<char, ModelAllocator<char>> bytes;

  Tensor() = default;
  /// All zeros. The shape is static and small enough to count.
  Tensor(llvm::StringRef name, ElementType type, llvm::ArrayRef<int64_t> shape);

  int64_t numElements() const { return *countElements(shape); }

  /// The elements; T has the size of the element type.
  template <typename T> llvm::ArrayRef<T> values() const {
    return {reinterpret_cast<const T *>(bytes.data()),
            bytes.size() / sizeof(T)};
  }
  template <typename T> llvm::MutableArrayRef<T> values() {
    return {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

} // namespace mlir::halftone

#endif // HALFTONE_DATA_TENSOR_H
