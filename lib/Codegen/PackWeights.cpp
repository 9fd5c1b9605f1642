//===- PackWeights.cpp - weights in the order that kernels read them --------===//
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cstring>

namespace mlir::halftone {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// Writes the i32 row that takes away what flipping the activations' sign bit added. |sum| <= 128 * K, and the
/// compensation is taken modulo 2^32, like the accumulation that it belongs to.
template <typename T>
void writeStart(ArrayRef<int32_t> sums, T *start) {
  for (auto [lane, sum] : llvm::enumerate(sums)) {
    uint32_t compensation = uint32_t(-128) * static_cast<uint32_t>(sum);
    std::memcpy(reinterpret_cast<char *>(start) + lane * sizeof(int32_t), &compensation, sizeof(int32_t));
  }
}

/// Writes one panel: the columns [first, first + vectors * lanes) of one group.
template <typename T>
void packPanel(const PackedLayout &layout, ArrayRef<T> weights, int64_t group, int64_t first, int64_t vectors, T *out) {
  const int64_t lanes = vectors * layout.kernel->lanes, step = layout.kernel->step;
  const int64_t allColumns = layout.columns * layout.groups;
  std::vector<int32_t> sums(lanes, 0);
  T *start = out;
  if (layout.kernel->flipsSign())
    out += lanes * step;
  for (int64_t run = 0; run < layout.runs(); ++run)
    for (int64_t k = 0; k < layout.stepsPerRun() * step; ++k)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        bool inside = k < layout.runLength() && first + lane < layout.columns;
        int64_t row = run * layout.runLength() + k;
        T value = inside ? weights[row * allColumns + group * layout.columns + first + lane] : T(0);
        out[((run * layout.stepsPerRun() + k / step) * lanes + lane) * step + k % step] = value;
        sums[lane] += static_cast<int32_t>(value);
      }
  if (layout.kernel->flipsSign())
    writeStart(sums, start);
}

template <typename T>
std::vector<T> packAll(const PackedLayout &layout, ArrayRef<T> weights) {
  std::vector<T> packed(layout.elements());
  T *out = packed.data();
  for (int64_t group = 0; group < layout.groups; ++group) {
    for (int64_t panel = 0; panel < layout.fullPanels(); ++panel, out += layout.panelElements(layout.kernel->maxVectors))
      packPanel(layout, weights, group, panel * layout.panelColumns(), layout.kernel->maxVectors, out);
    if (layout.restVectors())
      packPanel(layout, weights, group, layout.fullPanels() * layout.panelColumns(), layout.restVectors(), out);
    out += layout.panelElements(layout.restVectors());
  }
  return packed;
}

/// Writes one block of channels of a depthwise convolution.
template <typename T>
void packBlock(const DepthwiseLayout &layout, const ChannelBlocks &block, int64_t first, ArrayRef<T> weights, T *out) {
  const int64_t step = layout.kernel->step;
  std::vector<int32_t> sums(block.width(), 0);
  T *start = out;
  if (layout.kernel->flipsSign())
    out += block.width() * step;
  for (int64_t row = 0; row < layout.rowGroups() * step; ++row)
    for (int64_t tap = 0; tap < layout.kernelWidth; ++tap)
      for (int64_t i = 0; i < block.width(); ++i) {
        int64_t channel = layout.channelOf(block.lanes, i / block.lanes, i % block.lanes);
        bool inside = row < layout.kernelHeight && channel < block.valid;
        T value = inside ? weights[(row * layout.kernelWidth + tap) * layout.channels + first + channel] : T(0);
        out[((row / step * layout.kernelWidth + tap) * block.width() + i) * step + row % step] = value;
        sums[i] += static_cast<int32_t>(value);
      }
  if (layout.kernel->flipsSign())
    writeStart(sums, start);
}

template <typename T>
std::vector<T> packAll(const DepthwiseLayout &layout, ArrayRef<T> weights) {
  std::vector<T> packed(layout.elements());
  for (const ChannelBlocks &blocks : layout.blocks())
    for (int64_t i = 0; i < blocks.count; ++i)
      packBlock<T>(layout, blocks, blocks.first + i * blocks.valid, weights, packed.data() + blocks.offset + i * blocks.elements);
  return packed;
}

struct PackWeights : halftone::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    const Isa *isa = findIsa(target);
    if (!isa) {
      getOperation().emitError("unknown target '") << target << "'";
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](ContractOp op) {
      if (op.getPacking())
        return WalkResult::advance();
      bool bytes = getElementTypeOrSelf(op.getInput().getType()).isInteger(8);
      return failed(bytes ? pack<int8_t>(op, isa->bytes) : pack<float>(op, isa->floats)) ? WalkResult::interrupt()
                                                                                          : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  template <typename T>
  LogicalResult pack(ContractOp op, const DotKernel &wanted) {
    std::optional<std::vector<T>> weights = getConstantElements<T>(op.getWeights());
    if (!weights)
      return op.emitOpError("needs constant weights to pack");
    const DotKernel *kernel = &wanted;
    // vpmaddubsw saturates at 128 * 128 * 2, which only a weight of -128 reaches.
    if (wanted.dot == DotKind::Maddubs && llvm::is_contained(*weights, T(-128)))
      kernel = findDotKernel("widen");
    if (DepthwiseLayout::isDepthwise(op))
      return replaceWeights<T>(op, DepthwiseLayout::forContract(op, *kernel), *weights);
    return replaceWeights<T>(op, PackedLayout::forContract(op, *kernel), *weights);
  }

  template <typename T, typename Layout>
  LogicalResult replaceWeights(ContractOp op, const Layout &layout, ArrayRef<T> weights) {
    std::vector<T> packed = packAll<T>(layout, weights);
    OpBuilder builder(op);
    auto type = RankedTensorType::get(packed.size(), getElementTypeOrSelf(op.getWeights().getType()));
    Value constant = arith::ConstantOp::create(builder, op.getLoc(), makeConstant<T>(type, packed, "packed"));
    op.getWeightsMutable().assign(constant);
    op.setPackingAttr(layout.toAttribute(&getContext()));
    ++numPacked;
    return success();
  }
};

} // namespace
