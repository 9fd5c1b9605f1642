//===- CostModel.cpp - what a contraction costs on a CPU --------------------===//
//
// Compiled without contraction into fma, so that a comparison of two costs has one outcome on every host.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/AmxTiling.h"
#include "halftone/Codegen/ContractPartition.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/OutputWalk.h"
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/VectorEmission.h"
#include "halftone/Codegen/WinogradLayout.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static int64_t extent(int64_t size) { return ShapedType::isDynamic(size) ? 1 : size; }

static int64_t bytesOf(Value value) {
  auto type = cast<ShapedType>(value.getType());
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape())
    bytes *= extent(size);
  return bytes;
}

/// Whether the rows of a buffer follow one another without a gap. A tensor's will, unless a border is put around it, which
/// is not known yet.
static bool rowsFollow(Value value) {
  auto memref = dyn_cast<MemRefType>(value.getType());
  std::optional<SmallVector<int64_t>> strides = memref ? staticStrides(memref) : std::nullopt;
  return !strides || (*strides)[1] == (*strides)[2] * memref.getDimSize(2);
}

/// Sets the lines: a matrix product's is the batch, a pointwise convolution's the image, else an output row.
static void setLines(ContractOp op, ContractShape &shape) {
  ArrayRef<int64_t> out = cast<ShapedType>(op.getOutput().getType()).getShape();
  if (out.size() == 2) {
    shape.span = extent(out[0]);
    return;
  }
  ArrayRef<int64_t> in = cast<ShapedType>(op.getInput().getType()).getShape();
  bool joined = in[1] == out[1] && in[2] == out[2] && llvm::all_of(op.getStrides(), [](int64_t s) { return s == 1; });
  joined &= rowsFollow(op.getInput()) && rowsFollow(op.getOutput());
  for (auto [operand, map] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps()))
    if (cast<AffineMapAttr>(map).getValue().getNumResults() == 4)
      joined &= rowsFollow(operand);
  shape.span = joined ? out[1] * out[2] : out[2];
  shape.rows = joined ? 1 : out[1];
  shape.lines = extent(out[0]) * shape.rows;
}

/// Whether the rows of a matrix product, which one tile may span, are not known.
static bool hasUnknownRows(ContractOp op) {
  auto output = cast<ShapedType>(op.getOutput().getType());
  return output.getRank() == 2 && output.isDynamicDim(0);
}

ContractShape ContractShape::of(ContractOp op, const DotKernel &kernel) {
  ContractShape shape;
  shape.depthwise = DepthwiseLayout::isDepthwise(op);
  setLines(op, shape);
  shape.activationBytes = bytesOf(op.getInput()) + bytesOf(op.getOutput());
  for (auto [operand, map] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps()))
    if (cast<AffineMapAttr>(map).getValue().getNumResults() > 1) {
      ++shape.operands;
      shape.activationBytes += bytesOf(operand);
    }
  if (shape.depthwise) {
    FailureOr<DepthwiseLayout> packed = DepthwiseLayout::fromAttribute(op);
    DepthwiseLayout layout = succeeded(packed) ? *packed : DepthwiseLayout::forContract(op, kernel);
    shape.runs = layout.kernelHeight;
    shape.runLength = layout.kernelWidth;
    shape.groups = layout.channels;
    return shape;
  }
  if (std::optional<SparseLayout> sparse = SparseLayout::fromAttribute(op)) {
    shape.runs = sparse->taps();
    shape.runLength = sparse->channels;
    shape.columns = sparse->columns;
    return shape;
  }
  if (std::optional<WinogradLayout> winograd = WinogradLayout::fromAttribute(op)) {
    shape.runs = 3;
    shape.runLength = 3 * winograd->channels;
    shape.columns = winograd->columns;
    return shape;
  }
  FailureOr<PackedLayout> packed = PackedLayout::fromAttribute(op);
  PackedLayout layout = succeeded(packed) ? *packed : PackedLayout::forContract(op, kernel);
  shape.runs = layout.runs();
  shape.runLength = layout.runLength();
  shape.columns = layout.columns;
  shape.groups = layout.groups;
  if (kernel.dot != DotKind::Tile && (succeeded(packed) || hasUnknownRows(op)))
    shape.panelVectors = layout.panelVectors;
  shape.weightBits = layout.storage.bits;
  shape.weightGroup = layout.storage.group;
  shape.weightTables = layout.storage.hasTables();
  return shape;
}

