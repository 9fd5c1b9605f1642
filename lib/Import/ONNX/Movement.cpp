//===- Movement.cpp - ONNX's operators that move elements -------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Quantization.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static FailureOr<int64_t> readAxis(Node &node, int64_t rank, int64_t otherwise) {
  const int64_t axis = fromStart(node.getInt("axis", otherwise), rank);
  if (axis < 0 || axis >= rank)
    return node.unsupported("an axis outside the rank of " + Twine(rank));
  return axis;
}

FailureOr<SmallVector<int64_t>> importer::readPermutation(Node &node) {
  int64_t rank = node.input(0).rank();
  SmallVector<int64_t> permutation = node.getInts("perm", llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank))));
  if (static_cast<int64_t>(permutation.size()) != rank || !isPermutationVector(permutation))
    return node.unsupported("a perm that is not a permutation");
  return permutation;
}

Value importer::transpose(Node &node, Value x, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape;
  for (int64_t d : permutation)
    shape.push_back(type.getDimSize(d));
  Value init = tensor::EmptyOp::create(node.builder, node.loc, node.mixedSizes(shape, x), type.getElementType());
  return linalg::TransposeOp::create(node.builder, node.loc, x, init, permutation)->getResult(0);
}

Value importer::interleave(Node &node, Value x, int64_t groups, int64_t high, int64_t wide) {
  if (high * wide == 1)
    return x;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
  const int64_t filters = shape[1] / (groups * high * wide);
  const int64_t sizes[] = {shape[0], groups, high, wide, filters, shape[2], shape[3]};
  SmallVector<int64_t> split, order, place(7, -1);
  for (int64_t d = 0; d < 7; ++d) {
    if ((d == 1 || d == 4) && sizes[d] == 1) // one group, or one channel in each
      continue;
    place[d] = split.size();
    split.push_back(sizes[d]);
  }
  for (int64_t d : {0, 1, 4, 5, 2, 6, 3})
    if (place[d] >= 0)
      order.push_back(place[d]);
  SmallVector<int64_t> target = {shape[0], groups * filters, shape[2] * high, shape[3] * wide};
  return reshape(node, transpose(node, reshape(node, x, split), order), target);
}

LogicalResult onnx_operators::buildTranspose(Node &node) {
  const Tensor &x = node.input(0);
  FailureOr<SmallVector<int64_t>> permutation = readPermutation(node);
  if (failed(permutation))
    return failure();
  if (x.isDynamic() && permutation->front() != 0)
    return node.unsupported("the dynamic dimension would not lead");
  Type element = x.element;
  node.setResult(transpose(node, node.operand(0), *permutation), element);
  return success();
}

/// Rank, blocksize and extents of DepthToSpace and SpaceToDepth.
static FailureOr<int64_t> readBlock(Node &node, ArrayRef<int64_t> divided) {
  const Tensor &x = node.input(0);
  int64_t block = node.getInt("blocksize", 0);
  if (x.rank() != 4 || ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front()))
    return node.unsupported("an input that has not rank 4, or a dynamic dimension that does not lead");
  if (block < 1 || llvm::any_of(divided, [&](int64_t d) { return x.shape[d] % (d == 1 ? block * block : block); }))
    return node.unsupported("a blocksize that does not divide the input");
  return block;
}

