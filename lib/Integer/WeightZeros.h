//===- WeightZeros.h - zero points of weights -------------------------------===//
//
// sum(q (w - z)) = sum(q w) - z sum(q): what the zero point of a channel takes off is a multiple of the sum of what a result
// reads, which is the same contraction with ones for weights: one for all channels, or for each group of them (rule A5).
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_INTEGER_WEIGHTZEROS_H
#define HALFTONE_LIB_INTEGER_WEIGHTZEROS_H

#include "ContractionTail.h"

namespace mlir::halftone {

/// Appends the zero points of the channels and the sums of what the results read, to operands and maps of the elementwise generic behind the contraction;
/// nothing if the weights have none. `input` is what the contraction is made to read, `element` what it sums in: i32 or f32.
void appendZeros(OpBuilder &builder, linalg::LinalgOp contraction, OpOperand &weights, const ChannelTotals &totals, const ContractionTail &tail,
                 Value input, Type element, SmallVectorImpl<Value> &operands, SmallVectorImpl<AffineMap> &maps);

/// In that generic: its scalars without the last two, the first of them without the zero points' share. As they are if the weights have none.
SmallVector<Value> takeZeros(OpBuilder &builder, Location loc, const ChannelTotals &totals, ValueRange scalars);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_WEIGHTZEROS_H
