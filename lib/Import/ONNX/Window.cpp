//===- Window.cpp - sliding windows of convolutions and pools ---------------===//
#include "Window.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// auto_pad SAME: an output of ceil(extent / stride), the odd pad at the end (upper) or the beginning (lower).
static void padToSame(Window &window, ArrayRef<int64_t> spatial, bool upper) {
  const int64_t rank = spatial.size();
  for (int64_t d = 0; d < rank; ++d) {
    window.output[d] = llvm::divideCeil(spatial[d], window.strides[d]);
    int64_t total = std::max<int64_t>(0, (window.output[d] - 1) * window.strides[d] + window.reach(d) - spatial[d]);
    window.pads[d] = upper ? total / 2 : total - total / 2;
    window.pads[d + rank] = total - window.pads[d];
  }
}

/// Sets the output extents of explicit pads; with ceil_mode also windows that begin inside the input or its leading pad
/// and end beyond the trailing pad.
static LogicalResult setOutput(Node &node, Window &window, ArrayRef<int64_t> spatial, bool ceil) {
  const int64_t rank = spatial.size();
  for (int64_t d = 0; d < rank; ++d) {
    int64_t stride = window.strides[d], room = spatial[d] + window.pads[d] + window.pads[d + rank] - window.reach(d);
    if (ceil && room < 0 && room > -stride) { // one window, which ends beyond the trailing pad
      window.output[d] = 1;
      window.overhang[d] = -room;
      continue;
    }
    if (room < 0)
      return node.unsupported("its kernel is larger than the padded input: " + Twine(window.reach(d)) + " positions of " +
                              Twine(window.reach(d) + room));
    window.output[d] = room / stride + 1;
    if (!ceil || room % stride == 0 || window.output[d] * stride >= spatial[d] + window.pads[d])
      continue;
    window.overhang[d] = stride - room % stride;
    ++window.output[d];
  }
  return success();
}

static LogicalResult checkWindow(Node &node, const Window &window, size_t rank) {
  if (window.kernel.size() != rank || window.strides.size() != rank || window.dilations.size() != rank || window.pads.size() != 2 * rank)
    return node.unsupported("kernel_shape, strides, dilations or pads do not fit the rank of the input");
  auto positive = [](int64_t i) { return i > 0; };
  if (!llvm::all_of(window.strides, positive) || !llvm::all_of(window.dilations, positive) ||
      !llvm::all_of(window.kernel, positive))
    return node.unsupported("kernel_shape, strides and dilations must be positive");
  if (llvm::any_of(window.pads, [](int64_t i) { return i < 0; }))
    return node.unsupported("negative pads");
  return success();
}

FailureOr<Window> importer::readWindow(Node &node, ArrayRef<int64_t> spatial, ArrayRef<int64_t> kernel,
                                             bool isPool) {
  SmallVector<int64_t> ones(spatial.size(), 1), zeros(2 * spatial.size(), 0), extents(spatial);
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = node.getInts("strides", ones);
  window.dilations = node.getInts("dilations", ones);
  window.pads = node.getInts("pads", zeros);
  if (spatial.size() == 1) {
    extents.insert(extents.begin(), 1);
    for (auto *list : {&window.kernel, &window.strides, &window.dilations})
      list->insert(list->begin(), 1);
    if (window.pads.size() == 2)
      window.pads = {0, window.pads[0], 0, window.pads[1]};
  }
  if (failed(checkWindow(node, window, extents.size())))
    return failure();
  if (ShapedType::isDynamicShape(extents))
    return node.unsupported("a dynamic spatial dimension");
  window.output.assign(extents.size(), 0);
  window.overhang.assign(extents.size(), 0);
  std::string mode = node.getString("auto_pad", "NOTSET");
  bool ceil = isPool && node.getInt("ceil_mode", 0);
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    padToSame(window, extents, mode == "SAME_UPPER");
    return window;
  }
  if (mode == "VALID")
    window.pads.assign(2 * extents.size(), 0);
  else if (mode != "NOTSET" && !mode.empty())
    return node.unsupported("auto_pad = '" + mode + "'");
  if (failed(setOutput(node, window, extents, ceil)))
    return failure();
  return window;
}

SplitWindow importer::splitWindow(const Window &w) {
  Window plane, depth;
  auto split = [](ArrayRef<int64_t> list, auto &ofPlane, auto &ofDepth, int64_t none) {
    ofPlane.assign({list[1], list[2]});
    ofDepth.assign({list[0], none});
  };
  split(w.kernel, plane.kernel, depth.kernel, 1);
  split(w.strides, plane.strides, depth.strides, 1);
  split(w.dilations, plane.dilations, depth.dilations, 1);
  split(w.overhang, plane.overhang, depth.overhang, 0);
  split(w.output, plane.output, depth.output, w.output[1] * w.output[2]);
  plane.pads = {w.pads[1], w.pads[2], w.pads[4], w.pads[5]};
  depth.pads = {w.pads[0], 0, w.pads[3], 0};
  return {plane, depth};
}

Value importer::padWindow(Node &node, Value x, const Window &window, Value fill) {
  OpBuilder &b = node.builder;
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
  SmallVector<OpFoldResult> low(4, b.getIndexAttr(0)), high(4, b.getIndexAttr(0));
  bool any = false;
  for (int64_t d = 0; d < 2; ++d) {
    int64_t after = window.pads[d + 2] + window.overhang[d];
    low[d + 2] = b.getIndexAttr(window.pads[d]);
    high[d + 2] = b.getIndexAttr(after);
    shape[d + 2] += window.pads[d] + after;
    any |= window.pads[d] || after;
  }
  if (!any)
    return x;
  return tensor::PadOp::create(b, node.loc, RankedTensorType::get(shape, fill.getType()), x, low, high, fill);
}

Value importer::addHeight(Node &node, Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  if (type.getRank() != 3)
    return x;
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin() + 2, 1);
  SmallVector<OpFoldResult> sizes = node.mixedSizes(shape, x);
  return tensor::ExpandShapeOp::create(node.builder, node.loc, RankedTensorType::get(shape, type.getElementType()), x,
                                       SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}}, sizes);
}

Value importer::removeHeight(Node &node, Value x, int64_t rank) {
  if (rank != 3)
    return x;
  return tensor::CollapseShapeOp::create(node.builder, node.loc, x, SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}});
}

Value importer::makeFilled(Node &node, ArrayRef<int64_t> shape, Value like, Value fill) {
  Value init = tensor::EmptyOp::create(node.builder, node.loc, node.mixedSizes(shape, like), fill.getType());
  return linalg::FillOp::create(node.builder, node.loc, fill, init).getResult(0);
}
