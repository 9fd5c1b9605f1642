//===- Evaluator.h - an interpreter for every stage above code generation ---===//
//
// Runs a function on host tensors with the host's IEEE arithmetic, one scalar operation at a time, in the order that
// the IR states: loops of structured operations ascend, outermost first. It shares no lowering, decoding or
// requantization with the rest of the compiler, so that it can be held against it.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_EVALUATOR_EVALUATOR_H
#define HALFTONE_EVALUATOR_EVALUATOR_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include <vector>

namespace mlir::halftone {

/// A tensor of static shape on the host, row-major. Elements take the bytes of their storage: f32 4, f64 8, i1 and i8
/// (and quantized types) 1, i16 2, i32 4, i64 and index 8; little endian.
struct HostTensor {
  Type elementType;
  SmallVector<int64_t> shape;
  std::vector<char> bytes;

  HostTensor() = default;
  /// All elements zero.
  HostTensor(Type elementType, ArrayRef<int64_t> shape);

  int64_t getNumElements() const;
  template <typename T>
  T *data() {
    return reinterpret_cast<T *>(bytes.data());
  }
  template <typename T>
  const T *data() const {
    return reinterpret_cast<const T *>(bytes.data());
  }
};

/// Bytes of one element as a HostTensor stores it; 0 for a type that it does not hold.
int64_t elementBytes(Type type);

/// Runs a function of one block. An operation that the evaluator does not know, or a wrong argument, is an error at
/// its location.
FailureOr<SmallVector<HostTensor>> evaluate(func::FuncOp function, ArrayRef<HostTensor> arguments);

/// Applies the elementwise chain that computes `output` from `input` (generics with identity maps, composites with
/// such bodies) to each of the points, whatever the shape of their tensors. Failure, without a diagnostic, if the
/// operations between the two are not such a chain.
FailureOr<std::vector<float>> evaluatePointwise(Value input, Value output, ArrayRef<float> points);

} // namespace mlir::halftone

#endif // HALFTONE_EVALUATOR_EVALUATOR_H
