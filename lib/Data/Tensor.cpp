//===- Tensor.cpp - A dense array with a name
//------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Tensor.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::halftone;

llvm::StringRef mlir::halftone::elementName(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return "f32";
  case ElementType::I8:
    return "i8";
  case ElementType::U8:
    return "u8";
  case ElementType::I32:
    return "i32";
  case ElementType::I64:
    return "i64";
  case ElementType::Bool:
    return "bool";
  }
  return "unknown";
}

int64_t mlir::halftone::elementBytes(ElementType type) {
  switch (type) {
  case ElementType::I8:
  case ElementType::U8:
  case ElementType::Bool:
    return 1;
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::I64:
    return 8;
  }
  return 0;
}

std::string mlir::halftone::formatShape(llvm::ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    text += axis ? ", " : "";
    text += extent == -1 ? "batch" : std::to_string(extent);
  }
  return text + "]";
}

std::optional<int64_t>
mlir::halftone::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (extent < 0 || llvm::MulOverflow(count, extent, count))
      return std::nullopt;
  return count;
}

Tensor::Tensor(llvm::StringRef name, ElementType type,
               llvm::ArrayRef<int64_t> shape)
    : name(name), type(type), shape(shape),
      bytes(*countElements(shape) * elementBytes(type)) {}
