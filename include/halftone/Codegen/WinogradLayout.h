//===- WinogradLayout.h - 3x3 convolutions by fewer products ----------------===//
//
// Four by four outputs of a 3x3 convolution with stride 1 are 144 products of each channel, or 36 (Winograd's F(4x4, 3x3); Lavin and
// Gray, arXiv:1509.09308); two by two are 36, or 16 (F(2x2, 3x3)):
//
//   y = A^T [(G g G^T) * (B^T d B)] A,   d: the inputs of a tile, g: the 3x3 weights, *: element by element
//
//   F(4x4, 3x3):                       F(2x2, 3x3):
//
//   B^T = 4  0 -5  0  1  0             B^T = 1  0 -1  0
//         0  4  4 -1 -1  0                   0  1  1  0
//         0 -4  4  1 -1  0                   0 -1  1  0
//         0 -2 -1  2  1  0                   0  1  0 -1
//         0  2 -1 -2  1  0
//         0  4  0 -5  0  1
//
//   G = 6  0  0    A^T = 1  1  1  1  1  0      G = 2  0  0     A^T = 1  1  1  0
//       4  4  4          0  1 -1  2 -2  0          1  1  1           0  1 -1 -1
//       4 -4  4          0  1  1  4  4  0          1 -1  1
//       1  2  4          0  1 -1  8 -8  3          0  0  2
//       1 -2  4
//       0  0  8
//
// In integers nothing is rounded. With these multiples of the usual G and A all are integers, and the result is 24^2 y, or 4 y.
// Inputs become sums of at most 12,800 in magnitude (512), weights 144 * 128 (9 * 128): both fit 16 bits, and `vpmaddwd` multiplies them.
// Sums are taken modulo 2^32. 24^2 is 9 * 2^6: a multiplication by the inverse of 9 modulo 2^32 leaves 2^6 y, and a shift y itself as long as
// that is less than 2^25 in magnitude (4 y: 2^29), which the weights tell whatever the activations are (`holds`): the bits are those of any other kernel.
//
// Where 16-bit products are as fast as 8-bit ones, as on AVX2, a layer takes less than half of its time; with dots of bytes, which are twice as
// fast, F(4x4, 3x3) alone is a gain.
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
  static constexpr int64_t kTaps = 9;          ///< of the window
  static constexpr int64_t kLeastChannels = 8; ///< fewer leave most lanes empty
  static constexpr int64_t kGap = 32;
  static constexpr int64_t kEnoughTiles = 48;  ///< of a block: they pay for transforming the weights

  const DotKernel *kernel;
  int64_t channels, columns;
  int64_t rows, width; ///< of the output
  int64_t blockRows;   ///< rows of tiles of a block

  /// Outputs and inputs of a tile's side, and the places of its inputs.
  int64_t side() const { return kernel->side; }
  int64_t span() const { return kernel->side + 2; }
  int64_t places() const { return span() * span(); }
  int64_t tileRows() const { return llvm::divideCeil(rows, side()); }
  int64_t tileColumns() const { return llvm::divideCeil(width, side()); }
  int64_t blocks() const { return tileRows() / blockRows; }
  int64_t blockTiles() const { return blockRows * tileColumns(); }

  /// Places whose transformed weights are held together: two rows.
  int64_t heldPlaces() const { return 2 * span(); }
  /// Words of a vector: channels of inputs that are transformed together, at most.
  int64_t inputLanes() const { return 2 * kernel->lanes; }
  int64_t panelVectors() const { return kernel->maxVectors; }
  int64_t panelColumns() const { return kernel->maxVectors * kernel->lanes; }
  int64_t panels() const { return llvm::divideCeil(columns, panelColumns()); }
  int64_t startBytes() const { return panelColumns() * static_cast<int64_t>(sizeof(int32_t)); }
  int64_t panelBytes() const { return startBytes() + channels * kTaps * panelColumns(); }
  /// Elements from one place to the next of a block's transformed inputs (i16), of a panel's transformed weights (i16; two rows of places at a time), and of
  /// their products (i32). What is written together must not be a power of two apart: caches would hold it in the same few lines.
  int64_t inputStride() const { return blockTiles() * channels + kGap; }
  int64_t weightStride() const { return channels * panelColumns() + kGap; }
  int64_t sumStride() const { return blockTiles() * panelColumns() + kGap; }
  /// What a block takes of a thread's stack: its inputs, weights and products.
  int64_t stackBytes() const { return places() * (2 * inputStride() + 4 * sumStride()) + heldPlaces() * 2 * weightStride(); }

  /// Sets `blockRows`: as few as are enough tiles, a divisor of all; whether any fit a thread's stack.
  bool chooseBlock();

  /// Whether each sum can be told from its multiple modulo 2^32, whatever the activations are. `weights` are HWCF.
  bool holds(ArrayRef<int8_t> weights) const;
  std::vector<int8_t> pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const;

  DictionaryAttr toAttribute(MLIRContext *context) const;
  /// For unpacked weights, the layouts of those of the target's kernels that can compute the contraction: none if it is no such convolution of codes, its
  /// channels are few or odd, or it is so wide that a row of tiles does not fit a thread's stack.
  static std::vector<WinogradLayout> forContract(ContractOp op, const Isa &isa);
  /// The layout that `packing` describes; nothing if it is another.
  static std::optional<WinogradLayout> fromAttribute(ContractOp op);
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_WINOGRADLAYOUT_H
