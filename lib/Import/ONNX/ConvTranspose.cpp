//===- ConvTranspose.cpp - ONNX's ConvTranspose -----------------------------===//
//
// A transposed convolution of stride s writes output position s q + r from the inputs q, q - 1, ... and the taps r,
// r + s, ...: for each of the s remainders (phases) an ordinary convolution of stride 1. All phases become one
// convolution with s_h s_w times as many filters, whose results are then interleaved (depth to space) and cropped. No
// input is multiplied by a zero between positions; filters are padded with zeros where a phase has a tap less.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Convolution.h"
#include "Movement.h"
#include "Operators.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// The window over height and width, and what the convolution of the phases has in each of them.
struct Phases {
  Window window;                     ///< of the node: `output` is the node's
  SmallVector<int64_t, 2> taps;      ///< of one phase
  SmallVector<int64_t, 2> positions; ///< that the convolution writes, of each phase
  int64_t count() const { return window.strides[0] * window.strides[1]; }
};
} // namespace

/// Sets the pads that give an output of `wanted` extents; the odd one is at the end for SAME_UPPER, else at the beginning.
/// Positions beyond what the kernel reaches are behind all others.
static void padToOutput(Window &window, ArrayRef<int64_t> full, ArrayRef<int64_t> wanted, bool upper) {
  for (int64_t d = 0; d < 2; ++d) {
    int64_t total = std::max<int64_t>(0, full[d] - wanted[d]);
    window.pads[d] = upper ? total / 2 : total - total / 2;
    window.pads[d + 2] = total - window.pads[d];
  }
}

/// Sets pads and output from the attributes pads, output_padding, output_shape and auto_pad.
static LogicalResult setOutput(Node &node, Window &window, ArrayRef<int64_t> spatial, int64_t rank) {
  auto readPair = [&](StringRef name, int64_t otherwise) {
    SmallVector<int64_t> list = node.getInts(name);
    if (rank == 3 && list.size() == 1)
      list.insert(list.begin(), otherwise);
    return list;
  };
  SmallVector<int64_t> extra = readPair("output_padding", 0), wanted = readPair("output_shape", 1), full;
  extra.resize(2, 0);
  for (int64_t d = 0; d < 2; ++d)
    full.push_back((spatial[d] - 1) * window.strides[d] + extra[d] + window.reach(d));
  std::string mode = node.getString("auto_pad", "NOTSET");
  bool upper = mode == "SAME_UPPER";
  if (wanted.empty() && (upper || mode == "SAME_LOWER"))
    wanted = {spatial[0] * window.strides[0], spatial[1] * window.strides[1]};
  if (wanted.size() > 2)
    wanted.erase(wanted.begin(), wanted.end() - 2); // batch and channels may stand before them
  if (!wanted.empty())
    padToOutput(window, full, wanted, upper);
  for (int64_t d = 0; d < 2; ++d) {
    window.output[d] = wanted.empty() ? full[d] - window.pads[d] - window.pads[d + 2] : wanted[d];
    if (window.output[d] < 1 || extra[d] < 0)
      return node.unsupported("pads or output_padding that leave no output");
  }
  return success();
}

static FailureOr<Phases> readPhases(Node &node, const Tensor &x, ArrayRef<int64_t> kernel) {
  ArrayRef<int64_t> spatial = ArrayRef<int64_t>(x.shape).drop_front(2);
  // Any extent does here: what readWindow says of the output is that of a convolution.
  SmallVector<int64_t> extents(spatial), large(spatial.size(), int64_t(1) << 40);
  if (ShapedType::isDynamicShape(spatial))
    return node.unsupported("a dynamic spatial dimension");
  FailureOr<Window> window = readWindow(node, large, kernel, /*isPool=*/false);
  if (failed(window))
    return failure();
  if (StringRef(node.getString("auto_pad", "NOTSET")).starts_with("SAME"))
    window->pads = {0, 0, 0, 0};
  if (extents.size() == 1)
    extents.insert(extents.begin(), 1);
  if (failed(setOutput(node, *window, extents, x.rank())))
    return failure();
  Phases phases{*window, {}, {}};
  for (int64_t d = 0; d < 2; ++d) {
    phases.taps.push_back(llvm::divideCeil(window->reach(d), window->strides[d]));
    phases.positions.push_back(llvm::divideCeil(window->pads[d] + window->output[d], window->strides[d]));
  }
  return phases;
}

/// Where tap `t` of phase `r` stands in the kernel along d; nothing if it is a zero.
static std::optional<int64_t> tapOf(const Phases &phases, int64_t d, int64_t r, int64_t t) {
  const Window &window = phases.window;
  int64_t position = r + (phases.taps[d] - 1 - t) * window.strides[d];
  if (position % window.dilations[d] || position / window.dilations[d] >= window.kernel[d])
    return std::nullopt;
  return position / window.dilations[d];
}