LogicalResult onnx_operators::buildDepthToSpace(Node &node) {
  FailureOr<int64_t> block = readBlock(node, {1});
  if (failed(block))
    return failure();
  const Tensor &x = node.input(0);
  Type element = x.element;
  SmallVector<int64_t> shape(x.shape);
  std::string mode = node.getString("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.unsupported("mode = '" + mode + "'");
  int64_t channels = shape[1] / (*block * *block);
  node.setResult(interleave(node, node.operand(0), mode == "DCR" ? 1 : channels, *block, *block), element);
  return success();
}

LogicalResult onnx_operators::buildSpaceToDepth(Node &node) {
  FailureOr<int64_t> block = readBlock(node, {2, 3});
  if (failed(block))
    return failure();
  const Tensor &x = node.input(0);
  Type element = x.element;
  SmallVector<int64_t> shape(x.shape);
  std::string mode = node.getString("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.unsupported("mode = '" + mode + "'");
  SmallVector<int64_t> permutation = mode == "DCR" ? SmallVector<int64_t>{0, 3, 5, 1, 2, 4} : SmallVector<int64_t>{0, 1, 3, 5, 2, 4};
  int64_t rows = shape[2] / *block, columns = shape[3] / *block;
  Value split = reshape(node, node.operand(0), {shape[0], shape[1], rows, *block, columns, *block});
  node.setResult(reshape(node, transpose(node, split, permutation), {shape[0], shape[1] * *block * *block, rows, columns}), element);
  return success();
}

/// Inputs without elements, as exporters make of a padding of no rows, are left out.
LogicalResult onnx_operators::buildConcat(Node &node) {
  const Tensor &first = node.input(0);
  FailureOr<int64_t> axis = readAxis(node, first.rank(), 0);
  if (failed(axis))
    return failure();
  SmallVector<unsigned> filled;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    const Tensor &next = node.input(i);
    if (next.element != first.element || next.rank() != first.rank() || ShapedType::isDynamic(next.shape[*axis]))
      return node.unsupported("inputs that differ in element type or rank, or are dynamic along the axis");
    for (int64_t d = 0; d < first.rank(); ++d)
      if (d != *axis && next.shape[d] != first.shape[d])
        return node.unsupported("inputs that differ outside the axis");
    if (next.shape[*axis] > 0)
      filled.push_back(i);
  }
  if (filled.size() < 2) {
    node.setResult(filled.empty() ? first : node.input(filled.front()));
    return success();
  }
  Type element = first.element;
  auto values = llvm::map_to_vector(filled, [&](unsigned i) { return node.operand(i); });
  node.setResult(tensor::ConcatOp::create(node.builder, node.loc, *axis, values), element);
  return success();
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// A list of integers: an input or, in older opsets, an attribute.
static FailureOr<std::vector<int64_t>> readList(Node &node, unsigned i, StringRef name, std::vector<int64_t> otherwise) {
  if (!node.hasInput(i)) {
    SmallVector<int64_t> attribute = node.getInts(name, otherwise);
    return std::vector<int64_t>(attribute.begin(), attribute.end());
  }
  HostTensorRef constant = node.constant(i);
  if (!constant || constant->isFloat())
    return node.unsupported(name + " that are not constant");
  std::vector<int64_t> list = constant->integers();
  if (!constant->symbolic) // the least integer, which exporters write for "from the start", is no mark of the dynamic size
    std::replace(list.begin(), list.end(), ShapedType::kDynamic, ShapedType::kDynamic + 1);
  return list;
}

/// Counts the positions start, start + step, ... before end.
static int64_t countSteps(int64_t start, int64_t end, int64_t step) {
  return std::max<int64_t>(0, step > 0 ? llvm::divideCeil(std::max<int64_t>(0, end - start), step)
                                       : llvm::divideCeil(std::max<int64_t>(0, start - end), -step));
}

/// Clamps ONNX's start and end of one axis of `size` into it.
static void clampSlice(SliceRange &range, int64_t d, int64_t size, int64_t start, int64_t end, int64_t step) {
  bool forward = step > 0;
  start = std::clamp<int64_t>(start < 0 ? std::max(start, -2 * size - 2) + size : start, 0, forward ? size : size - 1);
  end = std::clamp<int64_t>(end < 0 ? std::max(end, -2 * size - 2) + size : end, forward ? 0 : -1, size);
  range.starts[d] = start;
  range.steps[d] = step;
  range.sizes[d] = countSteps(start, end, step);
}

FailureOr<SliceRange> importer::readSlice(Node &node) {
  const Tensor &x = node.input(0);
  SliceRange range{SmallVector<int64_t>(x.rank(), 0), x.shape, SmallVector<int64_t>(x.rank(), 1)};
  auto starts = readList(node, 1, "starts", {}), ends = readList(node, 2, "ends", {});
  if (failed(starts) || failed(ends))
    return failure();
  size_t count = starts->size();
  auto all = llvm::seq<int64_t>(0, count);
  auto axes = readList(node, 3, "axes", {all.begin(), all.end()}), steps = readList(node, 4, "steps", std::vector<int64_t>(count, 1));
  if (failed(axes) || failed(steps))
    return failure();
  if (ends->size() != count || axes->size() != count || steps->size() != count || llvm::is_contained(*steps, 0))
    return node.unsupported("starts, ends, axes and steps that do not fit");
  for (auto [start, end, axis, step] : llvm::zip(*starts, *ends, *axes, *steps)) {
    int64_t d = fromStart(axis, x.rank());
    if (d < 0 || d >= x.rank())
      return node.unsupported("an axis outside the rank of " + Twine(x.rank()));
    bool toEnd = end >= std::numeric_limits<int32_t>::max() || (ShapedType::isDynamic(end) && step > 0);
    if (ShapedType::isDynamic(x.shape[d])) {
      if (start != 0 || !toEnd || step != 1)
        return node.unsupported("a slice of the dynamic dimension");
      continue;
    }
    if (ShapedType::isDynamic(start) || (ShapedType::isDynamic(end) && step > 0))
      return node.unsupported("a slice up to the size of the dynamic dimension");
    clampSlice(range, d, x.shape[d], start, end, step);
  }
  return range;
}

Value importer::extract(Node &node, Value x, const SliceRange &range, ArrayRef<int64_t> dropped) {
  OpBuilder &b = node.builder;
  SmallVector<OpFoldResult> offsets = getAsIndexOpFoldResult(b.getContext(), range.starts);
  SmallVector<OpFoldResult> steps = getAsIndexOpFoldResult(b.getContext(), range.steps);
  SmallVector<int64_t> shape(range.sizes);
  for (int64_t d : llvm::reverse(dropped))
    shape.erase(shape.begin() + d);
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(x.getType()).getElementType());
  return tensor::ExtractSliceOp::create(b, node.loc, type, x, offsets, node.mixedSizes(range.sizes, x), steps);
}

/// They are the rows of (dimensions before) x 1 x `d` x (dimensions behind).
Value importer::pick(Node &node, Value x, int64_t d, ArrayRef<int64_t> positions) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
  const bool dynamic = ShapedType::isDynamic(shape[0]);
  const int64_t before = ShapedType::getNumElements(ArrayRef(shape).slice(dynamic, d - dynamic));
  const int64_t behind = ShapedType::getNumElements(ArrayRef(shape).drop_front(d + 1));
  ResizeNearest resize;
  resize.rows.assign(positions.begin(), positions.end());
  resize.columns = llvm::to_vector(llvm::seq<int64_t>(0, behind));
  Value planes = reshape(node, x, {dynamic ? ShapedType::kDynamic : 1, before, shape[d], behind});
  shape[d] = positions.size();
  return reshape(node, buildResizeNearest(node.builder, node.loc, planes, resize), shape);
}

