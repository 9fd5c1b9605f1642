//===- Buffers.h - Matches a caller's arrays to a model's tensors ---------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every mismatch is collected, so that a caller sees all of them at once.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_BUFFERS_H
#define HALFTONE_RUNTIME_BUFFERS_H

#include "halftone-c/Runtime.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// The inputs or the outputs of a model, and what to call them in messages.
struct TensorList {
  const char *kind; // "input" or "output".
  const HalftoneTensorInfo *tensors;
  int32_t count;
};

TensorList inputsOf(const HalftoneModel &model);
TensorList outputsOf(const HalftoneModel &model);

/// "[1, 3, ?]"; -1 is printed as "batch".
std::string describeShape(const int64_t *shape, int32_t rank);

/// "input 'x'", for messages.
std::string describeTensor(const TensorList &list, int32_t index);

/// Puts the buffers into the order of the model's tensors, by name or, where
/// the name is null, by position. Appends what does not match, and checks
/// element types and data pointers, but no shapes. An element is null where
/// no buffer fits.
std::vector<const HalftoneBuffer *>
matchBuffers(const TensorList &list, const HalftoneBuffer *buffers,
             int32_t numBuffers, std::vector<std::string> &problems);

/// The number of elements of a shape without -1. -1 when it overflows or an
/// extent is negative.
int64_t countElements(const int64_t *shape, int32_t rank);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_BUFFERS_H
