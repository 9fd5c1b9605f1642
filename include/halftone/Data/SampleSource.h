//===- SampleSource.h - The samples of one input, wherever they are stored
//-===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_SAMPLESOURCE_H
#define HALFTONE_DATA_SAMPLESOURCE_H

#include "halftone/Data/Npz.h"
#include "halftone/Data/Preprocess.h"
#include "halftone/Data/ProblemList.h"
#include <memory>

namespace mlir::halftone {

/// Samples of equal size in the model's type and layout, read in any order.
class SampleSource {
public:
  virtual ~SampleSource() = default;

  virtual int64_t size() const = 0;

  /// Reads sample number \p index. The error names what is wrong and where.
  virtual llvm::Error read(int64_t index,
                           llvm::MutableArrayRef<char> sample) = 0;

  /// True if a sample can hold NaN or infinity: pictures cannot.
  virtual bool canBeNonFinite() const { return true; }
};

/// An array in memory with a leading sample axis.
std::unique_ptr<SampleSource> makeTensorSource(Tensor tensor);

/// An .npy file with a leading sample axis, read sample by sample.
std::unique_ptr<SampleSource> makeNpySource(std::unique_ptr<NpyFile> file);

/// An array of an .npz with a leading sample axis, read sample by sample.
std::unique_ptr<SampleSource> makeNpzSource(std::unique_ptr<NpzArray> array);

/// One .npy file for each sample; their types and shapes have been checked.
std::unique_ptr<SampleSource>
makeNpyFolderSource(std::vector<std::string> paths);

/// One picture file for each sample.
std::unique_ptr<SampleSource> makeImageSource(std::vector<std::string> paths,
                                              ImageConverter converter);

/// Pixels in u8 arrays of shape \p pixelShape ([H, W, C], [C, H, W] or
/// [H, W]), converted as pictures are.
std::unique_ptr<SampleSource>
makePixelSource(std::unique_ptr<SampleSource> pixels,
                llvm::ArrayRef<int64_t> pixelShape, ImageConverter converter);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_SAMPLESOURCE_H
