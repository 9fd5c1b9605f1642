//===- Adjoints.h - the gradient of a scalar with regard to every value -----===//
//
// The adjoint of a value is the sum of what each of its readers contributes. A rule takes an operation and the adjoint
// of its result, and contributes to the operands that need it; there is one file of rules for each kind of operation.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_TRAINING_ADJOINTS_H
#define HALFTONE_LIB_TRAINING_ADJOINTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::halftone {

class Adjoints {
public:
  Adjoints(OpBuilder &b, DenseSet<Value> active) : b(b), active(std::move(active)) {}

  /// Whether the value depends on something that is trained.
  bool needs(Value value) const { return active.contains(value); }

  /// Adds `contribution`, of the value's type, if the value needs it.
  void add(Location loc, Value value, Value contribution);

  /// The adjoint so far; null if nothing has contributed.
  Value get(Value value) const { return sums.lookup(value); }

  OpBuilder &b;

private:
  DenseSet<Value> active;
  DenseMap<Value, Value> sums;
};

/// Each handles the operations of its kind and returns failure for others, or after an error (`known` tells which).
LogicalResult differentiateContraction(Adjoints &adjoints, Operation *op, Value dy, bool &known);
LogicalResult differentiateWindow(Adjoints &adjoints, Operation *op, Value dy, bool &known);
LogicalResult differentiateMovement(Adjoints &adjoints, Operation *op, Value dy, bool &known);
LogicalResult differentiateStructured(Adjoints &adjoints, Operation *op, Value dy, bool &known);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_ADJOINTS_H
