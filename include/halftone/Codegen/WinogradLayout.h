//===- WinogradLayout.h - 3x3 convolutions by fewer products ----------------===//
//
// Two by two outputs of a 3x3 convolution with stride 1 are 36 products of each channel, or 16 (Winograd's F(2x2, 3x3); Lavin and
// Gray, arXiv:1509.09308):
//
//   y = A^T [(G g G^T) * (B^T d B)] A,   d: 4x4 inputs of a tile, g: the 3x3 weights, *: element by element
//
//   B^T = 1  0 -1  0     2 G = 2  0  0     A^T = 1  1  1  0
//         0  1  1  0           1  1  1           0  1 -1 -1
//         0 -1  1  0           1 -1  1
//         0  1  0 -1           0  0  2
//
// In integers nothing is rounded. With 2 G for G all are integers, and the result is 4 y. Inputs become sums of 4 codes, at most
// 512 in magnitude, weights at most 9 * 128: both fit 16 bits, and `vpmaddwd` multiplies them. Sums are taken modulo 2^32; as |4 y| is
// below 2^31 (`holds`), a shift gives y: the bits are those of any other kernel.
//
// On AVX2 16-bit products are as fast as 8-bit ones, so that a layer takes less than half of its time. Where there are dots of bytes it
// is no gain.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_WINOGRADLAYOUT_H
#define HALFTONE_CODEGEN_WINOGRADLAYOUT_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// How the weights of a convolution are packed, and how its output is cut. Packed are, for each panel of columns:
///
///   [column] i32: the bias
///   [channel / 2][tap][vector][lane][2] i8
///
/// A kernel transforms a panel once for each block of tiles.
struct WinogradLayout {
  static constexpr int64_t kTaps = 9, kPlaces = 16; ///< of the window; of a tile of inputs
  static constexpr int64_t kInputLanes = 16;        ///< channels that are transformed together, at most
  static constexpr int64_t kLeastChannels = 8;      ///< fewer leave most lanes empty
  static constexpr int64_t kGap = 32;
  static constexpr int64_t kEnoughTiles = 48;       ///< of a block: they pay for transforming the weights

  const DotKernel *kernel;
  int64_t channels, columns;
  int64_t rows, width; ///< of the output
  int64_t blockRows;   ///< rows of tiles of a block

  int64_t tileRows() const { return (rows + 1) / 2; }
  int64_t tileColumns() const { return (width + 1) / 2; }
  int64_t blocks() const { return tileRows() / blockRows; }
  int64_t blockTiles() const { return blockRows * tileColumns(); }

  int64_t panelVectors() const { return kernel->maxVectors; }
  int64_t panelColumns() const { return kernel->maxVectors * kernel->lanes; }
  int64_t panels() const { return llvm::divideCeil(columns, panelColumns()); }
  int64_t startBytes() const { return panelColumns() * static_cast<int64_t>(sizeof(int32_t)); }
  int64_t panelBytes() const { return startBytes() + channels * kTaps * panelColumns(); }
  /// Elements from one place to the next of a block's transformed inputs (i16), of a panel's transformed weights (i16), and of their
  /// products (i32). What is written together must not be a power of two apart: caches would hold it in the same few lines.
  int64_t inputStride() const { return blockTiles() * channels + kGap; }
  int64_t weightStride() const { return channels * panelColumns() + kGap; }
  int64_t sumStride() const { return blockTiles() * panelColumns() + kGap; }

  /// Whether 4 times each sum, bias included, fits an i32, whatever the activations are. `weights` are HWCF.
  bool holds(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const;
  std::vector<int8_t> pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const;

  DictionaryAttr toAttribute(MLIRContext *context) const;
  /// For unpacked weights; nothing for a target without this kernel, or a contraction that is no such convolution of codes, whose channels are few or odd, or that is so wide
  /// that a row of tiles does not fit a thread's stack.
  static std::optional<WinogradLayout> forContract(ContractOp op, const Isa &isa);
  /// The layout that `packing` describes; nothing if it is another.
  static std::optional<WinogradLayout> fromAttribute(ContractOp op);
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_WINOGRADLAYOUT_H
