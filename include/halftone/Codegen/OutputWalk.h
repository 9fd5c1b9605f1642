//===- OutputWalk.h - the positions of a contraction's output ---------------===//
//
// Output positions (n, oh, ow) are walked as lines of positions, and a register tile takes its rows from one line. Along
// a line each buffer advances by one constant number of elements, so that the rows of a tile are constant
// displacements from one address. A line is an output row, or a whole image where every buffer allows it (a 1x1
// convolution with stride 1), or the whole batch (a matrix product). Where rows are so short that several fit a tile, a
// line is an image in bands: a band is some whole rows, one after the other with the gaps between them.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_OUTPUTWALK_H
#define HALFTONE_CODEGEN_OUTPUTWALK_H

#include "halftone/Codegen/VectorEmission.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// What one step in each output dimension adds to a buffer's offset, in elements.
struct Advance {
  int64_t image, row, column, channel;
};

/// A buffer and how it follows the output.
struct WalkedBuffer {
  FlatBuffer flat;
  Advance advance;
};

class OutputWalk {
public:
  /// Flattens the operands of `op`, all on memrefs with static strides, and chooses what a line is. `tileRows`: of the
  /// largest tile; 0: the kernel's tiles do not span gaps.
  OutputWalk(ImplicitLocOpBuilder &b, ContractOp op, int64_t tileRows = 0);

  /// The number of lines; dynamic with the batch, unless the batch lies within the line.
  Value emitLineCount(ImplicitLocOpBuilder &b) const;
  /// The positions of a line.
  Value emitSpan(ImplicitLocOpBuilder &b) const;

  int64_t lineCount() const { return lines; } ///< kDynamic with a dynamic batch
  int64_t span() const { return spanLength; } ///< kDynamic with a dynamic batch within the line
  int64_t imagePositions() const { return rows * columns; }
  /// Lines of one image; 1 where a line is an image or more.
  int64_t linesOfImage() const { return line == Line::Row ? rows : 1; }

  /// Where `buffer` stands at the first position of a line.
  Value emitLineOffset(ImplicitLocOpBuilder &b, const WalkedBuffer &buffer, Value line) const;
  /// Elements from one position of a line to the next; there are no bands.
  int64_t positionStride(const WalkedBuffer &buffer) const;

  /// Rows of a band of an image of `rows` rows of `columns` positions, for tiles of `tileRows`: equal bands, as far as they
  /// go; 0 if a tile does not hold two rows.
  static int64_t rowsOfBand(int64_t rows, int64_t columns, int64_t tileRows) {
    if (rows <= 1 || 2 * columns > tileRows)
      return 0;
    return llvm::divideCeil(rows, llvm::divideCeil(rows, tileRows / columns));
  }
  /// Positions of a band, a multiple of bandRow(); 0: there are no bands. Tiles are whole bands, or single rows of one.
  int64_t band() const { return bandRows * columns; }
  int64_t bandRow() const { return columns; }
  /// Where the tile at `position` of the line stands in `buffer`, from the line's first position on.
  Value emitTileOffset(ImplicitLocOpBuilder &b, const WalkedBuffer &buffer, Value position) const;
  /// Elements from a tile's first position to its row `row`.
  int64_t displacement(const WalkedBuffer &buffer, int64_t row) const;
  /// Whether each channel has a plane of its own, of all positions of an image one after the other (halftone-assign-planes).
  static bool hasPlanes(const WalkedBuffer &buffer) { return buffer.advance.column == 1 && buffer.advance.channel > 1; }
  /// Whether all positions of a line read the same elements.
  bool isInvariant(const WalkedBuffer &buffer) const;

  WalkedBuffer input, output;
  SmallVector<WalkedBuffer> operands;

private:
  bool rowsJoin() const;
  bool imagesJoin() const;
  bool allBuffers(function_ref<bool(const Advance &)> holds) const;

  Value outputMemory;
  int64_t images, rows, columns; ///< extents of the output; images may be dynamic
  int64_t lines, spanLength, bandRows = 0;
  enum class Line { Row, Image, Batch } line = Line::Row;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_OUTPUTWALK_H
