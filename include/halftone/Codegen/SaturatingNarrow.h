//===- SaturatingNarrow.h - i32 vectors to bytes, clamped on the way --------===//
//
//   byte = clamp(v, low, high) + zero,  all of them in [-128, 127] or all in [0, 255]
//
// Two saturating packs take 4 vectors of i32 to one of bytes. Between them the zero point is added with saturation, which
// is exact: what does not fit an i16 is beyond both bounds. The second pack clamps to all signed or all unsigned bytes; a
// bound that is tighter is one minimum or maximum of bytes. The zero point -128 of a Relu needs no addition: the second
// pack saturates to unsigned bytes, which are the logical values, and the sign bit is flipped.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_SATURATINGNARROW_H
#define HALFTONE_CODEGEN_SATURATINGNARROW_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::halftone {

/// Bounds of a logical value, and the zero point that makes it a stored byte.
struct CodeClamp {
  int32_t low, high, zero;
  bool isSigned() const { return low + zero >= -128 && high + zero <= 127; }
  bool isUnsigned() const { return low + zero >= 0 && high + zero <= 255; }
  /// Whether saturation can do it.
  bool fits() const { return low <= high && (isSigned() || isUnsigned()); }
};

/// 1, 2 or 4 vectors of 4, 8 or 16 x i32, one after the other, as one vector of codes. `interleaved` (4 vectors only): the
/// vectors are in the order of DepthwiseLayout::channelOf, the codes in that of the channels.
Value narrowSaturating(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors, const CodeClamp &clamp, bool interleaved);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_SATURATINGNARROW_H
