//===- LoadedModel.cpp - A compiled model in this process -----------------===//
#include "LoadedModel.h"
#include "Command.h"

using namespace mlir::halftone;
using llvm::ArrayRef, llvm::Error, llvm::Expected;

static Error lastError() { return userError(halftone_last_error()); }

Expected<LoadedModel> LoadedModel::load(llvm::StringRef path, int threads) {
  HalftoneLoadOptions options = {};
  options.numThreads = threads;
  LoadedModel loaded;
  HalftoneModule *module = nullptr;
  if (halftone_module_load(path.str().c_str(), &options, &module) !=
      HALFTONE_OK)
    return lastError();
  loaded.module.reset(module);
  loaded.size = module;
  if (Error error = loaded.createSession())
    return std::move(error);
  return loaded;
}

Error LoadedModel::createSession() {
  HalftoneSession *created = nullptr;
  if (halftone_session_create(size, &created) != HALFTONE_OK)
    return lastError();
  session.reset(created);
  return Error::success();
}

std::vector<const HalftoneModel *> LoadedModel::sizes() const {
  const HalftoneModel &first = *halftone_module_info(module.get());
  if (first.structBytes < sizeof(HalftoneModel) || first.numSizes == 0)
    return {&first};
  return {first.sizes, first.sizes + first.numSizes};
}

Error LoadedModel::takeSize(ArrayRef<InputSpec> inputs) {
  static int64_t contents = 0; // which nobody reads: shapes choose
  std::vector<HalftoneBuffer> buffers;
  for (const InputSpec &input : inputs)
    buffers.push_back({input.name.c_str(), input.shape.data(),
                       static_cast<int32_t>(input.shape.size()),
                       static_cast<int32_t>(input.type), &contents});
  HalftoneModule *found =
      halftone_module_for_inputs(module.get(), buffers.data(), buffers.size());
  if (!found)
    return lastError();
  if (found == size)
    return Error::success();
  size = found;
  return createSession();
}

ArrayRef<HalftoneTensorInfo> LoadedModel::inputs() const {
  return {info().inputs, static_cast<size_t>(info().numInputs)};
}

ArrayRef<HalftoneTensorInfo> LoadedModel::outputs() const {
  return {info().outputs, static_cast<size_t>(info().numOutputs)};
}

/// The runtime's view of tensors; it only reads those that are inputs.
static std::vector<HalftoneBuffer> buffersOf(ArrayRef<Tensor> tensors) {
  std::vector<HalftoneBuffer> buffers;
  for (const Tensor &tensor : tensors)
    buffers.push_back({tensor.name.c_str(), tensor.shape.data(),
                       static_cast<int32_t>(tensor.shape.size()),
                       static_cast<int32_t>(tensor.type),
                       const_cast<char *>(tensor.bytes.data())});
  return buffers;
}

Error LoadedModel::run(ArrayRef<Tensor> inputs,
                       llvm::MutableArrayRef<Tensor> outputs) {
  std::vector<HalftoneBuffer> in = buffersOf(inputs), out = buffersOf(outputs);
  if (halftone_session_run(session.get(), in.data(), in.size(), out.data(),
                           out.size()))
    return lastError();
  return Error::success();
}

Error LoadedModel::runProfiled(ArrayRef<Tensor> inputs,
                               llvm::MutableArrayRef<Tensor> outputs,
                               llvm::MutableArrayRef<int64_t> nanoseconds) {
  std::vector<HalftoneBuffer> in = buffersOf(inputs), out = buffersOf(outputs);
  if (halftone_session_run_profiled(session.get(), in.data(), in.size(),
                                    out.data(), out.size(), nanoseconds.data()))
    return lastError();
  return Error::success();
}

std::vector<const HalftoneLayerInfo *> LoadedModel::layers() const {
  std::vector<const HalftoneLayerInfo *> list;
  for (int32_t i = 0; i < halftone_module_num_layers(size); ++i)
    list.push_back(halftone_module_layer(size, i));
  return list;
}

Shape mlir::halftone::shapeAtBatch(const HalftoneTensorInfo &tensor,
                                   int64_t batch) {
  Shape shape(tensor.shape, tensor.shape + tensor.rank);
  std::replace(shape.begin(), shape.end(), int64_t(-1), batch);
  return shape;
}

std::vector<Tensor> LoadedModel::makeOutputs(int64_t batch) const {
  std::vector<Tensor> tensors;
  tensors.reserve(outputs().size()); // a vector that grows copies tensors
  for (const HalftoneTensorInfo &info : outputs())
    tensors.emplace_back(info.name, static_cast<ElementType>(info.elementType),
                         shapeAtBatch(info, batch));
  return tensors;
}

Expected<std::vector<Tensor>> LoadedModel::runSamples(ArrayRef<Tensor> inputs) {
  std::vector<HalftoneBuffer> in = buffersOf(inputs);
  HalftoneSamplePlan plan;
  if (halftone_samples_plan(size, in.data(), in.size(), &plan))
    return lastError();
  std::vector<Tensor> results;
  results.reserve(outputs().size());
  for (auto [index, info] : llvm::enumerate(outputs())) {
    Shape shape(info.rank + 1);
    int32_t rank = 0;
    if (halftone_samples_output_shape(size, &plan, index, shape.data(), &rank))
      return lastError();
    shape.resize(rank);
    results.emplace_back(info.name, static_cast<ElementType>(info.elementType),
                         shape);
  }
  std::vector<HalftoneBuffer> out = buffersOf(results);
  if (halftone_session_run_samples(session.get(), in.data(), in.size(),
                                   out.data(), out.size()))
    return lastError();
  return results;
}

void mlir::halftone::appendSamples(std::vector<Tensor> &all,
                                   std::vector<Tensor> more) {
  if (all.empty()) {
    all = std::move(more);
    return;
  }
  for (auto [tensor, some] : llvm::zip(all, more)) {
    tensor.bytes.insert(tensor.bytes.end(), some.bytes.begin(),
                        some.bytes.end());
    tensor.shape[0] += some.shape[0];
  }
}

Expected<std::vector<Tensor>> LoadedModel::runDataset(const Dataset &data,
                                                       int64_t begin,
                                                       int64_t end) {
  if (Error error = takeSize(data.inputs()))
    return std::move(error);
  // A multiple of the model's batch, so that only the last chunk is padded.
  int64_t chunk = 64;
  for (const HalftoneTensorInfo &input : inputs())
    if (input.rank > 0 && input.shape[0] > 0)
      chunk = std::max<int64_t>(64 / input.shape[0], 1) * input.shape[0];
  std::vector<Tensor> all;
  for (; begin < end; begin += chunk) {
    auto samples = data.read(begin, std::min(chunk, end - begin));
    if (!samples)
      return samples.takeError();
    Expected<std::vector<Tensor>> some = runSamples(*samples);
    if (!some)
      return some.takeError();
    appendSamples(all, std::move(*some));
  }
  return all;
}
