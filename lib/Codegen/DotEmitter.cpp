//===- DotEmitter.cpp - one step of a reduction on each instruction set -----===//
#include "halftone/Codegen/DotEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

VectorType DotEmitter::accumulatorType(MLIRContext *context) const {
  Type element = kernel.dot == DotKind::Fma ? Type(Float32Type::get(context)) : Type(IntegerType::get(context, 32));
  return VectorType::get({lanes}, element);
}

VectorType DotEmitter::bytesType(MLIRContext *context) const {
  return VectorType::get({lanes * kernel.step}, IntegerType::get(context, 8));
}

static Value intrinsic(ImplicitLocOpBuilder &b, StringRef name, Type result, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name), arguments).getResults();
}

DotEmitter::Activation DotEmitter::prepareActivation(ImplicitLocOpBuilder &b, Value bytes) const {
  VectorType type = bytesType(b.getContext());
  switch (kernel.dot) {
  case DotKind::Vpdpbusd:
  case DotKind::Narrow: {
    if (storedUnsigned)
      return {bytes, Value()};
    // s8 + 128 as u8: the start row of the panel takes 128 * sum(w) away.
    Value flip = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int8_t>{-128}));
    return {arith::XOrIOp::create(b, bytes, flip), Value()};
  }
  case DotKind::Maddubs:
    return {math::AbsIOp::create(b, bytes), bytes};
  case DotKind::Sdot:
  case DotKind::Smmla:
    return {bytes, Value()};
  case DotKind::Widen:
    return {arith::ExtSIOp::create(b, accumulatorType(b.getContext()), bytes), Value()};
  case DotKind::Fma:
    return {bytes, Value()};
  case DotKind::Tile:     // AmxKernel.cpp
  case DotKind::Winograd: // WinogradKernel.cpp
    break;
  }
  llvm_unreachable("unknown dot");
}

Value DotEmitter::sumActivations(ImplicitLocOpBuilder &b, Value bytes) const {
  auto type = cast<VectorType>(bytes.getType());
  const VectorType wide = type.cloneWith(std::nullopt, b.getI32Type());
  if (kernel.flipsSign() && !storedUnsigned)
    bytes = arith::XOrIOp::create(b, bytes, arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int8_t>{-128})));
  Value words = kernel.flipsSign() ? arith::ExtUIOp::create(b, wide, bytes).getResult() : arith::ExtSIOp::create(b, wide, bytes);
  return vector::ReductionOp::create(b, vector::CombiningKind::ADD, words);
}

DotEmitter::Activation DotEmitter::broadcastActivation(ImplicitLocOpBuilder &b, Value memory, Value offset) const {
  Value element = memref::LoadOp::create(b, memory, offset);
  return prepareActivation(b, vector::BroadcastOp::create(b, VectorType::get({lanes}, element.getType()), element));
}

DotEmitter::Activation DotEmitter::broadcastBytes(ImplicitLocOpBuilder &b, Value bytes) const {
  Value word = vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), bytes);
  Value lanesOfWords = vector::BroadcastOp::create(b, VectorType::get({lanes}, b.getI32Type()), word);
  return prepareActivation(b, vector::BitCastOp::create(b, bytesType(b.getContext()), lanesOfWords));
}

DotEmitter::Activation DotEmitter::lowHalf(ImplicitLocOpBuilder &b, Activation activation) const {
  auto half = [&](Value vector) -> Value {
    if (!vector)
      return vector;
    const int64_t elements = cast<VectorType>(vector.getType()).getNumElements() / 2;
    return vector::ExtractStridedSliceOp::create(b, vector, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{elements}, ArrayRef<int64_t>{1});
  };
  return {half(activation.first), half(activation.second)};
}

Value DotEmitter::loadWeights(ImplicitLocOpBuilder &b, Value memory, Value offset) const {
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  return prepareWeights(b, vector::LoadOp::create(b, VectorType::get({lanes * kernel.step}, element), memory, offset));
}

Value DotEmitter::prepareWeights(ImplicitLocOpBuilder &b, Value weights) const {
  if (kernel.dot == DotKind::Widen)
    return arith::ExtSIOp::create(b, accumulatorType(b.getContext()), weights);
  if (kernel.dot == DotKind::Fma && getElementTypeOrSelf(weights.getType()).isInteger(8))
    return arith::SIToFPOp::create(b, accumulatorType(b.getContext()), weights);
  return weights;
}

/// The sums of two products of bytes, in 16 bits.
Value DotEmitter::multiplyPairs(ImplicitLocOpBuilder &b, Activation activation, Value weights) const {
  if (kernel.dot == DotKind::Maddubs)
    weights = intrinsic(b, lanes == 8 ? "llvm.x86.avx2.psign.b" : "llvm.x86.ssse3.psign.b.128", weights.getType(), {weights, activation.second});
  return intrinsic(b, lanes == 8 ? "llvm.x86.avx2.pmadd.ub.sw" : "llvm.x86.ssse3.pmadd.ub.sw.128",
                   VectorType::get({lanes * 2}, b.getI16Type()), {activation.first, weights});
}

