//===- Biases.h - the constants that contractions add -----------------------===//
#ifndef HALFTONE_QUANTIZATION_BIASES_H
#define HALFTONE_QUANTIZATION_BIASES_H

#include "halftone/Analysis/Sandwiches.h"

namespace mlir::halftone {

/// The operand of the tail that adds a constant for each output channel, or null.
OpOperand *findBias(const Sandwich &sandwich, int64_t channels);

/// For each output channel of an int8 contraction the least scale of its weights with which its bias is at most 2^30 steps of the accumulator, whose other
/// half is the sums'. A channel that gives nothing but its bias has weights so small that this would be saturated. Empty if there is no bias, or no range.
std::vector<float> findLeastScales(Operation *contraction, int64_t channels);

/// Makes the bias another constant, smaller by `amounts`.
void subtractFromBias(OpOperand &bias, ArrayRef<double> amounts);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_BIASES_H
