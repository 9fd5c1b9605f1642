//===- PackWeights.cpp - weights in the order that kernels read them --------===//
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/ContractChoice.h"
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/WeightReader.h"
#include "halftone/Support/ConstantPool.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include <cstring>
#include <map>
#include <tuple>

namespace mlir::halftone {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// The start row: the bias, less what flipping the activations' sign bit adds. |sum| <= 128 * K, and all is taken modulo
/// 2^32, like the accumulation that it belongs to.
template <typename T>
void writeStart(const DotKernel &kernel, ArrayRef<int32_t> sums, ArrayRef<int32_t> bias, T *start) {
  for (auto [lane, sum] : llvm::enumerate(sums)) {
    uint32_t value = kernel.startOf(bias[lane], sum);
    std::memcpy(reinterpret_cast<char *>(start) + lane * sizeof(int32_t), &value, sizeof(int32_t));
  }
}

/// Writes one panel: the columns [first, first + vectors * lanes) of one group.
template <typename T>
void packPanel(const PackedLayout &layout, ArrayRef<T> weights, ArrayRef<int32_t> bias, int64_t group, int64_t first,
               int64_t vectors, T *out) {
  const int64_t lanes = vectors * layout.kernel->lanes, step = layout.kernel->step;
  const int64_t allColumns = layout.columns * layout.groups;
  std::vector<int32_t> sums(lanes, 0), starts(lanes, 0);
  for (int64_t lane = 0; lane < std::min(lanes, layout.columns - first); ++lane)
    starts[lane] = bias[group * layout.columns + first + lane];
  T *start = out;
  out += layout.startElements(vectors);
  auto write = [&](int64_t run, int64_t k, int64_t place) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool inside = run < layout.runs() && k < layout.runLength() && first + lane < layout.columns;
      int64_t row = run * layout.runLength() + k;
      T value = inside ? weights[row * allColumns + group * layout.columns + first + lane] : T(0);
      out[(place / step * lanes + lane) * step + place % step] = value;
      sums[lane] += static_cast<int32_t>(value);
    }
  };
  const int64_t runElements = layout.stepsPerRun() * step;
  for (int64_t run = 0; run < layout.runs(); ++run)
    for (int64_t k = 0; k < runElements; ++k)
      write(run, k, run * runElements + k);
  for (int64_t run = 0; run < layout.restSteps() * step; ++run)
    write(run, runElements, layout.runs() * runElements + run);
  if (layout.kernel->hasStart())
    writeStart(*layout.kernel, sums, starts, start);
}

template <typename T>
std::vector<T> packAll(const PackedLayout &stored, ArrayRef<T> weights, ArrayRef<int32_t> bias) {
  const PackedLayout layout = stored.asBytes();
  std::vector<T> packed(layout.elements());
  T *out = packed.data();
  for (int64_t group = 0; group < layout.groups; ++group) {
    for (int64_t panel = 0; panel < layout.fullPanels(); ++panel, out += layout.panelElements(layout.panelVectors))
      packPanel(layout, weights, bias, group, panel * layout.panelColumns(), layout.panelVectors, out);
    if (layout.restVectors())
      packPanel(layout, weights, bias, group, layout.fullPanels() * layout.panelColumns(), layout.restVectors(), out);
    out += layout.panelElements(layout.restVectors());
  }
  return packed;
}

/// Writes one block of channels of a depthwise convolution.
template <typename T>
void packBlock(const DepthwiseLayout &layout, const ChannelBlocks &block, int64_t first, ArrayRef<T> weights,
               ArrayRef<int32_t> bias, T *out) {
  const int64_t step = layout.kernel->step, width = block.width();
  std::vector<int32_t> sums(width, 0), starts(width, 0);
  T *taps = layout.kernel->hasStart() ? out + width * step : out;
  for (int64_t i = 0; i < width; ++i) {
    const int64_t channel = layout.channelOf(block, i / block.lanes, i % block.lanes);
    if (channel >= block.valid)
      continue;
    starts[i] = bias[first + channel];
    for (int64_t y = 0; y < layout.kernelHeight; ++y)
      for (int64_t tap = 0; tap < layout.kernelWidth; ++tap) {
        const T value = weights[(y * layout.kernelWidth + tap) * layout.channels + first + channel];
        sums[i] += static_cast<int32_t>(value);
        for (int64_t row = 0; row < layout.outputRows; ++row)
          taps[(layout.tapPlace(row, (y + row) / step, tap) * width + i) * step + (y + row) % step] = value;
      }
  }
  if (layout.kernel->hasStart())
    writeStart(*layout.kernel, sums, starts, out);
}

