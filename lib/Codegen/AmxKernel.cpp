//===- AmxKernel.cpp - contractions on AMX tiles ----------------------------===//
//
// A tile of activations is up to 16 positions of one line, read from NHWC memory with the line's stride: no im2col, no
// copy. A line of P positions takes T = ceil(P / 16) tiles of the same height h = ceil(P / T); the last one begins at
// P - h, so it computes some rows a second time, which its epilogue skips. One height for each kernel keeps one tile
// configuration for each function.
//
//   forall part:                     tiles of activations x panels of columns
//     for chunk of tiles:            its activations stay in L1
//       for panel of columns:        its weights come from L2 once a chunk
//         for block of tiles:        2 tiles by 2 panels of 16 columns, or 4 tiles by 1 (AmxTiling.h): 4 accumulators
//           for run: for step:       one tile product for each accumulator
//           accumulators to a scratch in L1, epilogue by rows, store
//
// Accumulators start from the bias, read with stride 0. Weights are in the order of the dots (PackedLayout.h): a tile of
// them is 16 steps of 16 columns, its rows are one step apart. Weights in few bits are decoded panel by panel, each once
// for all tiles of a part, into a scratch in that order.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/AmxTiling.h"
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "halftone/Codegen/WeightReader.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Parts that a contraction is cut into at most.
static constexpr int64_t kMostParts = 64;
/// Steps of a reduction that are unrolled.
static constexpr int64_t kUnrolledSteps = 3;
/// How far ahead of their use weights are asked for, in bytes of a panel: about the latency of L3 at the rate of the dots.
static constexpr int64_t kPrefetchDistance = 2048;
static constexpr int64_t kLanes = AmxTiling::kLanes, kAccumulators = AmxTiling::kAccumulators;
/// How many times as large as the activations weights must be to be shared out: a line that another core has written is read
/// at half the rate of L3, and so is taking it over to write it.
static constexpr int64_t kColumnsFactor = 6;
/// Tiles of activations that a decoded panel serves at least, if there are so many: decoding then takes some percent.
static constexpr int64_t kDecodedTiles = 16;
/// Panels of a cache line of codes.
static constexpr int64_t kLinePanels = 4;
/// Bytes of a panel for one step.
static constexpr int64_t kStepWeights = 64;

namespace {

/// Where a tile of activations stands.
struct TilePlace {
  Value line, position; ///< of its first row
  Value skipped;        ///< rows that the tile before it has computed; null for none
  Value input;          ///< offset of its first row's activations
};

/// Blocks of `size` tiles, from the tile `first` on.
struct BlockRange {
  Value first, count;
  int64_t size;
};

/// One block: tiles side by side with panels.
struct TileBlock {
  SmallVector<TilePlace> tiles;
  Value column;         ///< of the output
  Value weights;        ///< of its first panel
};

class AmxKernel {
public:
  AmxKernel(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs)
      : op(op), stored(layout), layout(layout.asBytes()), isa(isa), costs(costs), b(op.getLoc(), op) {}
  void emit();

private:
  int64_t panels() const { return llvm::divideCeil(layout.columns, kLanes); }
  /// Activations of a chunk fill half of L1.
  double chunkBytes() const { return costs.levels.front().bytes / 2; }
  bool isPacked() const { return stored.storage.isPacked(); }
  /// Weights that are read panel by panel for all tiles of a part: those that do not stay in L2 between two chunks (half of
  /// it), and those that are decoded.
  bool isCold() const { return isPacked() || isLarge(); }
  bool isLarge() const { return costs.levels.size() > 2 && double(layout.elements()) >= costs.levels[1].bytes / 2; }
  int64_t countParts() const;
  int64_t chunkTiles();
  void choosePartition();

  void emitPart(Bounds tiles, Bounds panelRange);
  void emitPanels(Bounds tiles, Bounds panelRange);
  void emitBlocks(Bounds tiles, Bounds panelRange, int64_t width, int64_t valid);
  void decodePanels(Value panel);
  void emitSizes(Bounds tiles, Bounds panelRange);
  void emitEqualBlocks(const BlockRange &blocks, Bounds panelRange);
  TilePlace place(Value tile);

