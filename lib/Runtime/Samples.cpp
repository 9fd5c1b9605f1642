//===- Samples.cpp - Runs a model over a leading sample axis --------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each input says how many of its samples one run consumes:
//
//   model [B, d...], array [N, d...]        B, or any P if B is symbolic
//   model [s...],    array [N, s...]        1
//
// They must agree. Where B is symbolic and nothing else fixes P, a run takes
// as many samples as the model is compiled for.
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Buffers.h"
#include "halftone/Runtime/LastError.h"
#include "halftone/Runtime/Module.h"
#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

using namespace mlir::halftone;

namespace {
/// How one input's array goes through the model.
struct InputFit {
  int64_t numSamples = 0;
  int64_t samplesPerRun = 0; // 0: any, the batch is symbolic.
  int64_t batch = 0;         // 0: this array does not fix it.
};

/// One input or output as a sequence of samples.
struct SampleArray {
  char *data;
  int64_t sampleBytes;
};
} // namespace

/// Compares extents `given` with `declared`; -1 matches one value, `batch`.
static bool matchExtents(const int64_t *declared, const int64_t *given,
                         int32_t rank, int64_t &batch) {
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (declared[axis] == -1 && batch == 0)
      batch = given[axis];
    if (given[axis] != (declared[axis] == -1 ? batch : declared[axis]))
      return false;
  }
  return true;
}

/// Fits an array to an input; false when its shape does not.
static bool fitInput(const HalftoneTensorInfo &tensor,
                     const HalftoneBuffer &buffer, InputFit &fit) {
  fit = InputFit();
  if (buffer.rank == 0)
    return false;
  fit.numSamples = buffer.shape[0];
  if (buffer.rank == tensor.rank) {
    fit.samplesPerRun = tensor.shape[0] == -1 ? 0 : tensor.shape[0];
    // Another symbolic extent would have to follow P, which varies.
    int64_t rest = 0;
    return matchExtents(tensor.shape + 1, buffer.shape + 1, tensor.rank - 1,
                        rest) &&
           rest == 0 && tensor.shape[0] != 0;
  }
  if (buffer.rank != tensor.rank + 1 ||
      !matchExtents(tensor.shape, buffer.shape + 1, tensor.rank, fit.batch))
    return false;
  // [N, 1, d...] has the bytes of [N, d...].
  bool isFlat = tensor.rank > 0 && tensor.shape[0] == -1 && fit.batch == 1 &&
                std::count(tensor.shape, tensor.shape + tensor.rank, -1) == 1;
  fit.samplesPerRun = isFlat ? 0 : 1;
  fit.batch = isFlat ? 0 : fit.batch;
  return true;
}

static std::string describeMisfit(const HalftoneTensorInfo &tensor,
                                  const HalftoneBuffer &buffer) {
  std::string declared = describeShape(tensor.shape, tensor.rank);
  std::string wanted = "[N, " + declared.substr(1);
  if (tensor.rank == 0)
    wanted = "[N]";
  else
    wanted = describeShape(tensor.shape + 1, tensor.rank - 1)
                 .insert(1, tensor.rank > 1 ? "N, " : "N") +
             " or " + wanted;
  return "has shape " + declared + ", so the array of N samples must be " +
         wanted + ", not " + describeShape(buffer.shape, buffer.rank);
}

/// Makes `value` the common one, or says that two inputs disagree.
static void agree(int64_t &common, int64_t value, const std::string &what,
                  const std::string &name, std::vector<std::string> &problems) {
  if (common == 0)
    common = value;
  else if (value != 0 && value != common)
    problems.push_back(name + " has " + std::to_string(value) + " " + what +
                       ", the inputs before it have " + std::to_string(common));
}

