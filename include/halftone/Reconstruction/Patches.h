//===- Patches.h - what each output position of a contraction reads -----------===//
#ifndef HALFTONE_RECONSTRUCTION_PATCHES_H
#define HALFTONE_RECONSTRUCTION_PATCHES_H

#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Reconstruction/Hessians.h"
#include "llvm/ADT/ArrayRef.h"
#include <array>

namespace mlir::halftone {

/// The window of a contraction over its unpadded input [N, H, W, groups * channels]; a matrix product is a window of
/// one position over [1, 1, rows, K]. Pairs are (height, width).
struct Patches {
  std::array<int64_t, 2> kernel{1, 1}, strides{1, 1}, dilations{1, 1}, padLow{0, 0}, padHigh{0, 0};
  int64_t groups = 1, channels = 1; ///< channels of one group

  int64_t dimension() const { return kernel[0] * kernel[1] * channels; }
};

/// The window, or nothing if padding is not over height and width only, or not constant.
std::optional<Patches> getPatches(const ContractionInput &input);

/// The Hessian of one layer while it is summed.
class HessianSum {
public:
  HessianSum(const Patches &patches, std::string key);

  /// Adds an input, NHWC (or rows x K), whose elements are integers code - zero point.
  void add(llvm::ArrayRef<float> codes, llvm::ArrayRef<int64_t> shape);

  Hessian take() { return std::move(hessian); }

private:
  void addDense(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, int64_t group);
  void addDepthwise(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents);

  Patches patches;
  Hessian hessian;
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_PATCHES_H
