//===- TensorSizes.cpp - What each constant of a model weighs -------------===//
#include "TensorSizes.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Data/Tensor.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::halftone;

/// The dequantize that reads a constant as codes, behind casts and movement.
static DequantizeOp findReader(Value codes) {
  for (OpOperand &use : codes.getUses()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(use.getOwner()))
      return use.getOperandNumber() == 0 ? dequantize : DequantizeOp();
    bool passes = isa<quant::StorageCastOp, halftone::StorageCastOp>(use.getOwner()) ||
                  classify(use.getOwner()) == OpKind::Movement;
    if (passes)
      if (DequantizeOp found = findReader(use.getOwner()->getResult(0)))
        return found;
  }
  return nullptr;
}

/// Whether a constant is the scales or the levels of a dequantize: it counts
/// with the codes.
static bool isParameter(Value constant) {
  return llvm::any_of(constant.getUses(), [](OpOperand &use) {
    return isa<DequantizeOp>(use.getOwner()) && use.getOperandNumber() > 0;
  });
}

static std::string readerName(Value value) {
  for (Operation *user : value.getUsers()) {
    if (std::string name = locationName(user->getLoc()); !name.empty())
      return name;
    if (user->getNumResults())
      if (std::string name = readerName(user->getResult(0)); !name.empty())
        return name;
  }
  return "";
}

static int64_t bytesOf(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType())
                    : RankedTensorType();
  return type ? type.getNumElements() * type.getElementTypeBitWidth() / 8 : 0;
}

/// The bits that hold the codes from low to high.
static unsigned bitsOf(int64_t low, int64_t high) {
  return llvm::Log2_64_Ceil(high - low + 1);
}

static void describeCodes(TensorSize &size, DequantizeOp reader) {
  Type element = reader.getInput().getType().getElementType();
  unsigned bits = 8;
  if (auto type = dyn_cast<quant::QuantizedType>(element)) {
    bits = bitsOf(type.getStorageTypeMin(), type.getStorageTypeMax());
    size.format = "int" + std::to_string(bits);
    if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
      size.format += " per channel";
      size.scaleBytes = 4 * axis.getScales().size();
    } else {
      size.format += " per tensor";
      size.scaleBytes = 4;
    }
  } else if (auto type = dyn_cast<CodebookType>(element)) {
    bits = type.getBits();
    size.format = "codebook" + std::to_string(bits);
    size.tableBytes = bytesOf(reader.getLevels());
    size.scaleBytes = bytesOf(reader.getScales());
  }
  size.codeBytes = llvm::divideCeil(size.elements * bits, 8);
}

std::vector<TensorSize> mlir::halftone::measureTensorSizes(ModuleOp module) {
  std::vector<TensorSize> sizes;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (auto constant : main.getBody().front().getOps<arith::ConstantOp>()) {
    auto type = dyn_cast<RankedTensorType>(constant.getType());
    if (!type || type.getRank() == 0 || isParameter(constant))
      continue;
    TensorSize size;
    size.layer = readerName(constant);
    size.shape = formatShape(type.getShape());
    size.elements = type.getNumElements();
    if (DequantizeOp reader = findReader(constant)) {
      describeCodes(size, reader);
    } else {
      size.format = type.getElementType().isF32()
                        ? "f32"
                        : "i" + std::to_string(type.getElementTypeBitWidth());
      size.codeBytes = bytesOf(constant);
    }
    sizes.push_back(std::move(size));
  }
  return sizes;
}
