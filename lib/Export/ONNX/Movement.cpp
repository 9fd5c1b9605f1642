//===- Movement.cpp - reshapes, transposes, paddings, slices ----------------===//
#include "Exporter.h"
#include "mlir/IR/Matchers.h"
#include <cmath>
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

//===----------------------------------------------------------------------===//
// Transposes and reshapes
//===----------------------------------------------------------------------===//

LogicalResult exporter::exportTranspose(Exporter &exporter, linalg::TransposeOp op) {
  Tensor from = exporter.read(op.getInput(), hintOf(op));
  // Dimension i of the result is dimension permutation[i] of the input.
  SmallVector<int64_t> order = permuted(inverse(op.getPermutation()), from.order);
  exporter.bind(op->getResult(0), from.name, order, from.isUnsigned);
  return success();
}

/// Whether the dimensions of each group stand side by side in the order, first to last.
static bool keepsTogether(ArrayRef<ReassociationIndices> groups, ArrayRef<int64_t> order) {
  SmallVector<int64_t> place = inverse(order);
  for (const ReassociationIndices &group : groups)
    for (size_t i = 1; i < group.size(); ++i)
      if (place[group[i]] != place[group[i - 1]] + 1)
        return false;
  return true;
}

/// Reshapes to the result's type, whose dimensions are to stand in `order`.
static LogicalResult bindReshaped(Exporter &exporter, Operation *op, const Tensor &from, ArrayRef<int64_t> shape,
                                  ArrayRef<int64_t> order) {
  Value result = op->getResult(0);
  SmallVector<int64_t> target = permuted(shapeOf(result), order);
  if (llvm::count(target, ShapedType::kDynamic) > 1)
    return exporter.unsupported(op, "several dynamic dimensions");
  std::string name = exporter.graph.addReshape(from.name, permuted(shape, from.order), target, hintOf(op));
  exporter.bind(result, name, order, from.isUnsigned);
  return success();
}

LogicalResult exporter::exportCollapse(Exporter &exporter, tensor::CollapseShapeOp op) {
  Tensor from = exporter.read(op.getSrc(), hintOf(op));
  SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
  ArrayRef<int64_t> shape = op.getSrcType().getShape();
  SmallVector<int64_t> order = identityOrder(op.getResult());
  if (keepsTogether(groups, from.order)) {
    SmallVector<int64_t> place = inverse(from.order);
    llvm::sort(order, [&](int64_t a, int64_t b) { return place[groups[a].front()] < place[groups[b].front()]; });
    return bindReshaped(exporter, op, from, shape, order);
  }
  from.name = exporter.read(op.getSrc(), identityOrder(op.getSrc()), hintOf(op));
  from.order = identityOrder(op.getSrc());
  return bindReshaped(exporter, op, from, shape, order);
}

LogicalResult exporter::exportExpand(Exporter &exporter, tensor::ExpandShapeOp op) {
  Tensor from = exporter.read(op.getSrc(), hintOf(op));
  SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
  SmallVector<int64_t> order;
  // A tensor of rank 0 becomes dimensions of one element.
  for (int64_t dim : from.order)
    order.append(groups[dim].begin(), groups[dim].end());
  if (from.order.empty())
    order = identityOrder(op.getResult());
  return bindReshaped(exporter, op, from, op.getSrcType().getShape(), order);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Whether a padding is with that number.
static bool padsWith(tensor::PadOp pad, double number) {
  Attribute constant;
  if (!pad.getConstantPaddingValue() || !matchPattern(pad.getConstantPaddingValue(), m_Constant(&constant)))
    return false;
  if (auto real = dyn_cast<FloatAttr>(constant))
    return real.getValueAsDouble() == number;
  auto integer = dyn_cast<IntegerAttr>(constant);
  return integer && integer.getValue().getSExtValue() == number;
}

PaddedInput exporter::findPadding(Value value, ArrayRef<int64_t> spatialDims, double fill) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (!pad || !padsWith(pad, fill))
    return {value};
  PaddedInput padded{pad.getSource()};
  for (int64_t dim = 0; dim < pad.getResultType().getRank(); ++dim) {
    int64_t low = pad.getStaticLow()[dim], high = pad.getStaticHigh()[dim];
    const int64_t *spatial = llvm::find(spatialDims, dim);
    if (low < 0 || high < 0 || (spatial == spatialDims.end() && (low || high)))
      return {value};
    if (spatial == spatialDims.end())
      continue;
    padded.pads[spatial - spatialDims.begin()] = low;
    padded.pads[spatial - spatialDims.begin() + 2] = high;
  }
  return padded;
}

