//===- LayerSums.cpp - what a layer reads, and what it should give ------------===//
#include "halftone/Reconstruction/LayerSums.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

#pragma STDC FP_CONTRACT OFF

using namespace mlir::halftone;

static constexpr int64_t kRows = 256, kLanes = 16, kPanel = 32, kTile = 8;
typedef float Lanes __attribute__((vector_size(64)));

namespace {

/// Adds Y^T X to a matrix, 256 positions at a time. Both are kept in panels of columns.
class CrossMatrix {
public:
  CrossMatrix(int64_t outputs, int64_t dimension, llvm::MutableArrayRef<double> matrix)
      : outputs(outputs), dimension(dimension), matrix(matrix), targets((outputs + kTile - 1) / kTile * kTile * kRows, 0.0f),
        inputs((dimension + kPanel - 1) / kPanel * kPanel * kRows, 0.0f) {}

  void setTarget(int64_t output, float value) { targets[(output / kTile * kRows + used) * kTile + output % kTile] = value; }
  void setInput(int64_t column, float value) { inputs[(column / kPanel * kRows + used) * kPanel + column % kPanel] = value; }
  void finishRow() {
    if (++used == kRows)
      flush();
  }
  void flush();

private:
  int64_t outputs, dimension, used = 0;
  llvm::MutableArrayRef<double> matrix;
  std::vector<float> targets, inputs;
};

} // namespace

/// to(r, c) += sum over the rows of y[.][r] * x[.][c], for 8 x 32 elements, of which rows x columns are there.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) static void
addTile(const float *y, const float *x, int64_t positions, int64_t rows, int64_t columns, double *to, int64_t stride) {
  Lanes sums[kTile][2] = {};
  for (int64_t p = 0; p < positions; ++p, y += kTile, x += kPanel) {
    Lanes left, right;
    __builtin_memcpy(&left, x, sizeof(Lanes));
    __builtin_memcpy(&right, x + kLanes, sizeof(Lanes));
    for (int64_t r = 0; r < kTile; ++r) {
      sums[r][0] += y[r] * left;
      sums[r][1] += y[r] * right;
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    float values[kPanel];
    __builtin_memcpy(values, sums[r], sizeof(values));
    for (int64_t c = 0; c < columns; ++c)
      to[r * stride + c] += values[c];
  }
}

void CrossMatrix::flush() {
  auto addRows = [&](size_t tile) {
    const int64_t first = tile * kTile, rows = std::min(kTile, outputs - first);
    for (int64_t column = 0; column < dimension; column += kPanel)
      addTile(&targets[first * kRows], &inputs[column * kRows], used, rows, std::min(kPanel, dimension - column),
              matrix.data() + first * dimension + column, dimension);
  };
  const size_t tiles = (outputs + kTile - 1) / kTile;
  if (outputs * dimension >= 256 * 64)
    llvm::parallelFor(0, tiles, addRows);
  else
    for (size_t tile = 0; tile < tiles; ++tile)
      addRows(tile);
  used = 0;
}

LayerSums::LayerSums(const Patches &patches, int64_t outputs, std::string key)
    : patches(patches), sum(patches, std::move(key)), columnSums(hessian().groups * hessian().dimension, 0),
      targetSums(outputs, 0.0), cross(outputs * hessian().dimension, 0.0) {}

void LayerSums::addDense(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, llvm::ArrayRef<float> targets, int64_t group) {
  const int64_t channels = patches.channels, dimension = hessian().dimension, perGroup = outputs() / patches.groups;
  CrossMatrix matrix(perGroup, dimension, llvm::MutableArrayRef<double>(cross).slice(group * perGroup * dimension, perGroup * dimension));
  int64_t *sums = columnSums.data() + group * dimension;
  const float *target = targets.data() + group * perGroup;
  forEachPosition(patches, extents, [&](int64_t n, int64_t y, int64_t x) {
    forEachTap(patches, extents, codes, n, y, x, [&](int64_t tap, const float *pixel) {
      for (int64_t c = 0; c < channels; ++c) {
        const float code = pixel ? pixel[group * channels + c] : 0.0f;
        matrix.setInput(tap * channels + c, code);
        sums[tap * channels + c] += static_cast<int64_t>(code);
      }
    });
    for (int64_t o = 0; o < perGroup; ++o)
      matrix.setTarget(o, target[o]);
    target += outputs();
    matrix.finishRow();
  });
  matrix.flush();
}

/// All channels of a tap at once; sums of 256 positions are f32.
void LayerSums::addDepthwise(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, llvm::ArrayRef<float> targets) {
  const int64_t width = patches.groups, taps = hessian().dimension;
  std::vector<float> inputs(taps * width, 0.0f), products(taps * width, 0.0f);
  const float *target = targets.data();
  int64_t waiting = 0;
  auto flush = [&] {
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t c = 0; c < width; ++c) {
        columnSums[c * taps + tap] += static_cast<int64_t>(inputs[tap * width + c]);
        cross[c * taps + tap] += products[tap * width + c];
      }
    std::fill(inputs.begin(), inputs.end(), 0.0f);
    std::fill(products.begin(), products.end(), 0.0f);
    waiting = 0;
  };
  forEachPosition(patches, extents, [&](int64_t n, int64_t y, int64_t x) {
    forEachTap(patches, extents, codes, n, y, x, [&](int64_t tap, const float *pixel) {
      for (int64_t c = 0; pixel && c < width; ++c) {
        inputs[tap * width + c] += pixel[c];
        products[tap * width + c] += pixel[c] * target[c];
      }
    });
    target += width;
    if (++waiting == kRows)
      flush();
  });
  flush();
}

