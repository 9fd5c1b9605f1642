//===- FloatModes.h - rounding and denormals of a call ---------------------===//
#ifndef HALFTONE_LIB_CODEGEN_FLOATMODES_H
#define HALFTONE_LIB_CODEGEN_FLOATMODES_H

#include "halftone/Codegen/IsaTable.h"
#include "mlir/IR/Builders.h"

namespace mlir::halftone {

/// The rounding and denormal modes of the calling thread: saved, set to the default, and restored.
class FloatModes {
public:
  explicit FloatModes(Architecture architecture) : architecture(architecture) {}
  /// The caller's modes: on x86 the slot of the saved word, on AArch64 the word.
  Value pin(OpBuilder &builder, Location loc) const;
  void restore(OpBuilder &builder, Location loc, Value saved) const;

private:
  Architecture architecture;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CODEGEN_FLOATMODES_H
