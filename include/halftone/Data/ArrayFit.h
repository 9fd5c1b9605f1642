//===- ArrayFit.h - How an array of samples fits an input
//------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_ARRAYFIT_H
#define HALFTONE_DATA_ARRAYFIT_H

#include "halftone/Data/Dataset.h"
#include "halftone/Data/ProblemList.h"
#include <optional>

namespace mlir::halftone {

/// An array that fits.
struct ArrayFit {
  Shape sampleShape;

  /// For u8 pixels that have to be converted: the stored shape of a sample.
  std::optional<ImageConverter> converter;
  Shape pixelShape;
};

/// [d...] of [B, d...].
llvm::ArrayRef<int64_t> withoutBatch(const InputSpec &spec);

/// Fits an array of \p type and \p shape, which has a leading sample axis.
/// \p steps may be null. \p what names the array in problems.
std::optional<ArrayFit> fitArray(const InputSpec &spec, const Preprocess *steps,
                                 ElementType type,
                                 llvm::ArrayRef<int64_t> shape,
                                 const llvm::Twine &what,
                                 ProblemList &problems);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_ARRAYFIT_H
