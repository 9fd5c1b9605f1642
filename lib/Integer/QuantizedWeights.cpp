//===- QuantizedWeights.cpp - constant weights of a contraction
//-------------===//
#include "QuantizedWeights.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/StridedIndices.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::halftone;

template <typename T>
static std::vector<T> spread(ArrayRef<int64_t> shape, int64_t axis,
                             ArrayRef<T> channels) {
  int64_t extent = 1;
  std::vector<int32_t> indices = stridedIndices<int32_t>(shape, stridesOver(shape, {axis}, extent));
  std::vector<T> elements(indices.size());
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = channels[indices[i]];
  return elements;
}

static DecodedWeights decodeUniform(RankedTensorType type,
                                    std::vector<int8_t> codes) {
  SmallVector<float> scales;
  SmallVector<int8_t> zeros;
  int64_t axis = -1;
  if (auto uniform =
          dyn_cast<quant::UniformQuantizedType>(type.getElementType())) {
    scales.push_back(uniform.getScale());
    zeros.push_back(uniform.getZeroPoint());
  } else {
    auto perAxis =
        cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
    axis = perAxis.getQuantizedDimension();
    scales.append(perAxis.getScales().begin(), perAxis.getScales().end());
    zeros.append(perAxis.getZeroPoints().begin(),
                 perAxis.getZeroPoints().end());
  }
  auto toElements = [&](auto channels) {
    using T = typename decltype(channels)::value_type;
    return axis < 0 ? std::vector<T>(codes.size(), channels.front())
                    : spread<T>(type.getShape(), axis, channels);
  };
  DecodedWeights decoded;
  decoded.scales = toElements(scales);
  if (llvm::any_of(zeros, [](int8_t zero) { return zero != 0; }))
    decoded.zeros = toElements(zeros);
  decoded.levels = std::move(codes);
  return decoded;
}

static std::optional<DecodedWeights> decodeCodebook(DequantizeOp op,
                                                    ArrayRef<int8_t> codes) {
  auto type = cast<RankedTensorType>(op.getInput().getType());
  int64_t axis = cast<CodebookType>(type.getElementType()).getAxis();
  std::optional<std::vector<int8_t>> levels =
      getConstantElements<int8_t>(op.getLevels());
  std::optional<std::vector<float>> scales =
      getConstantElements<float>(op.getScales());
  if (!levels || !scales)
    return std::nullopt;
  DecodedWeights decoded;
  for (int8_t code : codes) {
    size_t index = static_cast<uint8_t>(code);
    if (index >= levels->size())
      return std::nullopt;
    decoded.levels.push_back((*levels)[index]);
  }
  if (axis < 0)
    decoded.scales.assign(codes.size(), scales->front());
  else
    decoded.scales = spread<float>(type.getShape(), axis, *scales);
  return decoded;
}

std::optional<DecodedWeights> mlir::halftone::decodeWeights(Value value) {
  // A reshape keeps the row-major order of the elements.
  while (isa_and_present<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
      value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return std::nullopt;
  std::optional<std::vector<int8_t>> codes =
      getConstantElements<int8_t>(dequantize.getInput());
  if (!codes)
    return std::nullopt;
  auto type = cast<RankedTensorType>(dequantize.getInput().getType());
  if (isa<CodebookType>(type.getElementType()))
    return decodeCodebook(dequantize, *codes);
  return decodeUniform(type, std::move(*codes));
}

std::optional<ChannelTotals>
mlir::halftone::totalByChannel(linalg::LinalgOp contraction, OpOperand &weights,
                               const DecodedWeights &decoded) {
  AffineMap map = contraction.getMatchingIndexingMap(&weights);
  AffineMap output =
      contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(weights.get().getType()).getShape();
  ChannelTotals totals;
  SmallVector<int64_t> axes;
  for (auto [i, expr] : llvm::enumerate(output.getResults())) {
    std::optional<unsigned> axis = map.getResultPosition(expr);
    if (!axis)
      continue;
    totals.dimensions.push_back(i);
    totals.shape.push_back(shape[*axis]);
    axes.push_back(*axis);
  }
  int64_t count = 1;
  const std::vector<int32_t> channels = stridedIndices<int32_t>(shape, stridesOver(shape, axes, count));
  totals.scales.assign(count, 0);
  totals.sums.assign(count, 0);
  totals.magnitudes.assign(count, 0);
  totals.zeros.assign(count, 0);
  for (size_t e = 0; e < channels.size(); ++e) {
    const int32_t channel = channels[e];
    const int32_t zero = decoded.zeros.empty() ? 0 : decoded.zeros[e];
    if (totals.scales[channel] != 0 &&
        (totals.scales[channel] != decoded.scales[e] ||
         totals.zeros[channel] != zero))
      return std::nullopt;
    totals.scales[channel] = decoded.scales[e];
    totals.zeros[channel] = zero;
    totals.sums[channel] += decoded.levels[e] - zero;
    totals.magnitudes[channel] += std::abs(decoded.levels[e] - zero);
  }
  return totals;
}
