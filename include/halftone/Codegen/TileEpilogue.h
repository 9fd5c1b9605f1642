//===- TileEpilogue.h - what happens to a tile of accumulators --------------===//
#ifndef HALFTONE_CODEGEN_TILEEPILOGUE_H
#define HALFTONE_CODEGEN_TILEEPILOGUE_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Codegen/OutputWalk.h"
#include "halftone/Codegen/SaturatingNarrow.h"

namespace mlir::halftone {

/// The columns that the vectors of a tile stand for.
struct TileColumns {
  Value first;     ///< the output channel of the first lane
  int64_t lanes;   ///< of each vector
  int64_t vectors;
  int64_t valid;   ///< channels that exist, at most lanes * vectors
  bool interleaved = false; ///< lanes are in the order of DepthwiseLayout::channelOf; there are 4 vectors, all valid
};

/// Emits a contraction's epilogue on vectors and stores the results.
///
/// An epilogue that ends in i8 is emitted up to its last i32 value. The vectors of a row are then narrowed together. If it ends
/// in a clamp (halftone-clamp-codes), instructions that narrow with saturation are all or most of it; see SaturatingNarrow.h.
/// Else two byte permutations and a join put 4 vectors of i32 into one of i8, and put interleaved lanes in order on the
/// way; a zero point that is added last is added to the bytes, which is the same modulo 256.
class TileEpilogue {
public:
  /// Vectors that saturating packs make one of.
  static constexpr int64_t kPackedVectors = 4;

  TileEpilogue(ImplicitLocOpBuilder &b, ContractOp op, const OutputWalk &walk, const Isa &isa);

  /// Emits the offsets of a line; tiles belong to the line entered last.
  void enterLine(Value line);

  /// Accumulators are ordered row by row; row i stands for the position that follows `position` by i.
  void emit(int64_t height, Value position, const TileColumns &columns, ArrayRef<Value> accumulators);

  /// Whether emitColumn() can: the results are i8, and each operand either belongs to the channels alone or has an i8 for
  /// each position and channel, channels side by side or in planes.
  bool hasColumns() const;
  /// Whether an operand belongs to the channels alone.
  static bool isOfChannels(const WalkedBuffer &buffer) {
    return buffer.advance.image == 0 && buffer.advance.row == 0 && buffer.advance.column == 0;
  }
  /// Whether emitColumn() takes mixed positions.
  bool takesMixed() const { return clamp.has_value(); }
  /// The i8 results of one channel, whose accumulators have positions in their lanes: 4, 2 or 1 vectors of these as one. The first
  /// `mixed` vectors have their positions by fours in the order in which saturating packs leave them in order (mixedPosition).
  /// `load(operand, first, count)` gives an operand that is not of the channels alone, in order, for some of the vectors.
  SmallVector<Value> emitColumn(Value channel, ArrayRef<Value> accumulators, int64_t mixed,
                                function_ref<Value(unsigned, int64_t, int64_t)> load);
  /// Which of the positions of 4 mixed vectors is in a lane of one of them.
  static int64_t mixedPosition(int64_t vector, int64_t lane) { return lane / 4 * 16 + vector * 4 + lane % 4; }

private:
  struct Group;
  void matchClamp();
  void emitGroup(int64_t height, Value position, const TileColumns &columns, const Group &group,
                 ArrayRef<Value> accumulators);
  Value emitOperand(unsigned index, Value position, int64_t row, const TileColumns &columns, int64_t vector, int64_t valid);
  Value loadInterleaved(const WalkedBuffer &buffer, Value offset, const TileColumns &columns, int64_t vector);
  void storeRows(Value value, int64_t first, int64_t rows, Value position, Value channel, int64_t valid);
  Value narrow(ArrayRef<Value> vectors, bool interleaved);
  Value truncate(ArrayRef<Value> vectors, bool interleaved);
  /// What a body has for an argument's code as a float: the byte, its sign bit flipped if `flips`, less `zero`, times a positive constant. `zero`
  /// is 0 or the constant is 1.
  struct ScaledCodes {
    Value value;
    bool flips;
    float zero, factor;
  };
  std::optional<ScaledCodes> matchScaledCodes(BlockArgument argument) const;
  SmallVector<Value> scaleCodes(Value codes, const ScaledCodes &scaled, int64_t count, bool isMixed);

  ImplicitLocOpBuilder &b;
  ContractOp op;
  const OutputWalk &walk;
  const Isa &isa;
  Value wanted;       ///< the epilogue's result, or its last i32 value if it is to be narrowed
  bool narrows;
  int32_t lastAddend = 0;
  std::optional<CodeClamp> clamp; ///< between `wanted` and `lastAddend`, if saturation can do it
  Value outputLine;
  SmallVector<Value> operandLines;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_TILEEPILOGUE_H
