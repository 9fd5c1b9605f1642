//===- Session.cpp - Runs a model once ------------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Buffers.h"
#include "halftone/Runtime/FloatMode.h"
#include "halftone/Runtime/LastError.h"
#include "halftone/Runtime/LayerClock.h"
#include "halftone/Runtime/Module.h"
#include <algorithm>
#include <cstdlib>

using namespace mlir::halftone;

/// What is wrong with a buffer's shape, given the batch so far (-1 as long as
/// it is unknown); "" if nothing. Learns the batch from the first extent that
/// says it.
static std::string checkShape(const HalftoneTensorInfo &tensor,
                              const HalftoneBuffer &buffer, int64_t &batch) {
  std::string shapes = "has shape " + describeShape(tensor.shape, tensor.rank) +
                       ", the array has " +
                       describeShape(buffer.shape, buffer.rank);
  if (buffer.rank != tensor.rank)
    return shapes;
  for (int32_t axis = 0; axis < tensor.rank; ++axis) {
    if (tensor.shape[axis] == -1 && batch == -1)
      batch = buffer.shape[axis];
    int64_t expected = tensor.shape[axis] == -1 ? batch : tensor.shape[axis];
    if (buffer.shape[axis] == expected)
      continue;
    return tensor.shape[axis] == -1
               ? shapes + ", but the batch is " + std::to_string(batch)
               : shapes;
  }
  return "";
}

static void checkShapes(const TensorList &list,
                        const std::vector<const HalftoneBuffer *> &buffers,
                        int64_t &batch, std::vector<std::string> &problems) {
  for (int32_t i = 0; i < list.count; ++i) {
    if (!buffers[i])
      continue;
    std::string why = checkShape(list.tensors[i], *buffers[i], batch);
    if (!why.empty())
      problems.push_back(describeTensor(list, i) + " " + why);
  }
}

/// The data pointers in the model's order.
static std::vector<void *>
dataOf(const std::vector<const HalftoneBuffer *> &buffers) {
  std::vector<void *> data;
  for (const HalftoneBuffer *buffer : buffers)
    data.push_back(buffer->data);
  return data;
}

HalftoneSession::~HalftoneSession() { free(workspace); }

HalftoneStatus HalftoneSession::run(const void *const *inputs,
                                    void *const *outputs, int64_t batch,
                                    HalftoneParallelFor parallelFor,
                                    void *pool) {
  if (!module->pool->start())
    return fail(HALFTONE_OUT_OF_MEMORY,
                "cannot start " + std::to_string(module->pool->size()) +
                    " threads");
  IeeeFloatMode mode;
  int32_t result = module->model->run(inputs, outputs, batch, workspace,
                                      parallelFor, pool);
  if (result == 0)
    return HALFTONE_OK;
  return fail(HALFTONE_RUN_FAILED, "'" + module->path + "' failed with code " +
                                       std::to_string(result));
}

HalftoneStatus HalftoneSession::run(const void *const *inputs,
                                    void *const *outputs, int64_t batch) {
  return run(inputs, outputs, batch, module->pool->callback(),
             module->pool.get());
}

HalftoneStatus halftone_session_create(HalftoneModule *module,
                                       HalftoneSession **session) {
  if (!session)
    return fail(HALFTONE_INVALID_ARGUMENT, "'session' is a null pointer");
  *session = nullptr;
  if (!module)
    return fail(HALFTONE_INVALID_ARGUMENT, "'module' is a null pointer");
  auto made = std::make_unique<HalftoneSession>();
  made->module = module;
  auto bytes = static_cast<size_t>(module->model->workspaceBytes);
  if (bytes > 0 &&
      posix_memalign(&made->workspace,
                     static_cast<size_t>(module->model->workspaceAlignment),
                     bytes) != 0) {
    made->workspace = nullptr;
    return fail(HALFTONE_OUT_OF_MEMORY, "cannot allocate the workspace of " +
                                            std::to_string(bytes) + " bytes");
  }
  *session = made.release();
  return HALFTONE_OK;
}

void halftone_session_destroy(HalftoneSession *session) { delete session; }

/// Checks the buffers, and calls run(inputs, outputs, batch) with their data.
template <typename Run>
static HalftoneStatus
checkAndRun(HalftoneSession &session, const HalftoneBuffer *inputs,
            int32_t numInputs, const HalftoneBuffer *outputs,
            int32_t numOutputs, Run run) {
  const HalftoneModel &model = *session.module->model;
  TensorList inputList = inputsOf(model), outputList = outputsOf(model);
  std::vector<std::string> problems;
  auto matchedInputs = matchBuffers(inputList, inputs, numInputs, problems);
  auto matchedOutputs = matchBuffers(outputList, outputs, numOutputs, problems);

  int64_t batch = -1;
  checkShapes(inputList, matchedInputs, batch, problems);
  checkShapes(outputList, matchedOutputs, batch, problems);
  batch = batch == -1 ? model.minBatch : batch;
  if (problems.empty() && (batch < model.minBatch || batch > model.maxBatch))
    problems.push_back("the batch is " + std::to_string(batch) +
                       ", the model is compiled for " +
                       std::to_string(model.minBatch) + " to " +
                       std::to_string(model.maxBatch));
  if (HalftoneStatus status =
          failIfAny(problems, "cannot run '" + session.module->path + "':"))
    return status;
  return run(dataOf(matchedInputs).data(), dataOf(matchedOutputs).data(),
             batch);
}

HalftoneStatus halftone_session_run(HalftoneSession *session,
                                    const HalftoneBuffer *inputs,
                                    int32_t numInputs,
                                    const HalftoneBuffer *outputs,
                                    int32_t numOutputs) {
  if (!session)
    return fail(HALFTONE_INVALID_ARGUMENT, "'session' is a null pointer");
  return checkAndRun(
      *session, inputs, numInputs, outputs, numOutputs,
      [&](const void *const *in, void *const *out, int64_t batch) {
        return session->run(in, out, batch);
      });
}

HalftoneStatus halftone_session_run_profiled(
    HalftoneSession *session, const HalftoneBuffer *inputs, int32_t numInputs,
    const HalftoneBuffer *outputs, int32_t numOutputs, int64_t *nanoseconds) {
  if (!session || !nanoseconds)
    return fail(HALFTONE_INVALID_ARGUMENT,
                "'session' or 'nanoseconds' is a null pointer");
  return checkAndRun(
      *session, inputs, numInputs, outputs, numOutputs,
      [&](const void *const *in, void *const *out, int64_t batch) {
        LayerClock clock(*session->module, nanoseconds);
        return session->run(in, out, batch, LayerClock::parallelFor, &clock);
      });
}
