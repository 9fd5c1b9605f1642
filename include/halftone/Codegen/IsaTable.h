//===- IsaTable.h - the instruction sets that kernels are generated for -----===//
//
// One row for each target; the kernel generators read it and hold no other knowledge of an instruction set than how
// to issue one dot. A kernel's register tile has rows[v] rows when a panel has v vectors of columns: the accumulators,
// the panel's vectors and one broadcast (and what the dot needs besides) fit the register file.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_ISATABLE_H
#define HALFTONE_CODEGEN_ISATABLE_H

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/IR/Operation.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <array>

namespace mlir::halftone {

/// How one step of a reduction is computed.
enum class DotKind {
  Vpdpbusd, ///< u8 x s8, 4 products added to an i32: `vpdpbusd`
  Maddubs,  ///< the same from |a| and w with a's sign: `vpsignb`, `vpmaddubsw`, `vpmaddwd`; exact for w in [-127, 127]
  Narrow,   ///< u8 x s8 without `vpsignb`, for weights of which no sum of products leaves 16 bits
  Tile,     ///< s8 x s8 on AMX tiles of up to 16 rows, 16 steps and 16 columns: `tdpbssd`
  Sdot,     ///< s8 x s8, 4 products added to an i32: Arm's `sdot`
  Smmla,    ///< s8 x s8, 8 products added to each i32 of 2 rows x 2 columns: Arm's `smmla`
  Winograd, ///< s16 x s16, 2 products added to an i32, of transformed tiles (WinogradLayout.h): `vpmaddwd`, `vpdpwssd`
  Widen,    ///< one product, i8 extended to i32: any machine
  Fma       ///< one f32 fused multiply-add
};

/// A family of kernels: the dot and its tiles.
struct DotKernel {
  StringRef name;              ///< the `kind` in `packing`
  DotKind dot;
  int64_t lanes;               ///< columns (i32 or f32) of one vector
  int64_t step;                ///< elements of the reduction in one dot
  int64_t maxVectors;          ///< vectors of the widest panel
  int64_t tallVectors;         ///< of a panel whose rows are not known when it is packed, as with a dynamic batch
  std::array<int64_t, 5> rows; ///< rows[v]: rows of the tile of a panel of v vectors
  int64_t joined = 1;          ///< dots whose sums of two products are added up in 16 bits before they go to the accumulators
  int64_t side = 0;            ///< of DotKind::Winograd: outputs of a tile's side, 2 or 4

  /// Whether the activations' sign bit is flipped, which the start row takes back.
  bool flipsSign() const { return dot == DotKind::Vpdpbusd || dot == DotKind::Narrow; }
  /// Whether packed weights begin with a row of i32 that starts the accumulators.
  bool hasStart() const { return dot != DotKind::Widen && dot != DotKind::Fma; }
  /// What an accumulator starts at, modulo 2^32, for a bias and the sum of its weights: the bias, less what flipping the
  /// activations' sign bit adds.
  uint32_t startOf(int32_t bias, int32_t sum) const {
    return static_cast<uint32_t>(bias) - (flipsSign() ? uint32_t(128) * static_cast<uint32_t>(sum) : 0);
  }
  /// Whether there is the same dot of half the lanes: where a CPU splits a whole one in two, it takes half the time.
  bool hasHalf() const { return lanes == 16 && (dot == DotKind::Vpdpbusd || dot == DotKind::Fma); }
  /// The most that two weights of one sign may sum up to, so that `2 * joined` products with the largest u8 activation stay in 16 bits; for
  /// DotKind::Narrow.
  int64_t mostOfPair() const { return 128 / joined; }
  /// Multiply-accumulates that one dot of a vector (a tile's, of 16 rows and 16 steps) stands for.
  double products() const;
  /// Instructions that make one dot, and those of them that multiply.
  double instructions() const;
  double multiplications() const;
  /// Rows that one dot computes.
  int64_t rowsPerDot() const { return dot == DotKind::Smmla ? 2 : 1; }
};

/// What a kernel asks of the processor beside its dots.
enum class Architecture { X86, AArch64 };

struct Isa {
  StringRef name;     ///< the `target` option
  StringRef cpu;      ///< LLVM's name of the least CPU that has it; empty: the module's own
  StringRef features; ///< LLVM's feature string on top of it
  int64_t vectorBytes;
  bool permutesBytes; ///< has `vpermi2b`
  bool packs;         ///< has `vpackssdw` and its like for all its vectors
  DotKernel bytes;
  DotKernel floats;
  StringRef costs;    ///< the built-in cost table, a name of lib/Codegen/CostTables
  /// Instead of `bytes` for contractions with enough rows; null where there are none.
  const DotKernel *tiles = nullptr;
  /// Instead of `bytes` for 3x3 convolutions where one of them is faster.
  ArrayRef<DotKernel> winograd = {};
  /// Instead of `bytes` where all weights fit; the first that holds them is taken.
  ArrayRef<DotKernel> narrow = {};
  Architecture architecture = Architecture::X86;
};

/// The row named `name`, or null.
const Isa *findIsa(StringRef name);

/// The same; null after an error at `op` that there is no such row.
const Isa *requireIsa(Operation *op, StringRef name);

/// All rows, the most capable first.
ArrayRef<Isa> allIsas();

/// The kernels of bytes named `kind`, or null. A kind may be used by several instruction sets.
const DotKernel *findDotKernel(StringRef kind);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_ISATABLE_H
