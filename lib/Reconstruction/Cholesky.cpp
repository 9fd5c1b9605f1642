//===- Cholesky.cpp - a Hessian's factor ---------------------------------------===//
//
// Row by row: L(i, j) = (H(i, j) - sum over k < j of L(i, k) L(j, k)) / L(j, j). Bands of rows are worked on
// together, so that the rows above are read once for all of them; the rows of a band go to threads. The order of
// additions is fixed, so the bits do not depend on threads.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Parallel.h"
#include <cmath>
#include <numeric>

using namespace mlir::halftone;

typedef double Lanes __attribute__((vector_size(64)));

/// The sum of a[k] * b[k], in eight lanes.
static double dot(const double *a, const double *b, int64_t count) {
  Lanes sums = {};
  int64_t k = 0;
  for (; k + 8 <= count; k += 8) {
    Lanes left, right;
    __builtin_memcpy(&left, a + k, sizeof(Lanes));
    __builtin_memcpy(&right, b + k, sizeof(Lanes));
    sums += left * right;
  }
  double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; k < count; ++k)
    sum += a[k] * b[k];
  return sum;
}

static int64_t rowStart(int64_t i) { return i * (i + 1) / 2; }

/// Elements [0, columns) of rows [begin, end).
static void eliminate(double *factor, int64_t begin, int64_t end, int64_t columns) {
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = begin; i < end; ++i) {
      double *row = factor + rowStart(i);
      const double *above = factor + rowStart(j);
      row[j] = (row[j] - dot(row, above, j)) / above[j];
    }
}

static void factorize(double *factor, int64_t dimension) {
  constexpr int64_t band = 64, rowsOfTask = 8;
  for (int64_t first = 0; first < dimension; first += band) {
    int64_t last = std::min(first + band, dimension);
    auto task = [&](size_t t) {
      int64_t begin = first + t * rowsOfTask;
      eliminate(factor, begin, std::min(begin + rowsOfTask, last), first);
    };
    size_t tasks = (last - first + rowsOfTask - 1) / rowsOfTask;
    if (first >= 256)
      llvm::parallelFor(0, tasks, task);
    else
      for (size_t t = 0; t < tasks; ++t)
        task(t);
    for (int64_t i = first; i < last; ++i) {
      double *row = factor + rowStart(i);
      for (int64_t j = first; j < i; ++j)
        row[j] = (row[j] - dot(row, factor + rowStart(j), j)) / factor[rowStart(j) + j];
      row[i] = std::sqrt(row[i] - dot(row, row, i));
    }
  }
}

CholeskyFactor::CholeskyFactor(llvm::ArrayRef<int64_t> triangle, int64_t group, double damping) : factor(triangle.size()) {
  int64_t dimension = 0;
  while (rowStart(dimension) < static_cast<int64_t>(triangle.size()))
    ++dimension;
  auto diagonal = [&](int64_t i) { return triangle[rowStart(i) + i]; };
  double mean = 0;
  for (int64_t i = 0; i < dimension; ++i)
    mean += double(diagonal(i)) / dimension;
  order.resize(dimension);
  std::iota(order.begin(), order.end(), 0);
  std::vector<int64_t> largest(group ? (dimension + group - 1) / group : 0, 0);
  for (int64_t i = 0; group && i < dimension; ++i)
    largest[i / group] = std::max(largest[i / group], diagonal(i));
  auto key = [&](int64_t i) {
    return std::make_tuple(group ? largest[i / group] : 0, group ? i / group : 0, diagonal(i));
  };
  llvm::stable_sort(order, [&](int64_t a, int64_t b) { return key(a) < key(b); });
  double *to = factor.data();
  for (int64_t i = 0; i < dimension; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      auto [low, high] = std::minmax(order[i], order[j]);
      *to++ = triangle[rowStart(high) + low];
    }
    // A layer that saw zeros only gets the identity: nearest levels.
    to[-1] += mean > 0 ? damping * mean : 1.0;
  }
  factorize(factor.data(), dimension);
}
