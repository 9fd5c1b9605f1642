//===- Sandwiches.h - anchors with their tails ------------------------------===//
//
// A sandwich is what gets one pair of casts: an anchor (contraction, average pool, elementwise or unary operation) and
// the single-use operations behind it that are computed before the result is rounded. What may follow:
//
//   contraction   [collapse_shape of a grouped convolution] [bias] [residual addition] clamps, then functions
//   elementwise   clamps, then functions
//   unary         unary operations (the whole chain becomes one table)
//
// A function is one or several elementwise operations that are computed from the result so far, constants and perhaps other
// activations, element by element, where nothing outside reads a value within: x clamp(x + 3, 0, 6), an affine function, a
// product with a gate, another sum.
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
  unsigned affine = 0; ///< how many of the tail only join groups and add the bias: what a result in f32 takes, too
  unsigned simple = 0; ///< how many of the tail come before the first function

  Operation *last() const { return tail.empty() ? anchor : tail.back(); }
  Value result() const { return last()->getResult(0); }
  SmallVector<Operation *> members() const;
  /// The operands from outside that are activations: no constants, weights or initial tensors.
  SmallVector<OpOperand *> activations() const;
  /// Bias, residual addition and clamps: what has a form of its own in integers.
  ArrayRef<Operation *> simpleTail() const { return ArrayRef(tail).take_front(simple); }
  /// What of the tail is computed in floats where the result is no codes.
  ArrayRef<Operation *> floatTail() const { return ArrayRef(tail).drop_front(affine); }
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
  void extendSimply(Sandwich &sandwich);
  SmallVector<Operation *> findFunction(Value value) const;

  SmallVector<Sandwich> sandwiches;
  llvm::DenseMap<Operation *, unsigned> owner;
};

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_SANDWICHES_H
