//===- SaturatingNarrow.cpp - i32 vectors to bytes, clamped on the way ------===//
#include "halftone/Codegen/SaturatingNarrow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Packs work on each 16 bytes by themselves.
static constexpr int64_t kChunkWords = 4;

static Value intrinsic(ImplicitLocOpBuilder &b, StringRef name, Type type, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), arguments).getResults();
}

static Value splat(ImplicitLocOpBuilder &b, VectorType type, int64_t value) {
  IntegerAttr element = b.getIntegerAttr(type.getElementType(), value);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, Attribute(element)));
}

static StringRef widthPrefix(int64_t lanes) {
  return lanes == 16 ? "llvm.x86.avx512." : lanes == 8 ? "llvm.x86.avx2." : "llvm.x86.sse2.";
}

static StringRef widthSuffix(int64_t lanes) { return lanes == 16 ? ".512" : lanes == 8 ? "" : ".128"; }

/// Two vectors of i32 to one of i16, or of i16 to one of i8, of the same number of bytes.
static Value pack(ImplicitLocOpBuilder &b, StringRef name, Value x, Value y, int64_t lanes) {
  auto type = cast<VectorType>(x.getType());
  Type half = b.getIntegerType(type.getElementTypeBitWidth() / 2);
  std::string full = (widthPrefix(lanes) + name + widthSuffix(lanes)).str();
  return intrinsic(b, full, VectorType::get({type.getDimSize(0) * 2}, half), {x, y});
}

static Value addSaturating(ImplicitLocOpBuilder &b, Value x, int64_t addend) {
  if (addend == 0)
    return x;
  auto type = cast<VectorType>(x.getType());
  return intrinsic(b, "llvm.sadd.sat", type, {x, splat(b, type, addend)});
}

/// The bytes of the packs of `count` vectors in the order of the vectors: word j of chunk c belongs to vector j.
static Value orderChunks(ImplicitLocOpBuilder &b, Value bytes, int64_t count, int64_t lanes) {
  const int64_t chunks = lanes / kChunkWords;
  auto words = VectorType::get({lanes}, b.getI32Type());
  SmallVector<int64_t> order;
  for (int64_t vector = 0; vector < count; ++vector)
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      order.push_back(chunk * kChunkWords + vector);
  Value packed = vector::BitCastOp::create(b, words, bytes);
  Value ordered = vector::ShuffleOp::create(b, packed, packed, order);
  return vector::BitCastOp::create(b, VectorType::get({count * lanes}, b.getI8Type()), ordered);
}

/// Tighter bounds than those of all signed or all unsigned bytes.
static Value clampBytes(ImplicitLocOpBuilder &b, Value bytes, int64_t low, int64_t high, bool isUnsigned) {
  auto type = cast<VectorType>(bytes.getType());
  const int64_t least = isUnsigned ? 0 : -128, most = least + 255;
  auto bound = [&](int64_t value) { return splat(b, type, static_cast<int8_t>(value)); };
  if (low > least)
    bytes = isUnsigned ? Value(arith::MaxUIOp::create(b, bytes, bound(low)))
                       : Value(arith::MaxSIOp::create(b, bytes, bound(low)));
  if (high < most)
    bytes = isUnsigned ? Value(arith::MinUIOp::create(b, bytes, bound(high)))
                       : Value(arith::MinSIOp::create(b, bytes, bound(high)));
  return bytes;
}

Value mlir::halftone::narrowSaturating(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors, const CodeClamp &clamp,
                                       bool interleaved) {
  const int64_t lanes = cast<VectorType>(vectors[0].getType()).getDimSize(0), count = vectors.size();
  // Signed bytes of the zero point -128 are unsigned ones of 0, flipped at the end.
  const bool flips = clamp.isSigned() && clamp.zero == -128, isUnsigned = flips || !clamp.isSigned();
  const int64_t zero = flips ? 0 : clamp.zero;
  SmallVector<Value> halves;
  for (int64_t i = 0; i < count; i += 2)
    halves.push_back(addSaturating(b, pack(b, "packssdw", vectors[i], vectors[count == 1 ? i : i + 1], lanes), zero));
  Value bytes = pack(b, isUnsigned ? "packuswb" : "packsswb", halves.front(), halves.back(), lanes);
  bytes = clampBytes(b, bytes, clamp.low + zero, clamp.high + zero, isUnsigned);
  if (flips)
    bytes = arith::XOrIOp::create(b, bytes, splat(b, cast<VectorType>(bytes.getType()), -128));
  return interleaved ? bytes : orderChunks(b, bytes, count, lanes);
}