  TileBlock enterBlock(const BlockRange &blocks, Value panel, Value turn);
  void emitProducts(const TileBlock &block);
  SmallVector<Value> emitReduction(const TileBlock &block);
  SmallVector<Value> emitStep(ArrayRef<Value> inputs, Value weights, ArrayRef<Value> accumulators);
  void emitPrefetch(Value weights);
  void emitRows(const TileBlock &block, int64_t tile);
  Value loadTile(amx::TileType type, Value memory, Value offset, int64_t stride);

  ContractOp op;
  const PackedLayout &stored; ///< as the constant is
  const PackedLayout layout;  ///< as tiles are loaded
  const Isa &isa;
  const CostTable &costs;
  ImplicitLocOpBuilder b;
  std::optional<OutputWalk> walk;
  std::optional<TileEpilogue> epilogue;
  FlatBuffer weightBuffer;
  Value weightMemory; ///< that tiles of weights are loaded from
  Value scratch;
  amx::TileType activationTile, weightTile, accumulatorTile;
  int64_t height = 0, tilesPerLine = 0, totalTiles = 0; ///< totalTiles is kDynamic with a dynamic batch
  int64_t tilesDown = 0;                                ///< of a block of panels side by side
  int64_t wholeTiles = 0;                               ///< that full blocks divide
  int64_t partTiles = 0, partPanels = 0;
  bool columnsOutside = false; ///< parts are ordered by columns, then tiles; else the other way
  int64_t runsPerRow = 0, blocksPerRun = 0, stepsPerBlock = 0;

  // The state of the loops around a block.
  int64_t across = 0, validColumns = 0; ///< panels, and the columns of them that exist
};

} // namespace