std::string ContractShape::text() const {
  return llvm::formatv("lines={0} rows={1} span={2} runs={3} run={4} columns={5} groups={6} operands={7} "
                       "activations={8} cold={9} panel={10} bits={11} group={12}{13}",
                       lines, rows, span, runs, runLength, columns, groups, operands, activationBytes, coldBytes, panelVectors,
                       weightBits, weightGroup,
                       depthwise ? " depthwise" : weightTables ? " tables" : "");
}

std::optional<ContractShape> ContractShape::parse(StringRef text) {
  ContractShape shape;
  const std::pair<StringRef, int64_t *> fields[] = {
      {"lines", &shape.lines},         {"rows", &shape.rows}, {"span", &shape.span},         {"runs", &shape.runs},
      {"run", &shape.runLength},       {"columns", &shape.columns},   {"groups", &shape.groups},
      {"operands", &shape.operands},   {"activations", &shape.activationBytes}, {"cold", &shape.coldBytes},
      {"panel", &shape.panelVectors},  {"bits", &shape.weightBits}, {"group", &shape.weightGroup}};
  SmallVector<StringRef> words;
  text.split(words, ' ', -1, /*KeepEmpty=*/false);
  for (auto [word, flag] : {std::pair("depthwise", &shape.depthwise), std::pair("tables", &shape.weightTables)})
    if (!words.empty() && words.back() == word) {
      *flag = true;
      words.pop_back();
    }
  if (words.size() != std::size(fields))
    return std::nullopt;
  for (auto [word, field] : llvm::zip_equal(words, fields)) {
    auto [key, value] = word.split('=');
    if (key != field.first || value.getAsInteger(10, *field.second) || *field.second < 0)
      return std::nullopt;
  }
  return shape;
}

//===----------------------------------------------------------------------===//
// Register tiles
//===----------------------------------------------------------------------===//

namespace {

/// Counts cycles of register tiles.
struct TileSum {
  const CostTable &table;
  const KernelCosts &costs;
  double tiles = 0, far = 0; ///< far: of `tiles`, what operands outside of L1 add
  double decoded = 0;        ///< vectors of weights

  /// `count` tiles: in each of `steps` steps, `dots` dots (of tiles: rows of them), `loads` loads, and `bytes` that L1 has
  /// not kept, from a working set of `space` bytes. Their time and that of the dots overlap in part.
  void add(double count, double steps, double dots, double loads, double bytes, double space) {
    double step = std::max({dots * costs.dotCycles, loads * costs.loadCycles, costs.latencyCycles});
    double all = std::hypot(step, bytes / table.levelOf(space).bytesPerCycle);
    tiles += count * (steps * all + costs.tileCycles);
    far += count * steps * (all - step);
  }
  /// Each plane of the codes' bits takes its shifts.
  double decoding(const ContractShape &shape) const {
    return shape.weightBits < 8 ? decoded * costs.decodeCycles * llvm::popcount(uint64_t(shape.weightBits)) : 0;
  }
  double cycles(const ContractShape &shape) const { return tiles + decoding(shape); }
  bool staysInL1(double bytes) const { return bytes <= table.levels.front().bytes / 2; }
};

} // namespace

namespace {

/// So many tiles of a height.
struct TileCount {
  int64_t count, height;
};

} // namespace

/// The tiles of all lines, as ContractKernel.cpp cuts them, with up to `most` rows, and `least` of the lowest panel:
/// bands of several image rows where these are short, else lines in two heights that differ by one.
static std::array<TileCount, 2> tilesOf(const ContractShape &shape, int64_t most, int64_t least) {
  if (const int64_t band = OutputWalk::rowsOfBand(shape.rows, shape.span, least)) {
    const int64_t images = shape.lines / shape.rows;
    return {TileCount{images * (shape.rows / band), band * shape.span}, {images * (shape.rows % band), shape.span}};
  }
  const int64_t tiles = llvm::divideCeil(shape.span, most), low = shape.span / tiles, tall = shape.span - low * tiles;
  return {TileCount{shape.lines * tall, low + 1}, {shape.lines * (tiles - tall), low}};
}

