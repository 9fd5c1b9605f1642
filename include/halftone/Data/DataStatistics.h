//===- DataStatistics.h - What a data set's values look like
//---------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Printed before a calibration, because the usual mistake is data that did not
// go through the preprocessing the model was trained with.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_DATASTATISTICS_H
#define HALFTONE_DATA_DATASTATISTICS_H

#include "halftone/Data/Dataset.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::halftone {

/// Statistics of one input over all samples, -inf left out. Merging chunks in order gives the
/// same numbers up to rounding of f64.
class InputStatistics {
public:
  InputStatistics(llvm::StringRef name, ElementType type)
      : name(name), type(type) {}

  /// Adds the samples of a tensor whose leading axis is the sample axis.
  void add(const Tensor &samples);

  double minimum() const { return least; }
  double maximum() const { return greatest; }
  double mean() const { return average; }
  /// The deviation of the population: divided by the count of values.
  double deviation() const;
  int64_t numSamples() const { return sampleCount; }

  /// "input 'x' (f32): 512 samples, min -1, mean 0.2, max 1, deviation 0.3".
  std::string summary() const;

  /// What looks wrong: unnormalized values, constant samples, few samples.
  std::vector<std::string> warnings() const;

private:
  template <typename T>
  void addValues(llvm::ArrayRef<T> values, bool &constant);

  std::string name;
  ElementType type;
  int64_t sampleCount = 0, valueCount = 0, hiddenCount = 0;
  double least = 0, greatest = 0, average = 0;
  double squares = 0;  // Sum of squared differences from the mean.
  bool isBytes = true; // All values are integers in [0, 255].
  std::vector<int64_t> constantSamples;
};

/// Samples below this are too few to calibrate with.
constexpr int64_t kFewSamples = 32;

/// Reads the whole data set, a few samples at a time.
llvm::Expected<std::vector<InputStatistics>>
computeStatistics(const Dataset &dataset);

/// Prints a line for each input, and a "warning: " line for each warning.
void printStatistics(llvm::ArrayRef<InputStatistics> statistics,
                     llvm::raw_ostream &stream);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_DATASTATISTICS_H
