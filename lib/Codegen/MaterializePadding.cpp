//===- MaterializePadding.cpp - padding as a part of the producer's result --===//
//
// Padding is data: the buffer of a padded tensor has a border that is filled once, and the producer writes its
// interior. Fills touch each border element once: the sides of a dimension span the interior of the dimensions
// before it and the whole of those behind it.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ConcatParts.h"
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_MATERIALIZEPADDING
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// Widths of a border in elements, for each dimension, and its value.
struct Border {
  SmallVector<int64_t> low, high;
  TypedAttr value;
};

/// The pads of one tensor by one value.
struct PadGroup {
  Border border; // the widest of all pads
  SmallVector<tensor::PadOp> pads;
};

} // namespace

static std::optional<Border> matchBorder(tensor::PadOp pad) {
  Value value = pad.getConstantPaddingValue();
  TypedAttr constant;
  if (!value || !matchPattern(value, m_Constant(&constant)))
    return std::nullopt;
  std::optional<SmallVector<int64_t>> low = getConstantIntValues(pad.getMixedLowPad());
  std::optional<SmallVector<int64_t>> high = getConstantIntValues(pad.getMixedHighPad());
  if (!low || !high)
    return std::nullopt;
  for (auto [i, extent] : llvm::enumerate(pad.getSourceType().getShape())) {
    bool padded = (*low)[i] != 0 || (*high)[i] != 0;
    if ((*low)[i] < 0 || (*high)[i] < 0 || (padded && ShapedType::isDynamic(extent)))
      return std::nullopt;
  }
  return Border{*low, *high, constant};
}

static SmallVector<OpFoldResult> toIndices(OpBuilder &builder, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(builder.getContext(), values);
}

static SmallVector<OpFoldResult> unitStrides(OpBuilder &builder, size_t rank) {
  return SmallVector<OpFoldResult>(rank, builder.getIndexAttr(1));
}

/// Fills a box of the tensor and returns the tensor behind it.
static Value fillBox(OpBuilder &builder, Location loc, Value tensor, Value value, ArrayRef<OpFoldResult> offsets,
                     ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides = unitStrides(builder, offsets.size());
  Value box = tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes, strides);
  Value filled = linalg::FillOp::create(builder, loc, value, box).getResult(0);
  return tensor::InsertSliceOp::create(builder, loc, filled, tensor, offsets, sizes, strides);
}

/// A tensor of the padded shape with its border filled; the interior has the given sizes.
static Value createBordered(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> interior, Type element,
                            const Border &border) {
  size_t rank = interior.size();
  SmallVector<OpFoldResult> padded(interior);
  for (size_t i = 0; i < rank; ++i)
    if (int64_t width = border.low[i] + border.high[i])
      padded[i] = builder.getIndexAttr(*getConstantIntValue(interior[i]) + width);
  Value tensor = tensor::EmptyOp::create(builder, loc, padded, element);
  Value value = arith::ConstantOp::create(builder, loc, border.value);

  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0)), sizes(padded);
  for (size_t i = 0; i < rank; ++i) {
    for (auto [start, width] : {std::pair<int64_t, int64_t>(0, border.low[i]), {-1, border.high[i]}}) {
      if (width == 0)
        continue;
      int64_t offset = start == 0 ? 0 : border.low[i] + *getConstantIntValue(interior[i]);
      offsets[i] = builder.getIndexAttr(offset);
      sizes[i] = builder.getIndexAttr(width);
      tensor = fillBox(builder, loc, tensor, value, offsets, sizes);
    }
    offsets[i] = builder.getIndexAttr(border.low[i]);
    sizes[i] = interior[i];
  }
  return tensor;
}

/// The operand that makes the destination of the source's producer: the use of a tensor.empty, behind fills.
static OpOperand *findDestination(Value source) {
  while (true) {
    auto producer = source.getDefiningOp<DestinationStyleOpInterface>();
    if (!producer || producer->getNumResults() != 1 || isa<tensor::InsertSliceOp>(producer.getOperation()))
      return nullptr;
    OpOperand *init = producer.getDpsInitOperand(0);
    if (init->get().getDefiningOp<tensor::EmptyOp>())
      return init;
    if (!init->get().getDefiningOp<linalg::FillOp>() || !init->get().hasOneUse())
      return nullptr;
    source = init->get();
  }
}

namespace {

struct MaterializePadding : halftone::impl::MaterializePaddingBase<MaterializePadding> {
  void runOnOperation() override {
    llvm::MapVector<Value, SmallVector<PadGroup>> sources;
    getOperation().walk([&](tensor::PadOp pad) {
      if (std::optional<Border> border = matchBorder(pad))
        addPad(sources[pad.getSource()], pad, *border);
    });
    IRRewriter rewriter(&getContext());
    for (auto &[_, groups] : sources) {
      Value source = groups.front().pads.front().getSource(); // what a pad in front of these pads has become by now
      OpOperand *destination = findDestination(source);
      // Copies first: they read the source, which the in-place rewrite then redirects.
      for (PadGroup &group : llvm::drop_begin(groups, destination ? 1 : 0))
        copyIntoBorder(rewriter, source, group);
      if (destination)
        writeIntoBorder(rewriter, source, *destination, groups.front());
    }
  }

