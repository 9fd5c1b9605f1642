//===- GPTQ.cpp - error feedback -------------------------------------------------===//
//
// Frantar et al., GPTQ, arXiv:2210.17323. With H = L L^T and e = q - w,
//
//   E = sum over j of (L(j, j) e(j) + sum over k > j of L(k, j) e(k))^2
//
// From the last weight to the first, each takes the level nearest to w(j) - sum over k > j of L(k, j) e(k) / L(j, j),
// which makes its own term least for the levels that are fixed. The paper updates the free weights with rows of a
// factor of the inverse; this is the same sequence without an inverse, in the reverse order. Weights that meet
// the largest inputs come first (the paper's code calls it act-order).
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"

using namespace mlir::halftone;

void mlir::halftone::roundGPTQ(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian,
                               NearestLevel nearest) {
  int64_t dimension = hessian.order.size(), rows = weights.size() / dimension;
  std::vector<double> feedback(weights.size(), 0.0);
  for (int64_t k = dimension - 1; k >= 0; --k) {
    const double *factor = hessian.factor.data() + k * (k + 1) / 2;
    int64_t column = hessian.order[k];
    for (int64_t row = 0; row < rows; ++row) {
      float &weight = weights[row * dimension + column];
      double *errors = feedback.data() + row * dimension;
      float level = nearest(first + row, column, weight - errors[k] / factor[k]);
      double error = double(level) - weight;
      weight = level;
      if (error != 0)
        for (int64_t j = 0; j < k; ++j)
          errors[j] += factor[j] * error;
    }
  }
}
