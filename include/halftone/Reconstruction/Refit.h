//===- Refit.h - the weights that are kept make up for the others -----------===//
#ifndef HALFTONE_RECONSTRUCTION_REFIT_H
#define HALFTONE_RECONSTRUCTION_REFIT_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// A Hessian as a full symmetric matrix of f32, scaled to a mean diagonal of 1, with 1 % added to the diagonal.
class RefitMatrix {
public:
  /// From a packed lower triangle (Hessians.h).
  RefitMatrix(llvm::ArrayRef<int64_t> triangle, int64_t dimension);

  int64_t size() const { return dimension; }
  float diagonal(int64_t i) const { return elements[i * stride + i]; }

  /// For rows of weights (rows x dimension), in place: the weights v with v(j) = 0 where `zero` that minimize
  /// (v - w) H (v - w)^T, w the row of `original`. Conjugate gradients from where the row is; the result is the same on
  /// every machine.
  void refit(llvm::MutableArrayRef<float> rows, llvm::ArrayRef<float> original, llvm::ArrayRef<uint8_t> zero) const;

private:
  int64_t dimension, stride; ///< stride: dimension up to a multiple of the lanes
  std::vector<float> elements;
};

/// The same; the context's threads share the rows out.
void refitRows(MLIRContext *context, const RefitMatrix &matrix, llvm::MutableArrayRef<float> rows,
               llvm::ArrayRef<float> original, llvm::ArrayRef<uint8_t> zero);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_REFIT_H