/// Adds the two sums of each lane to its accumulator.
Value DotEmitter::addPairs(ImplicitLocOpBuilder &b, Value accumulator, Value pairs) const {
  Value ones = arith::ConstantOp::create(b, DenseElementsAttr::get(cast<VectorType>(pairs.getType()), ArrayRef<int16_t>{1}));
  Value sums = intrinsic(b, lanes == 8 ? "llvm.x86.avx2.pmadd.wd" : "llvm.x86.sse2.pmadd.wd", accumulator.getType(), {pairs, ones});
  return arith::AddIOp::create(b, accumulator, sums);
}

Value DotEmitter::dotJoined(ImplicitLocOpBuilder &b, Value accumulator, ArrayRef<Activation> activations, ValueRange weights) const {
  Value sums;
  for (auto [activation, some] : llvm::zip_equal(activations, weights)) {
    Value pairs = multiplyPairs(b, activation, some);
    sums = sums ? Value(arith::AddIOp::create(b, sums, pairs)) : pairs;
  }
  return addPairs(b, accumulator, sums);
}

Value DotEmitter::dot(ImplicitLocOpBuilder &b, Value accumulator, Activation activation, Value weights) const {
  VectorType type = accumulatorType(b.getContext());
  switch (kernel.dot) {
  case DotKind::Vpdpbusd: {
    StringRef name = lanes == 16  ? "llvm.x86.avx512.vpdpbusd.512"
                     : lanes == 8 ? "llvm.x86.avx512.vpdpbusd.256"
                                  : "llvm.x86.avx512.vpdpbusd.128";
    return intrinsic(b, name, type, {accumulator, activation.first, weights});
  }
  case DotKind::Maddubs:
  case DotKind::Narrow:
    return addPairs(b, accumulator, multiplyPairs(b, activation, weights));
  case DotKind::Sdot:
    return intrinsic(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", type, {accumulator, activation.first, weights});
  case DotKind::Smmla:
    return intrinsic(b, "llvm.aarch64.neon.smmla.v4i32.v16i8", type, {accumulator, activation.first, weights});
  case DotKind::Widen:
    return arith::AddIOp::create(b, accumulator, arith::MulIOp::create(b, activation.first, weights));
  case DotKind::Fma:
    return math::FmaOp::create(b, activation.first, weights, accumulator);
  case DotKind::Tile:
  case DotKind::Winograd:
    break;
  }
  llvm_unreachable("unknown dot");
}

//===----------------------------------------------------------------------===//
// Dots of several rows
//===----------------------------------------------------------------------===//

static Value shuffle(ImplicitLocOpBuilder &b, Value x, Value y, ArrayRef<int64_t> order) {
  return vector::ShuffleOp::create(b, x, y, order);
}

DotEmitter::Activation DotEmitter::joinRows(ImplicitLocOpBuilder &b, ValueRange rowBytes) const {
  if (kernel.rowsPerDot() == 1)
    return broadcastBytes(b, rowBytes[0]);
  SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, 2 * kernel.step));
  return prepareActivation(b, shuffle(b, rowBytes[0], rowBytes[1], both));
}

SmallVector<Value> DotEmitter::startRows(ImplicitLocOpBuilder &b, Value lanesOfRow) const {
  if (kernel.rowsPerDot() == 1)
    return {lanesOfRow};
  return {shuffle(b, lanesOfRow, lanesOfRow, {0, 1, 0, 1}), shuffle(b, lanesOfRow, lanesOfRow, {2, 3, 2, 3})};
}

SmallVector<Value> DotEmitter::dotRows(ImplicitLocOpBuilder &b, ValueRange accumulators, Activation activation,
                                       Value weights) const {
  if (kernel.rowsPerDot() == 1)
    return {dot(b, accumulators[0], activation, weights)};
  SmallVector<Value> results;
  const int64_t half = 2 * kernel.step; // the weights of two columns
  for (int64_t i = 0; i < 2; ++i) {
    Value columns = vector::ExtractStridedSliceOp::create(b, weights, ArrayRef<int64_t>{i * half},
                                                          ArrayRef<int64_t>{half}, ArrayRef<int64_t>{1});
    results.push_back(dot(b, accumulators[i], activation, columns));
  }
  return results;
}

SmallVector<Value> DotEmitter::finishRows(ImplicitLocOpBuilder &b, ValueRange accumulators) const {
  if (kernel.rowsPerDot() == 1)
    return llvm::to_vector(accumulators);
  return {shuffle(b, accumulators[0], accumulators[1], {0, 1, 4, 5}),
          shuffle(b, accumulators[0], accumulators[1], {2, 3, 6, 7})};
}