template <typename T>
std::vector<T> packAll(const DepthwiseLayout &layout, ArrayRef<T> weights, ArrayRef<int32_t> bias) {
  std::vector<T> packed(layout.elements());
  for (const ChannelBlocks &blocks : layout.blocks())
    for (int64_t i = 0; i < blocks.count; ++i)
      packBlock<T>(layout, blocks, blocks.first + i * blocks.valid, weights, bias,
                   packed.data() + blocks.offset + i * blocks.elements);
  return packed;
}

template <typename T>
std::vector<T> packAll(const WinogradLayout &layout, ArrayRef<T> weights, ArrayRef<int32_t> bias) {
  return layout.pack(weights, bias);
}

template <typename T>
std::vector<T> packAll(const SparseLayout &layout, ArrayRef<T> weights, ArrayRef<int32_t> bias) {
  return layout.pack(weights, bias);
}

/// A constant i32 of the channels that the epilogue begins by adding to the accumulator.
struct AddedBias {
  arith::AddIOp addition;
  unsigned input; ///< of the epilogue
  std::vector<int32_t> elements;
};

std::optional<AddedBias> findBias(ContractOp op) {
  Block &block = op.getEpilogue().front();
  BlockArgument accumulator = block.getArgument(0);
  auto addition = accumulator.hasOneUse() ? dyn_cast<arith::AddIOp>(*accumulator.user_begin()) : arith::AddIOp();
  if (!addition)
    return std::nullopt;
  auto addend = dyn_cast<BlockArgument>(addition.getLhs() == accumulator ? addition.getRhs() : addition.getLhs());
  if (!addend || addend.getOwner() != &block || addend == accumulator || !addend.hasOneUse())
    return std::nullopt;
  unsigned index = addend.getArgNumber() - 1;
  AffineMap map = cast<AffineMapAttr>(op.getEpilogueMaps()[index]).getValue();
  auto elements = getConstantElements<int32_t>(op.getEpilogueInputs()[index]);
  if (!elements || map.getNumResults() != 1 || !map.isFunctionOfDim(map.getNumDims() - 1))
    return std::nullopt;
  return AddedBias{addition, index, std::move(*elements)};
}

/// Moves a bias that the epilogue begins with to `bias`.
void takeBias(ContractOp op, std::vector<int32_t> &bias) {
  std::optional<AddedBias> found = findBias(op);
  if (!found)
    return;
  auto [addition, index, elements] = std::move(*found);
  bias = std::move(elements);
  Block &block = op.getEpilogue().front();
  addition.replaceAllUsesWith(static_cast<Value>(block.getArgument(0)));
  addition.erase();
  block.eraseArgument(index + 1);
  SmallVector<Attribute> maps(op.getEpilogueMaps().getValue());
  maps.erase(maps.begin() + index);
  op.setEpilogueMapsAttr(ArrayAttr::get(op.getContext(), maps));
  op.getEpilogueInputsMutable().erase(index);
}

/// The constant weights of `op`, one attribute for all that are equal.
Attribute weightsOf(ContractOp op, ConstantPool &pool) {
  Attribute weights;
  matchPattern(op.getWeights(), m_Constant(&weights));
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(weights);
  return resource ? pool.unique(resource) : weights;
}

/// Whether outputs at a border read padding, of which bias correction makes more or less by the number of positions.
bool hasWindow(ContractOp op) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getWeights().getType()).getShape();
  return shape.size() == 4 && shape[0] * shape[1] > 1;
}

/// The contractions whose weights others read, too, which begin by adding another bias, as the steps of a recurrent network that is written out: start rows
/// would make as many constants of the weights as there are biases.
DenseSet<Operation *> findShared(Operation *root, ConstantPool &pool) {
  llvm::MapVector<Attribute, SmallVector<ContractOp>> readers;
  root->walk([&](ContractOp op) {
    if (Attribute weights = op.getPacking() ? Attribute() : weightsOf(op, pool))
      readers[weights].push_back(op);
  });
  auto biasOf = [](ContractOp op) {
    std::optional<AddedBias> bias = findBias(op);
    return bias ? std::move(bias->elements) : std::vector<int32_t>();
  };
  DenseSet<Operation *> shared;
  for (auto &[weights, ops] : readers)
    if (ops.size() > 1 && llvm::any_of(ops, [&, first = biasOf(ops.front())](ContractOp op) { return biasOf(op) != first; }))
      shared.insert(ops.begin(), ops.end());
  return shared;
}

