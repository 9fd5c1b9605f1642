//===- ContractReduction.cpp - the dots of one tile -------------------------===//
//
//   accumulators = 0 or the start row
//   for run: for step:                      one dot for each row and vector
//   [rest steps, whose bytes are gathered]
//
// Groups of weights in few bits have sums of their own, which are multiplied and added where a group ends. What the next panel reads is asked
// for beside the dots.
//
//===----------------------------------------------------------------------===//
#include "ContractEmitter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

/// Reductions of up to this many steps are unrolled whole, and the steps of a run up to the second.
static constexpr int64_t kUnrolledSteps = 12;
static constexpr int64_t kUnrolledRun = 4;
static constexpr int64_t kCacheLine = 64;
/// Of more tiles than this that read a panel, the first one's waiting is little.
static constexpr int64_t kAskingTiles = 16;
/// Accumulators of the groups of a tile, which live beside the tile's own.
static constexpr int64_t kGroupAccumulators = 8;

/// The first accumulators of a tile, for the rows of one dot after the other: vector by vector, row by row.
SmallVector<Value> ContractEmitter::emitStart(int64_t height) {
  const int64_t startBytes = layout.kernel->lanes * static_cast<int64_t>(sizeof(int32_t));
  SmallVector<Value> rows;
  for (int64_t vector = 0; vector < vectors; ++vector) {
    const DotEmitter &of = dotsOf(vector);
    VectorType type = of.accumulatorType(b.getContext());
    if (!layout.kernel->hasStart()) {
      llvm::append_range(rows, of.startRows(b, arith::ConstantOp::create(b, b.getZeroAttr(type))));
      continue;
    }
    const int64_t bytesOf = isHalf(vector) ? startBytes / 2 : startBytes;
    Value bytes = vector::LoadOp::create(b, VectorType::get({bytesOf}, b.getI8Type()), weightMemory,
                                         add(b, panelWeights, vector * startBytes));
    llvm::append_range(rows, of.startRows(b, vector::BitCastOp::create(b, type, bytes)));
  }
  SmallVector<Value> accumulators;
  for (int64_t row = 0; row < height; row += layout.kernel->rowsPerDot())
    llvm::append_range(accumulators, rows);
  return accumulators;
}

/// A half of a vector as a whole one, whose other lanes have no meaning.
Value ContractEmitter::fillLanes(Value half) {
  SmallVector<int64_t> order(layout.kernel->lanes, vector::ShuffleOp::kPoisonIndex);
  std::iota(order.begin(), order.begin() + layout.kernel->lanes / 2, 0);
  return vector::ShuffleOp::create(b, half, half, order);
}

/// The accumulators of `height` rows, row by row.
SmallVector<Value> ContractEmitter::finishRows(int64_t height, ArrayRef<Value> accumulators) {
  const int64_t together = layout.kernel->rowsPerDot();
  SmallVector<Value> rows(llvm::alignTo(height, together) * vectors);
  for (int64_t first = 0; first < height; first += together)
    for (int64_t vector = 0; vector < vectors; ++vector) {
      ArrayRef<Value> of = accumulators.slice(first * vectors + vector * together, together);
      for (auto [i, row] : llvm::enumerate(dots.finishRows(b, of)))
        rows[(first + i) * vectors + vector] = isHalf(vector) ? fillLanes(row) : row;
    }
  rows.truncate(height * vectors);
  return rows;
}

SmallVector<Value> ContractEmitter::emitReduction(int64_t height, Value activations) {
  Value weights = add(b, panelWeights, layout.startElements(vectors));
  if (!groupSums && !tileLayout().storage.hasGroups() && layout.steps() <= kUnrolledSteps)
    weights = keepInLoop(b, weights);
  SmallVector<Value> accumulators = emitRuns(height, activations, weights, emitStart(height));
  return layout.gathersRests ? emitRests(height, activations, weights, std::move(accumulators)) : accumulators;
}

