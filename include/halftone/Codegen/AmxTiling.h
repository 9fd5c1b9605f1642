//===- AmxTiling.h - how a contraction is cut into AMX tiles ----------------===//
//
// A line of P positions takes ceil(P / 16) tiles of activations of one height; columns take panels of 16. A block is 4
// accumulators: 2 tiles by 2 panels, or 4 by 1, as a last panel without a neighbour always is: two accumulators would wait for
// each other's dots, and read a tile of weights for every two of them. Shared by the generator (AmxKernel.cpp) and the cost model.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_AMXTILING_H
#define HALFTONE_CODEGEN_AMXTILING_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::halftone {

struct AmxTiling {
  static constexpr int64_t kMaxRows = 16, kLanes = 16, kAccumulators = 4;

  /// `lines` may be dynamic. `hasWindow`: several kernel rows.
  AmxTiling(int64_t span, int64_t lines, int64_t columns, bool hasWindow)
      : columns(columns), tilesPerLine(llvm::divideCeil(span, kMaxRows)), height(llvm::divideCeil(span, tilesPerLine)),
        // More tiles and fewer columns for each weight where weights are what comes from far away.
        tilesDown(hasWindow || height <= kMaxRows / 2 || columns <= kLanes ? 4 : 2) {}

  int64_t panels() const { return llvm::divideCeil(columns, kLanes); }
  int64_t across() const { return kAccumulators / tilesDown; }
  /// Tiles in a block of so many panels.
  static int64_t tilesBeside(int64_t panels) { return kAccumulators / panels; }
  /// A number of tiles that full blocks divide, whatever their shape.
  int64_t wholeTiles() const { return panels() % across() ? tilesBeside(panels() % across()) : tilesDown; }

  int64_t columns, tilesPerLine, height, tilesDown;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_AMXTILING_H