/// A table and the instructions for it take about so many bytes.
constexpr int64_t kLeastSaving = 256;
/// Vectors of a panel whose groups choose tables, where all rows are one tile.
constexpr int64_t kTablePanelVectors = 2;
/// What a decoded panel of tiles may take of a thread's stack.
constexpr int64_t kMostPanelBytes = 512 << 10;
/// The fewest bits that the weights of `layout` can be stored in, with tables of more than 16 levels or without.
WeightStorage findStorage(const PackedLayout &layout, bool takesWideTables, ArrayRef<int8_t> weights) {
  const bool tiles = layout.kernel->dot == DotKind::Tile;
  // Weights of float activations are converted, not looked up: they stay bytes.
  if (layout.kernel->dot == DotKind::Fma || (tiles && 4 * layout.panelElements(1) > kMostPanelBytes))
    return {};
  // A tile's groups lie within it.
  SmallVector<int64_t> sizes;
  for (int64_t size : {256, 128, 64, 32, 16, 8})
    if (size % layout.kernel->step == 0 && (!tiles || layout.unitSteps() * layout.kernel->step % size == 0))
      sizes.push_back(size);
  // A byte for less than 16 elements is worth nothing.
  ArrayRef<int64_t> multiplied = ArrayRef<int64_t>(sizes).take_while([](int64_t size) { return size >= 16; });
  // A row of tables has whole bytes, and stands for the words of a vector.
  const bool choosesTables = layout.kernel->lanes % 4 == 0 && layout.kernel->step == sizeof(int32_t);
  WeightMatrix matrix = {weights, layout.runs(), layout.runLength(), layout.columns * layout.groups,
                         layout.runLength() != layout.stepsPerRun() * layout.kernel->step, multiplied,
                         choosesTables ? ArrayRef<int64_t>(sizes) : ArrayRef<int64_t>()};
  PackedLayout smaller = layout;
  smaller.setStorage(findWeightStorage(matrix, takesWideTables));
  return layout.elements() - smaller.elements() >= kLeastSaving ? smaller.storage : WeightStorage();
}

/// Whether no sum of two products that a dot adds up in 16 bits leaves them: all weights are small, or all pairs where it is known which ones meet.
bool fitsNarrow(ContractOp op, const DotKernel &narrow, ArrayRef<int8_t> weights) {
  const int most = narrow.mostOfPair();
  if (llvm::all_of(weights, [&](int weight) { return std::abs(weight) <= most / 2; }))
    return true;
  const PackedLayout layout = PackedLayout::forContract(op, narrow);
  // An even number of channels keeps the elements 2 i and 2 i + 1 of the reduction in one tap, one dot and one quad.
  if (DepthwiseLayout::isDepthwise(op) || (layout.channels % 2 != 0 && layout.kernelHeight * layout.kernelWidth != 1))
    return false;
  const size_t columns = layout.columns * layout.groups, rows = weights.size() / columns;
  for (size_t row = 0; row < rows; row += 2)
    for (size_t column = 0; column < columns; ++column) {
      const int first = weights[row * columns + column], second = row + 1 < rows ? weights[(row + 1) * columns + column] : 0;
      if (std::max(first, 0) + std::max(second, 0) > most || std::min(first, 0) + std::min(second, 0) < -most)
        return false;
    }
  return true;
}

