//===- QuantizableValues.h - the values worth observing ---------------------===//
#ifndef HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H
#define HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H

#include "halftone/Analysis/EntryForm.h"

namespace mlir::halftone {

/// On what makes a value whose channels are divided (halftone-smooth-activations): by what, `array<f32: ...>`.
inline constexpr llvm::StringLiteral kChannelFactorsAttr = "halftone.channel_factors";

struct QuantizableValue {
  Value value;
  std::string key; ///< "<index>:<location name>", the same for the same entry form
  /// The row of the statistics that counts the value: values that kStepsAttr names alike have one. Rows are numbered in the order of their first
  /// values, whose keys are theirs.
  int64_t row;
};

/// Every f32 tensor that may get codes of its own: arguments, results of sandwiches, and other results. Constants
/// are left out, so are the values inside of a sandwich (never rounded) and those that movements and max pools give
/// (they have the range of what they move), and copies of values whose channels are divided. The order is the program's.
SmallVector<QuantizableValue> getQuantizableValues(func::FuncOp function);

/// What a contraction with constant weights reads, seen before padding and grouping: its last dimension are the input
/// channels.
struct ContractionInput {
  Operation *contraction;
  Value value;
  std::string key;    ///< "<index>:<location name>" of the contraction
  int64_t row;        ///< as QuantizableValue's, by the contraction's name
  std::string rowKey; ///< the key of the row's first contraction, which its Hessian has
  int64_t channels() const { return cast<RankedTensorType>(value.getType()).getShape().back(); }
};

/// The inputs whose channel means bias correction needs, in the program's order.
SmallVector<ContractionInput> getContractionInputs(func::FuncOp function);

/// The first of each row, in their order.
template <typename T>
SmallVector<T> firstOfRows(ArrayRef<T> all) {
  SmallVector<T> first;
  for (const T &one : all)
    if (one.row == static_cast<int64_t>(first.size()))
      first.push_back(one);
  return first;
}

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H