  static void addPad(SmallVector<PadGroup> &groups, tensor::PadOp pad, const Border &border) {
    auto *group = llvm::find_if(groups, [&](const PadGroup &g) { return g.border.value == border.value; });
    if (group == groups.end()) {
      groups.push_back({border, {pad}});
      return;
    }
    group->pads.push_back(pad);
    for (size_t i = 0; i < border.low.size(); ++i) {
      group->border.low[i] = std::max(group->border.low[i], border.low[i]);
      group->border.high[i] = std::max(group->border.high[i], border.high[i]);
    }
  }

  /// The producer writes into the interior of the widest pad.
  void writeIntoBorder(IRRewriter &rewriter, Value source, OpOperand &destination, PadGroup &group) {
    Location loc = source.getLoc();
    auto type = cast<RankedTensorType>(source.getType());
    Operation *producer = source.getDefiningOp();
    rewriter.setInsertionPoint(destination.getOwner());
    SmallVector<OpFoldResult> sizes = destination.get().getDefiningOp<tensor::EmptyOp>().getMixedSizes();
    SmallVector<OpFoldResult> offsets = toIndices(rewriter, group.border.low);
    SmallVector<OpFoldResult> strides = unitStrides(rewriter, sizes.size());
    Value bordered = createBordered(rewriter, loc, sizes, type.getElementType(), group.border);
    Value interior = tensor::ExtractSliceOp::create(rewriter, loc, type, bordered, offsets, sizes, strides);
    rewriter.modifyOpInPlace(destination.getOwner(), [&] { destination.set(interior); });

    rewriter.setInsertionPointAfter(producer);
    auto whole = tensor::InsertSliceOp::create(rewriter, loc, source, bordered, offsets, sizes, strides);
    replacePads(rewriter, whole, sizes, group);
    rewriter.setInsertionPointAfter(whole);
    if (!source.hasOneUse()) {
      Value read = tensor::ExtractSliceOp::create(rewriter, loc, type, whole, offsets, sizes, strides);
      rewriter.replaceAllUsesExcept(source, read, whole);
    }
    ++numInPlace;
  }

  void copyIntoBorder(IRRewriter &rewriter, Value source, PadGroup &group) {
    Location loc = group.pads.front().getLoc();
    rewriter.setInsertionPointAfterValue(source);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, source);
    // Before the parts of a concatenation, so that they can be written into the interior.
    auto concat = source.getDefiningOp<tensor::ConcatOp>();
    OpBuilder::InsertPoint behind = rewriter.saveInsertionPoint();
    if (Operation *first = concat ? findFirstPart(concat) : nullptr)
      rewriter.setInsertionPoint(first);
    Value bordered = createBordered(rewriter, loc, sizes, getElementTypeOrSelf(source.getType()), group.border);
    rewriter.restoreInsertionPoint(behind);
    Value whole = tensor::InsertSliceOp::create(rewriter, loc, source, bordered, toIndices(rewriter, group.border.low),
                                                sizes, unitStrides(rewriter, sizes.size()));
    replacePads(rewriter, whole, sizes, group);
    ++numCopied;
  }

  /// Each pad reads the whole tensor, or the part of it that its own border covers.
  static void replacePads(IRRewriter &rewriter, Value whole, ArrayRef<OpFoldResult> interior, PadGroup &group) {
    for (tensor::PadOp pad : group.pads) {
      Border border = *matchBorder(pad);
      Value part = whole;
      rewriter.setInsertionPointAfterValue(whole);
      if (border.low != group.border.low || border.high != group.border.high) {
        SmallVector<OpFoldResult> offsets, sizes(interior);
        for (size_t i = 0; i < interior.size(); ++i) {
          offsets.push_back(rewriter.getIndexAttr(group.border.low[i] - border.low[i]));
          if (int64_t width = border.low[i] + border.high[i])
            sizes[i] = rewriter.getIndexAttr(*getConstantIntValue(interior[i]) + width);
        }
        part = tensor::ExtractSliceOp::create(rewriter, pad.getLoc(), whole, offsets, sizes,
                                              unitStrides(rewriter, sizes.size()));
      }
      if (part.getType() != pad.getType())
        part = tensor::CastOp::create(rewriter, pad.getLoc(), pad.getType(), part);
      rewriter.replaceOp(pad, part);
    }
  }
};

} // namespace
