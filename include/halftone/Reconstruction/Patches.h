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

/// Whether a contraction's codes are chosen by its Hessian, once there is one: it is int8, and no rule of the recipe has another rounding for it.
bool takesHessian(Operation *contraction);

/// Calls visit(image, y, x) for each output position in the output's order: the first element that it reads, padding counted
/// from -padLow. Extents are (N, H, W).
template <typename Visit>
void forEachPosition(const Patches &patches, std::array<int64_t, 3> extents, Visit visit) {
  auto last = [&](int i) {
    return extents[i + 1] + patches.padHigh[i] - (patches.kernel[i] - 1) * patches.dilations[i] - 1;
  };
  for (int64_t n = 0; n < extents[0]; ++n)
    for (int64_t y = -patches.padLow[0]; y <= last(0); y += patches.strides[0])
      for (int64_t x = -patches.padLow[1]; x <= last(1); x += patches.strides[1])
        visit(n, y, x);
}

/// Calls visit(tap, codes of its pixel or null for padding) for what a position reads.
template <typename Visit>
void forEachTap(const Patches &patches, std::array<int64_t, 3> extents, llvm::ArrayRef<float> codes, int64_t n, int64_t y,
                int64_t x, Visit visit) {
  int64_t width = patches.groups * patches.channels;
  for (int64_t i = 0; i < patches.kernel[0]; ++i)
    for (int64_t j = 0; j < patches.kernel[1]; ++j) {
      int64_t row = y + i * patches.dilations[0], column = x + j * patches.dilations[1];
      bool inside = row >= 0 && row < extents[1] && column >= 0 && column < extents[2];
      visit(i * patches.kernel[1] + j,
            inside ? codes.data() + ((n * extents[1] + row) * extents[2] + column) * width : nullptr);
    }
}

/// (N, H, W) of an input NHWC, or (1, 1, rows) of rows x K.
std::array<int64_t, 3> getExtents(llvm::ArrayRef<int64_t> shape);

/// The Hessian of one layer while it is summed.
class HessianSum {
public:
  HessianSum(const Patches &patches, std::string key);

  /// Adds an input, NHWC (or rows x K), whose elements are integers code - zero point.
  void add(llvm::ArrayRef<float> codes, llvm::ArrayRef<int64_t> shape);

  const Hessian &get() const { return hessian; }
  Hessian take() { return std::move(hessian); }
  /// Adds the sums of other samples of the same layer.
  void merge(const HessianSum &others);

private:
  void addDense(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, int64_t group);
  void addDepthwise(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents);

  Patches patches;
  Hessian hessian;
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_PATCHES_H
