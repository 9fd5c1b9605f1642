//===- Movement.h - readings shared by handlers and evaluation --------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_MOVEMENT_H
#define HALFTONE_LIB_IMPORT_ONNX_MOVEMENT_H

#include "Node.h"

namespace mlir::halftone::importer {

/// One slice of each dimension: `sizes[d]` positions from `starts[d]` by `steps[d]`.
struct SliceRange {
  SmallVector<int64_t> starts, sizes, steps;
};

/// Slice's range, clamped into the input; failure after `node.unsupported`.
FailureOr<SliceRange> readSlice(Node &node);

/// The slice of what is known on the host.
HostTensor sliceConstant(const HostTensor &x, const SliceRange &range);

/// The slice, without the dimensions of `dropped` (of size 1).
Value extract(Node &node, Value x, const SliceRange &range, ArrayRef<int64_t> dropped = {});

/// The positions of dimension `d` of `x`, which is static.
Value pick(Node &node, Value x, int64_t d, ArrayRef<int64_t> positions);

/// Transpose's permutation.
FailureOr<SmallVector<int64_t>> readPermutation(Node &node);

/// Channels side by side as positions: N x (groups high wide C) x H x W to N x (groups C) x (H high) x (W wide).
Value interleave(Node &node, Value x, int64_t groups, int64_t high, int64_t wide);

/// `x` with its dimensions in the order of `permutation`; a dynamic dimension leads in both.
Value transpose(Node &node, Value x, ArrayRef<int64_t> permutation);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_MOVEMENT_H
