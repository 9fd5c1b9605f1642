//===- HostTensor.h - tensors known at import -------------------------------===//
//
// Initializers, and what is computed from them and from shapes while importing. Integers are computed in int64 and
// f32 in double, rounded once at the end, which equals f32 arithmetic for + - * / and sqrt.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_HOSTTENSOR_H
#define HALFTONE_LIB_IMPORT_ONNX_HOSTTENSOR_H

#include "halftone/Support/StridedIndices.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include <memory>
#include <string>

namespace mlir::halftone::importer {

/// What a tensor that DequantizeLinear, or Cast and Mul, made of codes is a multiple of.
struct HostScales {
  std::vector<float> scales; ///< one, or one for each index of `axis`; of recurrent weights (directions x rows x columns) one for each row
  int64_t axis = -1;
  bool dynamic = false; ///< what reads the tensor rounds its other operand, too, by ranges that it finds when it runs
  std::string problem = {}; ///< why its codes are no bytes with these scales; empty: they are
  bool signedBytes = true; ///< whether the codes without their zero points fit signed bytes
  bool written = false; ///< by Cast and Mul: whether the codes are signed bytes is seen by the passes that look for them
};

struct HostTensor {
  Type element; ///< f32, f64, i64, i32, i16, ui16, i8, ui8, i4, ui4, i1, or a float of 4 or 8 bits
  SmallVector<int64_t> shape;
  std::string bytes; ///< row-major, little endian; i1 and what has 4 bits as one byte each
  std::string name;
  /// Whether an integer may be ShapedType::kDynamic, which stands for the size of the dynamic dimension.
  bool symbolic = false;
  std::shared_ptr<const HostScales> scales = nullptr; ///< null: not made of codes

  int64_t count() const;
  bool isFloat() const { return isa<FloatType>(element); }

  /// Elements of an integer tensor (bool as 0 and 1).
  std::vector<int64_t> integers() const;
  /// Elements of any tensor.
  std::vector<double> numbers() const;
  /// The value of a tensor with one element; 0 for an empty one.
  double scalar() const { return count() ? numbers().front() : 0; }

  static HostTensor fromIntegers(Type element, ArrayRef<int64_t> shape, ArrayRef<int64_t> values);
  static HostTensor fromNumbers(Type element, ArrayRef<int64_t> shape, ArrayRef<double> values);
  /// The same elements with another shape of the same count.
  HostTensor reshaped(ArrayRef<int64_t> newShape) const;
  /// The elements at `positions` (row-major), as a tensor of `newShape`.
  HostTensor gathered(ArrayRef<int64_t> newShape, ArrayRef<int64_t> positions) const;
  HostTensor transposed(ArrayRef<int64_t> permutation) const;
};

using HostTensorRef = std::shared_ptr<const HostTensor>;

/// Bytes of one element of the type in a HostTensor.
int64_t elementBytes(Type element);

/// Row-major strides of a shape.
SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_HOSTTENSOR_H
