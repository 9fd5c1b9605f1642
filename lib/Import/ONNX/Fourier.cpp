//===- Fourier.cpp - ONNX's DFT, STFT and windows -------------------------===//
//
// A transform of a static length is a product with a constant matrix, whose columns are the real and the imaginary part of each
// frequency: of real input cos and -sin of 2 pi i k / n, of complex input twice as many rows. STFT is a convolution with the windowed
// matrix as filters.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Convolution.h"
#include "MatrixProduct.h"
#include "Movement.h"
#include "Operators.h"
#include "Shape.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// No window may be longer.
static constexpr int64_t kMostWindowElements = int64_t(1) << 28;

namespace {
struct Transform {
  int64_t length;      ///< of the transform; what the input has less is 0
  int64_t frequencies; ///< length, or the half that determines the other of real input
  bool inverse;

  /// What element `i` (its real or imaginary part) adds to a part of frequency `k`.
  double factor(int64_t i, bool fromImaginary, int64_t k, bool toImaginary) const {
    // i k is reduced first: the angle is exact to the last place
    const double angle = 2 * M_PI * static_cast<double>(i * k % length) / length, scale = inverse ? 1.0 / length : 1;
    const double sine = (inverse ? 1 : -1) * std::sin(angle), cosine = std::cos(angle);
    return scale * (fromImaginary == toImaginary ? cosine : toImaginary ? sine : -sine);
  }
};
} // namespace

/// (elements x parts) rows, (frequencies x 2) columns.
static HostTensor makeMatrix(Type element, const Transform &transform, int64_t elements, int64_t parts) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < elements; ++i)
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t k = 0; k < transform.frequencies; ++k)
        for (bool imaginary : {false, true})
          numbers.push_back(i < transform.length ? transform.factor(i, part, k, imaginary) : 0);
  return HostTensor::fromNumbers(element, {elements * parts, transform.frequencies * 2}, numbers);
}

/// Whether the elements are real or complex numbers, which the last dimension says.
static LogicalResult checkParts(Node &node, const Tensor &x) {
  if (!x.element.isF32() || x.rank() < 2 || (x.shape.back() != 1 && x.shape.back() != 2))
    return node.unsupported("an input that is not f32, or whose last dimension is not 1 or 2");
  return success();
}

/// The axis of DFT: an attribute before opset 20, then an input.
static FailureOr<int64_t> readAxis(Node &node, int64_t rank) {
  const bool isInput = node.opset >= 20;
  if (isInput && node.hasInput(2) && !node.constant(2))
    return node.unsupported("an axis that is not constant");
  const int64_t axis = fromStart(isInput ? (node.hasInput(2) ? static_cast<int64_t>(node.constant(2)->scalar()) : -2) : node.getInt("axis", 1), rank);
  if (axis < 0 || axis > rank - 2)
    return node.unsupported("an axis outside the dimensions before the last");
  return axis;
}

LogicalResult onnx_operators::buildDFT(Node &node) {
  const Tensor x = node.input(0);
  if (failed(checkParts(node, x)))
    return failure();
  FailureOr<int64_t> axis = readAxis(node, x.rank());
  if (failed(axis))
    return failure();
  if (ShapedType::isDynamic(x.shape[*axis]) || (node.hasInput(1) && !node.constant(1)))
    return node.unsupported("a length that is not constant");
  const bool oneSided = node.getInt("onesided", 0), inverse = node.getInt("inverse", 0);
  const int64_t length = node.hasInput(1) ? static_cast<int64_t>(node.constant(1)->scalar()) : x.shape[*axis], parts = x.shape.back();
  if (length < 1 || (oneSided && (inverse || parts == 2)))
    return node.unsupported("a length below 1, or onesided of complex or inverse");
  const Transform transform = {length, oneSided ? length / 2 + 1 : length, inverse};
  // The axis beside the parts, and back.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::rotate(order.begin() + *axis, order.begin() + *axis + 1, order.end() - 1);
  const bool moved = *axis != x.rank() - 2;
  if (moved && x.isDynamic() && *axis == 0)
    return node.unsupported("a length that is not constant");
  Value value = moved ? transpose(node, node.operand(0), order) : node.operand(0);
  SmallVector<int64_t> shape = llvm::map_to_vector(order, [&](int64_t d) { return x.shape[d]; });
  SmallVector<int64_t> rows(ArrayRef(shape).drop_back(2));
  rows.push_back(shape[x.rank() - 2] * parts);
  HostTensor matrix = makeMatrix(x.element, transform, shape[x.rank() - 2], parts);
  Value product = multiplyRows(node, reshape(node, value, rows), toTensor(std::move(matrix)));
  shape[x.rank() - 2] = transform.frequencies;
  shape.back() = 2;
  Value result = reshape(node, product, shape);
  node.setResult(moved ? transpose(node, result, invertPermutationVector(order)) : result);
  return success();
}

