//===- ContractKernel.cpp - the one generator of contractions ---------------===//
//
//   forall part:                            lines x rows x columns of the output, by shape and target only
//     for panel of columns:                 its packed weights stay in the cache
//       for line: for tile of rows:         activations
//         accumulators = 0 or the start row
//         for run: for step:                one dot for each row and vector
//         epilogue, store
//
// The rows of a line that lies within one part are shared out evenly among its tiles, so there are at most two tile
// heights. A line that is cut, or whose length is dynamic, takes full tiles and ends in lower ones.
//
//===----------------------------------------------------------------------===//
#include "ContractEmitter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::halftone;

/// Where a dot takes a whole cycle, the epilogue of a reduction of so few steps takes about as long as its dots. The CPU computes
/// the next tile's dots beside it, if that is near enough: behind no more accumulators than these.
static constexpr int64_t kShortSteps = 24;
static constexpr double kWholeDotCycles = 1;
static constexpr int64_t kShortAccumulators = 14;

bool ContractEmitter::overlaps(const PackedLayout &layout, const CostTable &costs) {
  return layout.kernel->hasStart() && layout.steps() <= kShortSteps && costs.find(layout.kernel->name)->dotCycles >= kWholeDotCycles;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

void mlir::halftone::emitContractKernel(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs) {
  ContractEmitter(op, layout, isa, costs).emit();
}

/// Rows of the lowest full tile.
int64_t ContractEmitter::leastTile() const {
  const auto &rows = layout.kernel->rows;
  int64_t full = rows[layout.panelVectors], rest = rows[layout.restVectors()];
  return !layout.fullPanels() ? rest : layout.restVectors() ? std::min(full, rest) : full;
}

void ContractEmitter::emit() {
  walk.emplace(b, op, leastTile());
  epilogue.emplace(b, op, *walk, isa);
  // The taps of a kernel row must follow one another in memory, unless whole steps fit into each of them.
  bool contiguous = layout.tapsFollow(op);
  scattered = !contiguous && layout.channels % layout.kernel->step;
  runsPerRow = layout.joined && (contiguous || scattered) ? 1 : layout.kernelWidth;
  runs = layout.kernelHeight * runsPerRow;
  stepsPerRun = layout.stepsPerRun() * layout.runs() / runs;
  weightBuffer = flatten(b, op.getWeights());
  partition = choosePartition(layout, *walk);
  if (layout.storage.isPacked()) {
    reader.emplace(layout, isa, weightBuffer.memory);
    if (decodesPanels(contiguous)) {
      auto type = MemRefType::get({plainLayout.panelElements(widestPanel())}, b.getI8Type());
      scratch = memref::AllocaOp::create(b, type, b.getI64IntegerAttr(64));
    } else if (readsInPlace()) {
      groupSums = memref::AllocaOp::create(b, MemRefType::get({std::max<int64_t>(layout.groupsPerRun(), 1)}, b.getI32Type()), b.getI64IntegerAttr(64));
    }
  }

  Value rowParts = pieceCount(b, walk->emitSpan(b), ShapedType::isDynamic(partition.rows) ? 1 : partition.rows);
  Value lineParts = pieceCount(b, walk->emitLineCount(b), partition.lines);
  int64_t unitParts = llvm::divideCeil(columnUnits(layout), partition.units);
  Value positionParts = b.createOrFold<arith::MulIOp>(lineParts, rowParts);
  emitParts(b, mul(b, positionParts, unitParts),
            [&](Value part) { emitPart(part, positionParts, rowParts, unitParts); });
}

/// Whether each panel is decoded once for all rows of a part. It has to be if the runs of groups are not those of the kernel.
bool ContractEmitter::decodesPanels(bool contiguous) const {
  if (layout.storage.hasGroups() && !contiguous)
    return true;
  if (ShapedType::isDynamic(partition.rows))
    return false;
  const int64_t lines = ShapedType::isDynamic(walk->lineCount()) ? 1 : partition.lines;
  return decodesOnce(lines * partition.rows, layout.kernel->rows[widestPanel()], plainLayout.panelElements(widestPanel()), layout.storage.hasTables());
}

/// Parts are ordered by lines, then rows, then columns; or columns come first.
void ContractEmitter::emitPart(Value part, Value positionParts, Value rowParts, int64_t unitParts) {
  const bool outside = partition.columnsOutside;
  Value inner = outside ? positionParts : indexConstant(b, unitParts);
  Value unit = b.createOrFold<arith::RemUIOp>(part, inner), rest = b.createOrFold<arith::DivUIOp>(part, inner);
  if (outside)
    std::swap(unit, rest);
  lineRange = pieceBounds(b, b.createOrFold<arith::DivUIOp>(rest, rowParts), partition.lines, walk->emitLineCount(b));
  rowRange = pieceBounds(b, b.createOrFold<arith::RemUIOp>(rest, rowParts), partition.rows, walk->emitSpan(b));
  if (groupSums)
    emitGroupSums();
  emitColumns(pieceBounds(b, unit, partition.units, indexConstant(b, columnUnits(layout))));
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

void ContractEmitter::emitColumns(Bounds units) {
  Value zero = indexConstant(b, 0), full = indexConstant(b, layout.fullPanels());
  if (layout.groups > 1) {
    emitLoop(b, units, 1, [&](Value group) {
      emitPanels(group, {zero, full});
      emitRestPanel(group);
    });
    return;
  }
  emitPanels(zero, {units.begin, minimum(b, units.end, full)});
  if (!layout.restVectors())
    return;
  // The rest panel is the last unit: a loop of one turn in the part that has it.
  Value last = indexConstant(b, layout.fullPanels());
  emitLoop(b, {maximum(b, units.begin, last), units.end}, 1, [&](Value) { emitRestPanel(zero); });
}

void ContractEmitter::emitPanels(Value group, Bounds panels) {
  if (!layout.fullPanels())
    return;
  const int64_t width = layout.panelVectors;
  emitLoop(b, panels, 1, [&](Value panel) {
    emitPanel(width, layout.panelColumns(), group, mul(b, panel, layout.panelColumns()),
              mul(b, panel, layout.panelElements(width)));
  });
}

void ContractEmitter::emitRestPanel(Value group) {
  if (!layout.restVectors())
    return;
  const int64_t first = layout.fullPanels();
  emitPanel(layout.restVectors(), layout.columns - first * layout.panelColumns(), group,
            indexConstant(b, first * layout.panelColumns()),
            indexConstant(b, first * layout.panelElements(layout.panelVectors)));
}

void ContractEmitter::emitPanel(int64_t width, int64_t valid, Value group, Value column, Value weights) {
  vectors = width;
  validColumns = valid;
  halvesLast = layout.kernel->hasHalf() && !layout.storage.isPacked() &&
               valid - (width - 1) * layout.kernel->lanes <= layout.kernel->lanes / 2;
  groupChannel = mul(b, group, layout.channels);
  panelColumn = add(b, mul(b, group, layout.columns), column);
  panelWeights = add(b, mul(b, group, layout.groupElements()), weights);
  weightMemory = weightBuffer.memory;
  if (scratch) {
    reader->emitPanel(b, panelWeights, width, scratch);
    weightMemory = scratch;
    panelWeights = indexConstant(b, 0);
  }
  emitLoop(b, lineRange, 1, [&](Value line) { emitLine(line); });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void ContractEmitter::emitLine(Value line) {
  currentLine = line;
  inputLine = walk->emitLineOffset(b, walk->input, line);
  epilogue->enterLine(line);
  if (walk->band())
    emitBands();
  else if (partition.rows == walk->span())
    emitEvenTiles();
  else
    emitFullTiles();
}

/// Whole bands, then the rows that are left over one by one.
void ContractEmitter::emitBands() {
  const int64_t band = walk->band(), row = walk->bandRow();
  Value extent = b.createOrFold<arith::SubIOp>(rowRange.end, rowRange.begin);
  Value bands = b.createOrFold<arith::DivUIOp>(extent, indexConstant(b, band));
  Value border = add(b, rowRange.begin, mul(b, bands, band));
  emitLoop(b, {rowRange.begin, border}, band, [&](Value position) { emitTile(band, position); });
  if (walk->span() % band)
    emitLoop(b, {border, rowRange.end}, row, [&](Value position) { emitTile(row, position); });
}

/// The whole line, in tiles of two heights that differ by one.
void ContractEmitter::emitEvenTiles() {
  const int64_t full = layout.kernel->rows[vectors], most = overlapsTiles ? std::min(full, kShortAccumulators / vectors) : full;
  halftone::emitEvenTiles(b, walk->span(), most, [&](int64_t height, Value position) { emitTile(height, position); });
}

/// Full tiles while they fit, then a loop of half the height and one of single rows; both are left out where the range
/// is known to be a multiple of the tile.
void ContractEmitter::emitFullTiles() {
  const int64_t full = layout.kernel->rows[vectors];
  Value begin = rowRange.begin;
  bool exact = !ShapedType::isDynamic(walk->span()) && walk->span() % full == 0 && partition.rows % full == 0;
  for (int64_t height = full; height >= 1; height = height == full && full > 2 ? llvm::divideCeil(full, 2) : height > 1 ? 1 : 0) {
    Value rows = b.createOrFold<arith::SubIOp>(rowRange.end, begin);
    Value count = b.createOrFold<arith::DivUIOp>(rows, indexConstant(b, height));
    Value end = add(b, begin, mul(b, count, height));
    emitLoop(b, {begin, end}, height, [&](Value position) { emitTile(height, position); });
    begin = end;
    if (exact)
      return;
  }
}

void ContractEmitter::emitTile(int64_t height, Value position) {
  Value offset = walk->emitTileOffset(b, walk->input, position);
  enterNextPanel(position);
  SmallVector<Value> accumulators =
      finishRows(height, emitReduction(height, add(b, add(b, inputLine, offset), groupChannel)));
  epilogue->emit(height, position, {panelColumn, layout.kernel->lanes, vectors, validColumns}, accumulators);
}