LogicalResult onnx_operators::buildSlice(Node &node) {
  FailureOr<SliceRange> range = readSlice(node);
  if (failed(range))
    return failure();
  if (llvm::is_contained(range->sizes, 0))
    return node.unsupported("an empty slice");
  Value value = node.operand(0);
  for (int64_t d = 0; d < node.input(0).rank(); ++d) {
    if (range->steps[d] > 0)
      continue;
    SmallVector<int64_t> positions; // backwards: picked one by one, and nothing is left for the slice
    for (int64_t i = 0; i < range->sizes[d]; ++i)
      positions.push_back(range->starts[d] + i * range->steps[d]);
    value = pick(node, value, d, positions);
    range->starts[d] = 0;
    range->steps[d] = 1;
  }
  node.setResult(extract(node, value, *range), node.input(0).element);
  return success();
}

LogicalResult onnx_operators::buildSplit(Node &node) {
  const Tensor &x = node.input(0);
  FailureOr<int64_t> axis = readAxis(node, x.rank(), 0);
  if (failed(axis))
    return failure();
  int64_t size = x.shape[*axis], parts = node.getInt("num_outputs", node.numResults());
  if (ShapedType::isDynamic(size) || parts < 1)
    return node.unsupported("a split of the dynamic dimension");
  int64_t chunk = llvm::divideCeil(size, parts);
  std::vector<int64_t> equal(parts, chunk);
  equal.back() = size - chunk * (parts - 1);
  FailureOr<std::vector<int64_t>> sizes = readList(node, 1, "split", equal);
  if (failed(sizes))
    return failure();
  if (sizes->size() != node.numResults() || std::accumulate(sizes->begin(), sizes->end(), int64_t(0)) != size ||
      llvm::any_of(*sizes, [](int64_t s) { return s <= 0; }))
    return node.unsupported("sizes that do not fit the input");
  SliceRange range{SmallVector<int64_t>(x.rank(), 0), x.shape, SmallVector<int64_t>(x.rank(), 1)};
  Type element = x.element;
  HostTensorRef constant = node.constant(0);
  for (auto [i, part] : llvm::enumerate(*sizes)) {
    range.sizes[*axis] = part;
    if (constant)
      node.setResult(sliceConstant(*constant, range), i);
    else
      node.setResult(extract(node, node.operand(0), range), element, i);
    range.starts[*axis] += part;
  }
  return success();
}

