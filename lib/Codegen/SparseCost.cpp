//===- SparseCost.cpp - what a sparse contraction costs -----------------------===//
#include "halftone/Codegen/SparseCost.h"

using namespace mlir;
using namespace mlir::halftone;

/// Cycles of one list beside its dots and vectors; of transposing 4 words of a vector of rows; and of moving one vector of
/// accumulators to and from the memory of a tile. Fitted to half of the layers of benchmark/sparse.py.
static constexpr double kListCycles = 8, kTransposeCycles = 14, kVectorCycles = 1.5;

Cost mlir::halftone::predictSparseCycles(const CostTable &table, const ContractShape &shape, const SparseLayout &layout) {
  const KernelCosts &costs = *table.find(layout.kernel->name);
  const int64_t lanes = layout.kernel->lanes;
  // A unit is an image, or all positions where they are in one line.
  const int64_t positions = shape.rows * shape.span, units = shape.lines / shape.rows;
  const double vectors = double(units * llvm::divideCeil(positions, lanes));
  const double tiles = double(units * llvm::divideCeil(llvm::divideCeil(positions, lanes), layout.tileVectors));
  const double outputs = vectors * double(llvm::divideCeil(layout.columns, lanes)) * double(lanes);
  const double sweeps = layout.chunks() == 1 ? 1 : double(layout.strips());

  Cost cost;
  cost.layer = table.layerCycles;
  cost.tiles = vectors * double(layout.quads) * costs.sparseDotCycles;
  cost.decode = tiles * double(layout.chunks() * layout.columns) * kListCycles +
                vectors * double(layout.chunks() * layout.columns) * kVectorCycles +
                vectors * double(shape.reduction()) / 16 * sweeps * kTransposeCycles * double(lanes) / 16;
  cost.epilogue = outputs * (costs.vectorCycles + double(shape.operands) * costs.operandCycles) + outputs / 4 * kTransposeCycles * double(lanes) / 16;
  const MemoryLevel &cold = table.levelOf(double(std::max(shape.coldBytes, layout.elements())));
  const MemoryLevel &warm = table.levelOf(double(shape.activationBytes));
  const double coldCycles = double(layout.elements()) / cold.bytesPerCycle;
  cost.traffic = coldCycles + double(shape.activationBytes) / warm.bytesPerCycle;
  const std::pair<double, std::string> parts[] = {{cost.tiles, "dots"},
                                                  {cost.epilogue, "epilogue"},
                                                  {cost.decode, "lists and transpositions"},
                                                  {coldCycles, "weights from " + cold.name},
                                                  {cost.layer, "the call"}};
  cost.bound = llvm::max_element(parts, llvm::less_first())->second;
  return cost;
}
