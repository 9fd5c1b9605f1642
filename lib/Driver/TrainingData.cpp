//===- TrainingData.cpp - batches in a seeded order -------------------------===//
#include "TrainingData.h"
#include "Command.h"
#include "halftone/Data/Npz.h"
#include "halftone/Data/ProblemList.h"
#include <numeric>
#include <random>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::Twine;

/// A permutation that is the same with every standard library: std::shuffle is not.
static void shuffle(std::vector<int64_t> &items, uint64_t seed) {
  std::mt19937_64 generator(seed);
  for (size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[generator() % i]);
}

template <typename T> static std::vector<int64_t> widen(const Tensor &tensor) {
  return {tensor.values<T>().begin(), tensor.values<T>().end()};
}

/// Integers of any width become the labels' i64; floats stay.
static Expected<Tensor> asTarget(Tensor tensor) {
  std::vector<int64_t> labels;
  switch (tensor.type) {
  case ElementType::I64:
  case ElementType::F32:
    return tensor;
  case ElementType::I32:
    labels = widen<int32_t>(tensor);
    break;
  case ElementType::I8:
    labels = widen<int8_t>(tensor);
    break;
  case ElementType::U8:
    labels = widen<uint8_t>(tensor);
    break;
  default:
    return userError("--labels '" + tensor.name + "' has elements of " + elementName(tensor.type) +
                     "; labels are integers, targets f32");
  }
  Tensor wide(tensor.name, ElementType::I64, tensor.shape);
  llvm::copy(labels, wide.values<int64_t>().begin());
  return wide;
}

Error TrainingData::readTarget(llvm::StringRef path, llvm::StringRef name) {
  auto reader = NpzReader::open(path);
  if (!reader)
    return reader.takeError();
  Expected<Tensor> read = (*reader)->read(name);
  if (!read)
    return read.takeError();
  Expected<Tensor> made = asTarget(std::move(*read));
  if (!made)
    return made.takeError();
  target = std::move(*made);
  if (target.shape.empty() || target.shape[0] != data->size())
    return userError("--labels '" + name + "' has the shape " + formatShape(target.shape) + " for " +
                     Twine(data->size()) + " samples");
  return Error::success();
}

Expected<TrainingData> TrainingData::open(llvm::StringRef path, const InputInterface &interface,
                                          llvm::StringRef target, int64_t heldOut, uint64_t seed) {
  TrainingData result;
  auto loaded = loadDataset(path, interface.inputs, interface.preprocess);
  if (!loaded)
    return loaded.takeError();
  result.data = std::move(*loaded);
  result.seed = seed;
  for (auto [i, input] : llvm::enumerate(result.data->inputs()))
    if (result.data->sampleShape(i).size() == input.shape.size())
      return userError("input '" + input.name + "' has whole batches as samples; training mixes single samples");
  if (!target.empty())
    if (Error error = result.readTarget(path, target))
      return std::move(error);
  if (heldOut < 0 || heldOut >= result.data->size())
    return userError("--held-out=" + Twine(heldOut) + " leaves nothing of " + Twine(result.data->size()) +
                     " samples to train on");
  std::vector<int64_t> all(result.data->size());
  std::iota(all.begin(), all.end(), 0);
  shuffle(all, seed);
  result.kept.assign(all.begin(), all.end() - heldOut);
  result.apart.assign(all.end() - heldOut, all.end());
  return result;
}

std::vector<int64_t> TrainingData::orderOf(int64_t epoch) const {
  std::vector<int64_t> order = kept;
  shuffle(order, seed + 1 + epoch);
  return order;
}

/// The bytes of one sample of a tensor with a leading sample axis.
static size_t sampleBytes(const Tensor &tensor) { return tensor.bytes.size() / tensor.shape[0]; }

Error TrainingData::checkTarget(const Tensor &tensor) const {
  if (tensor.type == target.type && sampleBytes(tensor) == sampleBytes(target))
    return Error::success();
  return userError("--labels '" + target.name + "' is " + elementName(target.type) + formatShape(target.shape) +
                   ", the loss compares with " + elementName(tensor.type) + formatShape(tensor.shape));
}

Error TrainingData::checkClasses(int64_t classes) const {
  llvm::SmallVector<int64_t> wrong;
  for (auto [sample, label] : llvm::enumerate(target.values<int64_t>()))
    if (label < 0 || label >= classes)
      wrong.push_back(sample);
  if (wrong.empty())
    return Error::success();
  return userError("--labels '" + target.name + "' has no classes from 0 to " + Twine(classes - 1) + " in the samples " + listSome(wrong) +
                   " (counted from 0); the first is " + Twine(target.values<int64_t>()[wrong.front()]));
}

Error TrainingData::fill(llvm::ArrayRef<int64_t> samples, llvm::ArrayRef<Tensor *> into, Tensor *targets) const {
  for (auto [i, sample] : llvm::enumerate(samples)) {
    Expected<std::vector<Tensor>> read = data->read(sample, 1);
    if (!read)
      return read.takeError();
    for (auto [tensor, from] : llvm::zip_equal(into, *read))
      std::copy(from.bytes.begin(), from.bytes.end(), tensor->bytes.begin() + i * from.bytes.size());
    if (targets) {
      size_t size = sampleBytes(target);
      std::copy_n(target.bytes.begin() + sample * size, size, targets->bytes.begin() + i * size);
    }
  }
  return Error::success();
}
