//===- Refit.cpp - the weights that are kept make up for the others ---------===//
//
// With S the weights of a row that are kept, the update solves H(S, S) v(S) = (H w)(S): what the optimal brain surgeon
// does for one pruned weight at a time, for all of them at once. Conjugate gradients on the masked matrix, scaled by its
// diagonal, need products with H only, so one matrix serves all rows and masks. The masks leave a well-conditioned rest,
// where some tens of steps are enough; from there on the error of the layer no longer moves in f32.
//
// Sums are taken in a fixed order, without fused multiply-adds, so every machine gets the same bits.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Refit.h"
#include "halftone/Reconstruction/Hessians.h"
#include "mlir/IR/Threading.h"
#include "llvm/ADT/STLExtras.h"

#pragma STDC FP_CONTRACT OFF

using namespace mlir::halftone;

static constexpr int64_t kLanes = 16, kSteps = 30;
typedef float Lanes __attribute__((vector_size(64)));

RefitMatrix::RefitMatrix(llvm::ArrayRef<int64_t> triangle, int64_t dimension, double damping)
    : dimension(dimension), stride((dimension + kLanes - 1) / kLanes * kLanes), damping(damping),
      elements(dimension * stride, 0.0f) {
  double trace = 0;
  for (int64_t i = 0; i < dimension; ++i)
    trace += static_cast<double>(triangle[i * (i + 1) / 2 + i]);
  factor = trace > 0 ? dimension / trace : 1;
  for (int64_t i = 0; i < dimension; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      float value = static_cast<float>(triangle[i * (i + 1) / 2 + j] * factor + (i == j ? damping : 0.0));
      elements[i * stride + j] = value;
      elements[j * stride + i] = value;
    }
}

void RefitMatrix::setDamping(float share) {
  for (int64_t i = 0; i < dimension; ++i)
    elements[i * stride + i] += share - static_cast<float>(damping);
  damping = share;
}

/// to = from * H, one row; H is symmetric, so that its rows are read.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
multiply(const float *from, const float *matrix, int64_t dimension, int64_t stride, float *to) {
  for (int64_t begin = 0; begin < stride; begin += 4 * kLanes) {
    const int64_t vectors = std::min<int64_t>(4, (stride - begin) / kLanes);
    Lanes sums[4] = {};
    for (int64_t i = 0; i < dimension; ++i) {
      if (from[i] == 0)
        continue;
      for (int64_t v = 0; v < vectors; ++v) {
        Lanes row;
        __builtin_memcpy(&row, matrix + i * stride + begin + v * kLanes, sizeof(Lanes));
        sums[v] += from[i] * row;
      }
    }
    __builtin_memcpy(to + begin, sums, vectors * sizeof(Lanes));
  }
}

static double dot(llvm::ArrayRef<float> x, llvm::ArrayRef<float> y) {
  double sum = 0;
  for (auto [a, b] : llvm::zip_equal(x, y))
    sum += static_cast<double>(a) * b;
  return sum;
}

void RefitMatrix::refit(llvm::MutableArrayRef<float> rows, llvm::ArrayRef<float> original,
                        llvm::ArrayRef<uint8_t> zero, llvm::ArrayRef<float> missing) const {
  std::vector<float> product(stride), residual(dimension), scaled(dimension), direction(dimension);
  for (int64_t first = 0; first < static_cast<int64_t>(rows.size()); first += dimension) {
    llvm::MutableArrayRef<float> row = rows.slice(first, dimension);
    llvm::ArrayRef<float> aim = original.slice(first, dimension);
    llvm::ArrayRef<uint8_t> gone = zero.slice(first, dimension);
    // The residual is b - (v - w) H on what is kept.
    for (int64_t j = 0; j < dimension; ++j) {
      row[j] = gone[j] ? 0.0f : row[j];
      direction[j] = aim[j] - row[j];
    }
    multiply(direction.data(), elements.data(), dimension, stride, product.data());
    auto rescale = [&] {
      for (int64_t j = 0; j < dimension; ++j)
        scaled[j] = residual[j] / diagonal(j);
    };
    for (int64_t j = 0; j < dimension; ++j)
      residual[j] = gone[j] ? 0.0f : product[j] + (missing.empty() ? 0.0f : missing[first + j]);
    rescale();
    direction = scaled;
    double size = dot(residual, scaled);
    const double enough = size * 1e-10;
    for (int64_t step = 0; step < kSteps && size > enough && size > 0; ++step) {
      multiply(direction.data(), elements.data(), dimension, stride, product.data());
      const double curvature = dot(direction, llvm::ArrayRef<float>(product).take_front(dimension));
      if (!(curvature > 0))
        break;
      const float length = static_cast<float>(size / curvature);
      for (int64_t j = 0; j < dimension; ++j) {
        row[j] += length * direction[j];
        residual[j] -= gone[j] ? 0.0f : length * product[j];
      }
      rescale();
      const double next = dot(residual, scaled);
      const float keep = static_cast<float>(next / size);
      for (int64_t j = 0; j < dimension; ++j)
        direction[j] = scaled[j] + keep * direction[j];
      size = next;
    }
  }
}

std::vector<double> RefitMatrix::multiplyUndamped(llvm::ArrayRef<float> row) const {
  std::vector<float> product(stride);
  multiply(row.data(), elements.data(), dimension, stride, product.data());
  std::vector<double> result(dimension);
  for (int64_t j = 0; j < dimension; ++j)
    result[j] = static_cast<double>(product[j]) - damping * row[j];
  return result;
}

void mlir::halftone::refitRows(MLIRContext *context, const RefitMatrix &matrix, llvm::MutableArrayRef<float> rows,
                               llvm::ArrayRef<float> original, llvm::ArrayRef<uint8_t> zero) {
  const int64_t size = matrix.size();
  parallelFor(context, 0, rows.size() / size, [&](size_t row) {
    matrix.refit(rows.slice(row * size, size), original.slice(row * size, size), zero.slice(row * size, size));
  });
}
