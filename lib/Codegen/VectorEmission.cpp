//===- VectorEmission.cpp - scalar regions and flat memory, as vectors ------===//
#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> mlir::halftone::staticStrides(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic))
    return std::nullopt;
  return strides;
}

Value mlir::halftone::rootOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

FlatBuffer mlir::halftone::flatten(ImplicitLocOpBuilder &b, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  SmallVector<int64_t> strides;
  int64_t staticOffset;
  (void)type.getStridesAndOffset(strides, staticOffset);
  OpFoldResult offset = b.getIndexAttr(staticOffset);
  if (staticOffset == ShapedType::kDynamic)
    offset = memref::ExtractStridedMetadataOp::create(b, memory).getOffset();
  OpFoldResult size = b.getIndexAttr(0);
  int64_t span = 1;
  for (auto [extent, stride] : llvm::zip_equal(type.getShape(), strides))
    span = ShapedType::isDynamic(extent) || span == ShapedType::kDynamic ? ShapedType::kDynamic
                                                                         : span + (extent - 1) * stride;
  size = b.getIndexAttr(span);
  if (span == ShapedType::kDynamic) {
    Value extent = memref::DimOp::create(b, memory, 0);
    size = mul(b, extent, strides[0]);
  }
  auto layout = StridedLayoutAttr::get(b.getContext(), staticOffset, {1});
  auto flat = MemRefType::get({span}, type.getElementType(), layout, type.getMemorySpace());
  Value view = memref::ReinterpretCastOp::create(b, flat, memory, offset, {size},
                                                 ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return {view, strides, type.getElementType()};
}

int64_t mlir::halftone::storedBits(Type type) { return type.isIndex() ? 64 : llvm::alignTo(type.getIntOrFloatBitWidth(), 8); }

Type mlir::halftone::laneType(Type type, int64_t lanes) { return lanes == 1 ? type : VectorType::get({lanes}, type); }

Value mlir::halftone::splat(ImplicitLocOpBuilder &b, Value value, int64_t lanes) {
  if (lanes == 1)
    return value;
  TypedAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({lanes}, value.getType()), constant));
  return vector::BroadcastOp::create(b, laneType(value.getType(), lanes), value);
}

/// Calls `piece(first, width)` for the power-of-two pieces of `valid` lanes, widest first.
static void forEachPiece(int64_t valid, function_ref<void(int64_t, int64_t)> piece) {
  for (int64_t first = 0; first < valid;) {
    int64_t width = llvm::bit_floor(static_cast<uint64_t>(valid - first));
    piece(first, width);
    first += width;
  }
}

Value mlir::halftone::loadLanes(ImplicitLocOpBuilder &b, const FlatBuffer &buffer, Value offset, int64_t stride,
                                int64_t lanes, int64_t valid) {
  if (lanes == 1 || stride == 0)
    return splat(b, memref::LoadOp::create(b, buffer.memory, offset), lanes);
  auto type = VectorType::get({lanes}, buffer.element);
  if (stride == 1 && valid == lanes)
    return vector::LoadOp::create(b, type, buffer.memory, offset);
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(type));
  if (stride == 1) {
    forEachPiece(valid, [&](int64_t first, int64_t width) {
      Value part = vector::LoadOp::create(b, VectorType::get({width}, buffer.element), buffer.memory, add(b, offset, first));
      result = vector::InsertStridedSliceOp::create(b, part, result, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{1});
    });
    return result;
  }
  for (int64_t lane = 0; lane < valid; ++lane) {
    Value element = memref::LoadOp::create(b, buffer.memory, add(b, offset, lane * stride));
    result = vector::InsertOp::create(b, element, result, lane);
  }
  return result;
}

void mlir::halftone::storeLanes(ImplicitLocOpBuilder &b, Value value, const FlatBuffer &buffer, Value offset,
                                int64_t lanes, int64_t valid) {
  if (lanes == 1) {
    memref::StoreOp::create(b, value, buffer.memory, offset);
    return;
  }
  forEachPiece(valid, [&](int64_t first, int64_t width) {
    Value part = value;
    if (width != lanes)
      part = vector::ExtractStridedSliceOp::create(b, value, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{width},
                                                   ArrayRef<int64_t>{1});
    vector::StoreOp::create(b, part, buffer.memory, add(b, offset, first));
  });
}

/// Elements `first`, `first + stride`, ... of two vectors, so many.
static Value takeEvery(ImplicitLocOpBuilder &b, Value x, Value y, int64_t first, int64_t stride, int64_t count) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < count; ++i)
    order.push_back(first + i * stride);
  return vector::ShuffleOp::create(b, x, y, order);
}

