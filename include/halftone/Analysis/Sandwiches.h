//===- Sandwiches.h - anchors with their tails ------------------------------===//
//
// A sandwich is what gets one pair of casts: an anchor (contraction, average pool, elementwise or unary operation) and
// the single-use operations behind it that are computed before the result is rounded. What may follow:
//
//   contraction   [collapse_shape of a grouped convolution] [bias] [residual addition] clamps
//   elementwise   clamps
//   unary         unary operations (the whole chain becomes one table)
//
// The structure depends on the operations only, not on ranges or precision, so calibration and quantization agree on
// it. Of two contractions that feed one addition the later one takes it.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_ANALYSIS_SANDWICHES_H
#define HALFTONE_ANALYSIS_SANDWICHES_H

#include "halftone/Analysis/EntryForm.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::halftone {

struct Sandwich {
  OpKind kind;
  Operation *anchor;
  SmallVector<Operation *> tail; ///< in program order

  Operation *last() const { return tail.empty() ? anchor : tail.back(); }
  Value result() const { return last()->getResult(0); }
  SmallVector<Operation *> members() const;
  /// The operands from outside that are activations: no constants, weights or initial tensors.
  SmallVector<OpOperand *> activations() const;
};

class Sandwiches {
public:
  explicit Sandwiches(func::FuncOp function);

  /// In the order of their anchors.
  ArrayRef<Sandwich> all() const { return sandwiches; }
  /// The sandwich that an operation is anchor or tail of, or null.
  const Sandwich *find(Operation *op) const;

private:
  void extend(Sandwich &sandwich);

  SmallVector<Sandwich> sandwiches;
  llvm::DenseMap<Operation *, unsigned> owner;
};

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_SANDWICHES_H