/// Slices of `x` along the axis at indices that are known when the model runs.
static LogicalResult buildRuntimeGather(Node &node, int64_t axis) {
  const Tensor &x = node.input(0), &indices = node.input(1);
  Type element = x.element;
  bool leads = axis == 0 ? !x.isDynamic() : !indices.isDynamic();
  if (!leads || ShapedType::isDynamic(x.shape[axis]) || !isa<IntegerType>(indices.element))
    return node.unsupported("indices that are not integers, or a dynamic dimension that would not lead");
  Value rows = halftone::buildGather(node.builder, node.loc, node.operand(0), node.operand(1), axis);
  if (axis == 0)
    tagTable(rows, node.input(0));
  node.setResult(rows, element);
  return success();
}

/// Gather along one axis at one index, or at indices that are a slice.
LogicalResult onnx_operators::buildGather(Node &node) {
  const Tensor &x = node.input(0);
  FailureOr<int64_t> axis = readAxis(node, x.rank(), 0);
  HostTensorRef indices = node.constant(1);
  if (failed(axis))
    return failure();
  if (!indices || indices->shape.size() > 1)
    return buildRuntimeGather(node, *axis);
  if (ShapedType::isDynamic(x.shape[*axis]) || indices->count() == 0)
    return node.unsupported("no indices, or the dynamic dimension");
  std::vector<int64_t> list = indices->integers();
  int64_t size = x.shape[*axis];
  for (int64_t &index : list)
    index = fromStart(index, size);
  int64_t step = list.size() > 1 ? list[1] - list[0] : 1;
  for (size_t i = 1; i < list.size(); ++i)
    if (step < 1 || list[i] - list[i - 1] != step)
      return buildRuntimeGather(node, *axis);
  if (list.front() < 0 || list.back() >= size)
    return node.unsupported("an index outside the input");
  SliceRange range{SmallVector<int64_t>(x.rank(), 0), x.shape, SmallVector<int64_t>(x.rank(), 1)};
  range.starts[*axis] = list.front();
  range.sizes[*axis] = list.size();
  range.steps[*axis] = step;
  SmallVector<int64_t> dropped;
  if (indices->shape.empty())
    dropped.push_back(*axis);
  node.setResult(extract(node, node.operand(0), range, dropped), x.element);
  return success();
}

//===----------------------------------------------------------------------===//
// Pad and Expand
//===----------------------------------------------------------------------===//

namespace {
/// How far each dimension is padded.
struct Padding {
  SmallVector<int64_t> low, high;

  bool concerns(int64_t d) const { return low[d] || high[d]; }
  bool isNone() const {
    return llvm::none_of(llvm::seq<int64_t>(0, low.size()), [&](int64_t d) { return concerns(d); });
  }
};
} // namespace

