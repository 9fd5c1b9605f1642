//===- DotEmitter.h - one step of a reduction on each instruction set -------===//
//
// A dot adds, in each lane, `step` products to an accumulator. Activations are prepared once per row, weights once per
// vector, and every pair of them meets in one dot.
//
// A dot of two rows has two accumulators for each vector of 4 columns: the first holds columns 0 and 1 of both rows,
// the second columns 2 and 3. `startRows` makes them of a row of i32, `finishRows` makes rows of them.
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

  /// The element at `offset`, in all lanes; for dots of one.
  Activation broadcastActivation(ImplicitLocOpBuilder &b, Value memory, Value offset) const;

  /// `step` bytes, a vector, in all lanes.
  Activation broadcastBytes(ImplicitLocOpBuilder &b, Value bytes) const;

  /// A vector of i8 with `step` bytes for each lane, as an activation.
  Activation prepareActivation(ImplicitLocOpBuilder &b, Value bytes) const;

  /// The sum, an i32, of bytes of activations as the dots take them.
  Value sumActivations(ImplicitLocOpBuilder &b, Value bytes) const;

  /// The weights at `offset`: `step` elements for each lane.
  Value loadWeights(ImplicitLocOpBuilder &b, Value memory, Value offset) const;
  /// The same of elements that are in a vector already.
  Value prepareWeights(ImplicitLocOpBuilder &b, Value weights) const;

  /// The low half of an activation that was made for twice as many lanes.
  Activation lowHalf(ImplicitLocOpBuilder &b, Activation activation) const;

  Value dot(ImplicitLocOpBuilder &b, Value accumulator, Activation activation, Value weights) const;

  /// Several dots of DotKind::Narrow, at most kernel.joined of them, added up in 16 bits.
  Value dotJoined(ImplicitLocOpBuilder &b, Value accumulator, ArrayRef<Activation> activations, ValueRange weights) const;

  /// The activation of rowsPerDot() rows, from each row's `step` bytes (vectors).
  Activation joinRows(ImplicitLocOpBuilder &b, ValueRange rowBytes) const;

  /// The accumulators of rowsPerDot() rows that start with these lanes.
  SmallVector<Value> startRows(ImplicitLocOpBuilder &b, Value lanesOfRow) const;

  /// The dots of rowsPerDot() rows.
  SmallVector<Value> dotRows(ImplicitLocOpBuilder &b, ValueRange accumulators, Activation activation,
                             Value weights) const;

  /// The lanes of each row.
  SmallVector<Value> finishRows(ImplicitLocOpBuilder &b, ValueRange accumulators) const;

private:
  VectorType bytesType(MLIRContext *context) const;
  Value multiplyPairs(ImplicitLocOpBuilder &b, Activation activation, Value weights) const;
  Value addPairs(ImplicitLocOpBuilder &b, Value accumulator, Value pairs) const;

  const DotKernel &kernel;
  int64_t lanes;
  bool storedUnsigned;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_DOTEMITTER_H
