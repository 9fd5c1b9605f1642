//===- WeightStorage.h - packed weights in few bits -------------------------===//
//
// Packed weights are vectors of bytes, in units that a kernel reads together: the vectors of one step, or the rows of one
// tile. If few values occur in a constant, its vectors are stored as codes of 2 to 7 bits, and a table gives each code its
// byte:
//
//   weight = level[code]                        a codebook: any 2^bits values
//   weight = level[code] * multiplier           groups: level = code - 2^(bits - 1), a multiplier for each column and `group`
//                                               elements of the reduction
//   weight = level[table * 2^bits + code]       tables: one of four for each column and `group` elements
//
// A code's bits lie in planes of 4, 2 and 1 bits: its low bits in the first, as its number of bits is written in binary. A unit is cut
// into pieces of m vectors, m the greatest power of two that is left and at most 8 / the last plane's bits. The planes of a piece follow
// each other. The m * V fields of p bits of a plane lie in B = m * V * p / 8 bytes: byte i holds the fields i, i + B, i + 2 B, ... from
// its low bits on, so that a shift of all bytes brings forth whole vectors.
//
// Where the levels are -2^(bits - 1) to 2^(bits - 1) - 1, as with groups, and codes lie in one plane, the highest bit of each byte is
// flipped: the codes of the field that ends there are then the two's complement of their levels, and a mask alone makes them signed
// bytes (WeightReader.h, fields in place).
//
// A row of multipliers is a byte for each column. A row of tables is two bits for each, from the lowest bits of a byte on.
//
// Lossless, and decided from the constant alone: nobody upstream has to say what the format was.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_WEIGHTSTORAGE_H
#define HALFTONE_CODEGEN_WEIGHTSTORAGE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace mlir::halftone {

/// Which constants are stored in few bits.
enum class StorageChoice {
  Automatic, ///< those whose layer gets no slower by it
  Bytes,     ///< none
  Packed     ///< all that get smaller
};

/// What is told to the choice of kernels; else the cost model decides.
struct KernelChoice {
  StorageChoice storage = StorageChoice::Automatic;
  int64_t panelVectors = 0; ///< of every panel of weights, as far as the kernel has such tiles; 0: the fastest
  bool openConstants = false; ///< The code holds for other contents of the constants: nothing is proved from theirs.
  bool sharesPanels = false;  ///< Panels of weights do not depend on the number of rows or positions: models of other sizes have the same.
};

struct WeightStorage {
  int64_t bits = 8;                ///< of a code; 8: plain bytes
  SmallVector<int8_t, 16> levels;  ///< the byte of each code; of all tables, one behind the other
  int64_t group = 0;               ///< elements of a run that share a multiplier or a table; 0: there are none

  /// The bits of each plane: of 3 bits 2 and 1, of 7 bits 4, 2 and 1.
  SmallVector<int64_t, 3> planes() const;

  bool isPacked() const { return bits < 8; }
  bool hasGroups() const { return group != 0; }
  bool hasTables() const { return isPacked() && levels.size() > size_t(1) << bits; }
  static constexpr int64_t kTables = 4, kTableBits = 2, kMostTableBits = 5;
  /// Bytes of a group's row for so many columns.
  int64_t groupBytes(int64_t columns) const { return hasTables() ? columns * kTableBits / 8 : columns; }
  /// Whether the levels are all integers of `bits` bits, in order.
  bool isUniform() const;
  /// Whether the highest bit of each byte is flipped.
  bool flipsTop() const { return isUniform() && planes().size() == 1; }

  /// Bytes of a unit of `vectors` vectors of `vectorBytes`, rows of groups not counted.
  int64_t unitBytes(int64_t vectors, int64_t vectorBytes) const;

  /// Calls `piece(first, count)` for the pieces of a unit.
  void forEachPiece(int64_t vectors, llvm::function_ref<void(int64_t, int64_t)> piece) const;

  /// The code of a byte. One that is no level has code 0: it belongs to a column that does not exist.
  uint8_t codeOf(int8_t byte, int64_t table = 0) const;
  /// The table that has all of the bytes; 0 if none has.
  int64_t tableOf(ArrayRef<int8_t> bytes) const;
  /// Appends a unit's codes.
  void appendUnit(ArrayRef<uint8_t> codes, int64_t vectorBytes, std::vector<int8_t> &out) const;

  /// Adds to `packing`, or reads from it, `bits`, `levels` and `group`; plain bytes leave no trace.
  void addTo(NamedAttrList &packing, MLIRContext *context) const;
  static WeightStorage fromAttribute(DictionaryAttr packing);
};

/// The weights of a contraction as the search for a storage sees them: `weights[row * columns + column]`, the rows in `runs` of
/// `runLength`.
struct WeightMatrix {
  ArrayRef<int8_t> weights;
  int64_t runs, runLength, columns;
  bool padsRuns;                ///< zeros stand behind each run
  ArrayRef<int64_t> groupSizes; ///< that the kernel can handle, the greatest first
  ArrayRef<int64_t> tableGroups; ///< the same of groups that choose tables
};

/// The storage with the fewest bits: 2 to 4 for up to 4 to 16 values, groups of 2 to 4 bits with the longest group that fits, then, if it
/// `takesWideTables`, 5 to 7 bits; else plain bytes. With wide tables groups of 2 to 5 bits that choose from tables, too.
WeightStorage findWeightStorage(const WeightMatrix &matrix, bool takesWideTables);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_WEIGHTSTORAGE_H