static FailureOr<Padding> readPadding(Node &node) {
  const Tensor &x = node.input(0);
  FailureOr<std::vector<int64_t>> amounts = readList(node, 1, "pads", {});
  FailureOr<SmallVector<int64_t>> axes = readAxes(node, 3, x.rank());
  if (failed(axes) || failed(amounts))
    return failure();
  if (axes->empty())
    *axes = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  if (amounts->size() != 2 * axes->size())
    return node.unsupported("pads that do not fit the rank");
  Padding padding{SmallVector<int64_t>(x.rank(), 0), SmallVector<int64_t>(x.rank(), 0)};
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    padding.low[axis] = (*amounts)[i];
    padding.high[axis] = (*amounts)[i + axes->size()];
    if (ShapedType::isDynamic(x.shape[axis]) && padding.concerns(axis))
      return node.unsupported("padding of the dynamic dimension");
    if (padding.concerns(axis) && (std::min<int64_t>(padding.low[axis], 0) + std::min<int64_t>(padding.high[axis], 0) + x.shape[axis] < 1 ||
                                   padding.low[axis] + padding.high[axis] + x.shape[axis] < 1))
      return node.unsupported("pads that leave nothing");
  }
  return padding;
}

/// Cuts off what negative amounts say, which become 0.
static Value cutNegative(Node &node, Value value, Padding &padding) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  SliceRange range{SmallVector<int64_t>(shape.size(), 0), SmallVector<int64_t>(shape), SmallVector<int64_t>(shape.size(), 1)};
  bool cuts = false;
  for (size_t d = 0; d < shape.size(); ++d)
    for (bool atEnd : {false, true}) {
      int64_t &amount = atEnd ? padding.high[d] : padding.low[d], cut = -std::min<int64_t>(amount, 0);
      cuts |= cut > 0;
      range.starts[d] += atEnd ? 0 : cut;
      range.sizes[d] -= cut > 0 ? cut : 0;
      amount += cut;
    }
  return cuts ? extract(node, value, range) : value;
}

/// The position within 0 .. size - 1 that position `i` beside them repeats.
static int64_t repeatedPosition(StringRef mode, int64_t i, int64_t size) {
  if (mode == "edge" || size == 1)
    return std::clamp<int64_t>(i, 0, size - 1);
  const int64_t period = mode == "wrap" ? size : 2 * size - 2;
  i = (i % period + period) % period;
  return i < size ? i : period - i;
}

/// The positions of dimension `d`, of `size`, that the padded one repeats.
static SmallVector<int64_t> repeatedPositions(const Padding &padding, StringRef mode, int64_t d, int64_t size) {
  SmallVector<int64_t> positions;
  for (int64_t i = -padding.low[d]; i < size + padding.high[d]; ++i)
    positions.push_back(repeatedPosition(mode, i, size));
  return positions;
}

/// Padding with elements of the input itself: height and width at once, other dimensions one by one.
static LogicalResult buildRepeatedPad(Node &node, const Padding &padding, StringRef mode) {
  const Tensor x = node.input(0);
  ResizeNearest resize;
  resize.channelsLast = x.rank() == 4 && padding.concerns(1) && !padding.concerns(3);
  const int64_t first = resize.channelsLast ? 1 : 2, last = resize.channelsLast ? 3 : 1;
  if (x.rank() == 4 && !padding.concerns(0) && !padding.concerns(last)) {
    resize.rows = repeatedPositions(padding, mode, first, x.shape[first]);
    resize.columns = repeatedPositions(padding, mode, first + 1, x.shape[first + 1]);
    node.setResult(buildResizeNearest(node.builder, node.loc, node.operand(0), resize), x.element);
    return success();
  }
  Value value = node.operand(0);
  for (int64_t d = 0; d < x.rank(); ++d)
    if (padding.concerns(d))
      value = pick(node, value, d, repeatedPositions(padding, mode, d, x.shape[d]));
  node.setResult(value, x.element);
  return success();
}

