//===- ContractionTail.h - what follows a contraction in its sandwich
//-------===//
#ifndef HALFTONE_LIB_INTEGER_CONTRACTIONTAIL_H
#define HALFTONE_LIB_INTEGER_CONTRACTIONTAIL_H

#include "CodeTensors.h"
#include "QuantizedWeights.h"

namespace mlir::halftone {

/// The single-use operations between a contraction and its quantization, in
/// this order: a collapse of its result, a bias, a residual addition, clamps.
/// Without a quantization the tail is the collapse and the bias only.
struct ContractionTail {
  tensor::CollapseShapeOp collapse; // may be null
  std::vector<float> bias;          // by channel; empty without one
  struct Residual {
    Dequantized source;
    AffineMap map;
  };
  std::optional<Residual> residual;
  /// Clamps in their order.
  struct Clamp {
    bool isMaximum;
    std::vector<float> bounds; // one, or one for each channel
    float bound(int64_t channel) const {
      return bounds.size() == 1 ? bounds.front() : bounds[channel];
    }
  };
  SmallVector<Clamp> clamps;
  QuantizeOp quantize;             // null: the result stays f32
  Value result;                    // what the integer computation replaces
  SmallVector<int64_t> dimensions; // of the channels, in the result

  /// The sizes of the channels' dimensions, and the map from the result's.
  SmallVector<int64_t> channelShape() const;
  AffineMap channelMap() const;

  /// The tail behind `contraction`, whose channels are those of `totals`.
  static ContractionTail match(linalg::LinalgOp contraction,
                               const ChannelTotals &totals);
  /// The collapse and the bias alone, whatever is behind them.
  static ContractionTail matchFloat(linalg::LinalgOp contraction,
                                    const ChannelTotals &totals);
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_CONTRACTIONTAIL_H
