//===- Environment.h - the values of a running evaluation -------------------===//
#ifndef HALFTONE_LIB_EVALUATOR_ENVIRONMENT_H
#define HALFTONE_LIB_EVALUATOR_ENVIRONMENT_H

#include "ScalarProgram.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/OpDefinition.h"
#include <memory>

namespace mlir::halftone {

/// Values by SSA name. Tensors are shared, and copied before they are written.
class Environment {
public:
  void set(Value value, std::shared_ptr<HostTensor> tensor) { tensors[value] = std::move(tensor); }
  void set(Value value, HostTensor tensor) { set(value, std::make_shared<HostTensor>(std::move(tensor))); }
  void set(Value value, Register scalar) { scalars[value] = scalar; }

  const HostTensor *tensor(Value value) const {
    auto it = tensors.find(value);
    return it == tensors.end() ? nullptr : it->second.get();
  }
  std::shared_ptr<HostTensor> shared(Value value) const { return tensors.lookup(value); }
  std::optional<Register> scalar(Value value) const {
    auto it = scalars.find(value);
    return it == scalars.end() ? std::nullopt : std::optional<Register>(it->second);
  }
  /// The value of a static or computed size, offset or stride.
  FailureOr<int64_t> integer(OpFoldResult value) const;
  FailureOr<SmallVector<int64_t>> integers(ArrayRef<OpFoldResult> values) const;

  LogicalResult build(ScalarProgram &program, Block &block, Value accumulator = {}) const {
    return program.build(
        block, [this](Value v) { return tensor(v); }, [this](Value v) { return scalar(v); }, accumulator);
  }

private:
  DenseMap<Value, std::shared_ptr<HostTensor>> tensors;
  DenseMap<Value, Register> scalars;
};

/// Calls `visit` with each index of a box, in row-major order.
void forEachIndex(ArrayRef<int64_t> extents, function_ref<void(ArrayRef<int64_t>)> visit);

/// Row-major strides of a shape, in elements.
SmallVector<int64_t> stridesOf(ArrayRef<int64_t> shape);

// Each evaluates one kind of operation: all its tensor operands are in the environment; it sets the results.
LogicalResult evaluateBlock(Block &block, Environment &environment);
LogicalResult evaluateStructured(linalg::LinalgOp op, Environment &environment);
LogicalResult evaluateMovement(Operation *op, Environment &environment, bool &known);
LogicalResult evaluateHalftone(Operation *op, Environment &environment, bool &known);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_EVALUATOR_ENVIRONMENT_H
