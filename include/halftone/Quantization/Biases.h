//===- Biases.h - the constants that contractions add -----------------------===//
#ifndef HALFTONE_QUANTIZATION_BIASES_H
#define HALFTONE_QUANTIZATION_BIASES_H

#include "halftone/Analysis/EntryForm.h"

namespace mlir::halftone {

/// The constant for each output channel that is added to a contraction's sums before anything else, maybe behind reshapes; null if there is none. Bounds of
/// channels are none.
OpOperand *findBias(Operation *contraction, int64_t channels);

/// For each output channel of an int8 contraction the least scale of its weights with which its bias is at most 2^30 steps of the accumulator, whose other
/// half is the sums'. A channel that gives nothing but its bias has weights so small that this would be saturated. Empty if there is no bias, or no range.
std::vector<float> findLeastScales(Operation *contraction, int64_t channels);

/// Makes the bias another constant, smaller by `amounts`.
void subtractFromBias(OpOperand &bias, ArrayRef<double> amounts);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_BIASES_H
