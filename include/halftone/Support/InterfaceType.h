//===- InterfaceType.h - types of a model's inputs and outputs --------------===//
#ifndef HALFTONE_SUPPORT_INTERFACETYPE_H
#define HALFTONE_SUPPORT_INTERFACETYPE_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// The type of an argument or result of @main as the source model has it: i8 elements with `halftone.unsigned` among the
/// attributes are ui8 there.
inline Type interfaceType(Type type, DictionaryAttr attributes) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.getElementType().isSignlessInteger(8) || !attributes || !attributes.contains(kUnsignedAttr))
    return type;
  return shaped.clone(IntegerType::get(type.getContext(), 8, IntegerType::Unsigned));
}

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_INTERFACETYPE_H
