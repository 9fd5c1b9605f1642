//===- Dataset.h - Samples for a model's inputs
//----------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Data is one of:
//
//   X.npz                    arrays keyed by input name
//   X.npy                    one array, for a model with one input
//   folder/NAME.npy          one array for each input
//   folder/NAME/*.npy        one file for each sample
//   folder/NAME/*.png        one picture for each sample (also .jpg, .jpeg)
//   folder/**.png            the same, for a model with one input
//
// Samples of a folder are in the order of their paths. For an input of shape
// [B, d...] (B is the batch, static or symbolic) an array is [N, d...], or
// [N, B, d...] with one whole input in each sample; for B = 1 both mean the
// same. Arrays have the model's own element type, or they are u8 pixels and the
// input has a preprocessing line.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_DATASET_H
#define HALFTONE_DATA_DATASET_H

#include "halftone/Data/Preprocess.h"
#include "halftone/Data/Tensor.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::halftone {

class SampleSource;

/// An input as the model declares it.
struct InputSpec {
  std::string name;
  ElementType type = ElementType::F32;
  Shape shape; // With the batch axis; -1 is the symbolic batch.
};

/// Samples for all inputs of a model. Of files, only what read() returns is in
/// memory; of an .npz also arrays that are compressed, or small.
class Dataset {
public:
  ~Dataset();

  /// The number of samples, at least 1.
  int64_t size() const;

  llvm::ArrayRef<InputSpec> inputs() const { return specs; }

  /// The shape of one sample of an input, without the sample axis: [d...], or
  /// [B, d...] for arrays of whole inputs with a static B above 1; then all inputs are whole.
  llvm::ArrayRef<int64_t> sampleShape(size_t input) const {
    return shapes[input];
  }

  /// Reads \p count samples from \p begin: for each input, in the model's
  /// order, a tensor [count, sampleShape...].
  llvm::Expected<std::vector<Tensor>> read(int64_t begin, int64_t count) const;

private:
  friend class DatasetLoader;
  Dataset();

  std::vector<InputSpec> specs;
  std::vector<Shape> shapes;
  std::vector<std::unique_ptr<SampleSource>> sources;
};

/// Whether data has arrays or pictures of the names, types and shapes of all
/// inputs.
bool hasInputs(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs,
               llvm::ArrayRef<Preprocess> preprocess = {});

/// Opens data and checks all of it: names, types, shapes, equal sample counts,
/// complete files, no NaN or infinity. The one error names every mistake.
llvm::Expected<std::unique_ptr<Dataset>>
loadDataset(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs,
            llvm::ArrayRef<Preprocess> preprocess = {});

} // namespace mlir::halftone

#endif // HALFTONE_DATA_DATASET_H
