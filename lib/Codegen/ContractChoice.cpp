//===- ContractChoice.cpp - dots or tiles, all weights or those that are not zero -===//
#include "halftone/Codegen/ContractChoice.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/SparseCost.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

/// Whether tiles can hold a contraction: a static number of positions in a line. A slice of the channels would have to be
/// copied, where taps share a tile.
static bool fitsTiles(ContractOp op) {
  if (DepthwiseLayout::isDepthwise(op) || op.getGroups() != 1)
    return false;
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getOutput().getType()).getShape();
  return !ShapedType::isDynamic(shape.size() == 2 ? shape[0] : shape[2]) &&
         !op.getInput().getDefiningOp<tensor::ExtractSliceOp>();
}

/// Whether a contraction has several rows: a dot of two rows wastes half of its work on a single one.
static bool hasRows(ContractOp op) {
  ArrayRef<int64_t> extents = cast<ShapedType>(op.getOutput().getType()).getShape().drop_back();
  return !DepthwiseLayout::isDepthwise(op) && llvm::any_of(extents, [](int64_t extent) { return extent > 1; });
}

/// Whether tiles are predicted to be faster than dots, each of its own shape.
static bool isFaster(const CostTable &table, const ContractShape &tileShape, const DotKernel &tiles, const ContractShape &dotShape,
                     const DotKernel &dots) {
  return predictCycles(table, tileShape, tiles).cycles() < predictCycles(table, dotShape, dots).cycles();
}

ContractShape ContractChooser::shapeOf(ContractOp op, const DotKernel &kernel) const {
  ContractShape shape = ContractShape::of(op, kernel);
  shape.coldBytes = coldBytes;
  return shape;
}

const DotKernel &ContractChooser::denseKernel(ContractOp op, const DotKernel &dots) const {
  if (!isa.tiles || dots.dot == DotKind::Fma)
    return dots;
  if (isa.tiles->dot != DotKind::Tile)
    return hasRows(op) ? *isa.tiles : dots;
  if (!fitsTiles(op))
    return dots;
  return isFaster(table, shapeOf(op, *isa.tiles), *isa.tiles, shapeOf(op, dots), dots) ? *isa.tiles : dots;
}

ContractChoice mlir::halftone::chooseKernel(const ContractChooser &chooser, ContractOp op, const DotKernel &dots,
                                          ArrayRef<WinogradLayout> winograd, function_ref<void(SparseLayout &)> count) {
  ContractChoice choice = {&chooser.denseKernel(op, dots), std::nullopt, 0, std::nullopt};
  auto cyclesOf = [&](const DotKernel &kernel) { return predictCycles(chooser.table, chooser.shapeOf(op, kernel), kernel).cycles(); };
  choice.denseCycles = cyclesOf(*choice.dense);
  const double ofDots = choice.denseCycles;
  for (const WinogradLayout &layout : winograd)
    if (const double cycles = cyclesOf(*layout.kernel); cycles < std::min(kLeastGain * ofDots, choice.denseCycles)) {
      choice.winograd = layout;
      choice.denseCycles = cycles;
    }
  const ContractShape shape = chooser.shapeOf(op, dots);
  for (SparseLayout &layout : SparseLayout::forContract(op, dots)) {
    count(layout);
    const double cycles = predictSparseCycles(chooser.table, shape, layout).cycles();
    if (!choice.layout || cycles < choice.sparseCycles) {
      choice.layout = layout;
      choice.sparseCycles = cycles;
    }
  }
  return choice;
}

const DotKernel *mlir::halftone::otherKernel(const Isa &isa, const CostTable &table, const ContractShape &shape, const DotKernel &chosen,
                                             bool isSparse) {
  const DotKernel *tiles = shape.depthwise ? nullptr : isa.tiles;
  if (isSparse) // which has several rows and one group
    return tiles && (tiles->dot != DotKind::Tile || isFaster(table, shape, *tiles, shape, chosen)) ? tiles : &chosen;
  if (chosen.dot == DotKind::Winograd || chosen.dot == DotKind::Narrow || (tiles && chosen.name == tiles->name))
    return &isa.bytes;
  return chosen.name == isa.bytes.name ? tiles : nullptr;
}

int64_t mlir::halftone::countWeightBytes(Operation *root) {
  int64_t bytes = 0;
  root->walk([&](ContractOp op) {
    auto type = cast<ShapedType>(op.getWeights().getType());
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  });
  return bytes;
}
