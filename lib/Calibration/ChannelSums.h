//===- ChannelSums.h - exact sums and extrema by channel, ranges by row ------===//
#ifndef HALFTONE_LIB_CALIBRATION_CHANNELSUMS_H
#define HALFTONE_LIB_CALIBRATION_CHANNELSUMS_H

#include "mlir/IR/Builders.h"

namespace mlir::halftone {

/// Emits a loop nest over an f32 tensor whose last dimension are C channels: for each element x of channel c with
/// |x| < 2^38, `sums[offset + c] += i64(x * 2^24)`, truncated; other elements (NaN, too) are left out. `sums[offset + C]`
/// grows by the number of elements of one channel. Fixed point is exact, so sums of shards merge by addition. The bits of the largest
/// x of channel c stand at `offset + C + 1 + c`, those of the largest -x at `offset + 2 C + 1 + c`. Behind them is a counter for each prefix that the
/// range of a row, an index of the first dimension, can have (ChannelStatistics::ranges).
void emitChannelSums(OpBuilder &builder, Location loc, Value tensor, Value sums, int64_t offset);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CALIBRATION_CHANNELSUMS_H
