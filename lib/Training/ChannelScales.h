//===- ChannelScales.h - the scale of each element of a weight --------------===//
#ifndef HALFTONE_LIB_TRAINING_CHANNELSCALES_H
#define HALFTONE_LIB_TRAINING_CHANNELSCALES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::halftone {

/// The scales of a tensor of a per-axis type, by row-major element.
class ChannelScales {
public:
  explicit ChannelScales(RankedTensorType type)
      : scales(cast<quant::UniformQuantizedPerAxisType>(type.getElementType()).getScales()) {
    auto element = cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
    for (int64_t d = element.getQuantizedDimension() + 1; d < type.getRank(); ++d)
      inner *= type.getDimSize(d);
  }
  float at(size_t element) const { return static_cast<float>(scales[element / inner % scales.size()]); }

private:
  ArrayRef<double> scales;
  size_t inner = 1;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_CHANNELSCALES_H
