//===- DotEmitter.h - one step of a reduction on each instruction set -------===//
//
// A dot adds, in each lane, `step` products to an accumulator. Activations are prepared once per row, weights once per
// vector, and every pair of them meets in one dot.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_DOTEMITTER_H
#define HALFTONE_CODEGEN_DOTEMITTER_H

#include "halftone/Codegen/IsaTable.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::halftone {

class DotEmitter {
public:
  /// `storedUnsigned`: activations are code + 128 in memory, as a kernel that flips their sign bits makes them else.
  DotEmitter(const DotKernel &kernel, int64_t lanes, bool storedUnsigned = false)
      : kernel(kernel), lanes(lanes), storedUnsigned(storedUnsigned) {}

  /// The accumulator's vector type.
  VectorType accumulatorType(MLIRContext *context) const;

  /// What a row of the tile needs, in two parts; `second` is null for most dots.
  struct Activation {
    Value first, second;
  };

  /// The `step` elements at `offset`, in all lanes.
  Activation broadcastActivation(ImplicitLocOpBuilder &b, Value memory, Value offset) const;

  /// `step` bytes, a vector, in all lanes.
  Activation broadcastBytes(ImplicitLocOpBuilder &b, Value bytes) const;

  /// A vector of i8 with `step` bytes for each lane, as an activation.
  Activation prepareActivation(ImplicitLocOpBuilder &b, Value bytes) const;

  /// The weights at `offset`: `step` elements for each lane.
  Value loadWeights(ImplicitLocOpBuilder &b, Value memory, Value offset) const;

  Value dot(ImplicitLocOpBuilder &b, Value accumulator, Activation activation, Value weights) const;

private:
  VectorType bytesType(MLIRContext *context) const;

  const DotKernel &kernel;
  int64_t lanes;
  bool storedUnsigned;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_DOTEMITTER_H
