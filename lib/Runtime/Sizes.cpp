//===- Sizes.cpp - Which size of a model's dimensions inputs have ---------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The leading axis of an array is that of samples, or of the batch: it does not
// count, and no two sizes of a library differ in it alone.
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Buffers.h"
#include "halftone/Runtime/LastError.h"
#include "halftone/Runtime/Module.h"

using namespace mlir::halftone;

/// Whether an array is one whole input [d0, d1, ...], samples [N, d1, ...] or
/// samples that are whole inputs [N, d0, d1, ...].
static bool hasExtents(const HalftoneTensorInfo &tensor,
                       const HalftoneBuffer &buffer) {
  const int32_t more = buffer.rank - tensor.rank;
  if (more != 0 && more != 1)
    return false;
  for (int32_t axis = 1 - more; axis < tensor.rank; ++axis)
    if (tensor.shape[axis] != -1 &&
        tensor.shape[axis] != buffer.shape[axis + more])
      return false;
  return true;
}

/// What is not an input, or not given, is for other checks to name.
static bool
hasExtents(const HalftoneModel &model,
           const std::vector<const HalftoneBuffer *> &buffers) {
  for (int32_t i = 0; i < model.numInputs; ++i)
    if (buffers[i] && !hasExtents(model.inputs[i], *buffers[i]))
      return false;
  return true;
}

static std::string listSizes(const HalftoneModule &module) {
  std::string list;
  for (const auto &size : module.sizes)
    list += (list.empty() ? "" : "; ") + std::string(size->model->size);
  return list;
}

const HalftoneModule *
mlir::halftone::findSize(const HalftoneModule &module,
                         const HalftoneBuffer *inputs, int32_t numInputs) {
  if (module.sizes.empty())
    return &module;
  std::vector<std::string> problems;
  TensorList list = inputsOf(*module.model);
  auto matched = matchBuffers(list, inputs, numInputs, problems);
  for (const auto &size : module.sizes)
    if (hasExtents(*size->model, matched))
      return size.get();
  std::string given;
  for (int32_t i = 0; i < list.count; ++i)
    if (matched[i])
      given += (given.empty() ? "" : ", ") + describeTensor(list, i) + " " +
               describeShape(matched[i]->shape, matched[i]->rank);
  fail(HALFTONE_INVALID_ARGUMENT,
       "cannot run '" + module.path + "': it has no size for " + given +
           "; its sizes are " + listSizes(module));
  return nullptr;
}

HalftoneModule *halftone_module_for_inputs(HalftoneModule *module,
                                           const HalftoneBuffer *inputs,
                                           int32_t numInputs) {
  if (!module) {
    fail(HALFTONE_INVALID_ARGUMENT, "'module' is a null pointer");
    return nullptr;
  }
  return const_cast<HalftoneModule *>(findSize(*module, inputs, numInputs));
}
