//===- PackedLayout.cpp - where a weight stands in a packed constant --------===//
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/VectorEmission.h"

using namespace mlir;
using namespace mlir::halftone;

bool PackedLayout::tapsFollow(ContractOp op) const {
  std::optional<SmallVector<int64_t>> strides = staticStrides(cast<MemRefType>(op.getInput().getType()));
  return !joined || kernelWidth == 1 || strides->size() == 2 || (*strides)[2] == channels;
}

DictionaryAttr PackedLayout::toAttribute(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr({b.getNamedAttr("kind", b.getStringAttr(kernel->name)),
                              b.getNamedAttr("lanes", b.getI64IntegerAttr(kernel->lanes)),
                              b.getNamedAttr("columns", b.getI64IntegerAttr(panelColumns())),
                              b.getNamedAttr("run", b.getI64IntegerAttr(runLength())),
                              b.getNamedAttr("kernel", b.getDenseI64ArrayAttr({kernelHeight, kernelWidth, channels}))});
}

/// Vectors of a panel: for tall tiles if the positions of an image exceed a low one, or their number is dynamic.
static int64_t choosePanelVectors(ContractOp op, const DotKernel &kernel) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getOutput().getType()).getShape();
  ArrayRef<int64_t> extents = shape.size() == 2 ? shape.take_front() : shape.slice(1, shape.size() - 2);
  int64_t positions = 1;
  for (int64_t extent : extents)
    positions = ShapedType::isDynamic(extent) ? ShapedType::kDynamic : positions * extent;
  bool few = !ShapedType::isDynamic(positions) && positions <= kernel.rows[kernel.maxVectors];
  return few ? kernel.maxVectors : kernel.tallVectors;
}

PackedLayout PackedLayout::forContract(ContractOp op, const DotKernel &kernel) {
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getWeights().getType()).getShape();
  bool convolution = shape.size() == 4;
  int64_t groups = op.getGroups(), channels = shape[shape.size() - 2];
  // A tile that holds many channels need not go on into the next tap.
  bool shortTaps = kernel.dot != DotKind::Tile || channels < 32;
  return {&kernel,
          convolution ? shape[0] : 1,
          convolution ? shape[1] : 1,
          channels,
          shape.back() / groups,
          groups,
          op.getDilations()[1] == 1 && groups == 1 && shortTaps,
          choosePanelVectors(op, kernel)};
}

FailureOr<PackedLayout> PackedLayout::fromAttribute(ContractOp op) {
  DictionaryAttr packing = op.getPackingAttr();
  if (!packing)
    return failure();
  auto kind = packing.getAs<StringAttr>("kind");
  auto run = packing.getAs<IntegerAttr>("run"), panel = packing.getAs<IntegerAttr>("columns");
  auto kernel = packing.getAs<DenseI64ArrayAttr>("kernel");
  const DotKernel *row = kind ? findDotKernel(kind.getValue()) : nullptr;
  if (!row || !run || !panel || !kernel || kernel.size() != 3 || panel.getInt() <= 0 ||
      panel.getInt() > row->lanes * row->maxVectors || panel.getInt() % row->lanes)
    return failure();
  int64_t groups = op.getGroups(), columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
  bool joined = run.getInt() == kernel[1] * kernel[2] && (kernel[1] > 1 || groups == 1);
  return PackedLayout{row, kernel[0], kernel[1], kernel[2], columns / groups, groups, joined, panel.getInt() / row->lanes,
                      packing.contains("unsigned")};
}
