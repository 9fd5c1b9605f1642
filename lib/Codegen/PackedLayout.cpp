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
          op.getDilations()[1] == 1 && groups == 1 && shortTaps};
}

FailureOr<PackedLayout> PackedLayout::fromAttribute(ContractOp op) {
  DictionaryAttr packing = op.getPackingAttr();
  if (!packing)
    return failure();
  auto kind = packing.getAs<StringAttr>("kind");
  auto run = packing.getAs<IntegerAttr>("run");
  auto kernel = packing.getAs<DenseI64ArrayAttr>("kernel");
  const DotKernel *row = kind ? findDotKernel(kind.getValue()) : nullptr;
  if (!row || !run || !kernel || kernel.size() != 3)
    return failure();
  int64_t groups = op.getGroups(), columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
  bool joined = run.getInt() == kernel[1] * kernel[2] && (kernel[1] > 1 || groups == 1);
  return PackedLayout{row, kernel[0], kernel[1], kernel[2], columns / groups, groups, joined, packing.contains("unsigned")};
}
