//===- HalftoneOps.cpp - verifiers, folders and effects ---------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

#define GET_OP_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

static LogicalResult verifyScale(Operation *op, double scale) {
  if (std::isnormal(static_cast<float>(scale)) && scale > 0)
    return success();
  return op->emitOpError("needs a finite, normal scale > 0, got ") << scale;
}

/// Checks what a quantized tensor type promises: 8-bit signed storage, sound scales, an axis with as many scales as
/// its extent.
static LogicalResult verifyUniform(Operation *op, RankedTensorType type) {
  auto element = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!element || !isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(element))
    return op->emitOpError("needs a per-tensor or per-axis !quant.uniform element type, got ") << type.getElementType();
  if (!element.isSigned() || element.getStorageTypeIntegralWidth() > 8 || !element.getExpressedType().isF32())
    return op->emitOpError("needs signed storage of at most 8 bits that expresses f32, got ") << element;
  if (auto tensor = dyn_cast<quant::UniformQuantizedType>(element))
    return verifyScale(op, tensor.getScale());
  auto axis = cast<quant::UniformQuantizedPerAxisType>(element);
  int64_t dimension = axis.getQuantizedDimension();
  if (dimension < 0 || dimension >= type.getRank())
    return op->emitOpError("has a per-axis type with axis ") << dimension << " on a tensor of rank " << type.getRank();
  int64_t scales = axis.getScales().size();
  if (type.getDimSize(dimension) != scales)
    return op->emitOpError("has ") << scales << " scales for an axis of extent " << type.getDimSize(dimension);
  for (double scale : axis.getScales())
    if (failed(verifyScale(op, scale)))
      return failure();
  return success();
}

static LogicalResult verifySameShape(Operation *op, ShapedType a, ShapedType b) {
  if (a.getShape() == b.getShape())
    return success();
  return op->emitOpError("needs operand and result of one shape, got ") << a << " and " << b;
}

LogicalResult QuantizeOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (failed(verifySameShape(*this, getInput().getType(), type)))
    return failure();
  return verifyUniform(*this, type);
}

OpFoldResult QuantizeOp::fold(FoldAdaptor) {
  auto dequantize = getInput().getDefiningOp<DequantizeOp>();
  if (dequantize && dequantize.getInput().getType() == getResult().getType())
    return dequantize.getInput();
  return {};
}

LogicalResult DequantizeOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (failed(verifySameShape(*this, type, getResult().getType())))
    return failure();
  auto codebook = dyn_cast<CodebookType>(type.getElementType());
  if (!codebook) {
    if (getLevels() || getScales())
      return emitOpError("takes levels and scales for codebook types only");
    return verifyUniform(*this, type);
  }
  if (!getLevels() || !getScales())
    return emitOpError("needs levels and scales for ") << codebook;
  int64_t entries = int64_t(1) << codebook.getBits();
  if (getLevels().getType().getShape() != ArrayRef<int64_t>{entries})
    return emitOpError("needs ") << entries << " levels, got " << getLevels().getType();
  if (codebook.getAxis() >= type.getRank())
    return emitOpError("has a codebook type with axis ") << codebook.getAxis() << " on a tensor of rank " << type.getRank();
  int64_t scales = codebook.getAxis() < 0 ? 1 : type.getDimSize(codebook.getAxis());
  if (getScales().getType().getShape() != ArrayRef<int64_t>{scales})
    return emitOpError("needs ") << scales << " scales, got " << getScales().getType();
  return success();
}

LogicalResult StorageCastOp::verify() {
  auto from = cast<RankedTensorType>(getInput().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (failed(verifySameShape(*this, from, to)))
    return failure();
  bool toCodebook = from.getElementType().isInteger(8) && isa<CodebookType>(to.getElementType());
  bool toStorage = isa<CodebookType>(from.getElementType()) && to.getElementType().isInteger(8);
  if (toCodebook || toStorage)
    return success();
  return emitOpError("casts between i8 and a codebook type, got ") << from << " to " << to;
}

//===----------------------------------------------------------------------===//
// Composites and observers
//===----------------------------------------------------------------------===//

LogicalResult CompositeOp::verify() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("needs one body argument for each operand, of the same type");
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValues().getTypes() != getOutputs().getTypes())
    return emitOpError("needs a body that yields its results");
  return success();
}

