//===- Biases.h - the constants that contractions add -----------------------===//
#ifndef HALFTONE_QUANTIZATION_BIASES_H
#define HALFTONE_QUANTIZATION_BIASES_H

#include "halftone/Analysis/Sandwiches.h"

namespace mlir::halftone {

/// The operand of the tail that adds a constant for each output channel, or null.
OpOperand *findBias(const Sandwich &sandwich, int64_t channels);

/// Makes the bias another constant, smaller by `amounts`.
void subtractFromBias(OpOperand &bias, ArrayRef<double> amounts);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_BIASES_H
