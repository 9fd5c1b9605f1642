//===- DropPaddingTaps.cpp - kernels without taps that read only padding -----===//
//
// Tap t of a window begins at position s o + d t of the padded input, for outputs o, stride s and dilation d. At either end of the kernel, a
// tap that is over the padding for each o adds nothing to any sum: it goes, and with it as much of the padding as it alone needed. So windows
// dilated beyond a small map, or 7x7 ones on a map of 2x2, become what they compute.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_DROPPADDINGTAPS
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// A window along one dimension, over `size` elements between two paddings.
struct Window {
  int64_t low, size, high, taps, stride, dilation, outputs;

  bool readsInput(int64_t tap) const {
    for (int64_t output = 0; output < outputs; ++output)
      if (int64_t place = output * stride + tap * dilation - low; place >= 0 && place < size)
        return true;
    return false;
  }
  /// Taps that can go at the beginning and at the end. Of a window that reads nothing one stays.
  std::pair<int64_t, int64_t> droppedTaps() const {
    int64_t first = 0, last = 0;
    while (first + 1 < taps && (first + 1) * dilation <= low && !readsInput(first))
      ++first;
    while (first + last + 1 < taps && (last + 1) * dilation <= high && !readsInput(taps - 1 - last))
      ++last;
    return {first, last};
  }
};

/// What a convolution reads, and what is left of it in height and width.
struct Trim {
  tensor::PadOp pad;
  tensor::ExpandShapeOp split; ///< of the channels into groups, or null
  SmallVector<int64_t> first{0, 0}, last{0, 0};
};

} // namespace

/// The first of the two dimensions of the weights that are height and width; nothing for an operation that is no convolution.
static std::optional<unsigned> findTapDim(Operation *op) {
  if (isa<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp>(op))
    return 0;
  if (isa<linalg::Conv2DNhwgcGfhwcOp>(op))
    return 2;
  return std::nullopt;
}

static std::optional<Trim> matchTrim(linalg::LinalgOp op, unsigned tapDim) {
  Value input = op->getOperand(0), weights = op->getOperand(1);
  auto split = input.getDefiningOp<tensor::ExpandShapeOp>();
  auto pad = (split ? split.getSrc() : input).getDefiningOp<tensor::PadOp>();
  if (!pad || !pad.getConstantPaddingValue() || !isZero(pad.getConstantPaddingValue()) || !isFloatTensor(weights) || !isConstant(weights))
    return std::nullopt;
  auto strides = llvm::to_vector(op->getAttrOfType<DenseIntElementsAttr>("strides").getValues<int64_t>());
  auto dilations = llvm::to_vector(op->getAttrOfType<DenseIntElementsAttr>("dilations").getValues<int64_t>());
  Trim trim{pad, split};
  for (int64_t i = 0; i < 2; ++i) {
    const Window window = {pad.getStaticLow()[1 + i],
                           pad.getSourceType().getDimSize(1 + i),
                           pad.getStaticHigh()[1 + i],
                           cast<ShapedType>(weights.getType()).getDimSize(tapDim + i),
                           strides[i],
                           dilations[i],
                           cast<ShapedType>(op->getResult(0).getType()).getDimSize(1 + i)};
    if (llvm::is_contained({window.low, window.size, window.high, window.outputs}, ShapedType::kDynamic))
      continue;
    std::tie(trim.first[i], trim.last[i]) = window.droppedTaps();
  }
  const bool drops = llvm::any_of(trim.first, [](int64_t taps) { return taps > 0; }) || llvm::any_of(trim.last, [](int64_t taps) { return taps > 0; });
  return drops ? std::optional(trim) : std::nullopt;
}

/// The source with what is left of the padding, split into groups as before.
static Value buildInput(OpBuilder &builder, const Trim &trim, ArrayRef<int64_t> dilations) {
  tensor::PadOp pad = trim.pad;
  SmallVector<OpFoldResult> low = pad.getMixedLowPad(), high = pad.getMixedHighPad();
  SmallVector<int64_t> shape(pad.getResultType().getShape());
  for (int64_t i = 0; i < 2; ++i) {
    low[1 + i] = builder.getIndexAttr(pad.getStaticLow()[1 + i] - trim.first[i] * dilations[i]);
    high[1 + i] = builder.getIndexAttr(pad.getStaticHigh()[1 + i] - trim.last[i] * dilations[i]);
    shape[1 + i] -= (trim.first[i] + trim.last[i]) * dilations[i];
  }
  Value input = pad.getSource();
  if (shape != pad.getSourceType().getShape())
    input = tensor::PadOp::create(builder, pad.getLoc(), pad.getResultType().clone(shape), input, low, high, pad.getConstantPaddingValue());
  tensor::ExpandShapeOp split = trim.split;
  if (!split)
    return input;
  SmallVector<OpFoldResult> sizes = split.getMixedOutputShape();
  SmallVector<int64_t> splitShape(split.getResultType().getShape());
  for (int64_t i = 0; i < 2; ++i) {
    splitShape[1 + i] = shape[1 + i];
    sizes[1 + i] = builder.getIndexAttr(shape[1 + i]);
  }
  return tensor::ExpandShapeOp::create(builder, split.getLoc(), split.getResultType().clone(splitShape), input, split.getReassociationIndices(), sizes);
}

/// The constant weights without the taps that go.
static ElementsAttr sliceWeights(Value weights, unsigned tapDim, const Trim &trim, StringRef name) {
  auto type = cast<RankedTensorType>(weights.getType());
  std::vector<float> elements = *getConstantElements<float>(weights);
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t i = 0; i < 2; ++i) {
    const int64_t dim = tapDim + i, taps = shape[dim], inner = ShapedType::getNumElements(ArrayRef(shape).drop_front(dim + 1));
    std::vector<float> kept;
    for (size_t at = 0; at < elements.size(); ++at)
      if (int64_t tap = at / inner % taps; tap >= trim.first[i] && tap < taps - trim.last[i])
        kept.push_back(elements[at]);
    elements = std::move(kept);
    shape[dim] -= trim.first[i] + trim.last[i];
  }
  return makeConstant<float>(type.clone(shape), elements, name);
}

namespace {
struct DropPaddingTaps : halftone::impl::DropPaddingTapsBase<DropPaddingTaps> {
  void runOnOperation() override {
    SmallVector<std::pair<linalg::LinalgOp, Trim>> found;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (std::optional<unsigned> tapDim = findTapDim(op))
        if (std::optional<Trim> trim = matchTrim(op, *tapDim))
          found.push_back({op, *trim});
    });
    for (auto &[op, trim] : found)
      drop(op, trim);
  }

  void drop(linalg::LinalgOp op, const Trim &trim) {
    OpBuilder builder(op);
    auto dilations = llvm::to_vector(op->getAttrOfType<DenseIntElementsAttr>("dilations").getValues<int64_t>());
    Value weights = op->getOperand(1);
    std::string name = locationName(weights.getLoc());
    ElementsAttr kept = sliceWeights(weights, *findTapDim(op), trim, name.empty() ? "weights" : name);
    op->setOperand(0, buildInput(builder, trim, dilations));
    op->setOperand(1, arith::ConstantOp::create(builder, weights.getLoc(), kept));
    ++numTrimmed;
  }
};
} // namespace
