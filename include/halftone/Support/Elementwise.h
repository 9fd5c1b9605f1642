//===- Elementwise.h - makes elementwise generics ---------------------------===//
#ifndef HALFTONE_SUPPORT_ELEMENTWISE_H
#define HALFTONE_SUPPORT_ELEMENTWISE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::halftone {

/// Makes the scalar result from the scalar operands.
using ElementBuilder = function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// A linalg.generic with parallel iterators over `sizes` and an empty init of `element` type: `maps` read the inputs
/// (none: all are read with the identity), the result is written with the identity.
Value buildElementwise(OpBuilder &builder, Location loc, ValueRange inputs, ArrayRef<AffineMap> maps,
                       ArrayRef<OpFoldResult> sizes, Type element, ElementBuilder build);

/// A tensor of zeros.
Value buildZeros(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type element);

/// `value`, f32 with channels last, with each channel multiplied by its factor.
Value scaleChannels(OpBuilder &builder, Value value, ArrayRef<float> factors);

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_ELEMENTWISE_H
