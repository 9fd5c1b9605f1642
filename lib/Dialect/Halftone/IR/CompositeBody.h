//===- CompositeBody.h - what the builders of composites share --------------===//
#ifndef HALFTONE_LIB_DIALECT_HALFTONE_IR_COMPOSITEBODY_H
#define HALFTONE_LIB_DIALECT_HALFTONE_IR_COMPOSITEBODY_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// Makes a composite whose body is what `build` makes from the body's arguments.
Value makeComposite(OpBuilder &builder, Location loc, StringRef name, ValueRange inputs, DictionaryAttr parameters,
                    function_ref<Value(OpBuilder &, ValueRange)> build);

/// The scalar meaning of the elementwise composite `name` on `x`; null if there is none.
Value buildUnaryElement(OpBuilder &builder, Location loc, StringRef name, Value x, DictionaryAttr parameters);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DIALECT_HALFTONE_IR_COMPOSITEBODY_H
