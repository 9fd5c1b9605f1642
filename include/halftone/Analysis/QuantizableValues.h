//===- QuantizableValues.h - the values worth observing ---------------------===//
#ifndef HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H
#define HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H

#include "halftone/Analysis/EntryForm.h"

namespace mlir::halftone {

struct QuantizableValue {
  Value value;
  std::string key; ///< "<index>:<location name>", the same for the same entry form
};

/// Every f32 tensor that may get codes of its own: arguments, results of sandwiches, and other results. Constants
/// are left out, so are the values inside of a sandwich (never rounded) and those that movements and max pools give
/// (they have the range of what they move). The order is the program's.
SmallVector<QuantizableValue> getQuantizableValues(func::FuncOp function);

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_QUANTIZABLEVALUES_H