std::string exporter::makePad(Exporter &exporter, tensor::PadOp op, ArrayRef<int64_t> order, StringRef hint) {
  Attribute constant;
  SmallVector<int64_t> pads = permuted(op.getStaticLow(), order);
  pads.append(permuted(op.getStaticHigh(), order));
  std::optional<ConstantTensor> fill;
  if (Value value = op.getConstantPaddingValue(); value && matchPattern(value, m_Constant(&constant)))
    fill = makeConstantTensor(DenseElementsAttr::get(RankedTensorType::get({}, value.getType()), constant), {}, {});
  bool isStatic = !llvm::is_contained(pads, ShapedType::kDynamic);
  if (!fill || !isStatic) {
    (void)exporter.unsupported(op, "padding of an amount or a value that is not constant");
    return "unsupported";
  }
  std::string name = hint.empty() ? hintOf(op) : hint.str();
  if (exporter.read(op.getSource(), name).isUnsigned)
    fill->type = onnxType(IntegerType::get(op.getContext(), 8, IntegerType::Unsigned));
  return exporter.graph.addNode("Pad",
                                {exporter.read(op.getSource(), order, name), exporter.graph.addIntegers(pads, ""),
                                 exporter.graph.addConstant(std::move(*fill), "")},
                                name);
}

//===----------------------------------------------------------------------===//
// Slices and concatenations
//===----------------------------------------------------------------------===//

/// Removes the dimensions of one element that the slice drops.
static LogicalResult bindWithoutDropped(Exporter &exporter, tensor::ExtractSliceOp op, const Tensor &sliced) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<int64_t> number(op.getSourceType().getRank(), 0), order, kept(op.getStaticSizes());
  for (int64_t dim = 0, next = 0; dim < op.getSourceType().getRank(); ++dim)
    number[dim] = dropped[dim] ? -1 : next++;
  for (int64_t dim : sliced.order)
    if (!dropped[dim])
      order.push_back(number[dim]);
  return bindReshaped(exporter, op, sliced, kept, order);
}

LogicalResult exporter::exportSlice(Exporter &exporter, tensor::ExtractSliceOp op) {
  Tensor from = exporter.read(op.getSource(), hintOf(op));
  SmallVector<int64_t> starts, ends, axes, steps;
  SmallVector<int64_t> place = inverse(from.order);
  for (int64_t dim = 0; dim < op.getSourceType().getRank(); ++dim) {
    int64_t offset = op.getStaticOffsets()[dim], size = op.getStaticSizes()[dim], step = op.getStaticStrides()[dim];
    if (offset == 0 && step == 1 && size == op.getSourceType().getDimSize(dim))
      continue;
    if (ShapedType::isDynamic(offset) || ShapedType::isDynamic(size) || ShapedType::isDynamic(step))
      return exporter.unsupported(op, "a slice whose place is not constant");
    starts.push_back(offset);
    ends.push_back(offset + (size - 1) * step + 1);
    axes.push_back(place[dim]);
    steps.push_back(step);
  }
  Graph &graph = exporter.graph;
  if (!starts.empty())
    from.name = graph.addNode("Slice",
                              {from.name, graph.addIntegers(starts, ""), graph.addIntegers(ends, ""),
                               graph.addIntegers(axes, ""), graph.addIntegers(steps, "")},
                              hintOf(op));
  return bindWithoutDropped(exporter, op, from);
}

LogicalResult exporter::exportConcat(Exporter &exporter, tensor::ConcatOp op) {
  auto isUnsigned = [&](Value input) { return exporter.read(input, hintOf(op)).isUnsigned; };
  Tensor first = exporter.read(op.getInputs().front(), hintOf(op));
  const bool anyUnsigned = llvm::any_of(op.getInputs(), isUnsigned); // constants of bytes are signed
  SmallVector<std::string> inputs;
  for (Value input : op.getInputs()) {
    inputs.push_back(exporter.read(input, first.order, hintOf(op)));
    if (anyUnsigned && !isUnsigned(input))
      inputs.back() = exporter.graph.addNode("Cast", inputs.back(), hintOf(op), {{"to", int64_t(onnx::TensorProto::UINT8)}});
  }
  int64_t axis = inverse(first.order)[op.getDim()];
  exporter.bind(op.getResult(), exporter.graph.addNode("Concat", inputs, hintOf(op), {{"axis", axis}}), first.order, anyUnsigned);
  return success();
}
