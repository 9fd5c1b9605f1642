//===- CostTable.h - a family of CPUs in numbers ----------------------------===//
//
// What the cost model (CostModel.h) knows of a CPU: cycles, and bytes per cycle, so that no number depends on the clock.
// A table is a JSON file (docs/Performance.md has its keys). Those of lib/Codegen/CostTables are built in, one for each
// instruction set; `--cost=cpu.json` gives another, and `halftone bench --tune` measures one.
//
// A module carries its table as the attribute `halftone.cost_table`, so that what is generated depends on the module alone:
// the same inputs and the same table give the same bytes on any machine.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_COSTTABLE_H
#define HALFTONE_CODEGEN_COSTTABLE_H

#include "halftone/Codegen/IsaTable.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace mlir::halftone {

/// Attribute of the module: the canonical text of its table.
inline constexpr llvm::StringLiteral kCostTableAttr = "halftone.cost_table";

/// Cycles of a family of kernels (DotKernel). A dot is one instruction; of tiles, one of the rows that it multiplies.
struct KernelCosts {
  double dotCycles;          ///< a dot whose operands are in registers
  double loadCycles;         ///< a vector (a tile's row) from L1, weights or broadcast activations
  double latencyCycles;      ///< from a dot to the next one on the same accumulator
  double tileCycles;         ///< entering and leaving a register tile
  double vectorCycles;       ///< requantizing and storing one vector of accumulators
  double operandCycles;      ///< the same of one more operand, as a residual
  double depthwiseCycles = 0; ///< a dot of a depthwise convolution, the preparation of its activations included
  double decodeCycles = 0;   ///< decoding one vector of weights of fewer bits; 0 for floats
  // Of sparse kernels (SparseCost.h says how often each is counted); 0 for floats and tiles.
  double sparseDotCycles = 0;     ///< a dot, which loads its activations
  double sparseQuadCycles = 0;    ///< finding a quad of weights and its activations
  double sparseListCycles = 0;    ///< beginning and ending a list of quads
  double sparseSumCycles = 0;     ///< a vector of accumulators to memory and back, between two chunks
  double sparseBlockCycles = 0;   ///< transposing 256 bytes of activations
  double sparseOutputCycles = 0;  ///< requantizing, transposing and storing one vector of accumulators
  double sparseOperandCycles = 0; ///< the same of one more operand, as a residual
  double transformCycles = 0; ///< of Winograd's kernel: a vector of inputs or weights to its 16 places; 0 for others
};

/// A cache, or memory.
struct MemoryLevel {
  std::string name;
  double bytes;         ///< of one core's share; 0: no limit
  double bytesPerCycle; ///< reading
};

struct CostTable {
  std::string name, source; ///< source: where the numbers are from
  double layerCycles;       ///< calling a layer
  double threadCycles;      ///< handing a layer to threads and waiting for them
  double prefetchBytes;       ///< how far ahead of their use kernels of dots ask for weights; 0: not at all
  double rowPrefetchBytes;    ///< the same of tiles of one row, which only read weights: asking takes as long as reading
  double vectorBytesPerCycle; ///< read and written by what is no contraction, in the nearest cache
  std::vector<MemoryLevel> levels; ///< from near to far; the last has no limit
  std::map<std::string, KernelCosts> kernels; ///< by DotKernel::name

  /// The table of a text. The error names every mistake.
  static llvm::Expected<CostTable> parse(StringRef json);
  static llvm::Expected<CostTable> read(StringRef path);
  /// The one that is used for an instruction set if none is given.
  static const CostTable &builtIn(const Isa &isa);
  /// The table of a file, or the built-in one if the path is empty; an error if it is not one for that instruction set.
  static llvm::Expected<CostTable> forTarget(StringRef path, const Isa &isa);
  /// The table that the module around `op` carries, or the built-in one; failure, after a diagnostic, if it is not one for
  /// that instruction set.
  static FailureOr<CostTable> of(Operation *op, const Isa &isa);

  /// Fails for an instruction set whose kernels the table does not list, naming them.
  llvm::Error checkFor(const Isa &isa) const;

  /// JSON with the keys in order, in one line unless indented; the hash of the line names the table.
  std::string text(unsigned indent = 0) const;
  std::string hash() const;
  std::string id() const { return name + " (" + hash() + ")"; } ///< what an artefact carries

  const KernelCosts *find(StringRef kernel) const;
  /// The nearest level that holds so many bytes.
  const MemoryLevel &levelOf(double bytes) const;
  /// What reading so many bytes once takes where the near levels keep the share that they hold.
  double spreadCycles(double bytes) const;
};

/// "name (hash)" of the table that the module carries, or "".
std::string costTableId(ModuleOp module);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_COSTTABLE_H