/// The positions that read a panel of weights one after the other. Where weights are the larger operand, all do.
static int64_t partPositions(const ContractShape &shape, int64_t tileRows) {
  const int64_t weights = shape.reduction() * shape.columns * shape.groups;
  return weights > shape.activationBytes ? shape.positions() : std::min(shape.positions(), leastPartPositions(weights, tileRows));
}

/// Rows of multipliers beside the steps of a panel, each as dear as two decoded vectors.
static double multiplierVectors(const ContractShape &shape) {
  return shape.weightGroup ? 2 * double(shape.runs * llvm::divideCeil(shape.runLength, shape.weightGroup)) : 0;
}

/// The dots that take the place of one of a panel's last vector: its half where there are no more columns (ContractKernel.cpp), which is
/// half of it in time as long as no more than two dots start in a cycle.
static double lastDots(const KernelCosts &costs, const ContractShape &shape, const DotKernel &kernel) {
  const int64_t columns = shape.columns % kernel.lanes;
  const bool halves = kernel.hasHalf() && shape.weightBits == 8 && columns && columns <= kernel.lanes / 2;
  return halves ? std::max(costs.dotCycles / 2, std::min(costs.dotCycles, 0.5)) / costs.dotCycles : 1;
}

/// Tiles of up to rows[v] rows and v vectors, in panels of `panelVectors`.
static void addVectorTiles(TileSum &sum, const ContractShape &shape, const DotKernel &kernel, int64_t panelVectors) {
  const int64_t panelColumns = kernel.lanes * panelVectors;
  const int64_t full = shape.columns / panelColumns, rest = llvm::divideCeil(shape.columns % panelColumns, kernel.lanes);
  const bool gathers = shape.weightBits == 8 && PackedLayout::gainsByGathering(kernel, shape.runs, shape.runLength);
  const int64_t runSteps = PackedLayout::stepsPerRun(kernel, shape.runLength, gathers);
  const double steps = double(shape.runs * runSteps + (gathers ? PackedLayout::restSteps(kernel, shape.runs) : 0));
  const int64_t least = !full ? kernel.rows[rest] : !rest ? kernel.rows[panelVectors] : std::min(kernel.rows[rest], kernel.rows[panelVectors]);
  for (auto [panels, vectors, isLast] : {std::tuple(full, panelVectors, false), std::tuple(int64_t(rest ? 1 : 0), rest, true)}) {
    if (!panels)
      continue;
    const double element = kernel.dot == DotKind::Fma ? 4 : 1, bytes = double(vectors * kernel.lanes * kernel.step) * element;
    const int64_t positions = partPositions(shape, kernel.rows[vectors]);
    const bool once = decodesOnce(positions, kernel.rows[vectors], int64_t(steps * bytes), shape.weightTables);
    const double far = sum.staysInL1(steps * bytes) ? 0 : once ? bytes : bytes * double(shape.weightBits) / 8;
    // Each panel reads the activations of its part again. The taps of a window's row read the same ones.
    const double inputs = double(positions * shape.runLength) * element;
    const double again = full + (rest ? 1 : 0) == 1 || sum.staysInL1(inputs) ? 0 : double(kernel.step) * element / std::sqrt(double(shape.runs));
    const double space = std::max(far > 0 ? steps * bytes : 0, again > 0 ? inputs : 0);
    const double unit = double(panels * shape.groups * vectors) * (steps + multiplierVectors(shape));
    if (once)
      sum.decoded += unit * double(llvm::divideCeil(shape.positions(), positions));
    const double vectorDots = double(vectors - 1) + (isLast ? lastDots(sum.costs, shape, kernel) : 1);
    for (auto [tiles, height] : tilesOf(shape, kernel.rows[vectors], least)) {
      const double count = double(tiles * panels * shape.groups), rowDots = double(llvm::divideCeil(height, kernel.rowsPerDot()));
      const double dots = rowDots * vectorDots * double(kernel.rowsPerDot()), loads = double(vectors) + rowDots;
      sum.add(count, steps, dots, loads, far + again * double(height), space);
      if (!once)
        sum.decoded += unit * double(tiles);
    }
  }
}