/// The filters of all phases, (groups phases F/groups) x C/groups x TH x TW, from weights C x F/groups x KH x KW.
static HostTensor phaseFilters(const Tensor &weights, const Phases &phases, int64_t groups) {
  int64_t channels = weights.shape[0] / groups, filters = weights.shape[1];
  int64_t high = phases.window.kernel[0], wide = phases.window.kernel[1];
  std::vector<double> from = weights.constant->numbers(), to;
  SmallVector<int64_t> shape = {groups * phases.count() * filters, channels, phases.taps[0], phases.taps[1]};
  to.reserve(shape[0] * shape[1] * shape[2] * shape[3]);
  for (int64_t index = 0; index < shape[0]; ++index) {
    int64_t f = index % filters, phase = index / filters % phases.count(), g = index / filters / phases.count();
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < shape[2]; ++y)
        for (int64_t x = 0; x < shape[3]; ++x) {
          std::optional<int64_t> ky = tapOf(phases, 0, phase / phases.window.strides[1], y);
          std::optional<int64_t> kx = tapOf(phases, 1, phase % phases.window.strides[1], x);
          int64_t filter = (g * channels + c) * filters + f;
          to.push_back(ky && kx ? from[(filter * high + *ky) * wide + *kx] : 0);
        }
  }
  return HostTensor::fromNumbers(weights.element, shape, to);
}

/// The bias of each filter, once for each phase.
static HostTensor phaseBias(const HostTensor &bias, const Phases &phases, int64_t groups) {
  int64_t filters = bias.count() / groups;
  std::vector<double> from = bias.numbers(), to;
  for (int64_t index = 0; index < bias.count() * phases.count(); ++index)
    to.push_back(from[index / filters / phases.count() * filters + index % filters]);
  return HostTensor::fromNumbers(bias.element, {static_cast<int64_t>(to.size())}, to);
}

/// The window of the convolution of the phases over `spatial` inputs.
static Window phaseWindow(const Phases &phases, ArrayRef<int64_t> spatial) {
  Window window;
  window.kernel = phases.taps;
  window.strides = window.dilations = {1, 1};
  window.pads = {0, 0, 0, 0};
  window.output = {0, 0};
  for (int64_t d = 0; d < 2; ++d) {
    window.pads[d] = phases.taps[d] - 1;
    window.pads[d + 2] = std::max<int64_t>(0, phases.positions[d] - spatial[d]);
    window.output[d] = spatial[d] + window.pads[d + 2];
  }
  return window;
}

/// The node's part of the interleaved positions.
static Value crop(Node &node, Value x, const Phases &phases) {
  OpBuilder &b = node.builder;
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape = {type.getDimSize(0), type.getDimSize(1), phases.window.output[0], phases.window.output[1]};
  if (ArrayRef<int64_t>(shape) == type.getShape())
    return x;
  SmallVector<OpFoldResult> ones(4, b.getIndexAttr(1));
  SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), b.getIndexAttr(0), b.getIndexAttr(phases.window.pads[0]),
                                       b.getIndexAttr(phases.window.pads[1])};
  return tensor::ExtractSliceOp::create(b, node.loc, RankedTensorType::get(shape, type.getElementType()), x, offsets,
                                        node.mixedSizes(shape, x), ones);
}

static LogicalResult check(Node &node, const Tensor &x, const Tensor &weights, int64_t groups) {
  if (!x.element.isF32() || !weights.element.isF32())
    return node.unsupported("it is not f32");
  if (x.rank() != 3 && x.rank() != 4)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  if (weights.rank() != x.rank() || groups < 1 || weights.shape[0] != x.shape[1] || x.shape[1] % groups)
    return node.unsupported("weights and group do not fit the input's " + Twine(x.shape[1]) + " channels");
  if (!weights.constant || (node.hasInput(2) && !node.constant(2)))
    return node.unsupported("weights or a bias that are not constant");
  if (node.hasInput(2) && node.input(2).shape != ArrayRef<int64_t>{weights.shape[1] * groups})
    return node.unsupported("a bias that does not fit the weights");
  return success();
}

LogicalResult onnx_operators::buildConvTranspose(Node &node) {
  const Tensor &x = node.input(0);
  Tensor weights = node.input(1);
  int64_t groups = node.getInt("group", 1), rank = x.rank();
  if (failed(check(node, x, weights, groups)))
    return failure();
  ArrayRef<int64_t> kernel = ArrayRef<int64_t>(weights.shape).drop_front(2);
  if (node.getInts("kernel_shape", kernel) != kernel)
    return node.unsupported("kernel_shape differs from the weights");
  FailureOr<Phases> phases = readPhases(node, x, kernel);
  if (failed(phases))
    return failure();
  Value zero = scalarConstant(node.builder, node.loc, x.element, 0);
  Value input = addHeight(node, node.operand(0));
  Convolution conv{{}, {}, groups, phaseWindow(*phases, cast<RankedTensorType>(input.getType()).getShape().drop_front(2))};
  conv.weights = toTensor(phaseFilters(weights, *phases, groups));
  conv.x = padWindow(node, input, conv.window, zero);
  Value result = buildConvolution(node, conv, zero);
  if (node.hasInput(2))
    result = addBias(node, result, node.materialize(phaseBias(*node.constant(2), *phases, groups)));
  result = interleave(node, result, groups, phases->window.strides[0], phases->window.strides[1]);
  result = crop(node, result, *phases);
  node.setResult(removeHeight(node, result, rank));
  return success();
}