LogicalResult onnx_operators::buildPad(Node &node) {
  const Tensor x = node.input(0);
  std::string mode = node.getString("mode", "constant");
  HostTensorRef fill = node.constant(2);
  float value = node.getFloat("value", 0); // before opset 11
  if (!llvm::is_contained({"constant", "edge", "reflect", "wrap"}, mode) || (node.hasInput(2) && !fill))
    return node.unsupported("mode '" + mode + "', or a value that is not constant");
  FailureOr<Padding> padding = readPadding(node);
  if (failed(padding))
    return failure();
  SmallVector<int64_t> shape(x.shape);
  for (auto [d, size] : llvm::enumerate(shape))
    size += padding->concerns(d) ? padding->low[d] + padding->high[d] : 0;
  if (padding->isNone()) {
    node.setResult(x);
    return success();
  }
  if (mode != "constant")
    return buildRepeatedPad(node, *padding, mode);
  OpBuilder &b = node.builder;
  Value cut = cutNegative(node, node.operand(0), *padding);
  if (padding->isNone()) {
    node.setResult(cut, x.element);
    return success();
  }
  Value scalar = scalarConstant(b, node.loc, x.element, fill ? fill->scalar() : value);
  node.setResult(tensor::PadOp::create(b, node.loc, RankedTensorType::get(shape, storageType(x.element)),
                                       cut, getAsIndexOpFoldResult(b.getContext(), padding->low),
                                       getAsIndexOpFoldResult(b.getContext(), padding->high), scalar),
                 x.element);
  return success();
}

/// The tensor, repeated to at least the sizes.
static LogicalResult setExpanded(Node &node, const Tensor &x, ArrayRef<int64_t> sizes) {
  if (broadcastShapes(x.shape, sizes) == x.shape) {
    node.setResult(x);
    return success();
  }
  Type element = x.element;
  Value value = buildRepeated(node, x, sizes);
  if (!value)
    return failure();
  node.setResult(value, element);
  return success();
}

LogicalResult onnx_operators::buildExpand(Node &node) {
  const Tensor &x = node.input(0);
  HostTensorRef shape = node.constant(1);
  if (!shape)
    return node.unsupported("a shape that is not constant");
  SmallVector<int64_t> sizes = llvm::to_vector<4>(shape->integers());
  if (llvm::any_of(sizes, [](int64_t size) { return size < 1 && !ShapedType::isDynamic(size); }))
    return node.unsupported("an empty or negative size");
  if (ShapedType::isDynamicShape(ArrayRef<int64_t>(sizes).drop_front(!sizes.empty())))
    return node.unsupported("the dynamic dimension would not lead");
  return setExpanded(node, x, sizes);
}

LogicalResult onnx_operators::buildConstantOfShape(Node &node) {
  HostTensorRef shape = node.constant(0);
  std::optional<HostTensor> value = readFilling(node);
  if (!shape || !value)
    return node.unsupported("a shape that is not constant, or a value of more than one element");
  return setExpanded(node, toTensor(value->reshaped({})), llvm::to_vector<4>(shape->integers()));
}

/// Repeats along axes: each repeated dimension gets a new one before it, which is broadcast and joined again.
LogicalResult onnx_operators::buildTile(Node &node) {
  const Tensor x = node.input(0);
  HostTensorRef repeats = node.constant(1);
  if (!repeats || repeats->symbolic || repeats->count() != x.rank())
    return node.unsupported("repeats that are not constant with one entry for each dimension");
  SmallVector<int64_t> wide, target;
  SmallVector<AffineExpr> kept;
  for (auto [d, times] : llvm::enumerate(repeats->integers())) {
    if (times < 1 || (times != 1 && ShapedType::isDynamic(x.shape[d])))
      return node.unsupported("a repeat below 1, or of the dynamic dimension");
    if (times > 1)
      wide.push_back(times);
    kept.push_back(node.builder.getAffineDimExpr(wide.size()));
    wide.push_back(x.shape[d]);
    target.push_back(times > 1 ? times * x.shape[d] : x.shape[d]);
  }
  Value operand = node.operand(0);
  AffineMap map = AffineMap::get(wide.size(), 0, kept, node.builder.getContext());
  Value repeated = buildElementwise(node.builder, node.loc, operand, map, node.mixedSizes(wide, operand), storageType(x.element),
                                    [](OpBuilder &, Location, ValueRange e) { return e[0]; });
  node.setResult(reshape(node, repeated, target), x.element);
  return success();
}