void LayerSums::add(llvm::ArrayRef<float> codes, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> targets) {
  sum.add(codes, shape);
  count += targets.size() / outputs();
  for (size_t i = 0; i < targets.size(); ++i)
    targetSums[i % outputs()] += targets[i];
  const std::array<int64_t, 3> extents = getExtents(shape);
  // A depthwise convolution has one output channel for each input channel.
  if (patches.groups > 1 && patches.channels == 1 && outputs() == patches.groups)
    return addDepthwise(codes, extents, targets);
  for (int64_t group = 0; group < patches.groups; ++group)
    addDense(codes, extents, targets, group);
}

void LayerSums::merge(const LayerSums &others) {
  sum.merge(others.sum);
  count += others.count;
  for (auto [mine, more] : llvm::zip_equal(columnSums, others.columnSums))
    mine += more;
  for (auto [mine, more] : llvm::zip_equal(targetSums, others.targetSums))
    mine += more;
  for (auto [mine, more] : llvm::zip_equal(cross, others.cross))
    mine += more;
}

llvm::ArrayRef<int64_t> LayerSums::inputSums(int64_t group) const {
  return llvm::ArrayRef<int64_t>(columnSums).slice(group * hessian().dimension, hessian().dimension);
}

Hessian LayerSums::centred() const {
  Hessian result = hessian();
  if (count == 0)
    return result;
  int64_t *to = result.sums.data();
  for (int64_t g = 0; g < result.groups; ++g) {
    llvm::ArrayRef<int64_t> sums = inputSums(g);
    for (int64_t i = 0; i < result.dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        *to++ -= static_cast<int64_t>(std::nearbyint(double(sums[i]) * double(sums[j]) / double(count)));
  }
  return result;
}

std::vector<double> LayerSums::products(int64_t output, bool centred) const {
  const int64_t dimension = hessian().dimension;
  std::vector<double> row(cross.begin() + output * dimension, cross.begin() + (output + 1) * dimension);
  llvm::ArrayRef<int64_t> sums = inputSums(group(output));
  for (int64_t j = 0; centred && count && j < dimension; ++j)
    row[j] -= targetSums[output] * double(sums[j]) / double(count);
  return row;
}
