//===- WinogradLayout.cpp - 3x3 convolutions by fewer products --------------===//
#include "halftone/Codegen/WinogradLayout.h"
#include "halftone/Codegen/Packing.h"
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

/// What a block may take of a thread's stack.
static constexpr int64_t kStackBytes = 832 << 10;

bool WinogradLayout::holds(ArrayRef<int8_t> weights) const {
  // The multiple's factors of 2 are lost.
  const int64_t limit = int64_t(1) << (31 - (side() == 4 ? 6 : 2));
  for (int64_t column = 0; column < columns; ++column) {
    int64_t sum = 0;
    for (int64_t row = 0; row < kTaps * channels; ++row)
      sum += std::abs(static_cast<int64_t>(weights[row * columns + column]));
    if (128 * sum >= limit)
      return false;
  }
  return true;
}

std::vector<int8_t> WinogradLayout::pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const {
  std::vector<int8_t> packed(panels() * panelBytes());
  const int64_t lanes = panelColumns();
  for (int64_t column = 0; column < columns; ++column) {
    int8_t *panel = packed.data() + column / lanes * panelBytes();
    const int64_t lane = column % lanes;
    std::memcpy(panel + lane * sizeof(int32_t), &bias[column], sizeof(int32_t));
    for (int64_t tap = 0; tap < kTaps; ++tap)
      for (int64_t channel = 0; channel < channels; ++channel)
        panel[startBytes() + ((channel / 2 * kTaps + tap) * lanes + lane) * 2 + channel % 2] =
            weights[(tap * channels + channel) * columns + column];
  }
  return packed;
}

DictionaryAttr WinogradLayout::toAttribute(MLIRContext *context) const {
  NamedAttrList packing;
  packing.append("block", Builder(context).getI64IntegerAttr(blockRows));
  return Packing{kernel, panelColumns(), {3, 3, channels}}.toAttribute(context, packing);
}

/// The layout without the rows of a block; nothing if there is none.
static std::optional<WinogradLayout> shapeOf(ContractOp op, const DotKernel &kernel, int64_t channels) {
  ArrayRef<int64_t> output = cast<ShapedType>(op.getOutput().getType()).getShape();
  if (output.size() != 4 || ShapedType::isDynamicShape(output.drop_front()))
    return std::nullopt;
  return WinogradLayout{&kernel, channels, output[3], output[1], output[2], 0};
}

bool WinogradLayout::chooseBlock() {
  int64_t best = 0;
  for (blockRows = 1; blockRows <= tileRows(); ++blockRows) {
    if (tileRows() % blockRows)
      continue;
    if (stackBytes() > kStackBytes)
      break;
    best = blockRows;
    if (blockTiles() >= kEnoughTiles)
      break;
  }
  blockRows = best;
  return best > 0;
}

/// Whether a contraction is a 3x3 convolution of codes with stride 1.
static bool isWindow(ContractOp op) {
  ArrayRef<int64_t> weights = cast<ShapedType>(op.getWeights().getType()).getShape();
  auto isOne = [](int64_t extent) { return extent == 1; };
  return getElementTypeOrSelf(op.getInput().getType()).isInteger(8) && weights.size() == 4 && weights[0] == 3 && weights[1] == 3 &&
         op.getGroups() == 1 && llvm::all_of(op.getStrides(), isOne) && llvm::all_of(op.getDilations(), isOne);
}

std::vector<WinogradLayout> WinogradLayout::forContract(ContractOp op, const Isa &isa) {
  std::vector<WinogradLayout> layouts;
  if (isa.winograd.empty() || !isWindow(op))
    return layouts;
  const int64_t channels = cast<ShapedType>(op.getWeights().getType()).getDimSize(2);
  if (channels % 2 != 0 || channels < kLeastChannels)
    return layouts;
  for (const DotKernel &kernel : isa.winograd) {
    std::optional<WinogradLayout> layout = shapeOf(op, kernel, channels);
    // A single row or column of outputs is a line with other neighbours (OutputWalk.h), and most of each tile would be thrown away.
    if (!layout || layout->rows < 2 || layout->width < 2)
      continue;
    if (layout->chooseBlock())
      layouts.push_back(*layout);
  }
  return layouts;
}

std::optional<WinogradLayout> WinogradLayout::fromAttribute(ContractOp op) {
  std::optional<Packing> packing = Packing::of(op);
  auto block = packing ? op.getPackingAttr().getAs<IntegerAttr>("block") : IntegerAttr();
  if (!block || packing->kernel->dot != DotKind::Winograd)
    return std::nullopt;
  std::optional<WinogradLayout> layout = shapeOf(op, *packing->kernel, packing->window[2]);
  if (layout)
    layout->blockRows = block.getInt();
  return layout;
}
