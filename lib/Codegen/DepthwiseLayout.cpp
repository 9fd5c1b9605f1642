//===- DepthwiseLayout.cpp - packed weights of depthwise convolutions -------===//
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/Packing.h"

using namespace mlir;
using namespace mlir::halftone;

/// Interleaving works on 16 bytes, 4 words.
static constexpr int64_t kChunkWords = 4;
/// Vectors of a full block where nothing is interleaved.
static constexpr int64_t kPlainVectors = 2;

/// Whether one permutation puts 4 rows of bytes into the words of one vector: of the kernels, those of 512 bits (VBMI).
static bool permutesRows(const DotKernel &kernel) { return kernel.lanes * kernel.step == 64; }

SmallVector<ChannelBlocks> DepthwiseLayout::blocks() const {
  SmallVector<ChannelBlocks> list;
  int64_t done = 0, offset = 0;
  auto append = [&](int64_t count, int64_t lanes, int64_t vectors, int64_t valid) {
    int64_t start = kernel->hasStart() ? 1 : 0;
    int64_t elements = lanes * vectors * kernel->step * (start + tapPlace(outputRows, 0, 0));
    list.push_back({done, count, lanes, vectors, valid, elements, offset});
    done += count * valid;
    offset += count * elements;
  };
  if (!interleaves()) {
    const int64_t width = kPlainVectors * kernel->lanes;
    if (channels >= width)
      append(channels / width, kernel->lanes, kPlainVectors, width);
    if (done < channels)
      append(1, kernel->lanes, llvm::divideCeil(channels - done, kernel->lanes), channels - done);
    return list;
  }
  const bool permutes = permutesRows(*kernel);
  for (int64_t lanes = kernel->lanes; lanes >= (permutes ? 2 * kChunkWords : kChunkWords); lanes /= 2)
    if (int64_t count = (channels - done) / (lanes * kernel->step))
      append(count, lanes, kernel->step, lanes * kernel->step);
  if (permutes && channels - done >= kernel->lanes)
    append(1, kernel->lanes, 1, kernel->lanes);
  if (done < channels)
    append(1, permutes ? kernel->lanes : kChunkWords, permutes ? 1 : kernel->step, channels - done);
  return list;
}

int64_t DepthwiseLayout::elements() const {
  ChannelBlocks last = blocks().back();
  return last.offset + last.count * last.elements;
}

int64_t DepthwiseLayout::channelOf(const ChannelBlocks &block, int64_t vector, int64_t lane) const {
  if (!isInterleaved(block))
    return vector * block.lanes + lane;
  return lane / kChunkWords * kChunkWords * kernel->step + vector * kChunkWords + lane % kChunkWords;
}

DictionaryAttr DepthwiseLayout::toAttribute(MLIRContext *context) const {
  Builder b(context);
  NamedAttrList packing;
  packing.append("run", b.getI64IntegerAttr(1));
  packing.append("output_rows", b.getI64IntegerAttr(outputRows));
  return Packing{kernel, blocks().front().width(), {kernelHeight, kernelWidth, 1}}.toAttribute(context, packing);
}

bool DepthwiseLayout::isDepthwise(ContractOp op) {
  auto input = cast<ShapedType>(op.getInput().getType()), output = cast<ShapedType>(op.getOutput().getType());
  int64_t groups = op.getGroups();
  return groups > 1 && input.getRank() == 4 && input.getDimSize(3) == groups && output.getDimSize(3) == groups;
}

/// Output rows at most that share their words: 4 rows of a 5x5 kernel would, but each has weights of its own to read.
static constexpr int64_t kMostOutputRows = 2;

/// As many as the words of one output row hold, if its windows are those of adjacent rows.
static int64_t rowsThatShare(ContractOp op, const DotKernel &kernel, int64_t kernelHeight) {
  const int64_t height = cast<ShapedType>(op.getOutput().getType()).getDimSize(1);
  if (kernel.step == 1 || op.getStrides()[0] != 1 || op.getDilations()[0] != 1)
    return 1;
  const int64_t held = llvm::alignTo(kernelHeight, kernel.step) - kernelHeight + 1;
  return std::min({height, held, kMostOutputRows});
}

DepthwiseLayout DepthwiseLayout::forContract(ContractOp op, const DotKernel &kernel) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getWeights().getType()).getShape();
  DepthwiseLayout layout = {&kernel, shape[0], shape[1], static_cast<int64_t>(op.getGroups())};
  layout.outputRows = rowsThatShare(op, kernel, layout.kernelHeight);
  return layout;
}

FailureOr<DepthwiseLayout> DepthwiseLayout::fromAttribute(ContractOp op) {
  std::optional<Packing> packing = Packing::of(op);
  if (!packing)
    return failure();
  auto rows = op.getPackingAttr().getAs<IntegerAttr>("output_rows");
  return DepthwiseLayout{packing->kernel, packing->window[0], packing->window[1], static_cast<int64_t>(op.getGroups()),
                         op.getPackingAttr().contains("unsigned"), rows ? rows.getInt() : 1};
}
