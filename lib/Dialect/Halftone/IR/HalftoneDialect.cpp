//===- HalftoneDialect.cpp - registration, types and attributes -------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/ConstantPool.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

#include "halftone/Dialect/Halftone/IR/HalftoneDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneTypes.cpp.inc"

void HalftoneDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "halftone/Dialect/Halftone/IR/HalftoneOps.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "halftone/Dialect/Halftone/IR/HalftoneTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "halftone/Dialect/Halftone/IR/HalftoneAttributes.cpp.inc"
      >();
  addInterfaces<SharedConstants>();
}

LogicalResult DimAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              StringRef symbol, int64_t low, int64_t high) {
  if (symbol.empty())
    return emitError() << "a symbolic dimension needs a name";
  if (low < 1 || high < low)
    return emitError() << "bounds of '" << symbol << "' must be 1 <= low <= high, got "
                       << low << " and " << high;
  return success();
}

LogicalResult CodebookType::verify(function_ref<InFlightDiagnostic()> emitError,
                                   unsigned bits, int32_t axis) {
  if (bits < 1 || bits > 8)
    return emitError() << "a codebook has 1 to 8 bits, got " << bits;
  if (axis < -1)
    return emitError() << "the axis is -1 (one scale) or a dimension, got " << axis;
  return success();
}
