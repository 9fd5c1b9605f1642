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
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>

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

HalftoneSession::~HalftoneSession() {
  for (void *workspace : workspaces)
    free(workspace);
}

/// Samples of a run that can run side by side; 1 if the model has none.
static int64_t countSamples(const HalftoneModel &model, int64_t batch) {
  if (model.structBytes < offsetof(HalftoneModel, numSizes) || !model.runSample)
    return 1;
  return model.samples < 0 ? batch : model.samples;
}

bool HalftoneSession::allocate() {
  int64_t count = 1, alignment = HALFTONE_ALIGNMENT;
  auto makeRoom = [&](const HalftoneModel &model) {
    count = std::max(count, countSamples(model, model.maxBatch));
    alignment = std::max(alignment, model.workspaceAlignment);
    workspaceBytes = std::max(workspaceBytes, model.workspaceBytes);
  };
  makeRoom(*module->model);
  for (const auto &size : module->sizes)
    makeRoom(*size->model);
  count = std::min<int64_t>(count, module->pool->size());
  for (int64_t i = 0; i < count; ++i) {
    void *workspace = nullptr;
    if (workspaceBytes > 0 &&
        posix_memalign(&workspace, alignment, workspaceBytes) != 0)
      return false;
    workspaces.push_back(workspace);
  }
  return true;
}

/// The bytes of one sample of each tensor.
static std::vector<int64_t> sampleBytes(const HalftoneTensorInfo *tensors,
                                        int32_t numTensors) {
  std::vector<int64_t> list;
  for (int32_t i = 0; i < numTensors; ++i)
    list.push_back(
        countElements(tensors[i].shape + 1, tensors[i].rank - 1) *
        halftone_element_bytes(
            static_cast<HalftoneElementType>(tensors[i].elementType)));
  return list;
}

namespace {

/// A loop over samples. Each of its chunks takes a workspace that no other has.
class SampleLoop {
public:
  SampleLoop(const HalftoneModel &model, const void *const *inputs,
             void *const *outputs, std::vector<void *> workspaces)
      : model(model), inputs(inputs), outputs(outputs),
        inputBytes(sampleBytes(model.inputs, model.numInputs)),
        outputBytes(sampleBytes(model.outputs, model.numOutputs)),
        workspaces(std::move(workspaces)) {}

  static void runChunk(void *self, int64_t begin, int64_t end) {
    static_cast<SampleLoop *>(self)->run(begin, end);
  }
  int32_t result() const { return failure; }

private:
  void run(int64_t begin, int64_t end) {
    void *workspace = take();
    std::vector<const void *> in(inputBytes.size());
    std::vector<void *> out(outputBytes.size());
    for (int64_t sample = begin; sample < end; ++sample) {
      for (size_t i = 0; i < in.size(); ++i)
        in[i] = static_cast<const char *>(inputs[i]) + sample * inputBytes[i];
      for (size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<char *>(outputs[i]) + sample * outputBytes[i];
      if (int32_t code = model.runSample(in.data(), out.data(), 1, workspace,
                                         nullptr, nullptr))
        failure = code;
    }
    giveBack(workspace);
  }
  void *take() {
    std::lock_guard<std::mutex> lock(mutex);
    void *workspace = workspaces.back();
    workspaces.pop_back();
    return workspace;
  }
  void giveBack(void *workspace) {
    std::lock_guard<std::mutex> lock(mutex);
    workspaces.push_back(workspace);
  }

  const HalftoneModel &model;
  const void *const *inputs;
  void *const *outputs;
  const std::vector<int64_t> inputBytes, outputBytes;
  std::mutex mutex;
  std::vector<void *> workspaces; ///< those that nobody uses
  std::atomic<int32_t> failure = 0;
};

} // namespace

static HalftoneStatus startThreads(const HalftoneModule &module) {
  if (module.pool->start())
    return HALFTONE_OK;
  return fail(HALFTONE_OUT_OF_MEMORY,
              "cannot start " + std::to_string(module.pool->size()) +
                  " threads");
}

static HalftoneStatus checkResult(const HalftoneModule &module,
                                  int32_t result) {
  if (result == 0)
    return HALFTONE_OK;
  return fail(HALFTONE_RUN_FAILED, "'" + module.path + "' failed with code " +
                                       std::to_string(result));
}

HalftoneStatus HalftoneSession::run(const HalftoneModel &model,
                                    const void *const *inputs,
                                    void *const *outputs, int64_t batch,
                                    HalftoneParallelFor parallelFor,
                                    void *pool) {
  if (HalftoneStatus status = startThreads(*module))
    return status;
  IeeeFloatMode mode;
  return checkResult(*module,
                     model.run(inputs, outputs, batch, workspaces.front(),
                               parallelFor, pool));
}

HalftoneStatus HalftoneSession::runSamples(const HalftoneModel &model,
                                           const void *const *inputs,
                                           void *const *outputs,
                                           int64_t count) {
  if (HalftoneStatus status = startThreads(*module))
    return status;
  SampleLoop loop(model, inputs, outputs, workspaces);
  ThreadPool::parallelFor(module->pool.get(), SampleLoop::runChunk, &loop,
                          count);
  return checkResult(*module, loop.result());
}

HalftoneStatus HalftoneSession::run(const HalftoneModel &model,
                                    const void *const *inputs,
                                    void *const *outputs, int64_t batch) {
  // Fewer samples than threads share the threads, layer by layer.
  const int64_t count = countSamples(model, batch);
  if (module->pool->size() > 1 && count >= module->pool->size())
    return runSamples(model, inputs, outputs, count);
  return run(model, inputs, outputs, batch, module->pool->callback(),
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
  if (!made->allocate())
    return fail(HALFTONE_OUT_OF_MEMORY,
                "cannot allocate workspaces of " +
                    std::to_string(made->workspaceBytes) + " bytes");
  *session = made.release();
  return HALFTONE_OK;
}

void halftone_session_destroy(HalftoneSession *session) { delete session; }

/// Checks the buffers, and calls run(module, inputs, outputs, batch) with their
/// data and the module of their size.
template <typename Run>
static HalftoneStatus
checkAndRun(HalftoneSession &session, const HalftoneBuffer *inputs,
            int32_t numInputs, const HalftoneBuffer *outputs,
            int32_t numOutputs, Run run) {
  const HalftoneModule *size = findSize(*session.module, inputs, numInputs);
  if (!size)
    return HALFTONE_INVALID_ARGUMENT;
  const HalftoneModel &model = *size->model;
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
  return run(*size, dataOf(matchedInputs).data(), dataOf(matchedOutputs).data(),
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
      [&](const HalftoneModule &size, const void *const *in, void *const *out,
          int64_t batch) { return session->run(*size.model, in, out, batch); });
}

HalftoneStatus halftone_session_run_profiled(
    HalftoneSession *session, const HalftoneBuffer *inputs, int32_t numInputs,
    const HalftoneBuffer *outputs, int32_t numOutputs, int64_t *nanoseconds) {
  if (!session || !nanoseconds)
    return fail(HALFTONE_INVALID_ARGUMENT,
                "'session' or 'nanoseconds' is a null pointer");
  return checkAndRun(
      *session, inputs, numInputs, outputs, numOutputs,
      [&](const HalftoneModule &size, const void *const *in, void *const *out,
          int64_t batch) {
        LayerClock clock(size, nanoseconds);
        return session->run(*size.model, in, out, batch,
                            LayerClock::parallelFor, &clock);
      });
}
