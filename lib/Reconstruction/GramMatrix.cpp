//===- GramMatrix.cpp - exact X^T X of rows of small integers -----------------===//
#include "halftone/Reconstruction/GramMatrix.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>

using namespace mlir::halftone;

static constexpr int64_t kTileRows = 8, kLanes = 16;
typedef float Lanes __attribute__((vector_size(64)));

/// triangle(i0 + r, j0 + c) += sum over the rows of a[.][r] * b[.][c], for 8 x 32 elements; `a` and `b` advance by 32.
/// Exact, hence the same on every clone.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
addTile(const float *a, const float *b, int64_t rows, int64_t i0, int64_t j0, int64_t dimension, int64_t *triangle) {
  Lanes sums[kTileRows][2] = {};
  for (int64_t p = 0; p < rows; ++p, a += 32, b += 32) {
    Lanes left, right;
    __builtin_memcpy(&left, b, sizeof(Lanes));
    __builtin_memcpy(&right, b + kLanes, sizeof(Lanes));
    for (int64_t r = 0; r < kTileRows; ++r) {
      sums[r][0] += a[r] * left;
      sums[r][1] += a[r] * right;
    }
  }
  for (int64_t r = 0; r < kTileRows && i0 + r < dimension; ++r) {
    float values[32];
    __builtin_memcpy(values, sums[r], sizeof(values));
    int64_t i = i0 + r, count = std::min<int64_t>(32, i + 1 - j0);
    int64_t *to = triangle + i * (i + 1) / 2 + j0;
    for (int64_t c = 0; c < count; ++c)
      to[c] += static_cast<int64_t>(values[c]);
  }
}

GramMatrix::GramMatrix(int64_t dimension, llvm::MutableArrayRef<int64_t> triangle)
    : dimension(dimension), triangle(triangle), panels((dimension + kPanel - 1) / kPanel * kPanel * kRows, 0.0f) {}

void GramMatrix::flush() {
  auto addRows = [&](size_t panel) {
    for (int64_t i = panel * kPanel; i < std::min<int64_t>(dimension, (panel + 1) * kPanel); i += kTileRows) {
      const float *a = &panels[panel * kRows * kPanel + i % kPanel];
      for (int64_t j = 0; j <= std::min(i + kTileRows - 1, dimension - 1); j += kPanel)
        addTile(a, &panels[j * kRows], used, i, j, dimension, triangle.data());
    }
  };
  size_t count = (dimension + kPanel - 1) / kPanel;
  // The last panels have the longest rows; threads take them first.
  if (dimension >= 256)
    llvm::parallelFor(0, count, [&](size_t i) { addRows(count - 1 - i); });
  else
    for (size_t panel = 0; panel < count; ++panel)
      addRows(panel);
  used = 0;
}