SmallVector<Value> ContractEmitter::emitRuns(int64_t height, Value activations, Value weights, SmallVector<Value> accumulators) {
  const int64_t stepWeights = tileLayout().unitElements(vectors);
  const bool grouped = tileLayout().storage.hasGroups();
  const int64_t runWeights = grouped ? layout.runElements(vectors) : stepsPerRun * stepWeights;
  ArrayRef<int64_t> strides = walk->input.flat.strides;
  bool convolution = strides.size() == 4;
  const int64_t rowStride = convolution ? strides[1] * op.getDilations()[0] : 0;
  const int64_t tapStride = convolution ? strides[2] * op.getDilations()[1] : 0;
  if (groupSums && !grouped) {
    SmallVector<Value> sums = emitRun(height, stepsPerRun, activations, weights, startGroup(indexConstant(b, 0), accumulators.size()));
    return addSums(finishGroup(sums), accumulators);
  }
  if (!scattered && !grouped && layout.steps() <= kUnrolledSteps) {
    for (int64_t run = 0; run < runs; ++run) {
      const int64_t offset = run / runsPerRow * rowStride + run % runsPerRow * tapStride;
      accumulators = emitSteps(height, stepsPerRun, add(b, activations, offset), add(b, weights, run * stepsPerRun * stepWeights), accumulators);
    }
    return accumulators;
  }
  return emitCarryingLoop(b, indexConstant(b, layout.kernelHeight), accumulators, [&](Value y, SmallVector<Value> row) {
    Value rowStart = add(b, activations, mul(b, y, rowStride));
    Value rowWeights = add(b, weights, mul(b, y, runsPerRow * runWeights));
    if (scattered)
      return emitScatteredRun(height, rowStart, rowWeights, row);
    return emitCarryingLoop(b, indexConstant(b, runsPerRow), row, [&](Value x, SmallVector<Value> carried) {
      Value start = add(b, rowStart, mul(b, x, tapStride)), runStart = add(b, rowWeights, mul(b, x, runWeights));
      return grouped ? emitGroups(height, start, runStart, carried) : emitRun(height, stepsPerRun, start, runStart, carried);
    });
  });
}

/// The steps of one run: unrolled if they are few, else in a loop over those that are joined.
SmallVector<Value> ContractEmitter::emitRun(int64_t height, int64_t steps, Value activations, Value weights,
                                           SmallVector<Value> accumulators) {
  if (steps <= kUnrolledRun)
    return emitSteps(height, steps, activations, weights, std::move(accumulators));
  const int64_t joined = layout.kernel->joined, whole = steps / joined, stepBytes = joined * layout.kernel->step;
  const int64_t stepWeights = joined * tileLayout().unitElements(vectors);
  accumulators = emitCarryingLoop(b, indexConstant(b, whole), accumulators, [&](Value step, SmallVector<Value> carried) {
    return emitSteps(height, joined, add(b, activations, mul(b, step, stepBytes)), add(b, weights, mul(b, step, stepWeights)), carried);
  });
  return emitSteps(height, steps % joined, add(b, activations, whole * stepBytes), add(b, weights, whole * stepWeights), std::move(accumulators));
}

SmallVector<Value> ContractEmitter::emitSteps(int64_t height, int64_t steps, Value activations, Value weights,
                                             SmallVector<Value> accumulators) {
  const int64_t stepWeights = tileLayout().unitElements(vectors);
  for (int64_t step = 0; step < steps; step += layout.kernel->joined)
    accumulators = emitStep(height, add(b, activations, step * layout.kernel->step), add(b, weights, step * stepWeights),
                            accumulators, /*bytesAt=*/{}, std::min(layout.kernel->joined, steps - step));
  return accumulators;
}

