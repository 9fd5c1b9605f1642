//===- ExcludedLayers.h - layers that pruning leaves alone by name ----------===//
#ifndef HALFTONE_PRUNING_EXCLUDEDLAYERS_H
#define HALFTONE_PRUNING_EXCLUDEDLAYERS_H

#include "halftone/Analysis/NamePattern.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "mlir/IR/Operation.h"
#include <string>
#include <vector>

namespace mlir::halftone {

class ExcludedLayers {
public:
  /// A diagnostic at `op` for what is no regular expression.
  static FailureOr<ExcludedLayers> compile(Operation *op, ArrayRef<std::string> texts);

  /// Whether an expression matches the name; all that do count as used.
  bool matches(StringRef name);

  /// A diagnostic that names the expressions that no layer has matched.
  LogicalResult checkAllUsed() const;

private:
  Operation *owner = nullptr;
  std::vector<std::string> texts, seen; ///< what was asked for, and the names that were compared
  std::vector<NamePattern> patterns;
  std::vector<bool> used;
};

/// The contractions of `entry` that pruning may make zeros in, in order: not the depthwise ones, the first and the last one unless
/// `ends`, nor those that an expression of `exclude` matches. A diagnostic for an expression that is none or matches nothing.
FailureOr<SmallVector<ContractionInput>> getPrunableContractions(func::FuncOp entry, ArrayRef<std::string> exclude, bool ends);

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_EXCLUDEDLAYERS_H
