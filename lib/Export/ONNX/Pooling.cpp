//===- Pooling.cpp - max and average pools ----------------------------------===//
//
// What a window reaches beyond its pads (ceil_mode at import) is written as more padding at the end, which counts in no mean.
//
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

/// Runtimes want each pad smaller than the kernel.
static bool fitsKernel(ArrayRef<int64_t> pads, ArrayRef<int64_t> kernel) {
  for (int64_t d = 0; d < 2; ++d)
    if (pads[d] >= kernel[d] || pads[d + 2] >= kernel[d])
      return false;
  return true;
}

/// What no maximum takes from padding: -infinity, or the least integer.
static double lowestOf(Type element, bool isUnsigned) {
  if (isa<FloatType>(element))
    return -std::numeric_limits<double>::infinity();
  return isUnsigned ? 0 : -128;
}

/// Strides and dilations.
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>> stepsOf(linalg::LinalgOp op) {
  if (auto pool = dyn_cast<linalg::PoolingNhwcMaxOp>(*op))
    return {getInts(pool.getStrides()), getInts(pool.getDilations())};
  auto pool = cast<linalg::PoolingNhwcMaxUnsignedOp>(*op);
  return {getInts(pool.getStrides()), getInts(pool.getDilations())};
}

LogicalResult exporter::exportMaxPool(Exporter &exporter, linalg::LinalgOp op) {
  Value input = op->getOperand(0);
  Type element = getElementTypeOrSelf(input.getType());
  bool isUnsigned = isa<linalg::PoolingNhwcMaxUnsignedOp>(op);
  if (!element.isF32() && !element.isInteger(8))
    return exporter.unsupported(op, "a pool of elements that are neither f32 nor 8-bit integers");
  SmallVector<int64_t> kernel(shapeOf(op->getOperand(1)));
  PaddedInput padded = findPadding(input, {1, 2}, lowestOf(element, isUnsigned));
  if (!fitsKernel(padded.pads, kernel))
    padded = {input};
  auto [strides, dilations] = stepsOf(op);
  SmallVector<NodeAttribute> attributes{{"kernel_shape", kernel},
                                        {"strides", strides},
                                        {"dilations", dilations},
                                        {"pads", SmallVector<int64_t>(padded.pads.begin(), padded.pads.end())}};
  std::string x = exporter.read(padded.source, kChannelsFirst, hintOf(op));
  if (element.isInteger(8) && exporter.read(padded.source, hintOf(op)).isUnsigned != isUnsigned)
    return exporter.unsupported(op, "a pool of integers of the other sign");
  exporter.bind(op->getResult(0), exporter.graph.addNode("MaxPool", x, hintOf(op), attributes), kChannelsFirst, isUnsigned);
  return success();
}

LogicalResult exporter::exportAveragePool(Exporter &exporter, CompositeOp op) {
  AvgPool pool = AvgPool::fromParameters(op.getParameters());
  SmallVector<int64_t> order = pool.channelsLast ? SmallVector<int64_t>(ArrayRef<int64_t>(kChannelsFirst)) : identityOrder(4);
  Value input = op.getInputs()[0];
  std::string x = exporter.read(input, order, hintOf(op));
  SmallVector<int64_t> plane = permuted(shapeOf(input), {order[2], order[3]});
  SmallVector<int64_t> pads(pool.pads.begin(), pool.pads.end()), kernel(pool.kernel.begin(), pool.kernel.end());
  bool overhangs = pool.overhang[0] || pool.overhang[1], countsPads = pool.countIncludePad;
  bool hasPads = llvm::any_of(pads, [](int64_t pad) { return pad > 0; });
  if (countsPads && overhangs) {
    // Pads count, the overhang does not: so the pads are data.
    SmallVector<int64_t> all = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
    if (hasPads)
      x = exporter.graph.addNode("Pad", {x, exporter.graph.addIntegers(all, ""), exporter.graph.addScalar(0, "")}, hintOf(op));
    pads.assign(4, 0);
    countsPads = false;
  }
  for (int64_t d = 0; d < 2; ++d)
    pads[d + 2] += pool.overhang[d];
  if (!fitsKernel(pads, kernel))
    return exporter.unsupported(op, "padding that is as large as the kernel");
  bool dilated = pool.dilations[0] != 1 || pool.dilations[1] != 1;
  std::string name;
  if (kernel == plane && !hasPads && !overhangs && !dilated) {
    name = exporter.graph.addNode("GlobalAveragePool", x, hintOf(op));
  } else {
    SmallVector<NodeAttribute> attributes{{"kernel_shape", kernel},
                                          {"strides", SmallVector<int64_t>(pool.strides.begin(), pool.strides.end())},
                                          {"pads", pads},
                                          {"count_include_pad", int64_t(countsPads)}};
    if (dilated) {
      attributes.push_back({"dilations", SmallVector<int64_t>(pool.dilations.begin(), pool.dilations.end())});
      exporter.graph.require(19);
    }
    name = exporter.graph.addNode("AveragePool", x, hintOf(op), attributes);
  }
  exporter.bind(op->getResult(0), name, order);
  return success();
}