/// The groups of one run: some steps with a row of multipliers or tables before them.
SmallVector<Value> ContractEmitter::emitGroups(int64_t height, Value activations, Value weights,
                                              SmallVector<Value> accumulators) {
  const int64_t steps = layout.storage.group / layout.kernel->step, whole = stepsPerRun / steps, rest = stepsPerRun % steps;
  const int64_t groupWeights = layout.groupElements(vectors) + steps * layout.unitElements(vectors);
  auto at = [&](Value i) { return std::pair(add(b, activations, mul(b, i, layout.storage.group)), add(b, weights, mul(b, i, groupWeights))); };
  if (whole)
    accumulators = emitCarryingLoop(b, indexConstant(b, whole), accumulators, [&](Value i, SmallVector<Value> carried) {
      auto [start, groupStart] = at(i);
      return emitGroup(height, steps, i, start, groupStart, carried);
    });
  if (!rest)
    return accumulators;
  Value last = indexConstant(b, whole);
  auto [start, groupStart] = at(last);
  return emitGroup(height, rest, last, start, groupStart, accumulators);
}

/// One group. With multipliers a low tile sums its codes' products by themselves and multiplies the sum; a high one has no registers for that,
/// and multiplies the decoded bytes instead.
SmallVector<Value> ContractEmitter::emitGroup(int64_t height, int64_t steps, Value index, Value activations, Value weights,
                                             SmallVector<Value> accumulators) {
  SmallVector<Value> row = reader->loadGroupRow(b, weights, vectors);
  Value first = add(b, weights, layout.groupElements(vectors));
  const bool sums = !layout.storage.hasTables() && static_cast<int64_t>(accumulators.size()) <= kGroupAccumulators;
  SmallVector<Value> carried = accumulators;
  if (sums)
    carried = startGroup(index, accumulators.size());
  else
    stepGroupRow = row;
  carried = steps <= kUnrolledSteps ? emitSteps(height, steps, activations, first, carried)
                                    : emitRun(height, steps, activations, first, carried);
  stepGroupRow.clear();
  return sums ? addGroup(height, finishGroup(carried), row, accumulators) : carried;
}

/// Whether fields stay in place (WeightReader.h): the activations of a group are those of one row for all columns. What is shifted
/// is below 2^31: each of its products is at most 255 * 128.
bool ContractEmitter::readsInPlace() const {
  constexpr int64_t kMostElements = (int64_t(1) << 31) / (255 * 128);
  return layout.storage.flipsTop() && walk->lineCount() == 1 && walk->span() == 1 && runs == 1 && layout.groups == 1 &&
         layout.kernel->rowsPerDot() == 1 && (layout.storage.hasGroups() || layout.steps() * layout.kernel->step < kMostElements);
}

/// Sums the activations of the row, all that its steps read: of each group, or of all.
void ContractEmitter::emitGroupSums() {
  const bool grouped = layout.storage.hasGroups();
  const int64_t piece = grouped ? layout.storage.group : layout.vectorElements(), elements = stepsPerRun * layout.kernel->step;
  Value zero = indexConstant(b, 0), whole = indexConstant(b, elements / piece);
  Value row = add(b, walk->emitLineOffset(b, walk->input, zero), walk->emitTileOffset(b, walk->input, zero));
  auto sum = [&](Value index, int64_t count) {
    auto type = VectorType::get({count}, b.getI8Type());
    Value bytes = vector::LoadOp::create(b, type, walk->input.flat.memory, add(b, row, mul(b, index, piece)));
    Value factor = arith::ConstantOp::create(b, b.getI32IntegerAttr(-static_cast<int32_t>(reader->offset())));
    return arith::MulIOp::create(b, dots.sumActivations(b, bytes), factor).getResult();
  };
  auto keep = [&](Value value, Value index) { memref::StoreOp::create(b, value, groupSums, index); };
  if (grouped) {
    emitLoop(b, {zero, whole}, 1, [&](Value index) { keep(sum(index, piece), index); });
    if (elements % piece)
      keep(sum(whole, elements % piece), whole);
    return;
  }
  Value none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
  Value total = emitCarryingLoop(b, whole, {none}, [&](Value index, SmallVector<Value> carried) -> SmallVector<Value> {
    return {arith::AddIOp::create(b, carried[0], sum(index, piece))};
  })[0];
  keep(elements % piece ? arith::AddIOp::create(b, total, sum(whole, elements % piece)) : total, zero);
}