static HalftoneSamplePlan
makePlan(const HalftoneModel &model,
         const std::vector<const HalftoneBuffer *> &buffers,
         std::vector<std::string> &problems) {
  TensorList list = inputsOf(model);
  HalftoneSamplePlan plan = {0, 0, 0};
  for (int32_t i = 0; i < list.count; ++i) {
    InputFit fit;
    if (!buffers[i])
      continue;
    std::string name = describeTensor(list, i);
    if (!fitInput(list.tensors[i], *buffers[i], fit)) {
      problems.push_back(name + " " +
                         describeMisfit(list.tensors[i], *buffers[i]));
      continue;
    }
    if (fit.numSamples < 1)
      problems.push_back(name + " has no samples");
    agree(plan.numSamples, fit.numSamples, "samples", name, problems);
    agree(plan.samplesPerRun, fit.samplesPerRun, "samples for each run", name,
          problems);
    agree(plan.batch, fit.batch, "as batch", name, problems);
  }
  if (list.count == 0)
    problems.push_back("a model without inputs has no samples");
  if (plan.samplesPerRun == 0)
    plan.samplesPerRun = plan.batch ? plan.batch : model.maxBatch;
  if (plan.batch == 0)
    plan.batch = std::clamp(plan.samplesPerRun, model.minBatch, model.maxBatch);
  if (plan.batch < model.minBatch || plan.batch > model.maxBatch)
    problems.push_back("the batch is " + std::to_string(plan.batch) +
                       ", the model is compiled for " +
                       std::to_string(model.minBatch) + " to " +
                       std::to_string(model.maxBatch));
  return plan;
}

static bool hasSymbolicInput(const HalftoneModel &model) {
  return std::any_of(model.inputs, model.inputs + model.numInputs,
                     [](const HalftoneTensorInfo &tensor) {
                       const int64_t *end = tensor.shape + tensor.rank;
                       return std::find(tensor.shape, end, -1) != end;
                     });
}

/// True when the output's leading axis is the sample axis. In a model with a
/// symbolic batch a static extent that happens to be P is none.
static bool hasSampleAxis(const HalftoneModel &model,
                          const HalftoneTensorInfo &tensor,
                          const HalftoneSamplePlan &plan) {
  if (tensor.rank == 0)
    return false;
  const int64_t *end = tensor.shape + tensor.rank;
  if (plan.samplesPerRun == 1)
    return tensor.shape[0] == 1 || (tensor.shape[0] == -1 && plan.batch == 1);
  if (std::find(tensor.shape + 1, end, -1) != end)
    return false;
  int64_t lead = hasSymbolicInput(model) ? -1 : plan.samplesPerRun;
  return tensor.shape[0] == lead;
}

/// The shape of an output over all samples; empty when it has none.
static std::vector<int64_t> outputShape(const HalftoneModel &model,
                                        const HalftoneTensorInfo &tensor,
                                        const HalftoneSamplePlan &plan) {
  bool hasAxis = hasSampleAxis(model, tensor, plan);
  if (!hasAxis && plan.samplesPerRun != 1)
    return {};
  std::vector<int64_t> shape = {plan.numSamples};
  for (int32_t axis = hasAxis ? 1 : 0; axis < tensor.rank; ++axis)
    shape.push_back(tensor.shape[axis] == -1 ? plan.batch : tensor.shape[axis]);
  return shape;
}

static std::string describeMissingAxis(const TensorList &list, int32_t index,
                                       const HalftoneSamplePlan &plan) {
  return describeTensor(list, index) + " of shape " +
         describeShape(list.tensors[index].shape, list.tensors[index].rank) +
         " has no axis for the " + std::to_string(plan.samplesPerRun) +
         " samples of one run; give one whole input in each sample instead";
}

