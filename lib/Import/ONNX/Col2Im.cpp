//===- Col2Im.cpp - ONNX's Col2Im -----------------------------------------===//
//
// Each position of the picture is the sum of the elements of those blocks that cover it. Which these are is known: their places, filled
// up with that of a zero behind all elements, are constant indices of a gather, whose result is summed.
//
//===----------------------------------------------------------------------===//
#include "Movement.h"
#include "Operators.h"
#include "Reduction.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// How blocks lie on a picture of any number of dimensions.
struct Blocks {
  SmallVector<int64_t> picture, block, dilations, strides, pads;
  SmallVector<int64_t> counts; ///< of blocks along each dimension

  int64_t elements() const { return ShapedType::getNumElements(block) * ShapedType::getNumElements(counts); }
};
} // namespace

static FailureOr<Blocks> readBlocks(Node &node) {
  HostTensorRef picture = node.constant(1), block = node.constant(2);
  if (!picture || !block)
    return node.unsupported("image_shape or block_shape that is not constant");
  Blocks blocks;
  llvm::append_range(blocks.picture, picture->integers());
  llvm::append_range(blocks.block, block->integers());
  const size_t rank = blocks.picture.size();
  SmallVector<int64_t> ones(rank, 1), zeros(2 * rank, 0);
  blocks.dilations = node.getInts("dilations", ones);
  blocks.strides = node.getInts("strides", ones);
  blocks.pads = node.getInts("pads", zeros);
  if (rank == 0 || blocks.block.size() != rank || blocks.dilations.size() != rank || blocks.strides.size() != rank || blocks.pads.size() != 2 * rank)
    return node.unsupported("block_shape, dilations, strides or pads that do not fit image_shape");
  auto positive = [](int64_t i) { return i > 0; };
  for (auto *list : {&blocks.picture, &blocks.block, &blocks.dilations, &blocks.strides})
    if (!llvm::all_of(*list, positive))
      return node.unsupported("sizes, dilations or strides that are not positive");
  for (size_t d = 0; d < rank; ++d) {
    const int64_t room = blocks.picture[d] + blocks.pads[d] + blocks.pads[d + rank] - blocks.dilations[d] * (blocks.block[d] - 1) - 1;
    if (room < 0)
      return node.unsupported("a block that is larger than the padded image");
    blocks.counts.push_back(room / blocks.strides[d] + 1);
  }
  return blocks;
}

/// For each position of the picture the elements of block x count, as row-major places in them, that belong there.
static std::vector<SmallVector<int64_t>> findCovering(const Blocks &blocks) {
  const size_t rank = blocks.picture.size();
  SmallVector<int64_t> extents(blocks.block), index(2 * rank, 0);
  extents.append(blocks.counts);
  SmallVector<int64_t> strides = rowMajorStrides(blocks.picture);
  std::vector<SmallVector<int64_t>> covering(ShapedType::getNumElements(blocks.picture));
  for (int64_t element = 0; element < blocks.elements(); ++element) {
    int64_t rest = element, place = 0;
    for (size_t d = 2 * rank; d-- > 0; rest /= extents[d])
      index[d] = rest % extents[d];
    bool inside = true;
    for (size_t d = 0; d < rank; ++d) {
      const int64_t position = index[d + rank] * blocks.strides[d] + index[d] * blocks.dilations[d] - blocks.pads[d];
      inside &= position >= 0 && position < blocks.picture[d];
      place += position * strides[d];
    }
    if (inside)
      covering[place].push_back(element);
  }
  return covering;
}

LogicalResult onnx_operators::buildCol2Im(Node &node) {
  const Tensor x = node.input(0);
  FailureOr<Blocks> blocks = readBlocks(node);
  if (failed(blocks))
    return failure();
  const int64_t perBlock = ShapedType::getNumElements(blocks->block);
  if (!x.element.isF32() || x.rank() != 3 || ShapedType::isDynamicShape(ArrayRef(x.shape).drop_front()) || x.shape[1] % perBlock ||
      x.shape[2] != ShapedType::getNumElements(blocks->counts))
    return node.unsupported("an input that is not f32, or not N x (channels of a block) x blocks");
  OpBuilder &b = node.builder;
  std::vector<SmallVector<int64_t>> covering = findCovering(*blocks);
  size_t most = 1;
  for (ArrayRef<int64_t> places : covering)
    most = std::max(most, places.size());
  SmallVector<int64_t> indices;
  for (SmallVector<int64_t> &places : covering) {
    places.resize(most, blocks->elements());
    indices.append(places);
  }
  const int64_t channels = x.shape[1] / perBlock, positions = covering.size();
  Value rows = reshape(node, node.operand(0), {x.shape[0], channels, blocks->elements()});
  SmallVector<OpFoldResult> low(3, b.getIndexAttr(0)), high = {b.getIndexAttr(0), b.getIndexAttr(0), b.getIndexAttr(1)};
  auto type = RankedTensorType::get({x.shape[0], channels, blocks->elements() + 1}, x.element);
  Value zero = arith::ConstantOp::create(b, node.loc, b.getF32FloatAttr(0));
  Value padded = tensor::PadOp::create(b, node.loc, type, rows, low, high, zero);
  Value places = node.materialize(HostTensor::fromIntegers(b.getI64Type(), {positions, static_cast<int64_t>(most)}, indices));
  Value gathered = halftone::buildGather(b, node.loc, padded, places, /*axis=*/2);
  SmallVector<int64_t> shape = {x.shape[0], channels};
  shape.append(blocks->picture);
  node.setResult(reshape(node, buildReduction(node, "ReduceSum", gathered, 3), shape));
  return success();
}
