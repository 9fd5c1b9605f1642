//===- ResizeModes.cpp - where ONNX's Resize reads --------------------------===//
#include "halftone/Import/ResizeModes.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

/// The source coordinate of output position `i` in the arithmetic of T; nothing for an unknown mode.
///
/// In f64 a scale that is the f32 nearest to out / in is taken for that quotient, which is what a file that can only say f32 means. What lies on a pixel or
/// half-way between two is there exactly, since the one division that rounds has no rest then.
template <typename T>
static std::optional<T> sourceCoordinate(StringRef mode, const ResizeAxis &axis, int64_t i) {
  const bool isQuotient = std::is_same_v<T, double> && axis.scale == static_cast<float>(axis.out) / axis.in;
  auto unscaled = [&](T v) -> T { return isQuotient ? v * axis.in / axis.out : v / axis.scale; };
  const T x = i, middle = T(0.5), half = unscaled(x + middle) - middle;
  if (mode == "half_pixel")
    return half;
  if (mode == "pytorch_half_pixel")
    return axis.out > 1 ? half : 0;
  if (mode == "half_pixel_symmetric") {
    const T centred = isQuotient ? T(0) : axis.in * middle * (1 - axis.out / (T(axis.scale) * axis.in));
    return centred + unscaled(x + middle) - middle;
  }
  if (mode == "asymmetric")
    return unscaled(x);
  if (mode == "align_corners")
    return axis.out == 1 ? 0 : x * (axis.in - 1) / (axis.out - 1);
  if (mode == "tf_crop_and_resize") {
    T reach = (T(axis.roiEnd) - axis.roiStart) * (axis.in - 1);
    return axis.roiStart * T(axis.in - 1) + (axis.out == 1 ? reach / 2 : x * reach / (axis.out - 1));
  }
  if (mode == "tf_half_pixel_for_nn")
    return unscaled(x + middle);
  return std::nullopt;
}

/// The position that a nearest mode takes. Which of two pixels is nearer is a question of the definition, in reals; floor and ceil are those of the f32
/// coordinate, as in onnxruntime: what lies on a pixel may be taken for a little less or more there.
static std::optional<int64_t> roundCoordinate(StringRef mode, StringRef coordinates, const ResizeAxis &axis, int64_t i) {
  std::optional<double> exact = sourceCoordinate<double>(coordinates, axis, i);
  std::optional<float> rounded = sourceCoordinate<float>(coordinates, axis, i);
  if (!exact)
    return std::nullopt;
  if (mode == "round_prefer_floor")
    return static_cast<int64_t>(std::ceil(*exact - 0.5));
  if (mode == "round_prefer_ceil")
    return static_cast<int64_t>(std::floor(*exact + 0.5));
  if (mode == "floor")
    return static_cast<int64_t>(std::floor(*rounded));
  if (mode == "ceil")
    return static_cast<int64_t>(std::ceil(*rounded));
  return std::nullopt;
}

bool mlir::halftone::isCoordinateMode(StringRef coordinates) { return sourceCoordinate<float>(coordinates, {1, 1, 1}, 0).has_value(); }

std::optional<SmallVector<int64_t>> mlir::halftone::nearestIndices(StringRef coordinates, StringRef rounding,
                                                                   const ResizeAxis &axis) {
  SmallVector<int64_t> indices;
  for (int64_t i = 0; i < axis.out; ++i) {
    std::optional<int64_t> rounded = roundCoordinate(rounding, coordinates, axis, i);
    if (!rounded)
      return std::nullopt;
    indices.push_back(std::clamp<int64_t>(*rounded, 0, axis.in - 1));
  }
  return indices;
}

std::optional<SmallVector<Interpolated>> mlir::halftone::linearSources(StringRef coordinates, const ResizeAxis &axis) {
  SmallVector<Interpolated> sources;
  for (int64_t i = 0; i < axis.out; ++i) {
    std::optional<float> source = sourceCoordinate<float>(coordinates, axis, i);
    if (!source)
      return std::nullopt;
    float clamped = std::clamp<float>(*source, 0, axis.in - 1), low = std::floor(clamped);
    sources.push_back({static_cast<int64_t>(low), std::min<int64_t>(static_cast<int64_t>(low) + 1, axis.in - 1), clamped - low});
  }
  return sources;
}

/// Keys' cubic at distance `x` from its middle.
static double cubicWeight(double a, double x) {
  x = std::abs(x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// The sum of the weights is made 1 where the filter is cut off or stretched.
static void normalize(MutableArrayRef<WeightedSource> sources) {
  double sum = 0;
  for (const WeightedSource &source : sources)
    sum += source.weight;
  for (WeightedSource &source : sources)
    source.weight /= sum;
}

std::optional<SmallVector<SmallVector<WeightedSource>>> mlir::halftone::filterSources(StringRef coordinates, const ResizeFilter &filter,
                                                                                      const ResizeAxis &axis) {
  const double stretch = filter.antialias ? std::min(axis.scale, 1.0f) : 1;
  const auto first = static_cast<int64_t>(std::floor((filter.cubic ? -2 : -1) / stretch)) + 1;
  SmallVector<SmallVector<WeightedSource>> all;
  for (int64_t i = 0; i < axis.out; ++i) {
    std::optional<float> at = sourceCoordinate<float>(coordinates, axis, i);
    if (!at)
      return std::nullopt;
    const double below = std::floor(*at), ratio = *at - below;
    SmallVector<WeightedSource> sources;
    for (int64_t k = first; k <= 1 - first; ++k) {
      const double distance = stretch * (k - ratio);
      const double weight = filter.cubic ? cubicWeight(filter.cubicA, distance) : std::max(0.0, 1 - std::abs(distance));
      const int64_t source = static_cast<int64_t>(below) + k, inside = std::clamp<int64_t>(source, 0, axis.in - 1);
      sources.push_back({inside, static_cast<float>(filter.excludeOutside && inside != source ? 0 : weight)});
    }
    if (filter.antialias || filter.excludeOutside)
      normalize(sources);
    all.push_back(std::move(sources));
  }
  return all;
}

SmallVector<bool> mlir::halftone::findOutside(StringRef coordinates, const ResizeAxis &axis) {
  SmallVector<bool> outside(axis.out, false);
  for (int64_t i = 0; i < axis.out && coordinates == "tf_crop_and_resize"; ++i) {
    float at = *sourceCoordinate<float>(coordinates, axis, i);
    outside[i] = at < 0 || at > axis.in - 1;
  }
  return outside;
}