void mlir::halftone::emitAmxKernel(ContractOp op, const PackedLayout &layout, const Isa &isa, const CostTable &costs) {
  AmxKernel(op, layout, isa, costs).emit();
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// Tiles whose activations fill a chunk, in full blocks.
int64_t AmxKernel::chunkTiles() {
  const Advance &advance = walk->input.advance;
  auto bytes = [&](int64_t tiles) {
    if (layout.kernelHeight == 1)
      return tiles * height * std::max(walk->positionStride(walk->input), layout.channels);
    int64_t lines = llvm::divideCeil(tiles, tilesPerLine), reach = layout.kernelHeight - op.getStrides()[0];
    return (lines * op.getStrides()[0] + reach) * advance.row / op.getStrides()[0];
  };
  int64_t tiles = wholeTiles;
  while (tiles < 1024 && double(bytes(tiles + wholeTiles)) <= chunkBytes())
    tiles += wholeTiles;
  return tiles;
}

/// A part takes about as long as handing a layer to threads; of a dynamic batch, one sample counts.
int64_t AmxKernel::countParts() const {
  const double cycles = predictCycles(costs, ContractShape::of(op, *layout.kernel), *layout.kernel).cycles();
  return static_cast<int64_t>(std::clamp(cycles / costs.threadCycles, 1.0, double(kMostParts)));
}

/// Very large weights are shared out by columns, so that each thread reads its own; else tiles are, so that a thread finds in
/// its caches what it has written in the layer before; and weights that are decoded, so that each is decoded once. Columns of a part fill whole cache lines
/// of the output, where there are enough: two threads that write one line take turns.
void AmxKernel::choosePartition() {
  const bool isDynamic = ShapedType::isDynamic(totalTiles);
  const int64_t tiles = isDynamic ? tilesPerLine : totalTiles, parts = countParts();
  const int64_t inputBytes = tiles * height * std::max<int64_t>(walk->positionStride(walk->input), 1);
  const int64_t unit = panels() >= 2 * kLinePanels ? kLinePanels : kAccumulators / tilesDown;
  columnsOutside = isPacked() || layout.elements() > kColumnsFactor * inputBytes;
  const int64_t units = llvm::divideCeil(panels(), unit);
  partPanels = unit * (columnsOutside ? std::max<int64_t>(units / parts, 1) : units);
  const int64_t tileParts = llvm::divideCeil(parts, llvm::divideCeil(panels(), partPanels));
  partTiles = llvm::alignTo(std::max<int64_t>(tiles / tileParts, isPacked() ? kDecodedTiles : 1), wholeTiles);
}

void AmxKernel::emit() {
  walk.emplace(b, op);
  epilogue.emplace(b, op, *walk, isa);
  const AmxTiling tiling(walk->span(), walk->lineCount(), layout.columns, layout.kernelHeight > 1);
  tilesPerLine = tiling.tilesPerLine;
  height = tiling.height;
  tilesDown = tiling.tilesDown;
  wholeTiles = tiling.wholeTiles();
  totalTiles = ShapedType::isDynamic(walk->lineCount()) ? ShapedType::kDynamic : walk->lineCount() * tilesPerLine;
  runsPerRow = layout.joined ? 1 : layout.kernelWidth;
  blocksPerRun = layout.blocksPerRun();
  stepsPerBlock = layout.stepsPerRun() / blocksPerRun;

  Type i8 = b.getI8Type();
  activationTile = amx::TileType::get({height, stepsPerBlock * layout.kernel->step}, i8);
  weightTile = amx::TileType::get({stepsPerBlock, kLanes * layout.kernel->step}, i8);
  accumulatorTile = amx::TileType::get({height, kLanes}, b.getI32Type());
  weightBuffer = flatten(b, op.getWeights());
  scratch = memref::AllocaOp::create(b, MemRefType::get({kAccumulators * height * kLanes}, b.getI32Type()), b.getI64IntegerAttr(64));
  choosePartition();
  weightMemory = weightBuffer.memory;
  if (isPacked()) {
    auto type = MemRefType::get({kAccumulators / tilesDown * layout.panelElements(1)}, b.getI8Type());
    weightMemory = memref::AllocaOp::create(b, type, b.getI64IntegerAttr(64));
  }

  Value tileCount = mul(b, walk->emitLineCount(b), tilesPerLine);
  Value tileParts = pieceCount(b, tileCount, partTiles);
  int64_t unitParts = llvm::divideCeil(panels(), partPanels);
  // Always a function of its own: one tile configuration for each.
  emitParts(b, mul(b, tileParts, unitParts), [&](Value part) {
    Value inner = columnsOutside ? tileParts : indexConstant(b, unitParts);
    Value unit = b.createOrFold<arith::RemUIOp>(part, inner), rest = b.createOrFold<arith::DivUIOp>(part, inner);
    if (columnsOutside)
      std::swap(unit, rest);
    emitPart(pieceBounds(b, rest, partTiles, tileCount), pieceBounds(b, unit, partPanels, indexConstant(b, panels())));
  }, /*always=*/true);
}

void AmxKernel::emitPart(Bounds tiles, Bounds panelRange) {
  const int64_t chunk = isCold() ? partTiles : std::min(chunkTiles(), partTiles);
  emitLoop(b, tiles, chunk, [&](Value begin) {
    emitPanels({begin, minimum(b, add(b, begin, chunk), tiles.end)}, panelRange);
  });
}

/// Panels by as many as stand side by side in a block; the last one may stand alone, and be narrower.
void AmxKernel::emitPanels(Bounds tiles, Bounds panelRange) {
  const int64_t width = kAccumulators / tilesDown, whole = layout.columns / (width * kLanes) * width;
  Value wholeEnd = indexConstant(b, whole);
  emitBlocks(tiles, {panelRange.begin, minimum(b, panelRange.end, wholeEnd)}, width, width * kLanes);
  if (whole < panels())
    emitBlocks(tiles, {maximum(b, panelRange.begin, wholeEnd), panelRange.end}, panels() - whole,
               layout.columns - whole * kLanes);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// All tiles meet all panels. Weights that come from far away are read once: panel by panel.
void AmxKernel::emitBlocks(Bounds tiles, Bounds panelRange, int64_t width, int64_t valid) {
  across = width;
  validColumns = valid;
  if (!isCold())
    return emitSizes(tiles, panelRange);
  emitLoop(b, panelRange, across, [&](Value panel) {
    decodePanels(panel);
    emitSizes(tiles, {panel, minimum(b, add(b, panel, across), panelRange.end)});
  });
}

/// Panels that stand side by side, into the scratch.
void AmxKernel::decodePanels(Value panel) {
  if (!isPacked())
    return;
  WeightReader reader(stored, isa, weightBuffer.memory);
  for (int64_t v = 0; v < across; ++v)
    reader.emitPanel(b, mul(b, add(b, panel, v), stored.panelElements(1)), 1, weightMemory, v * layout.panelElements(1));
}

/// Full blocks, then what is left: one lower block, or halves where the number of tiles is not known.
void AmxKernel::emitSizes(Bounds tiles, Bounds panelRange) {
  const int64_t whole = AmxTiling::tilesBeside(across);
  int64_t size = whole;
  while (true) {
    Value count = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(tiles.end, tiles.begin), indexConstant(b, size));
    emitEqualBlocks({tiles.begin, count, size}, panelRange);
    tiles.begin = add(b, tiles.begin, mul(b, count, size));
    bool isDynamic = ShapedType::isDynamic(totalTiles);
    int64_t rest = isDynamic ? size / 2 : totalTiles % whole;
    if (rest == 0 || rest >= size)
      return;
    size = rest;
  }
}

/// All blocks of all panels, panel by panel.
void AmxKernel::emitEqualBlocks(const BlockRange &blocks, Bounds panelRange) {
  emitLoop(b, panelRange, across, [&](Value panel) {
    emitLoop(b, {indexConstant(b, 0), blocks.count}, 1, [&](Value turn) {
      TileBlock block = enterBlock(blocks, panel, turn);
      emitProducts(block);
      for (int64_t tile = 0; tile < int64_t(block.tiles.size()); ++tile)
        emitRows(block, tile);
    });
  });
}

TileBlock AmxKernel::enterBlock(const BlockRange &blocks, Value panel, Value turn) {
  Value weights = isPacked() ? indexConstant(b, 0) : mul(b, panel, layout.panelElements(1));
  TileBlock block = {{}, mul(b, panel, kLanes), weights};
  for (int64_t i = 0; i < blocks.size; ++i)
    block.tiles.push_back(place(add(b, add(b, blocks.first, mul(b, turn, blocks.size)), i)));
  return block;
}

TilePlace AmxKernel::place(Value tile) {
  TilePlace result;
  Value perLine = indexConstant(b, tilesPerLine);
  result.line = b.createOrFold<arith::DivUIOp>(tile, perLine);
  Value begin = mul(b, b.createOrFold<arith::RemUIOp>(tile, perLine), height);
  result.position = begin;
  if (tilesPerLine * height != walk->span()) {
    result.position = minimum(b, begin, indexConstant(b, walk->span() - height));
    result.skipped = b.createOrFold<arith::SubIOp>(begin, result.position);
  }
  result.input = add(b, walk->emitLineOffset(b, walk->input, result.line),
                     mul(b, result.position, walk->positionStride(walk->input)));
  return result;
}

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

Value AmxKernel::loadTile(amx::TileType type, Value memory, Value offset, int64_t stride) {
  return amx::TileLoadOp::create(b, type, memory, ValueRange{offset}, indexConstant(b, stride));
}

SmallVector<Value> AmxKernel::emitReduction(const TileBlock &block) {
  ArrayRef<int64_t> strides = walk->input.flat.strides;
  const bool convolution = strides.size() == 4;
  const int64_t rowStride = convolution ? strides[1] * op.getDilations()[0] : 0;
  const int64_t tapStride = convolution ? strides[2] * op.getDilations()[1] : 0;
  const int64_t stepBytes = stepsPerBlock * layout.kernel->step, stepWeights = stepsPerBlock * kStepWeights;
  SmallVector<Value> inputs, accumulators;
  for (const TilePlace &tile : block.tiles) {
    inputs.push_back(tile.input);
    for (int64_t v = 0; v < across; ++v) // the bias, in every row
      accumulators.push_back(
          loadTile(accumulatorTile, weightMemory, add(b, block.weights, v * layout.panelElements(1)), 0));
  }
  Value weights = add(b, block.weights, kStepWeights);
  // Step k of the run at `offset`; `number` counts the steps of all runs.
  auto step = [&](Value offset, Value number, ArrayRef<Value> carried) {
    SmallVector<Value> at = llvm::map_to_vector(inputs, [&](Value input) { return add(b, input, offset); });
    return emitStep(at, add(b, weights, mul(b, number, stepWeights)), carried);
  };
  auto run = [&](Value offset, Value number, SmallVector<Value> carried) {
    if (blocksPerRun > kUnrolledSteps)
      return emitCarryingLoop(b, indexConstant(b, blocksPerRun), carried, [&](Value k, SmallVector<Value> inner) {
        return step(add(b, offset, mul(b, k, stepBytes)), add(b, number, k), inner);
      });
    for (int64_t k = 0; k < blocksPerRun; ++k)
      carried = step(add(b, offset, k * stepBytes), add(b, number, k), carried);
    return carried;
  };
  Value zero = indexConstant(b, 0);
  if (layout.runs() == 1)
    return run(zero, zero, accumulators);
  return emitCarryingLoop(b, indexConstant(b, layout.kernelHeight), accumulators, [&](Value y, SmallVector<Value> row) {
    Value offset = mul(b, y, rowStride), number = mul(b, y, runsPerRow * blocksPerRun);
    if (blocksPerRun * runsPerRow <= kUnrolledSteps) {
      for (int64_t x = 0; x < runsPerRow; ++x)
        row = run(add(b, offset, x * tapStride), add(b, number, x * blocksPerRun), row);
      return row;
    }
    return emitCarryingLoop(b, indexConstant(b, runsPerRow), row, [&](Value x, SmallVector<Value> inner) {
      return run(add(b, offset, mul(b, x, tapStride)), add(b, number, mul(b, x, blocksPerRun)), inner);
    });
  });
}

/// Asks for the weights of a later step: the core's own prefetchers do not follow tiles. Decoded ones are at hand.
void AmxKernel::emitPrefetch(Value weights) {
  if (isPacked())
    return;
  for (int64_t v = 0; v < across; ++v)
    for (int64_t row = 0; row < stepsPerBlock; ++row)
      memref::PrefetchOp::create(b, weightBuffer.memory,
                                 ValueRange{add(b, weights, v * layout.panelElements(1) + kPrefetchDistance + row * kStepWeights)},
                                 /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
}

/// One step: each tile of weights meets each tile of activations.
SmallVector<Value> AmxKernel::emitStep(ArrayRef<Value> inputs, Value weights, ArrayRef<Value> accumulators) {
  SmallVector<Value> columns, results;
  emitPrefetch(weights);
  for (int64_t v = 0; v < across; ++v)
    columns.push_back(loadTile(weightTile, weightMemory, add(b, weights, v * layout.panelElements(1)), kStepWeights));
  for (Value input : inputs) {
    Value rows = loadTile(activationTile, walk->input.flat.memory, input, walk->positionStride(walk->input));
    for (int64_t v = 0; v < across; ++v)
      results.push_back(amx::TileMulIOp::create(b, accumulatorTile, rows, columns[v], accumulators[results.size()],
                                                /*isZextLhs=*/false, /*isZextRhs=*/false));
  }
  return results;
}

/// The accumulators of a block, to the scratch: rows of as many columns as stand side by side.
void AmxKernel::emitProducts(const TileBlock &block) {
  SmallVector<Value> accumulators = emitReduction(block);
  const int64_t width = across * kLanes;
  for (int64_t i = 0; i < int64_t(block.tiles.size()); ++i)
    for (int64_t v = 0; v < across; ++v)
      amx::TileStoreOp::create(b, scratch, ValueRange{indexConstant(b, i * height * width + v * kLanes)},
                               accumulators[i * across + v], indexConstant(b, width));
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

/// The rows of one tile, from the scratch; as many vectors at a time as are packed together.
void AmxKernel::emitRows(const TileBlock &block, int64_t tile) {
  const int64_t width = across * kLanes;
  VectorType type = VectorType::get({kLanes}, b.getI32Type());
  const TilePlace &place = block.tiles[tile];
  epilogue->enterLine(place.line);
  Value begin = place.skipped ? place.skipped : indexConstant(b, 0), end = indexConstant(b, height);
  for (int64_t rows : {TileEpilogue::kPackedVectors / across, int64_t(1)}) {
    Value count = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(end, begin), indexConstant(b, rows));
    Value next = add(b, begin, mul(b, count, rows));
    emitLoop(b, {begin, next}, rows, [&](Value row) {
      Value first = add(b, mul(b, row, width), tile * height * width);
      SmallVector<Value> sums;
      for (int64_t v = 0; v < rows * across; ++v)
        sums.push_back(vector::LoadOp::create(b, type, scratch, ValueRange{add(b, first, v * kLanes)}));
      epilogue->emit(rows, add(b, place.position, row), {block.column, kLanes, across, validColumns}, sums);
    });
    begin = next;
  }
}
