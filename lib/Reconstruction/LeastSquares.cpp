//===- LeastSquares.cpp - weights for what a layer reads now ------------------===//
//
// A layer behind quantized or pruned ones reads X^ instead of X. The weights V that make the most of it minimize
// |V X^ - Y|^2 + r |V - W|^2, Y = W X being what the float network has there: the asymmetric calibration of GPTAQ (Li et al.,
// arXiv:2504.02692), as least squares before any rounding instead of in the update of each column. What is rounded or
// pruned afterwards loses (q - V) H^ (q - V)^T more, so those methods start from V and need not know.
//
// With D = V - W, H^ = X^ X^^T and B = (Y - W X^) X^^T, D minimizes D H^ D^T - 2 D B^T + r |D|^2. Where samples are few for the
// columns, as in front of a classifier, V would learn them by heart. So r is chosen on samples that V was not fitted to: of two
// halves each is the other's test.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/LeastSquares.h"
#include "halftone/Reconstruction/Refit.h"
#include "mlir/IR/Threading.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

static constexpr float kRidges[] = {10.0f, 3.0f, 1.0f, 0.3f, 0.1f, 0.03f, 0.01f};

namespace {

/// The least squares problem over some samples.
class Problem {
public:
  Problem(const LayerSums &sums, const LayerToFit &layer);

  void setRidge(float ridge) {
    for (RefitMatrix &matrix : matrices)
      matrix.setDamping(ridge);
  }
  /// One row, solved in place.
  void solve(int64_t row, llvm::MutableArrayRef<float> weights) const;
  /// D H D^T - 2 D B^T of one row, the ridge left out.
  double error(int64_t row, llvm::ArrayRef<float> weights) const;

private:
  const RefitMatrix &matrix(int64_t row) const { return matrices[row / perGroup]; }
  llvm::ArrayRef<float> original(int64_t row) const { return llvm::ArrayRef<float>(weights).slice(row * dimension, dimension); }

  int64_t dimension, perGroup;
  std::vector<float> weights, missing; ///< W and B, B scaled as the matrices are
  llvm::ArrayRef<uint8_t> zero;
  std::vector<RefitMatrix> matrices;
};

} // namespace

Problem::Problem(const LayerSums &sums, const LayerToFit &layer)
    : dimension(sums.hessian().dimension), perGroup(sums.outputs() / sums.hessian().groups), weights(layer.weights.vec()),
      missing(layer.weights.size()), zero(layer.zero) {
  const Hessian hessian = layer.hasBias ? sums.centred() : sums.hessian();
  for (int64_t group = 0; group < hessian.groups; ++group)
    matrices.emplace_back(hessian.triangle(group), dimension, 0.0f);
  for (int64_t row = 0; row < sums.outputs(); ++row) {
    const std::vector<double> products = sums.products(row, layer.hasBias);
    const std::vector<double> present = matrix(row).multiplyUndamped(original(row));
    for (int64_t j = 0; j < dimension; ++j)
      missing[row * dimension + j] = static_cast<float>(products[j] / layer.inputScale * matrix(row).scale() - present[j]);
  }
}

void Problem::solve(int64_t row, llvm::MutableArrayRef<float> weights) const {
  matrix(row).refit(weights, original(row), zero.slice(row * dimension, dimension),
                    llvm::ArrayRef<float>(missing).slice(row * dimension, dimension));
}

double Problem::error(int64_t row, llvm::ArrayRef<float> weights) const {
  std::vector<float> moved(dimension);
  for (int64_t j = 0; j < dimension; ++j)
    moved[j] = weights[j] - original(row)[j];
  const std::vector<double> product = matrix(row).multiplyUndamped(moved);
  double sum = 0;
  for (int64_t j = 0; j < dimension; ++j)
    sum += moved[j] * (product[j] - 2.0 * missing[row * dimension + j]);
  return sum / matrix(row).scale();
}

/// Rows that the ridge is chosen by: evenly spread, some 2^28 multiplications for each matrix, and 32 at least.
static std::vector<int64_t> chooseRows(int64_t rows, int64_t dimension) {
  const int64_t count = std::min(rows, std::max<int64_t>(32, (int64_t(1) << 28) / (dimension * dimension)));
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i)
    chosen.push_back(i * rows / count);
  return chosen;
}

/// The error on the other half of what each half gives; below 0 if it is less than that of the weights as they are.
static double heldOutError(MLIRContext *context, Problem &even, Problem &odd, llvm::ArrayRef<int64_t> rows, int64_t dimension,
                           const LayerToFit &layer, float ridge) {
  even.setRidge(ridge);
  odd.setRidge(ridge);
  std::vector<double> errors(rows.size(), 0.0);
  parallelFor(context, 0, rows.size(), [&](size_t i) {
    for (auto [fitted, test] : {std::pair(&even, &odd), std::pair(&odd, &even)}) {
      std::vector<float> row = layer.weights.slice(rows[i] * dimension, dimension).vec();
      fitted->solve(rows[i], row);
      errors[i] += test->error(rows[i], row);
    }
  });
  double sum = 0;
  for (double error : errors)
    sum += error;
  return sum;
}

/// 0 if the weights should stay. From the largest ridge on, until the error grows.
static float chooseRidge(MLIRContext *context, const LayerSums &even, const LayerSums &odd, const LayerToFit &layer) {
  const int64_t dimension = even.hessian().dimension;
  Problem first(even, layer), second(odd, layer);
  const std::vector<int64_t> rows = chooseRows(even.outputs(), dimension);
  float best = 0;
  double least = 0;
  for (float ridge : kRidges) {
    const double error = heldOutError(context, first, second, rows, dimension, layer, ridge);
    if (!(error < least))
      break;
    least = error;
    best = ridge;
  }
  return best;
}

float mlir::halftone::fitToTargets(MLIRContext *context, const LayerSums &even, const LayerSums &odd, LayerToFit layer) {
  // Weights that are zero are so before the ridge pulls to them.
  for (auto [weight, gone] : llvm::zip_equal(layer.weights, layer.zero))
    weight = gone ? 0.0f : weight;
  const float ridge = even.positions() && odd.positions() ? chooseRidge(context, even, odd, layer) : 0.0f;
  if (ridge == 0)
    return 0;
  LayerSums all = even;
  all.merge(odd);
  Problem problem(all, layer);
  problem.setRidge(ridge);
  const int64_t dimension = all.hessian().dimension;
  parallelFor(context, 0, all.outputs(),
              [&](size_t row) { problem.solve(row, layer.weights.slice(row * dimension, dimension)); });
  return ridge;
}

std::vector<double> mlir::halftone::missingMeans(const LayerSums &sums, llvm::ArrayRef<float> weights, double inputScale) {
  const int64_t dimension = sums.hessian().dimension;
  std::vector<double> missing(sums.outputs(), 0.0);
  for (int64_t row = 0; sums.positions() && row < sums.outputs(); ++row) {
    llvm::ArrayRef<int64_t> inputs = sums.inputSums(sums.group(row));
    double given = 0;
    for (int64_t j = 0; j < dimension; ++j)
      given += double(weights[row * dimension + j]) * double(inputs[j]);
    missing[row] = (sums.targetSum(row) - given * inputScale) / double(sums.positions());
  }
  return missing;
}
