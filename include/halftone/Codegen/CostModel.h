//===- CostModel.h - what a contraction costs on a CPU ----------------------===//
//
//   cycles = layer + tiles + epilogue + traffic + decode
//   tiles    = sum over register tiles of: steps * hypot(max(dots, loads, latency), bytes from outside of L1) + tile_cycles
//   epilogue = vectors of the output * (vector_cycles + operands * operand_cycles)
//   traffic  = weights once, from the level that holds those of the network; activations once, from all levels that hold a
//              part of them
//   decode   = vectors of weights in few bits, each as often as it is decoded, * decode_cycles
//
// Bytes that a tile reads again from L2 overlap with its dots in part (hypot: between the maximum and the sum, as measured);
// weights that come from L3 once do not: measured layers take the sum of both.
// The shapes of register tiles are those that the generators choose (ContractKernel.cpp, AmxKernel.cpp). Whoever has a
// choice that changes no output bit predicts both and takes the smaller.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_COSTMODEL_H
#define HALFTONE_CODEGEN_COSTMODEL_H

#include "halftone/Codegen/CostTable.h"
#include "halftone/Codegen/PackedLayout.h"

namespace mlir::halftone {

/// A contraction, as far as its time depends on it.
struct ContractShape {
  int64_t lines = 1, span = 1;     ///< output positions; a register tile lies within one line of `span` of them
  int64_t rows = 1;                ///< lines of one image
  int64_t runs = 1, runLength = 1; ///< the reduction: runs of elements that follow one another in memory
  int64_t columns = 1, groups = 1; ///< of the output, columns in one group
  int64_t operands = 0;            ///< of the epilogue that are read at every position, as residuals
  int64_t activationBytes = 0;     ///< read and written, each buffer once
  int64_t coldBytes = 0;           ///< all weights of the network, which pass through the caches between two runs
  int64_t panelVectors = 0;        ///< of a full panel, which is the width of a register tile; 0: the fastest
  int64_t weightBits = 8;          ///< of a stored weight of bytes
  int64_t weightGroup = 0;         ///< elements of the reduction with a multiplier or a table in common; 0: no groups
  bool weightTables = false;       ///< which they have
  bool depthwise = false;

  /// On tensors or memrefs, weights unpacked or packed. A dynamic batch counts as 1.
  static ContractShape of(ContractOp op, const DotKernel &kernel);

  /// As the text that an artefact carries, and back; nothing for a text of other content.
  std::string text() const;
  static std::optional<ContractShape> parse(StringRef text);

  int64_t positions() const { return lines * span; }
  int64_t reduction() const { return runs * runLength; }
  int64_t multiplyAccumulates() const { return positions() * reduction() * columns * groups; }
};

/// Where the cycles go.
struct Cost {
  double layer = 0, tiles = 0, epilogue = 0, traffic = 0, decode = 0;
  int64_t panelVectors = 0; ///< of the predicted panels; 0: of a kernel that has none, as depthwise
  double cycles() const { return layer + tiles + epilogue + traffic + decode; }
  /// "dots", "epilogue", "weights from L3", ...: the largest part.
  std::string bound = "";
};

/// A layer with dots of `kernel`. Where the shape leaves the panel open, the fastest that the kernel has: the tiles of each,
/// 14 rows by 2 vectors or 6 by 4, give the same bits.
Cost predictCycles(const CostTable &table, const ContractShape &shape, const DotKernel &kernel);

/// A layer that only moves or transforms elements.
Cost predictCycles(const CostTable &table, double bytesRead, double bytesWritten);

/// What the layer cannot be faster than, by the table: dots at the rate of full register tiles from L1 and the epilogue's
/// operations, or the bytes from where they lie, whichever is longer.
double rooflineCycles(const CostTable &table, const ContractShape &shape, const DotKernel &kernel);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_COSTMODEL_H
