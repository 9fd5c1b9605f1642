//===- Fidelity.cpp - How near two outputs are ----------------------------===//
#include "Fidelity.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::halftone;

template <typename T> static std::vector<double> widen(const Tensor &tensor) {
  auto values = tensor.values<T>();
  return std::vector<double>(values.begin(), values.end());
}

static std::vector<double> toDoubles(const Tensor &tensor) {
  switch (tensor.type) {
  case ElementType::F32:
    return widen<float>(tensor);
  case ElementType::I8:
    return widen<int8_t>(tensor);
  case ElementType::U8:
  case ElementType::Bool:
    return widen<uint8_t>(tensor);
  case ElementType::I32:
    return widen<int32_t>(tensor);
  case ElementType::I64:
    return widen<int64_t>(tensor);
  }
  return {};
}

static int64_t countDifferentBits(const Tensor &a, const Tensor &b) {
  int64_t size = elementBytes(a.type), different = 0;
  for (int64_t i = 0, e = a.numElements(); i < e; ++i)
    different += std::memcmp(&a.bytes[i * size], &b.bytes[i * size], size) != 0;
  return different;
}

/// |a - b|, where two NaNs are equal and one is infinitely far.
static double distance(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) == std::isnan(b)
               ? 0
               : std::numeric_limits<double>::infinity();
  return a == b ? 0 : std::fabs(a - b); // Equal infinities.
}

std::vector<int64_t> mlir::halftone::argmaxRows(const Tensor &tensor) {
  std::vector<double> values = toDoubles(tensor);
  int64_t rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  int64_t width = rows ? values.size() / rows : 0;
  std::vector<int64_t> indices;
  for (int64_t row = 0; row < rows; ++row) {
    auto begin = values.begin() + row * width;
    indices.push_back(std::max_element(begin, begin + width) - begin);
  }
  return indices;
}

Fidelity mlir::halftone::compareTensors(const Tensor &a, const Tensor &b) {
  Fidelity result;
  std::vector<double> x = toDoubles(a), y = toDoubles(b);
  result.elements = x.size();
  result.differentBits = countDifferentBits(a, b);
  double xx = 0, yy = 0, xy = 0, dd = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double d = distance(x[i], y[i]);
    result.maxAbs = std::max(result.maxAbs, d);
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
    dd += d * d;
  }
  result.sqnr = dd == 0 ? std::numeric_limits<double>::infinity()
                        : 10 * std::log10(xx / dd);
  result.cosine = xx == 0 && yy == 0 ? 1 : xy / std::sqrt(xx * yy);
  result.samples = a.shape.empty() ? 1 : a.shape.front();
  if (result.samples == 0 || result.elements / result.samples < 2)
    return result;
  std::vector<int64_t> top = argmaxRows(a), other = argmaxRows(b);
  result.sameTop1 = 0;
  for (size_t i = 0; i < top.size(); ++i)
    result.sameTop1 += top[i] == other[i];
  return result;
}
