//===- TensorSizes.h - What each constant of a model weighs ---------------===//
#ifndef HALFTONE_LIB_DRIVER_TENSORSIZES_H
#define HALFTONE_LIB_DRIVER_TENSORSIZES_H

#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// A constant tensor with everything that decoding it needs.
struct TensorSize {
  std::string layer;   ///< The node that reads it, or "".
  std::string shape;   ///< "[3, 3, 16, 32]".
  std::string format;  ///< "f32", "int8 per channel", "codebook4", ...
  int64_t elements = 0;
  int64_t codeBytes = 0;  ///< Packed at the format's bits; f32: 4 each.
  int64_t scaleBytes = 0; ///< Scales and zero points.
  int64_t tableBytes = 0; ///< Levels of a codebook.

  int64_t bytes() const { return codeBytes + scaleBytes + tableBytes; }
  double bitsPerElement() const { return 8.0 * bytes() / elements; }
};

/// The constants of @main that have at least one axis, in the program's order,
/// up to the stage quantization.
std::vector<TensorSize> measureTensorSizes(ModuleOp module);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TENSORSIZES_H
