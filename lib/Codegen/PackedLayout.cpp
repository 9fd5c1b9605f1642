//===- PackedLayout.cpp - where a weight stands in a packed constant --------===//
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Packing.h"
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/VectorEmission.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

bool PackedLayout::tapsFollow(ContractOp op) const {
  std::optional<SmallVector<int64_t>> strides = staticStrides(cast<MemRefType>(op.getInput().getType()));
  return !joined || kernelWidth == 1 || strides->size() == 2 || (*strides)[2] == channels;
}

bool PackedLayout::gainsByGathering(const DotKernel &kernel, int64_t runs, int64_t runLength) {
  return kernel.step == sizeof(int32_t) && kernel.dot != DotKind::Tile && kernel.rowsPerDot() == 1 && runs > 2 && runLength > kernel.step &&
         runLength % kernel.step == 1;
}

DictionaryAttr PackedLayout::toAttribute(MLIRContext *context) const {
  Builder b(context);
  NamedAttrList packing;
  packing.append("run", b.getI64IntegerAttr(runLength()));
  storage.addTo(packing, context);
  return Packing{kernel, panelColumns(), {kernelHeight, kernelWidth, channels}}.toAttribute(context, packing);
}

PackedLayout PackedLayout::forContract(ContractOp op, const DotKernel &kernel) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getWeights().getType()).getShape();
  bool convolution = shape.size() == 4;
  int64_t groups = op.getGroups(), channels = shape[shape.size() - 2];
  // A tile that holds many channels need not go on into the next tap.
  bool shortTaps = kernel.dot != DotKind::Tile || channels < 32;
  PackedLayout layout = {
          &kernel,
          convolution ? shape[0] : 1,
          convolution ? shape[1] : 1,
          channels,
          shape.back() / groups,
          groups,
          op.getDilations()[1] == 1 && groups == 1 && shortTaps,
          kernel.tallVectors,
          /*storedUnsigned=*/false,
          /*storage=*/{}};
  layout.gathersRests = gainsByGathering(kernel, layout.runs(), layout.runLength());
  return layout;
}

FailureOr<PackedLayout> PackedLayout::fromAttribute(ContractOp op) {
  std::optional<Packing> packing = Packing::of(op);
  auto run = packing ? op.getPackingAttr().getAs<IntegerAttr>("run") : IntegerAttr();
  if (!run || packing->columns <= 0 || packing->columns > packing->kernel->lanes * packing->kernel->maxVectors ||
      packing->columns % packing->kernel->lanes)
    return failure();
  const auto [height, width, channels] = packing->window;
  int64_t groups = op.getGroups(), columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
  bool joined = run.getInt() == width * channels && (width > 1 || groups == 1);
  PackedLayout layout = {packing->kernel, height, width, channels, columns / groups, groups, joined, packing->columns / packing->kernel->lanes,
                         op.getPackingAttr().contains("unsigned"), WeightStorage::fromAttribute(op.getPackingAttr())};
  layout.gathersRests = !layout.storage.isPacked() && gainsByGathering(*packing->kernel, layout.runs(), layout.runLength());
  return layout;
}

//===----------------------------------------------------------------------===//
// Few bits
//===----------------------------------------------------------------------===//

/// Calls `visit` with the places of one column in some steps of `columns`.
static void eachOfColumn(const DotKernel &kernel, int64_t bytes, int64_t columns, int64_t column, llvm::function_ref<void(int64_t)> visit) {
  for (int64_t first = column * kernel.step; first < bytes; first += columns * kernel.step)
    for (int64_t k = 0; k < kernel.step; ++k)
      visit(first + k);
}

/// The codes of one group's steps, which are levels times the greatest common divisor of each column; appends these multipliers.
static void storeMultipliers(const PackedLayout &layout, int64_t vectors, ArrayRef<int8_t> steps, uint8_t *codes, std::vector<int8_t> &out) {
  const int64_t columns = vectors * layout.kernel->lanes;
  for (int64_t column = 0; column < columns; ++column) {
    int multiplier = 0;
    auto each = [&](llvm::function_ref<void(int64_t)> visit) { eachOfColumn(*layout.kernel, steps.size(), columns, column, visit); };
    each([&](int64_t place) { multiplier = std::gcd(multiplier, static_cast<int>(steps[place])); });
    multiplier = std::max(multiplier, 1);
    each([&](int64_t place) { codes[place] = layout.storage.codeOf(static_cast<int8_t>(steps[place] / multiplier)); });
    out.push_back(static_cast<int8_t>(multiplier));
  }
}