//===----------------------------------------------------------------------===//
// STFT
//===----------------------------------------------------------------------===//

/// The matrix as filters (2 frequencies) x parts x 1 x length, each element weighed by the window.
static HostTensor makeFilters(const HostTensor &matrix, ArrayRef<double> window, int64_t parts) {
  const auto length = static_cast<int64_t>(window.size());
  std::vector<double> numbers = matrix.numbers();
  for (auto [i, number] : llvm::enumerate(numbers))
    number *= window[i / matrix.shape[1] / parts];
  HostTensor weighed = HostTensor::fromNumbers(matrix.element, {length, parts, 1, matrix.shape[1]}, numbers);
  return weighed.transposed({3, 1, 2, 0});
}

LogicalResult onnx_operators::buildSTFT(Node &node) {
  Tensor x = node.input(0);
  if (x.rank() == 2) { // real, as exporters write it and runtimes read it
    x.shape.push_back(1);
    x.value = reshape(node, node.operand(0), x.shape);
  }
  HostTensorRef step = node.constant(1), window = node.hasInput(2) ? node.constant(2) : nullptr, frame = node.hasInput(3) ? node.constant(3) : nullptr;
  if (failed(checkParts(node, x)))
    return failure();
  if (!step || (node.hasInput(2) && !window) || (node.hasInput(3) && !frame) || (!window && !frame) || x.rank() != 3 || ShapedType::isDynamic(x.shape[1]))
    return node.unsupported("a signal of other than 2 or 3 dimensions or of dynamic length, or a step, window or length that is not constant");
  const int64_t length = frame ? static_cast<int64_t>(frame->scalar()) : window->count(), stride = static_cast<int64_t>(step->scalar());
  const bool oneSided = node.getInt("onesided", 1);
  if (stride < 1 || length < 1 || length > x.shape[1] || (window && window->count() != length) || (oneSided && x.shape[2] == 2))
    return node.unsupported("a step or length that does not fit the signal, or onesided of complex");
  const Transform transform = {length, oneSided ? length / 2 + 1 : length, /*inverse=*/false};
  const int64_t parts = x.shape[2], columns = 2 * transform.frequencies;
  std::vector<double> weights = window ? window->numbers() : std::vector<double>(length, 1);
  Convolution conv{{}, {}, /*groups=*/1, {}};
  conv.window.kernel = {1, length};
  conv.window.strides = {1, stride};
  conv.window.dilations = {1, 1};
  conv.window.pads = {0, 0, 0, 0};
  conv.window.output = {1, (x.shape[1] - length) / stride + 1};
  conv.weights = toTensor(makeFilters(makeMatrix(x.element, transform, length, parts), weights, parts));
  Value signal = materialize(node, x);
  signal = parts == 1 ? signal : transpose(node, signal, {0, 2, 1});
  conv.x = reshape(node, signal, {x.shape[0], parts, 1, x.shape[1]});
  Value result = buildConvolution(node, conv, scalarConstant(node.builder, node.loc, x.element, 0));
  Value frames = reshape(node, result, {x.shape[0], columns, conv.window.output[1]});
  node.setResult(reshape(node, transpose(node, frames, {0, 2, 1}), {x.shape[0], conv.window.output[1], transform.frequencies, 2}));
  return success();
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
/// `middle - first cos(2 pi i / n) + second cos(4 pi i / n)`.
struct CosineWindow {
  StringLiteral type;
  double middle, first, second;
};
} // namespace

static constexpr CosineWindow kWindows[] = {
    {"BlackmanWindow", 0.42, 0.5, 0.08},
    {"HammingWindow", 25.0 / 46, 21.0 / 46, 0},
    {"HannWindow", 0.5, 0.5, 0},
};

std::optional<HostTensor> onnx_operators::evaluateWindow(Node &node) {
  const CosineWindow *row = llvm::find_if(kWindows, [&](const CosineWindow &window) { return window.type == node.type(); });
  const HostTensor &given = *node.constant(0);
  Type element = elementType(node.builder.getContext(), node.getInt("output_datatype", 1));
  const int64_t size = static_cast<int64_t>(given.scalar()), period = node.getInt("periodic", 1) ? size : size - 1;
  if (given.symbolic || given.count() != 1 || size < 1 || size > kMostWindowElements || !element || !isa<FloatType>(element))
    return std::nullopt;
  std::vector<double> numbers;
  for (int64_t i = 0; i < size; ++i) {
    const double angle = period ? 2 * M_PI * static_cast<double>(i) / period : 0;
    numbers.push_back(row->middle - row->first * std::cos(angle) + row->second * std::cos(2 * angle));
  }
  return HostTensor::fromNumbers(element, size, numbers);
}
