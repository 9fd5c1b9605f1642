//===- TensorSizes.h - What each constant of a model weighs ---------------===//
#ifndef HALFTONE_LIB_DRIVER_TENSORSIZES_H
#define HALFTONE_LIB_DRIVER_TENSORSIZES_H

#include "halftone/Codegen/WeightStorage.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// A constant tensor as the compiled model stores it, with everything that
/// decoding it needs.
struct TensorSize {
  std::string layer;   ///< The node that reads it, or "".
  std::string shape;   ///< "[3, 3, 16, 32]", before packing.
  std::string format;  ///< "f32", "int8", "4 bits", "4 bits in groups of 32", ...
  int64_t elements = 0;
  int64_t codeBytes = 0;  ///< Packed for the kernel, padding and starts included.
  int64_t scaleBytes = 0; ///< Multipliers of channels and groups, and bounds.
  int64_t tableBytes = 0; ///< The levels that codes stand for.

  int64_t bytes() const { return codeBytes + scaleBytes + tableBytes; }
  double bitsPerElement() const { return 8.0 * bytes() / elements; }
};

/// The constants of @main that have at least one axis, in the program's order,
/// as the code of that target stores them; of a module up to the stage integer,
/// which is not changed.
llvm::Expected<std::vector<TensorSize>> measureTensorSizes(ModuleOp module,
                                                           StringRef target,
                                                           StorageChoice storage);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TENSORSIZES_H
