//===- Packing.cpp - what all layouts of packed weights say -----------------===//
#include "halftone/Codegen/Packing.h"

using namespace mlir;
using namespace mlir::halftone;

DictionaryAttr Packing::toAttribute(MLIRContext *context, NamedAttrList more) const {
  Builder b(context);
  more.append("kind", b.getStringAttr(kernel->name));
  more.append("lanes", b.getI64IntegerAttr(kernel->lanes));
  more.append("columns", b.getI64IntegerAttr(columns));
  more.append("kernel", b.getDenseI64ArrayAttr(window));
  return more.getDictionary(context);
}

std::optional<Packing> Packing::of(ContractOp op) {
  DictionaryAttr packing = op.getPackingAttr();
  if (!packing)
    return std::nullopt;
  auto kind = packing.getAs<StringAttr>("kind");
  auto columns = packing.getAs<IntegerAttr>("columns");
  auto window = packing.getAs<DenseI64ArrayAttr>("kernel");
  const DotKernel *kernel = kind ? findDotKernel(kind.getValue()) : nullptr;
  if (!kernel || !columns || !window || window.size() != 3)
    return std::nullopt;
  return Packing{kernel, columns.getInt(), {window[0], window[1], window[2]}};
}
