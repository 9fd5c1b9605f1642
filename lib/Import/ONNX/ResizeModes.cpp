//===- ResizeModes.cpp - where ONNX's Resize reads --------------------------===//
#include "halftone/Import/ResizeModes.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

/// The real source coordinate of output position `i`; nothing for an unknown mode.
static std::optional<float> sourceCoordinate(StringRef mode, const ResizeAxis &axis, int64_t i) {
  float x = i, half = (x + 0.5f) / axis.scale - 0.5f;
  if (mode == "half_pixel")
    return half;
  if (mode == "pytorch_half_pixel")
    return axis.out > 1 ? half : 0;
  if (mode == "asymmetric")
    return x / axis.scale;
  if (mode == "align_corners")
    return axis.out == 1 ? 0 : x * (axis.in - 1) / (axis.out - 1);
  if (mode == "tf_half_pixel_for_nn")
    return (x + 0.5f) / axis.scale;
  return std::nullopt;
}

static std::optional<float> roundCoordinate(StringRef mode, float x) {
  if (mode == "round_prefer_floor")
    return std::ceil(x - 0.5f);
  if (mode == "round_prefer_ceil")
    return std::floor(x + 0.5f);
  if (mode == "floor")
    return std::floor(x);
  if (mode == "ceil")
    return std::ceil(x);
  return std::nullopt;
}

bool mlir::halftone::isCoordinateMode(StringRef coordinates) { return sourceCoordinate(coordinates, {1, 1, 1}, 0).has_value(); }

std::optional<SmallVector<int64_t>> mlir::halftone::nearestIndices(StringRef coordinates, StringRef rounding,
                                                                   const ResizeAxis &axis) {
  SmallVector<int64_t> indices;
  for (int64_t i = 0; i < axis.out; ++i) {
    std::optional<float> source = sourceCoordinate(coordinates, axis, i);
    std::optional<float> rounded = source ? roundCoordinate(rounding, *source) : std::nullopt;
    if (!rounded)
      return std::nullopt;
    indices.push_back(std::clamp<int64_t>(static_cast<int64_t>(*rounded), 0, axis.in - 1));
  }
  return indices;
}

std::optional<SmallVector<Interpolated>> mlir::halftone::linearSources(StringRef coordinates, const ResizeAxis &axis) {
  SmallVector<Interpolated> sources;
  for (int64_t i = 0; i < axis.out; ++i) {
    std::optional<float> source = sourceCoordinate(coordinates, axis, i);
    if (!source)
      return std::nullopt;
    float clamped = std::clamp<float>(*source, 0, axis.in - 1), low = std::floor(clamped);
    sources.push_back({static_cast<int64_t>(low), std::min<int64_t>(static_cast<int64_t>(low) + 1, axis.in - 1), clamped - low});
  }
  return sources;
}
