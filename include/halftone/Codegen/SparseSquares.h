//===- SparseSquares.h - bytes from channels side by side to positions --------===//
//
// Sparse kernels work on columns: all positions of a tile in one channel. Buffers have the channels of one position side by
// side. Between the two, bytes are transposed: 16 columns by 16 positions within 128 bits, then parts of 128 bits, so that
// memory is read and written in whole vectors of columns.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_SPARSESQUARES_H
#define HALFTONE_CODEGEN_SPARSESQUARES_H

#include "halftone/Codegen/OutputWalk.h"
#include "halftone/Codegen/SparseLayout.h"

namespace mlir::halftone {

/// A buffer of i8 with channels side by side, and its part of a tile and strip, transposed.
struct TransposedBuffer {
  const WalkedBuffer *buffer;
  Value table; ///< where the buffer has each position of the tile
  Value codes; ///< [column of the strip][position], i8, SparseLayout::codesStride() apart
};

class SparseSquares {
public:
  SparseSquares(ImplicitLocOpBuilder &b, const SparseLayout &layout) : b(b), layout(layout) {}

  /// All columns of a strip at so many positions, from the buffer to its transposed part (`loads`) or back.
  void emit(int64_t positions, Value strip, const TransposedBuffer &buffer, bool loads);

private:
  struct WideSquare;
  void emitSquare(int64_t positions, Value column, Value channel, int64_t valid, const TransposedBuffer &buffer, bool loads);
  void emitWideSquare(int64_t positions, Value column, Value channel, const TransposedBuffer &buffer, bool loads);
  Value rowOf(const WideSquare &square, Value row);
  void transposeInPlace(const WideSquare &square);
  void movePositions(const WideSquare &square, int64_t begin, int64_t end, int64_t squares);

  ImplicitLocOpBuilder &b;
  const SparseLayout &layout;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_SPARSESQUARES_H
