//===- StructuredKernel.h - the kernels of structured operations ------------===//
#ifndef HALFTONE_CODEGEN_STRUCTUREDKERNEL_H
#define HALFTONE_CODEGEN_STRUCTUREDKERNEL_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Codegen/LoopSpace.h"
#include <functional>

namespace mlir::halftone {

/// What is computed at each point, on laneType values.
struct StructuredBody {
  /// Emits what the points share, at the start of each part; may be empty.
  std::function<void(ImplicitLocOpBuilder &)> begin;
  /// Emits the output's new value. An input that is not used is null; so is `output` unless `readsOutput`.
  std::function<Value(ImplicitLocOpBuilder &, ArrayRef<Value> inputs, Value output, int64_t lanes)> emit;
  SmallVector<bool> usesInput;
  bool readsOutput = false;
  int64_t widestBits = 8; ///< of the values it computes on
  int64_t operations = 1; ///< that it emits for a vector
};

/// Whether a linalg operation gets a kernel, and not scalar loops: linear maps, an elementwise body.
bool hasStructuredKernel(linalg::LinalgOp op);

/// Whether so many innermost elements, which lie apart in the inputs, are computed as vectors of positions and interleaved.
bool canInterleave(int64_t elements);

/// The body of a linalg operation that consists of elementwise operations.
StructuredBody bodyOf(linalg::LinalgOp op);

/// The body of halftone.lookup in `table` (256 codes): byte permutations where the machine has them, else one load for
/// each code.
StructuredBody lookupBody(Value table, const Isa &isa);

/// The body that passes its only input on.
StructuredBody copyBody(Type element);

/// Emits the loops at the builder's insertion point.
void emitStructuredKernel(ImplicitLocOpBuilder &b, const LoopSpace &space, const StructuredBody &body, const Isa &isa);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_STRUCTUREDKERNEL_H
