//===- WeightReader.h - weights in few bits, as bytes -----------------------===//
//
// Emits the decoding of weights that are stored as codes (WeightStorage.h): a shift for each code of a byte, and tables of 16 to 128
// bytes that one instruction looks up for a whole vector (`vpermb`, `vpermi2b`, `vpshufb`, `tbl`); of more levels than it takes, parts by
// as many instructions, of which the bits of the code select. The results are the bytes that the dense kernels read, so these stay exact whatever
// is done here.
//
// Two ways lead to a kernel: few rows take the vectors of a step from registers, many rows have a panel decoded once into a
// scratch.
//
// A single row that sums the products of a group, or of all its steps, by themselves needs no table for codes that are levels but for an
// offset. Its fields stay in place, masked, and the sum makes up for it:
//
//   sum(a * level) = (sum(a * field) - (offset << shift) * sum(a)) >> shift,    field = (level + offset) << shift
//
// exact, for the parenthesis is a multiple of 1 << shift. The field at the top of a byte is signed (WeightStorage.h): it has no
// offset. Where a dot takes every signed byte, a field keeps those above it, so that the lowest needs no mask: they are the vector of
// the next field, whose sum is taken away.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_WEIGHTREADER_H
#define HALFTONE_CODEGEN_WEIGHTREADER_H

#include "halftone/Codegen/PackedLayout.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::halftone {

/// How the bytes of a vector stand for its weights.
struct FieldPlace {
  int64_t shift = 0;
  int64_t starts = 0; ///< what a sum starts at, times -offset * sum(a): 1 << shift, for each offset field of the byte
  std::optional<int64_t> above = std::nullopt; ///< the vector whose sum is taken away
};

class WeightReader {
public:
  /// `memory` holds the weights of `layout`, which is kept by reference.
  WeightReader(const PackedLayout &layout, const Isa &isa, Value memory) : layout(layout), isa(isa), memory(memory) {}

  /// The vectors of the unit at `offset`, by the rows of their groups; without those the levels that multipliers are to meet.
  SmallVector<Value> load(ImplicitLocOpBuilder &b, Value offset, int64_t vectors, ArrayRef<Value> groupRows = {}) const;

  /// The same with fields in place, as `placesOf` says.
  SmallVector<Value> loadInPlace(ImplicitLocOpBuilder &b, Value offset, int64_t vectors) const { return loadUnit(b, offset, vectors, {}, /*inPlace=*/true); }
  SmallVector<FieldPlace> placesOf(int64_t vectors) const;
  /// Of uniform codes: level = code - offset.
  int64_t offset() const { return int64_t(1) << (layout.storage.bits - 1); }

  /// The row of a group, for each of `vectors`: multipliers, a byte for each column; or the tables of the columns, above the bits of a code, a byte for
  /// each weight.
  SmallVector<Value> loadGroupRow(ImplicitLocOpBuilder &b, Value offset, int64_t vectors) const;

  /// Writes the panel of `vectors` at `offset` to `scratch`, from `to` on, as layout.asBytes() has it.
  void emitPanel(ImplicitLocOpBuilder &b, Value offset, int64_t vectors, Value scratch, int64_t to = 0) const;

  /// Whether one instruction looks up tables of more than 16 bytes.
  static bool hasWideTables(const DotKernel &kernel, const Isa &isa);

private:
  int64_t fieldOf(int64_t vector, int64_t count) const;
  bool staysInPlace(int64_t field) const;
  bool takesEveryByte() const;
  SmallVector<Value> loadUnit(ImplicitLocOpBuilder &b, Value offset, int64_t vectors, ArrayRef<Value> tables, bool inPlace) const;
  void loadPiece(ImplicitLocOpBuilder &b, Value offset, int64_t count, ArrayRef<Value> tables, SmallVectorImpl<Value> &vectors) const;
  Value loadTables(ImplicitLocOpBuilder &b, Value offset) const;
  Value multiply(ImplicitLocOpBuilder &b, Value weights, Value multipliers) const;
  void loadFields(ImplicitLocOpBuilder &b, Value offset, int64_t count, SmallVectorImpl<Value> &vectors) const;
  Value loadField(ImplicitLocOpBuilder &b, Value offset, int64_t bytes, int64_t bits, int64_t vector, int64_t position) const;
  Value loadBytes(ImplicitLocOpBuilder &b, Value offset, int64_t count) const;
  Value shift(ImplicitLocOpBuilder &b, Value bytes, ArrayRef<int64_t> amounts) const;
  SmallVector<int8_t> levelsOf(bool flipped) const;
  Value lookUp(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int8_t> levels) const;
  Value lookUpBytes(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int8_t> levels) const;
  void emitUnit(ImplicitLocOpBuilder &b, Value from, int64_t vectors, ArrayRef<Value> groupRows, Value scratch, Value to) const;
  void emitRun(ImplicitLocOpBuilder &b, Value from, int64_t vectors, Value scratch, Value to) const;

  const PackedLayout &layout;
  const Isa &isa;
  Value memory;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_WEIGHTREADER_H