/// The panels that a contraction can be computed in: those of the shape, or all that have tiles.
static SmallVector<int64_t, 4> panelsOf(const ContractShape &shape, const DotKernel &kernel) {
  if (shape.panelVectors)
    return {shape.panelVectors};
  SmallVector<int64_t, 4> widths;
  for (int64_t vectors = 1; vectors <= kernel.maxVectors; ++vectors)
    if (kernel.rows[vectors])
      widths.push_back(vectors);
  return widths;
}

/// The tiles of the fastest panels.
static std::pair<TileSum, int64_t> bestVectorTiles(const CostTable &table, const ContractShape &shape, const DotKernel &kernel) {
  std::optional<std::pair<TileSum, int64_t>> best;
  for (int64_t vectors : panelsOf(shape, kernel)) {
    TileSum sum{table, *table.find(kernel.name)};
    addVectorTiles(sum, shape, kernel, vectors);
    if (!best || sum.cycles(shape) < best->first.cycles(shape))
      best.emplace(sum, vectors);
  }
  return *best;
}

/// Blocks of tiles, as AmxKernel.cpp cuts the positions and the columns into.
static void addTileBlocks(TileSum &sum, const ContractShape &shape, const DotKernel &kernel) {
  const AmxTiling tiling(shape.span, shape.lines, shape.columns, shape.runs > 1);
  const int64_t tiles = tiling.tilesPerLine * shape.lines, panels = tiling.panels();
  const double blocks = double(llvm::divideCeil(shape.runLength, kernel.step * AmxTiling::kMaxRows));
  const double steps = double(shape.runs) * blocks;
  const int64_t across = tiling.across();
  sum.decoded = double(panels) * (steps * AmxTiling::kMaxRows + multiplierVectors(shape));
  for (auto [columnBlocks, wide] : {std::pair(panels / across, across), std::pair(int64_t(1), panels % across)}) {
    const int64_t down = wide ? AmxTiling::tilesBeside(wide) : 1;
    for (auto [rowBlocks, tall] : {std::pair(tiles / down, down), std::pair(int64_t(tiles % down ? 1 : 0), tiles % down)}) {
      if (!columnBlocks || !wide || !rowBlocks)
        continue;
      const double rows = double(tall * tiling.height), columns = double(wide * AmxTiling::kMaxRows);
      // A panel of weights that L1 holds is read from L2 for the first block of a chunk only. The taps of a window's row
      // read the same activations.
      const double weights = columns * 64, activations = rows * 64 / std::sqrt(double(shape.runs));
      const bool holdsBoth = sum.staysInL1(steps * (weights + activations) / 2), holdsWeights = sum.staysInL1(steps * weights);
      sum.add(double(columnBlocks * rowBlocks), steps, rows * double(wide), rows + columns,
              holdsBoth ? 0 : holdsWeights ? activations : weights + activations, steps * (weights + activations));
    }
  }
}

