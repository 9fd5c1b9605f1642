//===- WeightRows.h - weights as one row for each output channel ------------===//
#ifndef HALFTONE_PRUNING_WEIGHTROWS_H
#define HALFTONE_PRUNING_WEIGHTROWS_H

#include "mlir/IR/Operation.h"
#include <vector>

namespace mlir::halftone {

/// The constant f32 weights of a contraction: rows are output channels, columns are taps x input channels of a group, in
/// the order of a Hessian.
class WeightRows {
public:
  /// Rows of the contraction's weights; `isValid` is false unless they are a finite f32 constant.
  explicit WeightRows(Operation *contraction);
  bool isValid() const { return !values.empty(); }

  int64_t rows() const { return numRows; }
  int64_t columns() const { return values.size() / numRows; }
  int64_t channels() const { return numChannels; } ///< input channels of a group: the innermost part of a row

  /// A new constant of the contraction's weights with these values.
  void store() const;

  std::vector<float> values; ///< rows() x columns()

private:
  Operation *contraction;
  int64_t numRows = 0, numChannels = 0;
  std::vector<int64_t> place; ///< of each element of the constant, in `values`
};

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_WEIGHTROWS_H
