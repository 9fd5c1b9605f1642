//===- DataStatistics.cpp - What a data set's values look like
//-------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Mean and deviation by Chan, Golub and LeVeque's pairwise update, sample by
// sample: no cancellation, whatever the mean is.
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/DataStatistics.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/Support/Format.h"
#include <algorithm>
#include <cmath>

using namespace mlir::halftone;

/// Normalized inputs of image and signal models stay far below.
static constexpr double kLargeValue = 50;

template <typename T>
void InputStatistics::addValues(llvm::ArrayRef<T> values, bool &constant) {
  // What a mask hides, -inf, is counted apart.
  double sum = 0, low = INFINITY, high = -INFINITY, count = 0;
  for (T value : values) {
    double x = value;
    if (x == -INFINITY)
      continue;
    ++count;
    sum += x;
    low = std::min(low, x);
    high = std::max(high, x);
    isBytes &= x >= 0 && x <= 255 && x == std::floor(x);
  }
  hiddenCount += static_cast<int64_t>(values.size() - count);
  constant = count == 0 || (low == high && count == values.size());
  if (count == 0)
    return;
  double mean = sum / count, local = 0;
  for (T value : values)
    if (double x = value; x != -INFINITY)
      local += (x - mean) * (x - mean);

  bool isFirst = valueCount == 0;
  least = isFirst ? low : std::min(least, low);
  greatest = isFirst ? high : std::max(greatest, high);
  double before = valueCount, after = before + count, shift = mean - average;
  average += shift * count / after;
  squares += local + shift * shift * before * count / after;
  valueCount += static_cast<int64_t>(count);
}

void InputStatistics::add(const Tensor &samples) {
  int64_t count = samples.shape.empty() ? 0 : samples.shape[0];
  for (int64_t i = 0; i < count; ++i, ++sampleCount) {
    bool constant = false;
    auto addSample = [&](auto values) {
      size_t length = values.size() / count;
      if (length == 0)
        return;
      addValues(values.slice(i * length, length), constant);
      if (constant && length > 1)
        constantSamples.push_back(sampleCount);
    };
    switch (type) {
    case ElementType::F32:
      addSample(samples.values<float>());
      break;
    case ElementType::I8:
      addSample(samples.values<int8_t>());
      break;
    case ElementType::U8:
    case ElementType::Bool:
      addSample(samples.values<uint8_t>());
      break;
    case ElementType::I32:
      addSample(samples.values<int32_t>());
      break;
    case ElementType::I64:
      addSample(samples.values<int64_t>());
      break;
    }
  }
}

double InputStatistics::deviation() const {
  return valueCount ? std::sqrt(squares / static_cast<double>(valueCount)) : 0;
}

std::string InputStatistics::summary() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "input '" << name << "' (" << elementName(type)
         << "): " << sampleCount << (sampleCount == 1 ? " sample" : " samples")
         << llvm::format(", min %.4g, mean %.4g, max %.4g, deviation %.4g",
                         least, average, greatest, deviation());
  if (hiddenCount)
    stream << ", " << hiddenCount << " of " << hiddenCount + valueCount
           << " elements -inf";
  return text;
}

std::vector<std::string> InputStatistics::warnings() const {
  std::vector<std::string> list;
  std::string input = "input '" + name + "' ";
  bool isFloat = type == ElementType::F32;
  double largest = std::max(std::fabs(least), std::fabs(greatest));
  if (isFloat && isBytes && greatest > 1)
    list.push_back(input + "has only whole numbers from 0 to 255: are these "
                           "pixels, before the normalization that the model "
                           "was trained with?");
  else if (isFloat && largest > kLargeValue) {
    std::string text;
    llvm::raw_string_ostream(text)
        << input
        << llvm::format("has values up to %.4g: was it normalized as "
                        "the model was trained with?",
                        largest);
    list.push_back(text);
  }
  if (!constantSamples.empty())
    list.push_back(input + "is constant in " +
                   (constantSamples.size() == 1 ? "sample " : "samples ") +
                   listSome(constantSamples));
  if (sampleCount < kFewSamples)
    list.push_back(input + "has only " + std::to_string(sampleCount) +
                   (sampleCount == 1 ? " sample" : " samples") +
                   ": calibration wants " + std::to_string(kFewSamples) +
                   " or more");
  return list;
}

llvm::Expected<std::vector<InputStatistics>>
mlir::halftone::computeStatistics(const Dataset &dataset) {
  constexpr int64_t chunk = 8;
  std::vector<InputStatistics> statistics;
  for (const InputSpec &spec : dataset.inputs())
    statistics.emplace_back(spec.name, spec.type);
  for (int64_t begin = 0; begin < dataset.size(); begin += chunk) {
    auto tensors = dataset.read(begin, std::min(chunk, dataset.size() - begin));
    if (!tensors)
      return tensors.takeError();
    for (auto [input, tensor] : llvm::zip(statistics, *tensors))
      input.add(tensor);
  }
  return statistics;
}

void mlir::halftone::printStatistics(llvm::ArrayRef<InputStatistics> statistics,
                                     llvm::raw_ostream &stream) {
  for (const InputStatistics &input : statistics)
    stream << input.summary() << '\n';
  for (const InputStatistics &input : statistics)
    for (const std::string &warning : input.warnings())
      stream << "warning: " << warning << '\n';
}
