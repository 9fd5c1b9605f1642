//===- ContractPartition.h - a contraction's output, cut into parts ---------===//
#ifndef HALFTONE_CODEGEN_CONTRACTPARTITION_H
#define HALFTONE_CODEGEN_CONTRACTPARTITION_H

#include "halftone/Codegen/OutputWalk.h"
#include "halftone/Codegen/PackedLayout.h"

namespace mlir::halftone {

/// The size of one part: lines, positions of a line, and units of columns (panels, or groups if there are several). Parts
/// are what threads share; within one, a panel of weights meets all positions before the next panel is read.
struct Partition {
  int64_t lines, rows, units;
  bool columnsOutside; ///< parts are ordered by columns, then positions; else the other way
};

/// The positions that a part should have, or more: so many that it is worth handing to a thread, and that its tiles, of
/// `tileRows`, read the weights often enough.
int64_t leastPartPositions(int64_t workPerPosition, int64_t tileRows);

/// Whether a panel of weights in few bits is decoded once, into a scratch, for all positions of a part; else each tile of rows
/// decodes it in registers. Groups' tables take registers of the accumulators, so that is for one tile of theirs, in narrow panels (PackWeights.cpp).
bool decodesOnce(int64_t partPositions, int64_t tileRows, int64_t panelBytes, bool hasTables);

/// Units of columns in all.
int64_t columnUnits(const PackedLayout &layout);

/// The partition of a contraction, by its shape and target only. Positions and columns are cut so that the larger of the
/// two operands is read once: where weights exceed the activations, positions are cut only as far as threads need it.
Partition choosePartition(const PackedLayout &layout, const OutputWalk &walk);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_CONTRACTPARTITION_H