struct PackWeights : halftone::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    FailureOr<CostTable> costs = CostTable::of(getOperation(), *isa);
    if (failed(costs))
      return signalPassFailure();
    constants = {};
    packings = {};
    quads = {};
    shared = findShared(getOperation(), constants);
    const ContractChooser chooser = {*isa, *costs, countWeightBytes(getOperation())};
    WalkResult result = getOperation().walk([&](ContractOp op) {
      if (op.getPacking())
        return WalkResult::advance();
      bool bytes = getElementTypeOrSelf(op.getWeights().getType()).isInteger(8);
      const DotKernel &kernel = getElementTypeOrSelf(op.getInput().getType()).isInteger(8) ? isa->bytes : isa->floats;
      return failed(bytes ? pack<int8_t>(op, kernel, chooser) : pack<float>(op, kernel, chooser)) ? WalkResult::interrupt()
                                                                                                  : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// Winograd's kernels that can compute a convolution with these weights. They are left alone where weights change later: sums could overflow.
  std::vector<WinogradLayout> findWinograd(ContractOp op, const Isa &isa, ArrayRef<int8_t> weights) const {
    std::vector<WinogradLayout> layouts = dense ? std::vector<WinogradLayout>() : WinogradLayout::forContract(op, isa);
    llvm::erase_if(layouts, [&](const WinogradLayout &layout) { return !layout.holds(weights); });
    return layouts;
  }

  /// The kernel by which the dots of a target are exact for these weights of `op`.
  const DotKernel &exactKernel(ContractOp op, const DotKernel &wanted, const Isa &isa, ArrayRef<int8_t> weights) const {
    if (wanted.dot != DotKind::Maddubs)
      return wanted;
    // vpmaddubsw saturates at 128 * 128 * 2, which only a weight of -128 reaches.
    if (llvm::is_contained(weights, -128))
      return *findDotKernel("widen");
    for (const DotKernel &narrow : dense ? ArrayRef<DotKernel>() : isa.narrow)
      if (fitsNarrow(op, narrow, weights))
        return narrow;
    return wanted;
  }

  /// Panels as bytes, as wide as is fastest.
  PackedLayout layoutOf(ContractOp op, const DotKernel &kernel, const ContractChooser &chooser) const {
    PackedLayout layout = PackedLayout::forContract(op, kernel);
    if (kernel.dot != DotKind::Tile)
      layout.panelVectors = choosePanel(op, kernel, chooser);
    return layout;
  }

  /// The width of the panels: that of the option as far as the kernel has it, that for any number of rows, or the fastest.
  int64_t choosePanel(ContractOp op, const DotKernel &kernel, const ContractChooser &chooser) const {
    for (int64_t vectors = std::min<int64_t>(panelVectors, kernel.maxVectors); vectors > 0; --vectors)
      if (kernel.rows[vectors])
        return vectors;
    if (sharesPanels)
      return PackedLayout::forContract(op, kernel).panelVectors;
    return predictCycles(chooser.table, chooser.shapeOf(op, kernel), kernel).panelVectors;
  }

  /// How the weights of `layout` are stored: in few bits if that is predicted to be faster than bytes, which may have a kernel of `otherCycles`, or
  /// asked for.
  WeightStorage chooseStorage(ContractOp op, const PackedLayout &layout, const ContractChooser &chooser, ArrayRef<int8_t> weights,
                              std::optional<double> otherCycles) const {
    if (weightStorage == StorageChoice::Bytes)
      return {};
    // By several instructions wide tables are looked up for the sake of the file alone.
    const bool takesWideTables = weightStorage == StorageChoice::Packed || WeightReader::hasWideTables(*layout.kernel, chooser.isa);
    WeightStorage storage = findStorage(layout, takesWideTables, weights);
    if (!storage.isPacked() || weightStorage == StorageChoice::Packed)
      return storage;
    ContractShape bytes = chooser.shapeOf(op, *layout.kernel), packed = bytes;
    packed.panelVectors = bytes.panelVectors = layout.kernel->dot == DotKind::Tile ? 0 : layout.panelVectors;
    packed.weightBits = storage.bits;
    packed.weightGroup = storage.group;
    packed.weightTables = storage.hasTables();
    auto cycles = [&](const ContractShape &shape) { return predictCycles(chooser.table, shape, *layout.kernel).cycles(); };
    return cycles(packed) < kLeastGain * otherCycles.value_or(cycles(bytes)) ? storage : WeightStorage();
  }

  /// What groups' tables take of the registers in a wide panel is missing for the accumulators where all rows are one tile.
  void narrowPanels(ContractOp op, PackedLayout &layout, const ContractChooser &chooser) const {
    if (layout.kernel->dot == DotKind::Tile || panelVectors || sharesPanels)
      return;
    const int64_t positions = chooser.shapeOf(op, *layout.kernel).positions();
    if (positions > 1 && positions <= layout.kernel->rows[kTablePanelVectors])
      layout.panelVectors = std::min(layout.panelVectors, kTablePanelVectors);
  }

  template <typename T>
  LogicalResult pack(ContractOp op, const DotKernel &wanted, const ContractChooser &chooser) {
    std::optional<std::vector<T>> weights = getConstantElements<T>(op.getWeights());
    if (!weights)
      return op.emitOpError("needs constant weights to pack");
    const DotKernel *kernel = &wanted;
    std::optional<WinogradLayout> winograd;
    std::optional<double> otherCycles;
    if constexpr (std::is_same_v<T, int8_t>) {
      kernel = &exactKernel(op, wanted, chooser.isa, *weights);
      ContractChoice choice =
          chooseKernel(chooser, op, *kernel, findWinograd(op, chooser.isa, *weights), [&](SparseLayout &layout) { countQuads(op, *weights, layout); });
      if (choice.takesSparse() && !dense)
        return replaceWeights<T>(op, *choice.layout, *weights);
      kernel = choice.dense;
      if ((winograd = choice.winograd) || kernel->dot == DotKind::Narrow)
        otherCycles = choice.denseCycles;
    }
    if (DepthwiseLayout::isDepthwise(op))
      return replaceWeights<T>(op, DepthwiseLayout::forContract(op, *kernel), *weights);
    PackedLayout layout = layoutOf(op, *kernel, chooser);
    if constexpr (std::is_same_v<T, int8_t>) {
      // Decoded weights may stand above the lowest bits of their bytes, which is more than narrow dots hold.
      PackedLayout few = kernel->dot == DotKind::Narrow ? layoutOf(op, wanted, chooser) : layout;
      few.setStorage(chooseStorage(op, few, chooser, *weights, otherCycles));
      if (few.storage.hasTables())
        narrowPanels(op, few, chooser);
      if (few.storage.isPacked())
        return replaceWeights<T>(op, few, *weights);
      if (winograd)
        return replaceWeights<T>(op, *winograd, *weights);
    }
    return replaceWeights<T>(op, layout, *weights);
  }

  /// The quads of the weights, counted once for all layers that share them.
  void countQuads(ContractOp op, ArrayRef<int8_t> weights, SparseLayout &layout) {
    auto [count, isNew] = quads.try_emplace({weightsOf(op, constants).getAsOpaquePointer(), layout.toAttribute(&getContext()).getAsOpaquePointer()});
    if (isNew)
      layout.countQuads(weights);
    else
      layout.quads = count->second;
    count->second = layout.quads;
  }

  template <typename T, typename Layout>
  LogicalResult replaceWeights(ContractOp op, Layout layout, ArrayRef<T> weights) {
    int64_t columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
    std::vector<int32_t> bias(columns, 0);
    if (layout.kernel->hasStart() && !shared.contains(op) && !(sharesPanels && hasWindow(op)))
      takeBias(op, bias);
    DictionaryAttr packing = layout.toAttribute(&getContext());
    ElementsAttr &packed = packings[{weightsOf(op, constants).getAsOpaquePointer(), packing.getAsOpaquePointer(), bias}];
    if (!packed)
      packed = packConstant(op, layout, weights, bias);
    if constexpr (std::is_same_v<Layout, PackedLayout>)
      numInFewBits += layout.storage.isPacked();
    OpBuilder builder(op);
    op.getWeightsMutable().assign(arith::ConstantOp::create(builder, op.getLoc(), packed));
    op.setPackingAttr(packing);
    ++numPacked;
    return success();
  }

  template <typename T, typename Layout>
  ElementsAttr packConstant(ContractOp op, const Layout &layout, ArrayRef<T> weights, ArrayRef<int32_t> bias) {
    std::vector<T> packed = packAll<T>(layout, weights, bias);
    if constexpr (std::is_same_v<T, int8_t> && std::is_same_v<Layout, PackedLayout>)
      if (layout.storage.isPacked())
        packed = storeInFewBits(layout, packed);
    auto type = RankedTensorType::get(packed.size(), getElementTypeOrSelf(op.getWeights().getType()));
    return makeConstant<T>(type, packed, "packed");
  }

  ConstantPool constants;       ///< layers that share weights, and the steps of a recurrent network, have the same
  DenseSet<Operation *> shared; ///< whose biases stay in their epilogues
  std::map<std::tuple<const void *, const void *, std::vector<int32_t>>, ElementsAttr> packings; ///< by weights, `packing` and bias
  std::map<std::pair<const void *, const void *>, int64_t> quads; ///< by weights and the layout without its quads
};

} // namespace
