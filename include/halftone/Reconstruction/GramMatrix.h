//===- GramMatrix.h - exact X^T X of rows of small integers -------------------===//
#ifndef HALFTONE_RECONSTRUCTION_GRAMMATRIX_H
#define HALFTONE_RECONSTRUCTION_GRAMMATRIX_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// Adds X^T X to a packed lower triangle. Rows are integers of magnitude 255 at most, kept as f32: 256 rows are
/// multiplied at a time, whose sums stay below 2^24 (255^2 * 256 = 16,646,400), so that f32 arithmetic is exact.
class GramMatrix {
public:
  GramMatrix(int64_t dimension, llvm::MutableArrayRef<int64_t> triangle);

  /// The next row: `write(column) = value` through set(); all columns must be set.
  void set(int64_t column, float value) { panels[(column / kPanel * kRows + used) * kPanel + column % kPanel] = value; }
  void finishRow() {
    if (++used == kRows)
      flush();
  }

  /// Multiplies the rows that are waiting.
  void flush();

private:
  static constexpr int64_t kRows = 256, kPanel = 32;
  int64_t dimension, used = 0;
  llvm::MutableArrayRef<int64_t> triangle;
  std::vector<float> panels; ///< [column / 32][row][column % 32]
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_GRAMMATRIX_H