static void checkOutputs(const HalftoneModel &model,
                         const HalftoneSamplePlan &plan,
                         const std::vector<const HalftoneBuffer *> &buffers,
                         std::vector<std::string> &problems) {
  TensorList list = outputsOf(model);
  for (int32_t i = 0; i < list.count; ++i) {
    if (!buffers[i])
      continue;
    std::vector<int64_t> expected = outputShape(model, list.tensors[i], plan);
    if (expected.empty())
      problems.push_back(describeMissingAxis(list, i, plan));
    else if (buffers[i]->rank != static_cast<int32_t>(expected.size()) ||
             !std::equal(expected.begin(), expected.end(), buffers[i]->shape))
      problems.push_back(describeTensor(list, i) + " must have shape " +
                         describeShape(expected.data(),
                                       static_cast<int32_t>(expected.size())) +
                         " for all samples, the array has " +
                         describeShape(buffers[i]->shape, buffers[i]->rank));
  }
}

static std::vector<SampleArray>
sampleArrays(const std::vector<const HalftoneBuffer *> &buffers,
             int64_t numSamples) {
  std::vector<SampleArray> arrays;
  for (const HalftoneBuffer *buffer : buffers) {
    int64_t bytes = countElements(buffer->shape, buffer->rank) *
                    halftone_element_bytes(buffer->elementType);
    arrays.push_back({static_cast<char *>(buffer->data), bytes / numSamples});
  }
  return arrays;
}

/// Room for the samples of one run, with the alignment of a workspace.
static std::unique_ptr<char, decltype(&free)> allocate(int64_t bytes) {
  void *data = nullptr;
  if (posix_memalign(&data, HALFTONE_ALIGNMENT, std::max<int64_t>(bytes, 1)))
    data = nullptr;
  return {static_cast<char *>(data), &free};
}

/// Runs the last `count` samples from `begin` as a run of `padded` samples:
/// through scratch, the last sample repeated, its extra results dropped.
static HalftoneStatus runPadded(HalftoneSession &session,
                                const HalftoneModel &model,
                                const std::vector<SampleArray> &inputs,
                                const std::vector<SampleArray> &outputs,
                                int64_t begin, int64_t count, int64_t padded,
                                int64_t batch) {
  std::vector<std::unique_ptr<char, decltype(&free)>> scratch;
  std::vector<const void *> inputData;
  std::vector<void *> outputData;
  for (const SampleArray &array : inputs) {
    char *copy =
        scratch.emplace_back(allocate(padded * array.sampleBytes)).get();
    for (int64_t i = 0; copy && i < padded; ++i)
      memcpy(copy + i * array.sampleBytes,
             array.data + (begin + std::min(i, count - 1)) * array.sampleBytes,
             array.sampleBytes);
    inputData.push_back(copy);
  }
  for (const SampleArray &array : outputs)
    outputData.push_back(
        scratch.emplace_back(allocate(padded * array.sampleBytes)).get());
  for (const auto &memory : scratch)
    if (!memory)
      return fail(HALFTONE_OUT_OF_MEMORY, "cannot allocate a batch of " +
                                              std::to_string(padded) +
                                              " samples");
  if (HalftoneStatus status =
          session.run(model, inputData.data(), outputData.data(), batch))
    return status;
  for (size_t i = 0; i < outputs.size(); ++i)
    memcpy(outputs[i].data + begin * outputs[i].sampleBytes, outputData[i],
           count * outputs[i].sampleBytes);
  return HALFTONE_OK;
}

/// Runs samples [begin, begin + plan.samplesPerRun) in place.
static HalftoneStatus runInPlace(HalftoneSession &session,
                                 const HalftoneModel &model,
                                 const std::vector<SampleArray> &inputs,
                                 const std::vector<SampleArray> &outputs,
                                 int64_t begin, int64_t batch) {
  std::vector<const void *> inputData;
  std::vector<void *> outputData;
  for (const SampleArray &array : inputs)
    inputData.push_back(array.data + begin * array.sampleBytes);
  for (const SampleArray &array : outputs)
    outputData.push_back(array.data + begin * array.sampleBytes);
  return session.run(model, inputData.data(), outputData.data(), batch);
}

/// True when every input takes a varying number of samples, as its batch.
static bool followsBatch(const HalftoneModel &model,
                         const std::vector<const HalftoneBuffer *> &buffers) {
  for (int32_t i = 0; i < model.numInputs; ++i) {
    InputFit fit;
    if (!fitInput(model.inputs[i], *buffers[i], fit) || fit.samplesPerRun != 0)
      return false;
  }
  return model.numInputs > 0;
}

