//===- PackedLayout.h - where a weight stands in a packed constant ----------===//
//
// Shared by halftone-pack-weights, which writes the order, and halftone-lower-contract, which reads it.
//
//   groups x panels x ( [start row: columns x i32] + runs x steps x columns x step [+ rest steps x columns x step] )
//
// Where each run has one element more than its steps hold (7x7 or 3x3 taps of 3 channels), these last elements of all runs
// make steps of their own behind them: 37 steps for 7x7x3, not 42. Their activations are gathered byte by byte.
//
// The steps of a panel may be stored in few bits (WeightStorage.h), in units of one step or, for tiles, of one tile. With
// groups, each group of steps begins with a row of multipliers or of tables; a tile has all of its rows before it.
//
// A run is the part of the reduction whose activations are contiguous in NHWC memory: the taps of one kernel row, all
// their channels (`joined`), or one tap.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_PACKEDLAYOUT_H
#define HALFTONE_CODEGEN_PACKEDLAYOUT_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Codegen/WeightStorage.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

struct PackedLayout {
  const DotKernel *kernel;
  int64_t kernelHeight, kernelWidth;
  int64_t channels; ///< of the input, in one group
  int64_t columns;  ///< of the output, in one group
  int64_t groups;
  bool joined;
  int64_t panelVectors; ///< of a full panel
  bool storedUnsigned = false; ///< the input; see halftone-store-unsigned
  WeightStorage storage = {};
  bool gathersRests = false; ///< each run's last element is in a rest step

  int64_t runs() const { return joined ? kernelHeight : kernelHeight * kernelWidth; }
  int64_t runLength() const { return joined ? kernelWidth * channels : channels; }
  /// Tiles of weights in a run, all of the same height; 1 for dots.
  int64_t blocksPerRun() const {
    return kernel->dot == DotKind::Tile ? llvm::divideCeil(runLength(), kernel->step * 16) : 1;
  }
  int64_t stepsPerRun() const { return llvm::alignTo(stepsPerRun(*kernel, runLength(), gathersRests), blocksPerRun()); }
  int64_t restSteps() const { return gathersRests ? restSteps(*kernel, runs()) : 0; }
  int64_t steps() const { return runs() * stepsPerRun() + restSteps(); }
  /// The same of a run whose blocks need not be of one height, for a window that has no layout yet.
  static int64_t stepsPerRun(const DotKernel &kernel, int64_t runLength, bool gathersRests) {
    return gathersRests ? runLength / kernel.step : llvm::divideCeil(runLength, kernel.step);
  }
  static int64_t restSteps(const DotKernel &kernel, int64_t runs) { return llvm::divideCeil(runs, kernel.step); }
  /// Whether rest steps are fewer than what they save, and worth gathering their bytes.
  static bool gainsByGathering(const DotKernel &kernel, int64_t runs, int64_t runLength);

  int64_t panelColumns() const { return kernel->lanes * panelVectors; }
  int64_t fullPanels() const { return columns / panelColumns(); }
  /// Vectors of the panel after the full ones; 0: there is none.
  int64_t restVectors() const { return llvm::divideCeil(columns % panelColumns(), kernel->lanes); }
  /// Elements of the start row of a panel of `vectors`: an i32 for each column.
  int64_t startElements(int64_t vectors) const {
    return kernel->hasStart() ? vectors * kernel->lanes * static_cast<int64_t>(sizeof(int32_t)) : 0;
  }
  /// Elements of a panel of `vectors`, its start row included.
  int64_t panelElements(int64_t vectors) const {
    return startElements(vectors) + runs() * runElements(vectors) + restSteps() * vectors * vectorElements();
  }
  /// Bytes of a vector of weights, not stored in few bits.
  int64_t vectorElements() const { return kernel->lanes * kernel->step; }
  /// Steps that are stored as one.
  int64_t unitSteps() const { return kernel->dot == DotKind::Tile ? stepsPerRun() / blocksPerRun() : 1; }
  /// Elements of a panel of `vectors`, for one unit.
  int64_t unitElements(int64_t vectors) const { return storage.unitBytes(unitSteps() * vectors, vectorElements()); }
  /// Rows of groups for each run.
  int64_t groupsPerRun() const {
    return storage.hasGroups() ? llvm::divideCeil(stepsPerRun() * kernel->step, storage.group) : 0;
  }
  /// Elements of a panel of `vectors`, for one row of a group.
  int64_t groupElements(int64_t vectors) const { return storage.groupBytes(vectors * kernel->lanes); }
  /// Elements of a panel of `vectors`, for one run.
  int64_t runElements(int64_t vectors) const {
    return stepsPerRun() / unitSteps() * unitElements(vectors) + groupsPerRun() * groupElements(vectors);
  }
  /// Stores the weights so. What is stored in few bits has no rest steps.
  void setStorage(const WeightStorage &stored) {
    storage = stored;
    gathersRests = gathersRests && !stored.isPacked();
  }
  /// The same weights as plain bytes.
  PackedLayout asBytes() const {
    PackedLayout layout = *this;
    layout.storage = {};
    return layout;
  }
  int64_t groupElements() const { return fullPanels() * panelElements(panelVectors) + panelElements(restVectors()); }
  int64_t elements() const { return groups * groupElements(); }

  /// Multiply-accumulates of one output position, padding included.
  int64_t workPerPosition() const {
    return groups * steps() * kernel->step * kernel->lanes * (fullPanels() * panelVectors + restVectors());
  }

  /// Whether the taps of a kernel row follow one another in the input's memory, or need not: a step lies within one tap.
  /// `op` is on memrefs with static strides.
  bool tapsFollow(ContractOp op) const;

  /// As the attribute `packing`.
  DictionaryAttr toAttribute(MLIRContext *context) const;

  /// The layout of unpacked weights for `kernel`, in panels for an unknown number of rows.
  static PackedLayout forContract(ContractOp op, const DotKernel &kernel);

  /// The layout that `packing` describes; failure if it is not one of ours.
  static FailureOr<PackedLayout> fromAttribute(ContractOp op);
};

/// `bytes`, packed as `layout.asBytes()`, as `layout` stores them.
std::vector<int8_t> storeInFewBits(const PackedLayout &layout, ArrayRef<int8_t> bytes);

/// Whether the channels of the input lie apart where the kernel does not read them so: they are copied together first. Kernels read channels as vectors,
/// sparse ones also planes of channels (halftone-assign-planes).
bool needsCopy(ContractOp op);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PACKEDLAYOUT_H
