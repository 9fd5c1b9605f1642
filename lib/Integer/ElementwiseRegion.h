//===- ElementwiseRegion.h - elementwise operations that become one ---------===//
#ifndef HALFTONE_LIB_INTEGER_ELEMENTWISEREGION_H
#define HALFTONE_LIB_INTEGER_ELEMENTWISEREGION_H

#include "CodeTensors.h"

namespace mlir::halftone {

/// Generics and functions (composites) that are computed element by element, and of which only the last one's result is
/// read from outside.
class ElementwiseRegion {
public:
  /// The largest such region that ends in `result`, if it reads codes or accumulators; an empty one otherwise.
  static ElementwiseRegion find(Value result);

  /// Replaces functions by the generics of their bodies; whether there were any. The region is to be found again then.
  bool inlineFunctions(RewriterBase &rewriter);

  /// Makes one generic of several.
  void join(RewriterBase &rewriter);

private:
  SmallVector<Operation *> ops; ///< in program order
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_ELEMENTWISEREGION_H
