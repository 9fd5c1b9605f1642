//===- Broadcast.h - elementwise operations with ONNX's broadcasting --------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_BROADCAST_H
#define HALFTONE_LIB_IMPORT_ONNX_BROADCAST_H

#include "Node.h"
#include "halftone/Support/Elementwise.h"

namespace mlir::halftone::importer {

/// The common shape of two; nothing if they don't broadcast. A dynamic size goes with itself and with 1.
std::optional<SmallVector<int64_t>> broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b);

/// One elementwise operation over the broadcast tensors: operands lose the dimensions that are repeated (constants also
/// leading ones of size 1), constants of one element become scalars of the region. `build` gets one scalar for each
/// tensor, in order. The result is at least of the shape `atLeast`. Null, after `node.unsupported`, if the shapes don't
/// broadcast.
Value buildBroadcast(Node &node, ArrayRef<Tensor> tensors, Type element, ElementBuilder build,
                     ArrayRef<int64_t> atLeast = {});

/// The same as the node's result.
LogicalResult setBroadcast(Node &node, ArrayRef<Tensor> tensors, Type element, ElementBuilder build);

/// The tensor, repeated to at least the shape. Null, after `node.unsupported`, if it does not broadcast to it.
Value buildRepeated(Node &node, const Tensor &tensor, ArrayRef<int64_t> shape);

/// The tensor as an SSA value, made if it is constant.
Value materialize(Node &node, const Tensor &tensor);

/// A scalar constant of an element type, from a number that it can hold.
Value scalarConstant(OpBuilder &builder, Location loc, Type element, double number);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_BROADCAST_H