/// What the sums of a group start at: 0, or what makes up for the offset of fields in place.
SmallVector<Value> ContractEmitter::startGroup(Value index, size_t count) {
  VectorType type = dots.accumulatorType(b.getContext());
  SmallVector<Value> starts(count, arith::ConstantOp::create(b, b.getZeroAttr(type)));
  if (!groupSums)
    return starts;
  Value sum = memref::LoadOp::create(b, groupSums, index);
  for (auto [start, place] : llvm::zip_equal(starts, reader->placesOf(vectors)))
    if (place.starts) {
      Value factor = arith::ConstantOp::create(b, b.getI32IntegerAttr(static_cast<int32_t>(place.starts)));
      start = vector::BroadcastOp::create(b, type, b.createOrFold<arith::MulIOp>(sum, factor));
    }
  return starts;
}

/// The sums of levels from those of bytes.
SmallVector<Value> ContractEmitter::finishGroup(ArrayRef<Value> sums) {
  SmallVector<Value> results(sums);
  if (!groupSums)
    return results;
  VectorType type = dots.accumulatorType(b.getContext());
  for (auto [sum, place] : llvm::zip_equal(results, reader->placesOf(vectors))) {
    if (place.above)
      sum = arith::SubIOp::create(b, sum, sums[*place.above]);
    if (place.shift) {
      auto by = DenseElementsAttr::get(type, static_cast<int32_t>(place.shift));
      sum = arith::ShRSIOp::create(b, sum, arith::ConstantOp::create(b, by));
    }
  }
  return results;
}

SmallVector<Value> ContractEmitter::addSums(ArrayRef<Value> sums, ArrayRef<Value> accumulators) {
  SmallVector<Value> results;
  for (auto [sum, accumulator] : llvm::zip_equal(sums, accumulators))
    results.push_back(arith::AddIOp::create(b, accumulator, sum));
  return results;
}

/// accumulator + sum * multiplier, exact modulo 2^32.
SmallVector<Value> ContractEmitter::addGroup(int64_t height, ArrayRef<Value> sums, ArrayRef<Value> multipliers,
                                            ArrayRef<Value> accumulators) {
  VectorType type = dots.accumulatorType(b.getContext());
  SmallVector<Value> factors, results;
  for (Value row : multipliers)
    llvm::append_range(factors, dots.startRows(b, arith::ExtUIOp::create(b, type, row)));
  for (auto [i, sum] : llvm::enumerate(sums))
    results.push_back(arith::MulIOp::create(b, sum, factors[i % factors.size()]));
  return addSums(results, accumulators);
}

/// The steps of a kernel row whose taps are apart in memory: the bytes of a step are loaded one by one.
SmallVector<Value> ContractEmitter::emitScatteredRun(int64_t height, Value activations, Value weights,
                                                    SmallVector<Value> accumulators) {
  const int64_t step = layout.kernel->step, tapStride = walk->input.flat.strides[2];
  const int64_t length = std::min(layout.stepsPerRun() * step, layout.runLength());
  for (int64_t first = 0; first < length; first += step) {
    SmallVector<int64_t> bytesAt;
    for (int64_t k = first; k < std::min(first + step, length); ++k)
      bytesAt.push_back(k / layout.channels * tapStride + k % layout.channels);
    accumulators = emitStep(height, activations, add(b, weights, first / step * tileLayout().unitElements(vectors)),
                            accumulators, bytesAt);
  }
  return accumulators;
}

