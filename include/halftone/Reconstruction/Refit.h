//===- Refit.h - the weights that are kept make up for the others -----------===//
#ifndef HALFTONE_RECONSTRUCTION_REFIT_H
#define HALFTONE_RECONSTRUCTION_REFIT_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// A Hessian as a full symmetric matrix of f32, scaled to a mean diagonal of 1, with something added to the diagonal.
class RefitMatrix {
public:
  /// From a packed lower triangle (Hessians.h).
  RefitMatrix(llvm::ArrayRef<int64_t> triangle, int64_t dimension, double damping = 0.01);

  int64_t size() const { return dimension; }
  /// What the Hessian was multiplied by.
  double scale() const { return factor; }
  /// Adds another share of the mean diagonal to the diagonal instead.
  void setDamping(float share);
  float diagonal(int64_t i) const { return elements[i * stride + i]; }

  /// For rows of weights (rows x dimension), in place: the weights v with v(j) = 0 where `zero` that minimize
  /// (v - w) H (v - w)^T, w the row of `original`; with `missing` a row of b for each, (v - w) H (v - w)^T - 2 (v - w) b^T,
  /// b scaled as H is. Conjugate gradients from where the row is; the result is the same on every machine.
  void refit(llvm::MutableArrayRef<float> rows, llvm::ArrayRef<float> original, llvm::ArrayRef<uint8_t> zero,
             llvm::ArrayRef<float> missing = {}) const;

  /// d H for one row, the damping left out.
  std::vector<double> multiplyUndamped(llvm::ArrayRef<float> row) const;

private:
  int64_t dimension, stride; ///< stride: dimension up to a multiple of the lanes
  double factor = 1;
  double damping;
  std::vector<float> elements;
};

/// The same; the context's threads share the rows out.
void refitRows(MLIRContext *context, const RefitMatrix &matrix, llvm::MutableArrayRef<float> rows,
               llvm::ArrayRef<float> original, llvm::ArrayRef<uint8_t> zero);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_REFIT_H
