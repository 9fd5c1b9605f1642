//===- Augmentation.h - pictures a little different each time ---------------===//
#ifndef HALFTONE_LIB_DRIVER_AUGMENTATION_H
#define HALFTONE_LIB_DRIVER_AUGMENTATION_H

#include "halftone/Data/Tensor.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// Random changes of pictures, from "flip,shift=2,erase=8": a mirror image in half of the cases, moved by up to so many
/// pixels in each direction, and in half of the cases a square of 3 to so many pixels set to 0.
struct Augmentation {
  bool flip = false;
  int64_t shift = 0, erase = 0;

  static llvm::Expected<Augmentation> parse(llvm::StringRef text);
  bool isNone() const { return !flip && !shift && !erase; }

  /// Changes picture `index` of a batch [N, C, H, W] or [N, H, W, C] of f32 (C is at most 4, in both).
  void apply(Tensor &pictures, int64_t index, uint64_t seed) const;
};

/// Whether a tensor of that type and shape is a batch of pictures.
bool holdsPictures(ElementType type, llvm::ArrayRef<int64_t> shape);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_AUGMENTATION_H