/// The last elements of all runs.
SmallVector<Value> ContractEmitter::emitRests(int64_t height, Value activations, Value weights, SmallVector<Value> accumulators) {
  const int64_t step = layout.kernel->step, stepWeights = tileLayout().unitElements(vectors), k = layout.runLength() - 1;
  ArrayRef<int64_t> strides = walk->input.flat.strides;
  const int64_t rowStride = strides[1] * op.getDilations()[0], tapStride = strides[2] * op.getDilations()[1];
  auto placeOf = [&](int64_t run) {
    const int64_t row = layout.joined ? run : run / layout.kernelWidth, tap = layout.joined ? k / layout.channels : run % layout.kernelWidth;
    return row * rowStride + tap * tapStride + k % layout.channels;
  };
  for (int64_t i = 0; i < layout.restSteps(); ++i) {
    SmallVector<int64_t> bytesAt;
    for (int64_t run = i * step; run < std::min((i + 1) * step, layout.runs()); ++run)
      bytesAt.push_back(placeOf(run));
    accumulators = emitStep(height, activations, add(b, weights, (layout.runs() * layout.stepsPerRun() + i) * stepWeights), accumulators, bytesAt);
  }
  return accumulators;
}

/// The activation of the rows of one dot, from `row` on.
DotEmitter::Activation ContractEmitter::emitActivation(Value activations, int64_t row, int64_t height,
                                                      ArrayRef<int64_t> bytesAt) {
  auto at = [&](int64_t r) { return add(b, activations, walk->displacement(walk->input, r)); };
  if (layout.kernel->step == 1)
    return dots.broadcastActivation(b, walk->input.flat.memory, at(row));
  SmallVector<Value> rowBytes;
  // A row that the tile does not have is the last one again.
  for (int64_t r = row; r < row + layout.kernel->rowsPerDot(); ++r)
    rowBytes.push_back(r < height ? emitRowBytes(at(r), bytesAt) : rowBytes.back());
  return dots.joinRows(b, rowBytes);
}

/// The bytes of one step.
Value ContractEmitter::emitRowBytes(Value offset, ArrayRef<int64_t> bytesAt) {
  if (bytesAt.empty())
    return vector::LoadOp::create(b, VectorType::get({layout.kernel->step}, b.getI8Type()), walk->input.flat.memory,
                                  offset);
  // Joined as integers: vectors have enough to do.
  Type wide = b.getIntegerType(8 * layout.kernel->step);
  Value word;
  for (auto [i, at] : llvm::enumerate(bytesAt)) {
    Value byte = memref::LoadOp::create(b, walk->input.flat.memory, add(b, offset, at));
    Value placed = arith::ExtUIOp::create(b, wide, byte);
    if (i)
      placed = arith::ShLIOp::create(b, placed, arith::ConstantOp::create(b, b.getIntegerAttr(wide, 8 * i)));
    word = word ? Value(arith::OrIOp::create(b, word, placed)) : placed;
  }
  Value one = vector::BroadcastOp::create(b, VectorType::get({1}, wide), word);
  return vector::BitCastOp::create(b, VectorType::get({layout.kernel->step}, b.getI8Type()), one);
}