/// The codes of one group's steps, and the tables of the columns.
static void storeTables(const PackedLayout &layout, int64_t vectors, ArrayRef<int8_t> steps, uint8_t *codes, std::vector<int8_t> &out) {
  const int64_t lanes = layout.kernel->lanes;
  out.resize(out.size() + layout.groupElements(vectors), 0);
  int8_t *row = out.data() + out.size() - layout.groupElements(vectors);
  SmallVector<int8_t> values;
  for (int64_t column = 0; column < vectors * lanes; ++column) {
    auto each = [&](llvm::function_ref<void(int64_t)> visit) { eachOfColumn(*layout.kernel, steps.size(), vectors * lanes, column, visit); };
    values.clear();
    each([&](int64_t place) { values.push_back(steps[place]); });
    const int64_t table = layout.storage.tableOf(values), bit = column * WeightStorage::kTableBits;
    each([&](int64_t place) { codes[place] = layout.storage.codeOf(steps[place], table); });
    row[bit / 8] |= table << bit % 8;
  }
}

/// The steps of one panel's run.
static void storeRun(const PackedLayout &layout, int64_t vectors, ArrayRef<int8_t> run, std::vector<int8_t> &out) {
  const WeightStorage &storage = layout.storage;
  const int64_t step = vectors * layout.vectorElements(), unit = step * layout.unitSteps();
  // A group of dots has several units, a tile several groups.
  const int64_t group = storage.hasGroups() ? step * storage.group / layout.kernel->step : unit;
  const int64_t together = std::max(group, unit), size = run.size();
  std::vector<uint8_t> codes(size);
  if (!storage.hasGroups())
    llvm::transform(run, codes.begin(), [&](int8_t byte) { return storage.codeOf(byte); });
  for (int64_t first = 0; first < size; first += together) {
    const int64_t end = std::min(first + together, size);
    for (int64_t i = first; storage.hasGroups() && i < end; i += group)
      (storage.hasTables() ? storeTables : storeMultipliers)(layout, vectors, run.slice(i, std::min(group, end - i)), codes.data() + i, out);
    for (int64_t i = first; i < end; i += unit)
      storage.appendUnit(ArrayRef<uint8_t>(codes).slice(i, unit), layout.vectorElements(), out);
  }
}

std::vector<int8_t> mlir::halftone::storeInFewBits(const PackedLayout &layout, ArrayRef<int8_t> bytes) {
  const PackedLayout plain = layout.asBytes();
  std::vector<int8_t> stored, panel;
  auto store = [&](int64_t vectors) {
    const int64_t start = plain.startElements(vectors), run = plain.runElements(vectors);
    panel.assign(bytes.begin(), bytes.begin() + plain.panelElements(vectors));
    bytes = bytes.drop_front(panel.size());
    stored.insert(stored.end(), panel.begin(), panel.begin() + start);
    for (int64_t i = 0; i < plain.runs(); ++i)
      storeRun(layout, vectors, ArrayRef<int8_t>(panel).slice(start + i * run, run), stored);
  };
  for (int64_t group = 0; group < plain.groups; ++group) {
    for (int64_t i = 0; i < plain.fullPanels(); ++i)
      store(plain.panelVectors);
    if (plain.restVectors())
      store(plain.restVectors());
  }
  return stored;
}

bool mlir::halftone::needsCopy(ContractOp op) {
  auto type = cast<MemRefType>(op.getInput().getType());
  SmallVector<int64_t> strides = *staticStrides(type);
  const bool hasPlanes = strides.size() == 4 && strides[2] == 1 && SparseLayout::fromAttribute(op);
  return strides.back() != 1 && type.getShape().back() != 1 && !hasPlanes;
}
