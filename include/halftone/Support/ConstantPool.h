//===- ConstantPool.h - one constant for equal contents ---------------------===//
#ifndef HALFTONE_SUPPORT_CONSTANTPOOL_H
#define HALFTONE_SUPPORT_CONSTANTPOOL_H

#include "halftone/Support/Constants.h"
#include "mlir/IR/DialectInterface.h"
#include <map>
#include <mutex>

namespace mlir::halftone {

/// Each `dense_resource` has a name, so that two of the same type and bytes are two attributes, and two constants of an artefact. Of those that are
/// seen here, the first stands for all.
class ConstantPool {
public:
  /// `elements`, or the one before it that is equal.
  DenseResourceElementsAttr unique(DenseResourceElementsAttr elements);

  /// A `dense_resource` named `name`, or an equal one that was seen before.
  DenseResourceElementsAttr make(RankedTensorType type, ArrayRef<char> bytes, StringRef name);

private:
  DenseResourceElementsAttr find(ShapedType type, ArrayRef<char> bytes, uint64_t hash) const;

  std::map<uint64_t, SmallVector<DenseResourceElementsAttr, 1>> known; ///< by the hash of their bytes
};

/// The constants that makeConstant() has made in a context: what is read, transposed or rounded once for each use of the same weights is one constant, in
/// memory and in the files of stages. The dialect holds it.
class SharedConstants : public DialectInterface::Base<SharedConstants> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SharedConstants)

  explicit SharedConstants(Dialect *dialect) : Base(dialect) {}

  DenseResourceElementsAttr make(RankedTensorType type, ArrayRef<char> bytes, StringRef name);

private:
  std::mutex mutex; ///< passes run on several functions at a time
  ConstantPool pool;
};

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_CONSTANTPOOL_H
