//===- SparseCost.cpp - what a sparse contraction costs -----------------------===//
#include "halftone/Codegen/SparseCost.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::halftone;

/// Bytes of the vectors whose halves are as fast as two.
static constexpr int64_t kWidestBytes = 64;

Cost mlir::halftone::predictSparseCycles(const CostTable &table, const ContractShape &shape, const SparseLayout &layout) {
  const KernelCosts &costs = *table.find(layout.kernel->name);
  const int64_t lanes = layout.kernel->lanes;
  // A unit is an image, or all positions where they are in one line.
  const int64_t positions = shape.rows * shape.span, units = shape.lines / shape.rows;
  const int64_t unitVectors = llvm::divideCeil(positions, lanes);
  const double vectors = double(units * unitVectors), tiles = double(units * llvm::divideCeil(unitVectors, layout.tileVectors));
  const double outputs = vectors * double(layout.columns); // vectors of accumulators
  const double lists = tiles * double(layout.chunks() * layout.columns), sums = outputs * double(layout.chunks() - 1);
  // With several chunks each strip transposes all activations again.
  const double sweeps = layout.chunks() == 1 ? 1 : double(layout.strips());
  const double blocks = vectors * double(shape.reduction() * lanes) / 256 * sweeps;

  Cost cost;
  cost.layer = table.layerCycles;
  // Of vectors that are shorter than the machine's widest two go at once.
  const bool shortLast = layout.lastLanes(positions) < lanes && lanes * sizeof(int32_t) == kWidestBytes;
  const double dotVectors = vectors - (shortLast ? 0.5 * double(units) : 0);
  cost.tiles = double(layout.quads) * (dotVectors * costs.sparseDotCycles + tiles * costs.sparseQuadCycles);
  cost.decode = lists * costs.sparseListCycles + sums * costs.sparseSumCycles + blocks * costs.sparseBlockCycles;
  cost.epilogue = outputs * (costs.sparseOutputCycles + double(shape.operands) * costs.sparseOperandCycles);
  const MemoryLevel &cold = table.levelOf(double(std::max(shape.coldBytes, layout.elements())));
  const double coldCycles = double(layout.elements()) / cold.bytesPerCycle;
  cost.traffic = coldCycles + table.spreadCycles(double(shape.activationBytes));
  const std::pair<double, std::string> parts[] = {{cost.tiles, "dots"},
                                                  {cost.epilogue, "epilogue"},
                                                  {cost.decode, "lists and transpositions"},
                                                  {coldCycles, "weights from " + cold.name},
                                                  {cost.layer, "the call"}};
  cost.bound = llvm::max_element(parts, llvm::less_first())->second;
  return cost;
}

static constexpr llvm::StringLiteral kSparseMark = " sparse=";

std::string mlir::halftone::sparseText(const SparseLayout &layout) {
  return llvm::formatv("{0}{1},{2},{3},{4},{5},{6}", kSparseMark, layout.kernelHeight, layout.kernelWidth, layout.channels,
                       layout.columns, layout.tileVectors, layout.quads);
}

std::optional<SparseLayout> mlir::halftone::parseSparse(StringRef &text, const DotKernel &kernel) {
  auto [shape, numbers] = text.split(kSparseMark);
  SparseLayout layout = {&kernel, 0, 0, 0, 0, 0};
  int64_t *fields[] = {&layout.kernelHeight, &layout.kernelWidth, &layout.channels,
                       &layout.columns,      &layout.tileVectors, &layout.quads};
  SmallVector<StringRef> words;
  numbers.split(words, ',', -1, /*KeepEmpty=*/false);
  if (words.size() != std::size(fields))
    return std::nullopt;
  for (auto [word, field] : llvm::zip_equal(words, fields))
    if (word.getAsInteger(10, *field) || *field <= 0)
      return std::nullopt;
  text = shape;
  return layout;
}
