//===- AdaRound.cpp - rounding up or down by the layer's error --------------------===//
//
// Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv:2004.10568: choose levels by the
// squared error of the layer's output. The paper relaxes the choice between two neighbours and trains it by gradients
// on stored activations. That error is a quadratic form of the Hessian, so here it is minimized without data:
// with g = H (q - w), weight j alone is best at the level nearest to q(j) - g(j) / H(j, j). Sweeps over
// the weights repeat until nothing moves; each move lowers E. Any level may be taken, not only the two
// neighbours. Not the paper's: there is no activation function and no asymmetric input in E.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"

using namespace mlir::halftone;

static int64_t element(int64_t i, int64_t j) { return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j; }

/// H (levels - weights).
static std::vector<double> gradient(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels,
                                    llvm::ArrayRef<int64_t> triangle) {
  std::vector<double> result(weights.size(), 0.0);
  const int64_t *row = triangle.data();
  for (size_t i = 0; i < weights.size(); row += ++i) {
    double error = double(levels[i]) - weights[i], sum = 0;
    for (size_t j = 0; j < i; ++j) {
      result[j] += row[j] * error;
      sum += row[j] * (double(levels[j]) - weights[j]);
    }
    result[i] += sum + row[i] * error;
  }
  return result;
}

void mlir::halftone::descend(llvm::ArrayRef<float> weights, llvm::MutableArrayRef<float> levels, int64_t output,
                             llvm::ArrayRef<int64_t> triangle, const WeightGrid &grid) {
  int64_t dimension = weights.size();
  std::vector<double> slope = gradient(weights, levels, triangle);
  constexpr int sweeps = 20;
  bool moved = true;
  for (int sweep = 0; sweep < sweeps && moved; ++sweep) {
    moved = false;
    for (int64_t j = 0; j < dimension; ++j) {
      double curvature = triangle[element(j, j)];
      if (curvature <= 0)
        continue;
      const int64_t neighbour = grid.levels.neighbour(j, dimension);
      float wanted = levels[j] - slope[j] / curvature;
      if (neighbour != j)
        wanted = grid.besides(output, wanted, levels[neighbour], /*isLevel=*/true);
      float level = grid.nearest(output, j, wanted);
      double step = double(level) - levels[j];
      // Rounding of the slope must not let two equal levels swap for ever.
      if (step == 0 || step * (2 * slope[j] + step * curvature) >= 0)
        continue;
      levels[j] = level;
      moved = true;
      for (int64_t k = 0; k < dimension; ++k)
        slope[k] += triangle[element(j, k)] * step;
    }
  }
}

double mlir::halftone::layerError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels,
                                  llvm::ArrayRef<int64_t> triangle) {
  std::vector<double> slope = gradient(weights, levels, triangle);
  double error = 0;
  for (size_t i = 0; i < weights.size(); ++i)
    error += slope[i] * (double(levels[i]) - weights[i]);
  return error;
}
