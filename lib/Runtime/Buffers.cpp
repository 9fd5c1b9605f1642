//===- Buffers.cpp - Matches a caller's arrays to a model's tensors -------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Buffers.h"
#include <cstring>

using namespace mlir::halftone;

namespace {
struct ElementInfo {
  const char *name;
  int64_t bytes;
};
} // namespace

/// Indexed by HalftoneElementType; 0 is none.
static constexpr ElementInfo kElements[] = {
    {nullptr, 0}, {"f32", 4}, {"i8", 1},  {"u8", 1},
    {"i32", 4},   {"i64", 8}, {"bool", 1}};

static const ElementInfo &elementInfo(int32_t elementType) {
  bool isKnown = elementType >= HALFTONE_F32 && elementType <= HALFTONE_BOOL;
  return kElements[isKnown ? elementType : 0];
}

const char *halftone_element_name(int32_t elementType) {
  return elementInfo(elementType).name;
}

int64_t halftone_element_bytes(int32_t elementType) {
  return elementInfo(elementType).bytes;
}

TensorList mlir::halftone::inputsOf(const HalftoneModel &model) {
  return {"input", model.inputs, model.numInputs};
}

TensorList mlir::halftone::outputsOf(const HalftoneModel &model) {
  return {"output", model.outputs, model.numOutputs};
}

std::string mlir::halftone::describeShape(const int64_t *shape, int32_t rank) {
  std::string text = "[";
  for (int32_t axis = 0; axis < rank; ++axis) {
    text += axis ? ", " : "";
    text += shape[axis] == -1 ? "batch" : std::to_string(shape[axis]);
  }
  return text + "]";
}

std::string mlir::halftone::describeTensor(const TensorList &list,
                                           int32_t index) {
  return std::string(list.kind) + " '" + list.tensors[index].name + "'";
}

int64_t mlir::halftone::countElements(const int64_t *shape, int32_t rank) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < rank; ++axis)
    if (shape[axis] < 0 || __builtin_mul_overflow(count, shape[axis], &count))
      return -1;
  return count;
}

/// The model's names, for the message about one that it does not have.
static std::string listNames(const TensorList &list) {
  std::string names;
  for (int32_t i = 0; i < list.count; ++i)
    names += std::string(i ? ", '" : "'") + list.tensors[i].name + "'";
  return names;
}

/// The tensor that buffer number `position` is for, or -1.
static int32_t findTensor(const TensorList &list, const HalftoneBuffer &buffer,
                          int32_t position) {
  if (!buffer.name)
    return position < list.count ? position : -1;
  for (int32_t i = 0; i < list.count; ++i)
    if (strcmp(list.tensors[i].name, buffer.name) == 0)
      return i;
  return -1;
}

/// What is wrong with a buffer for a tensor, shapes apart; "" if nothing.
static std::string describeBadBuffer(const HalftoneTensorInfo &tensor,
                                     const HalftoneBuffer &buffer) {
  const char *given = halftone_element_name(buffer.elementType);
  if (buffer.elementType != tensor.elementType)
    return std::string("has elements of type ") +
           halftone_element_name(tensor.elementType) + ", the array has " +
           (given ? given : "an unknown type");
  if (buffer.rank < 0 || (buffer.rank > 0 && !buffer.shape))
    return "is given without a shape";
  if (!buffer.data && countElements(buffer.shape, buffer.rank) != 0)
    return "is given a null pointer as data";
  auto address = reinterpret_cast<uintptr_t>(buffer.data);
  if (address % halftone_element_bytes(buffer.elementType) != 0)
    return "is given data that is not aligned to its elements";
  return "";
}

std::vector<const HalftoneBuffer *>
mlir::halftone::matchBuffers(const TensorList &list,
                             const HalftoneBuffer *buffers, int32_t numBuffers,
                             std::vector<std::string> &problems) {
  std::vector<const HalftoneBuffer *> matched(list.count, nullptr);
  if (numBuffers > 0 && !buffers) {
    problems.push_back(std::string("the list of ") + list.kind +
                       "s is a null pointer");
    return matched;
  }
  for (int32_t i = 0; i < numBuffers; ++i) {
    int32_t index = findTensor(list, buffers[i], i);
    std::string given = buffers[i].name
                            ? "'" + std::string(buffers[i].name) + "'"
                            : "number " + std::to_string(i);
    if (index < 0)
      problems.push_back("there is no " + std::string(list.kind) + " " + given +
                         "; the model has " + listNames(list));
    else if (matched[index])
      problems.push_back(describeTensor(list, index) + " is given twice");
    else
      matched[index] = &buffers[i];
  }
  for (int32_t i = 0; i < list.count; ++i) {
    std::string why = matched[i]
                          ? describeBadBuffer(list.tensors[i], *matched[i])
                          : "is not given";
    if (why.empty())
      continue;
    problems.push_back(describeTensor(list, i) + " " + why);
    matched[i] = nullptr;
  }
  return matched;
}
