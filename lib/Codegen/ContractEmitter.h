//===- ContractEmitter.h - what one contraction's loops share --------------===//
#ifndef HALFTONE_LIB_CODEGEN_CONTRACTEMITTER_H
#define HALFTONE_LIB_CODEGEN_CONTRACTEMITTER_H

#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/ContractPartition.h"
#include "halftone/Codegen/DotEmitter.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "halftone/Codegen/WeightReader.h"

namespace mlir::halftone {

/// The loops over parts, panels and tiles (ContractKernel.cpp), and the dots of one tile (ContractReduction.cpp).
class ContractEmitter {
public:
  ContractEmitter(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs)
      : op(op), layout(layout), plainLayout(layout.asBytes()), isa(isa), prefetchBytes(int64_t(costs.prefetchBytes)),
        rowPrefetchBytes(int64_t(costs.rowPrefetchBytes)),
        overlapsTiles(overlaps(layout, costs)),
        b(op.getLoc(), op),
        dots(*layout.kernel, layout.kernel->lanes, layout.storedUnsigned),
        halfDots(*layout.kernel, layout.kernel->lanes / 2, layout.storedUnsigned) {}
  void emit();

private:
  static bool overlaps(const PackedLayout &layout, const CostTable &costs);
  int64_t leastTile() const;
  void emitPart(Value part, Value positionParts, Value rowParts, int64_t unitParts);
  bool decodesPanels(bool contiguous) const;
  int64_t widestPanel() const { return layout.fullPanels() ? layout.panelVectors : layout.restVectors(); }
  /// The layout of the weights that tiles read.
  const PackedLayout &tileLayout() const { return scratch ? plainLayout : layout; }
  /// Whether the dots of a vector of the panel take half of its lanes, because there are no more columns.
  bool isHalf(int64_t vector) const { return halvesLast && vector == vectors - 1; }
  const DotEmitter &dotsOf(int64_t vector) const { return isHalf(vector) ? halfDots : dots; }

  void emitColumns(Bounds units);
  void emitPanels(Value group, Bounds panels);
  void emitRestPanel(Value group);
  void emitPanel(int64_t vectors, int64_t valid, Value group, Value column, Value weights);

  void emitLine(Value line);
  void emitBands();
  void emitEvenTiles();
  void emitFullTiles();
  void emitTile(int64_t height, Value position);

  SmallVector<Value> emitReduction(int64_t height, Value activations);
  SmallVector<Value> emitStart(int64_t height);
  Value fillLanes(Value half);
  SmallVector<Value> emitRun(int64_t height, int64_t steps, Value activations, Value weights,
                             SmallVector<Value> accumulators);
  SmallVector<Value> emitGroups(int64_t height, Value activations, Value weights, SmallVector<Value> accumulators);
  SmallVector<Value> emitGroup(int64_t height, int64_t steps, Value index, Value activations, Value weights,
                               SmallVector<Value> accumulators);
  bool readsInPlace() const;
  void emitGroupSums();
  SmallVector<Value> startGroup(Value index, size_t count);
  SmallVector<Value> finishGroup(ArrayRef<Value> sums);
  SmallVector<Value> addSums(ArrayRef<Value> sums, ArrayRef<Value> accumulators);
  SmallVector<Value> addGroup(int64_t height, ArrayRef<Value> sums, ArrayRef<Value> multipliers,
                              ArrayRef<Value> accumulators);
  SmallVector<Value> emitSteps(int64_t height, int64_t steps, Value activations, Value weights,
                               SmallVector<Value> accumulators);
  SmallVector<Value> emitScatteredRun(int64_t height, Value activations, Value weights,
                                      SmallVector<Value> accumulators);
  SmallVector<Value> emitRests(int64_t height, Value activations, Value weights, SmallVector<Value> accumulators);
  SmallVector<Value> emitRuns(int64_t height, Value activations, Value weights, SmallVector<Value> accumulators);
  SmallVector<Value> emitStep(int64_t height, Value activations, Value weights, ArrayRef<Value> accumulators,
                              ArrayRef<int64_t> bytesAt = {}, int64_t count = 1);
  SmallVector<Value> emitDots(int64_t row, int64_t vector, ArrayRef<Value> accumulators, ArrayRef<DotEmitter::Activation> read,
                              ArrayRef<SmallVector<Value>> columns);
  DotEmitter::Activation emitActivation(Value activations, int64_t row, int64_t height, ArrayRef<int64_t> bytesAt);
  void emitPrefetch(Value weights, int64_t ahead);
  void enterNextPanel(Value position);
  void emitNextPanel(Value weights);
  Value emitRowBytes(Value offset, ArrayRef<int64_t> bytesAt);
  SmallVector<Value> emitColumnVectors(Value weights);
  SmallVector<Value> finishRows(int64_t height, ArrayRef<Value> accumulators);

  ContractOp op;
  const PackedLayout &layout;
  const PackedLayout plainLayout; ///< the same without few bits
  const Isa &isa;
  const int64_t prefetchBytes, rowPrefetchBytes; ///< see CostTable
  const bool overlapsTiles; ///< see overlaps
  ImplicitLocOpBuilder b;
  DotEmitter dots, halfDots;
  std::optional<OutputWalk> walk;
  std::optional<TileEpilogue> epilogue;
  FlatBuffer weightBuffer;
  std::optional<WeightReader> reader; ///< of weights in few bits
  Value scratch;                      ///< for a decoded panel; null: tiles decode in registers
  Value groupSums;                    ///< of the activations of each group, or of all, times -offset; null: weights are decoded
  Partition partition;
  int64_t runs = 0, runsPerRow = 0, stepsPerRun = 0;
  bool scattered = false; ///< a step crosses from one tap to the next, and the taps do not follow one another

  // The state of the loops around a tile.
  Bounds lineRange, rowRange;
  int64_t vectors = 0, validColumns = 0;       ///< of the panel
  bool halvesLast = false;                     ///< its last vector; see isHalf
  Value groupChannel, panelColumn, panelWeights; ///< its input channel, output column and weights
  Value weightMemory;                            ///< that panelWeights is an offset in
  SmallVector<Value> stepGroupRow;               ///< of the group whose weights are decoded now; or none
  Value inputLine, currentLine;
  int64_t panelTiles = 0; ///< that share the next panel's weights out
  Value nextSlice;        ///< what this tile asks for of them; null: nothing
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CODEGEN_CONTRACTEMITTER_H
