//===- ScaleGroups.h - quantized values with one scale ----------------------===//
#ifndef HALFTONE_LIB_TRAINING_SCALEGROUPS_H
#define HALFTONE_LIB_TRAINING_SCALEGROUPS_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace mlir::halftone {

/// Values that have to have one type, because codes move from one to another, through data movement, a concatenation or a
/// max pool; and the operations that round to it.
struct ScaleGroup {
  SmallVector<Value> values;
  SmallVector<QuantizeOp> sources;

  quant::QuantizedType type() const {
    return cast<quant::QuantizedType>(getElementTypeOrSelf(values.front().getType()));
  }
};

/// The groups of a function whose scales can change: all that gets codes does so by halftone.quantize in it. In program
/// order.
SmallVector<ScaleGroup> findScaleGroups(func::FuncOp entry);

/// The scales of a uniform type: one, or one for each index of its axis.
SmallVector<float> getScales(quant::QuantizedType type);

/// The type with other scales.
quant::QuantizedType withScales(quant::QuantizedType type, ArrayRef<float> scales);

/// The argument of @main of that name, or null.
BlockArgument findArgument(func::FuncOp entry, StringAttr name);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_SCALEGROUPS_H