/// The tiles of a 3x3 convolution, with one product for each place, and the transforms.
static void addWinograd(TileSum &sum, const ContractShape &shape, const DotKernel &kernel) {
  WinogradLayout layout = {&kernel, shape.reduction() / WinogradLayout::kTaps, shape.columns, shape.rows, shape.span, 0};
  if (!layout.chooseBlock())
    layout.blockRows = layout.tileRows(); // An artefact may be of a version with another limit.
  const double images = double(shape.lines) / double(shape.rows), vectors = double(layout.panelVectors()), channels = double(layout.channels);
  const double panels = images * double(layout.blocks() * layout.panels());
  const double groups = double(llvm::divideCeil(layout.blockTiles(), kernel.rows[kernel.maxVectors])), height = double(layout.blockTiles()) / groups;
  sum.add(panels * double(layout.places()) * groups, channels / 2, height * vectors, height + vectors, 0, 0);
  const double inputs = images * double(layout.tileRows() * layout.tileColumns() * llvm::divideCeil(layout.channels, layout.inputLanes()));
  sum.tiles += (inputs + panels * vectors * channels / 2) * sum.costs.transformCycles;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

static double weightBytes(const ContractShape &shape, const DotKernel &kernel) {
  double count = double(shape.reduction()) * double(shape.columns) * double(shape.groups);
  return count * (kernel.dot == DotKind::Fma ? 4 : double(shape.weightBits) / 8);
}

/// Vectors of accumulators, those of columns that do not exist included.
static double outputVectors(const ContractShape &shape, const DotKernel &kernel) {
  if (shape.depthwise)
    return double(shape.positions()) * double(llvm::divideCeil(shape.groups, kernel.lanes));
  return double(shape.positions()) * double(shape.groups) * double(llvm::divideCeil(shape.columns, kernel.lanes));
}

/// Of all weights of a network, the level that holds them between two runs.
static const MemoryLevel &weightLevel(const CostTable &table, const ContractShape &shape, double weights) {
  return table.levelOf(std::max(double(shape.coldBytes), weights));
}

Cost mlir::halftone::predictCycles(const CostTable &table, const ContractShape &shape, const DotKernel &kernel) {
  const KernelCosts &costs = *table.find(kernel.name);
  TileSum sum{table, costs};
  Cost cost;
  if (shape.depthwise) {
    double groups = double(llvm::divideCeil(shape.runs, kernel.step) * shape.runLength);
    sum.tiles = outputVectors(shape, kernel) * groups * costs.depthwiseCycles;
  } else if (kernel.dot == DotKind::Tile) {
    addTileBlocks(sum, shape, kernel);
  } else if (kernel.dot == DotKind::Winograd) {
    addWinograd(sum, shape, kernel);
  } else {
    auto [tiles, vectors] = bestVectorTiles(table, shape, kernel);
    sum.tiles = tiles.tiles;
    sum.far = tiles.far;
    sum.decoded = tiles.decoded;
    cost.panelVectors = vectors;
  }
  const double weights = weightBytes(shape, kernel);
  const MemoryLevel &cold = weightLevel(table, shape, weights), &warm = table.levelOf(double(shape.activationBytes));
  cost.layer = table.layerCycles;
  cost.tiles = sum.tiles;
  cost.decode = sum.decoding(shape);
  cost.epilogue = outputVectors(shape, kernel) * (costs.vectorCycles + double(shape.operands) * costs.operandCycles);
  const double coldCycles = weights / cold.bytesPerCycle, warmCycles = table.spreadCycles(double(shape.activationBytes));
  cost.traffic = coldCycles + warmCycles;
  const std::pair<double, std::string> parts[] = {{cost.tiles - sum.far, "dots"},
                                                  {cost.epilogue, "epilogue"},
                                                  {sum.far, "operands outside of L1"},
                                                  {cost.decode, "decoding"},
                                                  {coldCycles, "weights from " + cold.name},
                                                  {warmCycles, "activations in " + warm.name},
                                                  {cost.layer, "the call"}};
  cost.bound = llvm::max_element(parts, llvm::less_first())->second;
  return cost;
}

Cost mlir::halftone::predictCycles(const CostTable &table, double bytesRead, double bytesWritten) {
  const double bytes = bytesRead + bytesWritten;
  const MemoryLevel &level = table.levelOf(bytes);
  Cost cost;
  cost.layer = table.layerCycles;
  cost.epilogue = bytes / table.vectorBytesPerCycle;
  cost.traffic = bytes / level.bytesPerCycle;
  cost.bound = cost.layer > std::max(cost.epilogue, cost.traffic) ? "the call"
               : cost.epilogue > cost.traffic                     ? "elements"
                                                                  : "bytes in " + level.name;
  return cost;
}

double mlir::halftone::rooflineCycles(const CostTable &table, const ContractShape &shape, const DotKernel &kernel) {
  const KernelCosts &costs = *table.find(kernel.name);
  const double epilogue = outputVectors(shape, kernel) * (costs.vectorCycles + double(shape.operands) * costs.operandCycles);
  // A row of a tile's product is 16 dots of 4.
  const double perDot = shape.depthwise                ? double(kernel.lanes)
                        : kernel.dot == DotKind::Tile ? double(kernel.lanes * kernel.step * AmxTiling::kMaxRows)
                                                      : kernel.products();
  const double cycles = shape.depthwise ? costs.depthwiseCycles / double(kernel.step) : costs.dotCycles;
  const double weights = weightBytes(shape, kernel);
  const double bytes = weights / weightLevel(table, shape, weights).bytesPerCycle + table.spreadCycles(double(shape.activationBytes));
  return std::max(double(shape.multiplyAccumulates()) / perDot * cycles + epilogue, bytes);
}
