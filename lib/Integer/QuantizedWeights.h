//===- QuantizedWeights.h - constant weights of a contraction
//---------------===//
//
// Weights reach this stage as dequantized constants: i8 codes with a scale per
// tensor or per channel, or codebook codes with levels. Here both become
// logical values (rule A4) with totals for each output channel.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_INTEGER_QUANTIZEDWEIGHTS_H
#define HALFTONE_LIB_INTEGER_QUANTIZEDWEIGHTS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>
#include <vector>

namespace mlir::halftone {

/// Decoded constant weights, row-major: levels, and the scale and zero point of
/// each element, which stands for (level - zero) * scale.
struct DecodedWeights {
  std::vector<int8_t> levels;
  std::vector<float> scales;
  std::vector<int8_t> zeros; // empty: 0
};

/// The weights behind `value`, through reshapes: a dequantized constant;
/// nothing for anything else.
std::optional<DecodedWeights> decodeWeights(Value value);

/// What the epilogue needs to know of the weights, for each output channel in
/// row-major order of `shape`.
struct ChannelTotals {
  SmallVector<int64_t> dimensions; // of the contraction's result, ascending
  SmallVector<int64_t> shape;      // their sizes
  std::vector<float> scales;
  std::vector<int64_t> sums, magnitudes; // sum(q_w), sum |q_w|
  std::vector<int32_t> zeros;            // zero points: q_w = level - zero

  bool hasZeros() const {
    return llvm::any_of(zeros, [](int32_t zero) { return zero != 0; });
  }
  /// Whether all channels read the same, or each of them something else
  /// (depthwise), and not groups of them.
  bool areAlike() const {
    return llvm::count_if(shape, [](int64_t size) { return size != 1; }) < 2;
  }

  /// Whether the sum of a channel's products with codes could leave 32 bits
  /// (rule A18).
  bool mayOverflow() const {
    return llvm::any_of(magnitudes, [](int64_t magnitude) {
      return 256 * magnitude > std::numeric_limits<int32_t>::max();
    });
  }
};

/// Totals over the elements of `weights`, the operand of `contraction`; nothing
/// if an output channel has several scales or zero points.
std::optional<ChannelTotals> totalByChannel(linalg::LinalgOp contraction,
                                            OpOperand &weights,
                                            const DecodedWeights &decoded);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_QUANTIZEDWEIGHTS_H