/// Seen as one array of places (row, word), in vectors as long as there are rows, each turn moves the lowest bit of the place to the
/// top, until those of the word are above those of the row.
SmallVector<Value> mlir::halftone::transposeRows(ImplicitLocOpBuilder &b, SmallVector<Value> rows, int64_t words) {
  const int64_t lanes = rows.size();
  for (int64_t size = words; size < lanes; size *= 2) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < rows.size(); i += 2)
      joined.push_back(takeEvery(b, rows[i], rows[i + 1], 0, 1, 2 * size));
    rows = std::move(joined);
  }
  for (int64_t left = words; left > 1; left /= 2) {
    SmallVector<Value> even, odd;
    for (size_t i = 0; i < rows.size(); i += 2) {
      even.push_back(takeEvery(b, rows[i], rows[i + 1], 0, 2, lanes));
      odd.push_back(takeEvery(b, rows[i], rows[i + 1], 1, 2, lanes));
    }
    rows = std::move(even);
    llvm::append_range(rows, odd);
  }
  return rows;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

bool mlir::halftone::canVectorize(Block &body) {
  return llvm::all_of(body.without_terminator(), [](Operation &op) {
    return op.getNumRegions() == 0 && op.getNumResults() == 1 && !isa<VectorType>(op.getResult(0).getType()) &&
           (isa<arith::ConstantOp>(op) || OpTrait::hasElementwiseMappableTraits(&op));
  });
}

/// One operation on vectors: a constant becomes a splat, any other the same operation on vector types.
static Value emitVectorOp(ImplicitLocOpBuilder &b, Operation &op, ValueRange operands, int64_t lanes) {
  auto type = VectorType::get({lanes}, op.getResult(0).getType());
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, constant.getValue()));
  return b.create(b.getLoc(), op.getName().getIdentifier(), operands, TypeRange{type}, op.getAttrs())->getResult(0);
}

/// The operand of `fptosi(roundeven(x))` to i32, which is one instruction under the default rounding mode.
static Value roundedOperand(Operation &op) {
  auto convert = dyn_cast<arith::FPToSIOp>(op);
  auto round = convert ? convert.getIn().getDefiningOp<math::RoundEvenOp>() : math::RoundEvenOp();
  if (!round || round->getBlock() != op.getBlock() || !convert.getIn().getType().isF32() || !convert.getType().isInteger(32))
    return {};
  return round.getOperand();
}

SmallVector<Value> mlir::halftone::emitBody(ImplicitLocOpBuilder &b, Block &block, ValueRange arguments, int64_t lanes,
                                            ValueRange wanted, ArrayRef<std::pair<Value, Value>> known) {
  IRMapping mapping;
  mapping.map(block.getArguments(), arguments);
  for (auto [value, emitted] : known)
    mapping.map(value, emitted);
  auto lookup = [&](Value value) {
    if (!mapping.contains(value))
      mapping.map(value, splat(b, value, lanes));
    return mapping.lookup(value);
  };
  for (Operation &op : block.without_terminator()) {
    if (llvm::is_contained(llvm::make_first_range(known), op.getResult(0)))
      continue;
    if (lanes == 1) {
      b.clone(op, mapping);
      continue;
    }
    if (Value rounded = roundedOperand(op)) {
      auto convert = LLVM::CallIntrinsicOp::create(b, VectorType::get({lanes}, b.getI32Type()), b.getStringAttr("llvm.lrint"),
                                                   ValueRange{lookup(rounded)});
      mapping.map(op.getResult(0), convert.getResults());
      continue;
    }
    SmallVector<Value> operands = llvm::map_to_vector(op.getOperands(), lookup);
    mapping.map(op.getResult(0), emitVectorOp(b, op, operands, lanes));
  }
  return llvm::map_to_vector(wanted, lookup);
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value mlir::halftone::indexConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value mlir::halftone::add(ImplicitLocOpBuilder &b, Value x, Value y) { return b.createOrFold<arith::AddIOp>(x, y); }

Value mlir::halftone::add(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return y == 0 ? x : add(b, x, indexConstant(b, y));
}

Value mlir::halftone::mul(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return y == 1 ? x : b.createOrFold<arith::MulIOp>(x, indexConstant(b, y));
}

Value mlir::halftone::minimum(ImplicitLocOpBuilder &b, Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(x, y);
}

Value mlir::halftone::maximum(ImplicitLocOpBuilder &b, Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(x, y);
}
