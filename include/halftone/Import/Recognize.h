//===- Recognize.h - patterns that bring foreign linalg to the entry form ---===//
//
// One file and one populate function for each thing recognized; `halftone-recognize` runs them all.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_IMPORT_RECOGNIZE_H
#define HALFTONE_IMPORT_RECOGNIZE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"
#include <optional>

namespace mlir::halftone {

/// Parts, transposes and reshapes of constants become constants.
void populateFoldConstantMovement(RewritePatternSet &patterns);

/// Operands of generics lose extents of 1 that only broadcast; a bias that starts a convolution's sum is added after it.
void populateSimplifyBroadcasts(RewritePatternSet &patterns);

/// Channels-last convolutions with the filters first, and depthwise ones with a multiplier, get the entry form's order of weights.
void populateRecognizeConvolution(RewritePatternSet &patterns);

/// A batch of one product with constant weights becomes a matrix product.
void populateRecognizeMatmul(RewritePatternSet &patterns);

/// `select(x > 0, x, 0)` becomes `maximumf(x, 0)`.
void populateRecognizeRelu(RewritePatternSet &patterns);

/// `(x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias` by channel becomes the composite `batch_norm`.
void populateRecognizeBatchNorm(RewritePatternSet &patterns);

/// A sum over all positions divided by their number, or a summing pool divided by its window, becomes `avg_pool`.
void populateRecognizeAvgPool(RewritePatternSet &patterns);

/// The least finite number that a max pool is padded with and starts with becomes -inf.
void populateRecognizeMaxPool(RewritePatternSet &patterns);

/// An all-parallel generic whose body is one binary operation of `other` (identity map) and the rank-1 `channel`, read
/// along the dimension `axis`.
struct ChannelOperation {
  Value other, channel;
  int64_t axis;
};

/// Matches a ChannelOperation whose body is the operation named `name`; `channel` is the right operand, or either one
/// if `commutative`.
std::optional<ChannelOperation> matchChannelOperation(Value value, StringRef name, bool commutative);

/// The operand and the constant of an all-parallel generic of one input whose body is `name(x, constant)`.
std::optional<std::pair<Value, double>> matchScalarOperation(Value value, StringRef name);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_RECOGNIZE_H
