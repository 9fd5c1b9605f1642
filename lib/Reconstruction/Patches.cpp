//===- Patches.cpp - what each output position of a contraction reads ---------===//
#include "halftone/Reconstruction/Patches.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Reconstruction/GramMatrix.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

/// Adds the padding over height and width of one tensor.pad of an NHWC tensor.
static bool addPadding(tensor::PadOp pad, Patches &patches) {
  ArrayRef<int64_t> low = pad.getStaticLow(), high = pad.getStaticHigh();
  if (low.size() != 4 || low[0] || low[3] || high[0] || high[3])
    return false;
  for (int64_t i : {0, 1}) {
    if (ShapedType::isDynamic(low[i + 1]) || ShapedType::isDynamic(high[i + 1]))
      return false;
    patches.padLow[i] += low[i + 1];
    patches.padHigh[i] += high[i + 1];
  }
  return true;
}

/// Strides or dilations, which are 1 where the operation does not say them.
static std::array<int64_t, 2> readPair(Operation *op, StringRef name) {
  auto pair = op->getAttrOfType<DenseIntElementsAttr>(name);
  if (!pair)
    return {1, 1};
  auto values = llvm::to_vector(pair.getValues<int64_t>());
  return {values[0], values[1]};
}

bool mlir::halftone::takesHessian(Operation *contraction) { return isInt8(contraction) && !contraction->hasAttr(kWithoutHessianAttr); }

std::optional<Patches> mlir::halftone::getPatches(const ContractionInput &input) {
  Operation *op = input.contraction;
  Patches patches;
  patches.channels = input.channels();
  if (isa<linalg::MatmulOp>(op))
    return patches;
  ArrayRef<int64_t> weights = cast<RankedTensorType>(getWeightOperand(op).get().getType()).getShape();
  bool grouped = isa<linalg::Conv2DNhwgcGfhwcOp>(op);
  patches.kernel = grouped ? std::array<int64_t, 2>{weights[2], weights[3]} : std::array<int64_t, 2>{weights[0], weights[1]};
  if (grouped)
    patches.groups = weights[0];
  else if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(op))
    patches.groups = patches.channels;
  patches.channels /= patches.groups;
  patches.strides = readPair(op, "strides");
  patches.dilations = readPair(op, "dilations");
  for (Value value = getActivationOperand(op).get(); value != input.value; value = value.getDefiningOp()->getOperand(0))
    if (auto pad = value.getDefiningOp<tensor::PadOp>(); pad && !addPadding(pad, patches))
      return std::nullopt;
  return patches;
}

HessianSum::HessianSum(const Patches &patches, std::string key) : patches(patches) {
  hessian = {std::move(key), patches.groups, patches.dimension(), {}};
  hessian.sums.resize(hessian.size());
}

void HessianSum::addDense(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, int64_t group) {
  int64_t size = triangleSize(hessian.dimension), channels = patches.channels;
  GramMatrix gram(hessian.dimension, llvm::MutableArrayRef<int64_t>(hessian.sums).slice(group * size, size));
  forEachPosition(patches, extents, [&](int64_t n, int64_t y, int64_t x) {
    forEachTap(patches, extents, codes, n, y, x, [&](int64_t tap, const float *pixel) {
      for (int64_t c = 0; c < channels; ++c)
        gram.set(tap * channels + c, pixel ? pixel[group * channels + c] : 0.0f);
    });
    gram.finishRow();
  });
  gram.flush();
}

/// All channels of a pair of taps at once; the sums of up to 256 positions are exact in f32.
void HessianSum::addDepthwise(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents) {
  int64_t width = patches.groups, size = triangleSize(hessian.dimension), waiting = 0;
  std::vector<float> zeros(width, 0.0f), sums(size * width, 0.0f);
  std::vector<const float *> taps(hessian.dimension);
  auto flush = [&] {
    for (int64_t c = 0; c < width; ++c)
      for (int64_t i = 0; i < size; ++i)
        hessian.sums[c * size + i] += static_cast<int64_t>(sums[i * width + c]);
    std::fill(sums.begin(), sums.end(), 0.0f);
    waiting = 0;
  };
  forEachPosition(patches, extents, [&](int64_t n, int64_t y, int64_t x) {
    forEachTap(patches, extents, codes, n, y, x,
               [&](int64_t tap, const float *pixel) { taps[tap] = pixel ? pixel : zeros.data(); });
    float *to = sums.data();
    for (int64_t i = 0; i < hessian.dimension; ++i)
      for (int64_t j = 0; j <= i; ++j, to += width)
        for (int64_t c = 0; c < width; ++c)
          to[c] += taps[i][c] * taps[j][c];
    if (++waiting == 256)
      flush();
  });
  flush();
}

std::array<int64_t, 3> mlir::halftone::getExtents(llvm::ArrayRef<int64_t> shape) {
  if (shape.size() == 4)
    return {shape[0], shape[1], shape[2]};
  std::array<int64_t, 3> extents{1, 1, 1};
  for (int64_t extent : shape.drop_back())
    extents[2] *= extent;
  return extents;
}

void HessianSum::add(llvm::ArrayRef<float> codes, llvm::ArrayRef<int64_t> shape) {
  const std::array<int64_t, 3> extents = getExtents(shape);
  if (patches.groups > 1 && patches.channels == 1)
    return addDepthwise(codes, extents);
  for (int64_t group = 0; group < patches.groups; ++group)
    addDense(codes, extents, group);
}

void HessianSum::merge(const HessianSum &others) {
  for (auto [mine, more] : llvm::zip_equal(hessian.sums, others.hessian.sums))
    mine += more;
}
