//===- ConstantPool.h - one constant for equal contents ---------------------===//
#ifndef HALFTONE_SUPPORT_CONSTANTPOOL_H
#define HALFTONE_SUPPORT_CONSTANTPOOL_H

#include "halftone/Support/Constants.h"
#include <map>

namespace mlir::halftone {

/// Each `dense_resource` has a name, so that two of the same type and bytes are two attributes, and two constants of an artefact. Of those that are
/// seen here, the first stands for all.
class ConstantPool {
public:
  /// `elements`, or the one before it that is equal.
  DenseResourceElementsAttr unique(DenseResourceElementsAttr elements);

  /// What makeConstant() gives, or an equal constant that was seen before.
  ElementsAttr make(RankedTensorType type, ArrayRef<char> bytes, StringRef name);

  template <typename T>
  ElementsAttr make(RankedTensorType type, ArrayRef<T> elements, StringRef name) {
    return make(type, ArrayRef<char>(reinterpret_cast<const char *>(elements.data()), elements.size() * sizeof(T)), name);
  }

private:
  DenseResourceElementsAttr find(ShapedType type, ArrayRef<char> bytes, uint64_t hash) const;

  std::map<uint64_t, SmallVector<DenseResourceElementsAttr, 1>> known; ///< by the hash of their bytes
};

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_CONSTANTPOOL_H