LogicalResult ObserveOp::verify() {
  auto counts = cast<MemRefType>(getCounts().getType());
  auto extrema = cast<MemRefType>(getExtrema().getType());
  if (counts.getRank() != 2 || counts.getDimSize(1) != 65536)
    return emitOpError("needs counts of shape observers x 65536, got ") << counts;
  if (extrema.getRank() != 2 || extrema.getDimSize(1) != 2 || extrema.getDimSize(0) != counts.getDimSize(0))
    return emitOpError("needs extrema of shape observers x 2, got ") << extrema;
  if (getIndex() >= static_cast<uint64_t>(counts.getDimSize(0)))
    return emitOpError("has index ") << getIndex() << " of " << counts.getDimSize(0) << " observers";
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A kernel on memrefs reads its inputs and writes its output; on tensors it has no effect.
static void kernelEffects(DestinationStyleOpInterface op,
                          SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (op.hasPureTensorSemantics())
    return;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (isa<MemRefType>(operand->get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), operand);
  for (OpOperand &operand : op.getDpsInitsMutable())
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
}

void LookupOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  kernelEffects(*this, effects);
}

void ContractOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  kernelEffects(*this, effects);
}

LogicalResult LookupOp::verify() {
  auto input = cast<ShapedType>(getInput().getType());
  auto output = cast<ShapedType>(getOutput().getType());
  auto table = cast<ShapedType>(getTable().getType());
  if (failed(verifySameShape(*this, input, output)))
    return failure();
  if (!input.getElementType().isInteger(8) || !table.getElementType().isInteger(8) ||
      !output.getElementType().isInteger(8))
    return emitOpError("maps i8 to i8");
  if (table.getShape() != ArrayRef<int64_t>{256})
    return emitOpError("needs a table of 256 entries, got ") << table;
  return success();
}

/// The epilogue: an accumulator and one scalar for each operand in, the output's element out.
static LogicalResult verifyEpilogue(ContractOp op) {
  Block &block = op.getEpilogue().front();
  auto output = cast<ShapedType>(op.getOutput().getType());
  Type input = cast<ShapedType>(op.getInput().getType()).getElementType();
  if (block.getNumArguments() != op.getEpilogueInputs().size() + 1 || op.getEpilogueMaps().size() != op.getEpilogueInputs().size())
    return op.emitOpError("needs an accumulator and one argument and map for each epilogue operand");
  Type accumulator = block.getArgument(0).getType();
  if (input.isInteger(8) ? !accumulator.isInteger(32) : accumulator != input)
    return op.emitOpError("accumulates i8 in i32 and floats in their own type, got ") << accumulator;
  for (auto [i, operand] : llvm::enumerate(op.getEpilogueInputs())) {
    auto type = cast<ShapedType>(operand.getType());
    AffineMap map = cast<AffineMapAttr>(op.getEpilogueMaps()[i]).getValue();
    if (map.getNumDims() != output.getRank() || map.getNumResults() != type.getRank())
      return op.emitOpError("has epilogue map ") << i << " that does not fit " << type;
    if (block.getArgument(i + 1).getType() != type.getElementType())
      return op.emitOpError("has epilogue argument ") << i + 1 << " that is not an element of " << type;
  }
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValues().size() != 1 || yield.getValues()[0].getType() != output.getElementType())
    return op.emitOpError("needs an epilogue that yields one ") << output.getElementType();
  return success();
}

LogicalResult ContractOp::verify() {
  auto input = cast<ShapedType>(getInput().getType());
  auto weights = cast<ShapedType>(getWeights().getType());
  auto output = cast<ShapedType>(getOutput().getType());
  if ((input.getRank() != 4 && input.getRank() != 2) || output.getRank() != input.getRank())
    return emitOpError("needs input and output of rank 4 (convolution) or 2 (matrix product)");
  if (getStrides().size() != 2 || getDilations().size() != 2)
    return emitOpError("needs two strides and two dilations");
  if (llvm::any_of(getStrides(), [](int64_t s) { return s < 1; }) ||
      llvm::any_of(getDilations(), [](int64_t d) { return d < 1; }))
    return emitOpError("needs strides and dilations of at least 1");
  if (failed(verifyEpilogue(*this)))
    return failure();
  if (getPacking())
    return success();
  int64_t rank = input.getRank();
  if (weights.getRank() != rank)
    return emitOpError("needs weights of rank ") << rank << ", got " << weights;
  int64_t channels = input.getDimSize(rank - 1), columns = output.getDimSize(rank - 1), groups = getGroups();
  if (groups < 1 || channels % groups || columns % groups)
    return emitOpError("needs channels divisible by groups = ") << groups;
  if (weights.getDimSize(rank - 2) * groups != channels || weights.getDimSize(rank - 1) != columns)
    return emitOpError("has weights ") << weights << " that do not fit " << input << " and " << output;
  for (int64_t i = 0; rank == 4 && i < 2; ++i) {
    int64_t reach = (output.getDimSize(i + 1) - 1) * getStrides()[i] +
                    (weights.getDimSize(i) - 1) * getDilations()[i] + 1;
    if (!input.isDynamicDim(i + 1) && !output.isDynamicDim(i + 1) && reach > input.getDimSize(i + 1))
      return emitOpError("reads position ") << reach - 1 << " of dimension " << i + 1 << " of " << input;
  }
  return success();
}
