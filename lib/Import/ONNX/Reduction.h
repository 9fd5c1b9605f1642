//===- Reduction.h - reductions of f32 tensors along axes -------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_REDUCTION_H
#define HALFTONE_LIB_IMPORT_ONNX_REDUCTION_H

#include "Node.h"

namespace mlir::halftone::importer {

/// The map of the dimensions of a tensor of `rank` that are not among the sorted `axes`.
AffineMap dropAxes(Builder &builder, int64_t rank, ArrayRef<int64_t> axes);

/// How loops over a tensor of `rank`, and one more along its `axis` again, read it: at each position the whole line that it is on.
AffineMap readLines(Builder &builder, int64_t rank, int64_t axis);

/// The sum, mean or greatest (as ReduceSum, ReduceMean, ReduceMax, or any other ONNX reduction of `type`) of f32 `x` along
/// the sorted static `axes`, which the result does not have.
Value buildReduction(Node &node, StringRef type, Value x, ArrayRef<int64_t> axes);

/// `log(sum(e^x))` along the axes in two parts, whose sum it is: without overflow, and nothing is lost beside large numbers.
struct LogSumExp {
  Value greatest, rest;
};
LogSumExp buildLogSumExp(Node &node, Value x, ArrayRef<int64_t> axes);

/// Puts dimensions of size 1 at `axes`; `full` is the shape with the axes.
Value keepAxes(Node &node, Value x, ArrayRef<int64_t> full, ArrayRef<int64_t> axes);

/// An elementwise operation over `x` and tensors without `axes`, which are repeated along them.
Value buildAlong(Node &node, Value x, ValueRange reduced, ArrayRef<int64_t> axes,
                 function_ref<Value(OpBuilder &, Location, ValueRange)> build);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_REDUCTION_H
