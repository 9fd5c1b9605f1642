//===- SparseCost.cpp - what a sparse contraction costs -----------------------===//
#include "halftone/Codegen/SparseCost.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::halftone;

/// In dots of the dense kernel of the same table, so that they hold on whatever scale that has been measured: a list beside its dots; a vector of its accumulators to and from memory; transposing 16 channels of 16
/// positions; transposing a vector of accumulators. Fitted to 9 layers at 4 sparsities with AVX512-VNNI (docs/Pruning.md).
static constexpr double kList = 17, kVector = 0.5, kTranspose = 36.4, kTurn = 5.5;

Cost mlir::halftone::predictSparseCycles(const CostTable &table, const ContractShape &shape, const SparseLayout &layout) {
  const KernelCosts &costs = *table.find(layout.kernel->name);
  const int64_t lanes = layout.kernel->lanes;
  // A unit is an image, or all positions where they are in one line.
  const int64_t positions = shape.rows * shape.span, units = shape.lines / shape.rows;
  const double vectors = double(units * llvm::divideCeil(positions, lanes));
  const double tiles = double(units * llvm::divideCeil(llvm::divideCeil(positions, lanes), layout.tileVectors));
  const double outputs = vectors * double(llvm::divideCeil(layout.columns, lanes) * lanes); // vectors of accumulators
  const double lists = double(layout.chunks() * layout.columns), blocks = vectors * double(shape.reduction() * lanes) / 256;
  const double sweeps = layout.chunks() == 1 ? 1 : double(layout.strips());

  Cost cost;
  cost.layer = table.layerCycles;
  cost.tiles = vectors * double(layout.quads) * costs.sparseDotCycles;
  cost.decode = (tiles * lists * kList + vectors * lists * kVector + blocks * sweeps * kTranspose) * costs.dotCycles;
  cost.epilogue = outputs * (costs.vectorCycles + kTurn * costs.dotCycles + double(shape.operands) * costs.operandCycles);
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