HalftoneStatus halftone_samples_plan(const HalftoneModule *module,
                                     const HalftoneBuffer *inputs,
                                     int32_t numInputs,
                                     HalftoneSamplePlan *plan) {
  if (!module || !plan)
    return fail(HALFTONE_INVALID_ARGUMENT, "'module' or 'plan' is null");
  const HalftoneModule *size = findSize(*module, inputs, numInputs);
  if (!size)
    return HALFTONE_INVALID_ARGUMENT;
  std::vector<std::string> problems;
  auto matched =
      matchBuffers(inputsOf(*size->model), inputs, numInputs, problems);
  *plan = makePlan(*size->model, matched, problems);
  return failIfAny(problems, "cannot run '" + module->path + "':");
}

HalftoneStatus halftone_samples_output_shape(const HalftoneModule *module,
                                             const HalftoneSamplePlan *plan,
                                             int32_t output, int64_t *shape,
                                             int32_t *rank) {
  if (!module || !plan || !shape || !rank || output < 0 ||
      output >= module->model->numOutputs)
    return fail(HALFTONE_INVALID_ARGUMENT,
                "a null pointer, or no output of that number");
  if (!module->sizes.empty())
    return fail(HALFTONE_INVALID_ARGUMENT,
                "'" + module->path +
                    "' has several sizes: halftone_module_for_inputs gives the "
                    "module of one");
  TensorList list = outputsOf(*module->model);
  std::vector<int64_t> extents =
      outputShape(*module->model, list.tensors[output], *plan);
  if (extents.empty())
    return fail(HALFTONE_INVALID_ARGUMENT,
                describeMissingAxis(list, output, *plan));
  std::copy(extents.begin(), extents.end(), shape);
  *rank = static_cast<int32_t>(extents.size());
  return HALFTONE_OK;
}

HalftoneStatus halftone_session_run_samples(HalftoneSession *session,
                                            const HalftoneBuffer *inputs,
                                            int32_t numInputs,
                                            const HalftoneBuffer *outputs,
                                            int32_t numOutputs) {
  if (!session)
    return fail(HALFTONE_INVALID_ARGUMENT, "'session' is a null pointer");
  const HalftoneModule *size = findSize(*session->module, inputs, numInputs);
  if (!size)
    return HALFTONE_INVALID_ARGUMENT;
  const HalftoneModel &model = *size->model;
  std::vector<std::string> problems;
  auto matchedInputs =
      matchBuffers(inputsOf(model), inputs, numInputs, problems);
  auto matchedOutputs =
      matchBuffers(outputsOf(model), outputs, numOutputs, problems);
  HalftoneSamplePlan plan = makePlan(model, matchedInputs, problems);
  if (problems.empty())
    checkOutputs(model, plan, matchedOutputs, problems);
  if (HalftoneStatus status =
          failIfAny(problems, "cannot run '" + session->module->path + "':"))
    return status;

  bool varies = followsBatch(model, matchedInputs);
  auto inputArrays = sampleArrays(matchedInputs, plan.numSamples);
  auto outputArrays = sampleArrays(matchedOutputs, plan.numSamples);
  for (int64_t begin = 0; begin < plan.numSamples;
       begin += plan.samplesPerRun) {
    int64_t count = std::min(plan.samplesPerRun, plan.numSamples - begin);
    int64_t padded =
        varies ? std::max(count, model.minBatch) : plan.samplesPerRun;
    int64_t batch = varies ? padded : plan.batch;
    HalftoneStatus status =
        count == padded
            ? runInPlace(*session, model, inputArrays, outputArrays, begin,
                         batch)
            : runPadded(*session, model, inputArrays, outputArrays, begin,
                        count, padded, batch);
    if (status)
      return status;
  }
  return HALFTONE_OK;
}