/// Asks for the weights of a later step, `ahead` bytes on. They may be those of the next panel, or nothing behind the last one.
void ContractEmitter::emitPrefetch(Value weights, int64_t ahead) {
  const int64_t elementBytes = weightBuffer.element.getIntOrFloatBitWidth() / 8;
  const int64_t stepBytes = layout.unitElements(vectors) * elementBytes;
  for (int64_t line = 0; line < stepBytes; line += kCacheLine)
    memref::PrefetchOp::create(b, weightBuffer.memory, add(b, weights, (ahead + line) / elementBytes),
                               /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
}

/// Tiles that read a panel after one another share the next one out: each asks for a part of it, step by step. Else the first of
/// them would wait for all of it. Behind the last panel are the weights of the next layer.
void ContractEmitter::enterNextPanel(Value position) {
  nextSlice = Value();
  panelTiles = 0;
  if (scratch || !prefetchBytes || layout.steps() <= kUnrolledSteps || ShapedType::isDynamic(partition.rows) ||
      ShapedType::isDynamic(walk->lineCount()))
    return;
  const int64_t rows = partition.lines * partition.rows, tiles = llvm::divideCeil(rows, layout.kernel->rows[vectors]);
  if (tiles < 2 || tiles > kAskingTiles)
    return;
  panelTiles = tiles;
  Value lines = b.createOrFold<arith::SubIOp>(currentLine, lineRange.begin);
  Value row = add(b, mul(b, lines, partition.rows), b.createOrFold<arith::SubIOp>(position, rowRange.begin));
  nextSlice = add(b, add(b, panelWeights, layout.panelElements(vectors)), mul(b, row, layout.panelElements(vectors) / rows));
}

/// The share of one step, of which there are as many as the panel has.
void ContractEmitter::emitNextPanel(Value weights) {
  const int64_t elementBytes = weightBuffer.element.getIntOrFloatBitWidth() / 8, shift = llvm::Log2_64(panelTiles);
  Value into = b.createOrFold<arith::ShRUIOp>(b.createOrFold<arith::SubIOp>(weights, panelWeights), indexConstant(b, shift));
  const int64_t stepBytes = (layout.unitElements(vectors) * elementBytes) >> shift;
  for (int64_t line = 0; line < std::max<int64_t>(stepBytes, 1); line += kCacheLine)
    memref::PrefetchOp::create(b, weightBuffer.memory, add(b, add(b, nextSlice, into), line / elementBytes),
                               /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

/// The weights of one step, as its dots take them.
SmallVector<Value> ContractEmitter::emitColumnVectors(Value weights) {
  SmallVector<Value> columns;
  if (!tileLayout().storage.isPacked()) {
    for (int64_t vector = 0; vector < vectors; ++vector)
      columns.push_back(dotsOf(vector).loadWeights(b, weightMemory, add(b, weights, vector * layout.vectorElements())));
    return columns;
  }
  for (Value bytes : groupSums ? reader->loadInPlace(b, weights, vectors) : reader->load(b, weights, vectors, stepGroupRow))
    columns.push_back(dots.prepareWeights(b, bytes));
  return columns;
}

SmallVector<Value> ContractEmitter::emitStep(int64_t height, Value activations, Value weights,
                                            ArrayRef<Value> accumulators, ArrayRef<int64_t> bytesAt, int64_t count) {
  const int64_t ahead = height == 1 ? rowPrefetchBytes : prefetchBytes;
  SmallVector<SmallVector<Value>> columns;
  for (int64_t step = 0; step < count; ++step) {
    Value stepWeights = add(b, weights, step * tileLayout().unitElements(vectors));
    if (layout.steps() > kUnrolledSteps && !scratch && ahead)
      emitPrefetch(stepWeights, ahead);
    if (nextSlice)
      emitNextPanel(stepWeights);
    columns.push_back(emitColumnVectors(stepWeights));
  }
  SmallVector<Value> results;
  for (int64_t row = 0; row < height; row += layout.kernel->rowsPerDot()) {
    SmallVector<DotEmitter::Activation> read;
    for (int64_t step = 0; step < count; ++step)
      read.push_back(emitActivation(add(b, activations, step * layout.kernel->step), row, height, bytesAt));
    for (int64_t vector = 0; vector < vectors; ++vector)
      llvm::append_range(results, emitDots(row, vector, accumulators, read, columns));
  }
  return results;
}

/// The dots of the rows of one dot with one vector, over the steps of `read`.
SmallVector<Value> ContractEmitter::emitDots(int64_t row, int64_t vector, ArrayRef<Value> accumulators, ArrayRef<DotEmitter::Activation> read,
                                            ArrayRef<SmallVector<Value>> columns) {
  const int64_t together = layout.kernel->rowsPerDot();
  ArrayRef<Value> of = accumulators.slice(row * vectors + vector * together, together);
  if (read.size() == 1)
    return dotsOf(vector).dotRows(b, of, isHalf(vector) ? dots.lowHalf(b, read[0]) : read[0], columns[0][vector]);
  SmallVector<Value> weights = llvm::map_to_vector(columns, [&](const SmallVector<Value> &step) { return step[vector]; });
  return {dots.dotJoined(b, of[0], read, weights)};
}
