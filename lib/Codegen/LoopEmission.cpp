//===- LoopEmission.cpp - the loops that kernels are made of ----------------===//
#include "halftone/Codegen/LoopEmission.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::halftone;

Bounds mlir::halftone::pieceBounds(ImplicitLocOpBuilder &b, Value index, int64_t size, Value limit) {
  // The only piece: its bounds are static.
  if (std::optional<int64_t> extent = getConstantIntValue(limit); extent && *extent <= size)
    return {indexConstant(b, 0), limit};
  Value begin = mul(b, index, size);
  return {begin, minimum(b, add(b, begin, size), limit)};
}

Value mlir::halftone::pieceCount(ImplicitLocOpBuilder &b, Value extent, int64_t size) {
  return size == 1 ? extent : b.createOrFold<arith::CeilDivUIOp>(extent, indexConstant(b, size));
}

void mlir::halftone::emitLoop(ImplicitLocOpBuilder &b, Bounds bounds, int64_t step, function_ref<void(Value)> body) {
  std::optional<int64_t> begin = getConstantIntValue(bounds.begin), end = getConstantIntValue(bounds.end);
  if (begin && end && *end <= *begin)
    return;
  if (begin && end && *end - *begin <= step)
    return body(bounds.begin);
  auto loop = scf::ForOp::create(b, bounds.begin, bounds.end, indexConstant(b, step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  body(loop.getInductionVar());
}

void mlir::halftone::emitEvenTiles(ImplicitLocOpBuilder &b, int64_t extent, int64_t most, function_ref<void(int64_t, Value)> body) {
  const int64_t tiles = llvm::divideCeil(extent, most), low = extent / tiles, tall = low + 1;
  Value border = indexConstant(b, extent % tiles * tall);
  emitLoop(b, {indexConstant(b, 0), border}, tall, [&](Value position) { body(tall, position); });
  emitLoop(b, {border, indexConstant(b, extent)}, low, [&](Value position) { body(low, position); });
}

SmallVector<Value> mlir::halftone::emitCarryingLoop(ImplicitLocOpBuilder &b, Value count, SmallVector<Value> carried,
                                                    CarriedBody body) {
  Value zero = indexConstant(b, 0);
  if (getConstantIntValue(count) == 1)
    return body(zero, std::move(carried));
  auto loop = scf::ForOp::create(b, zero, count, indexConstant(b, 1), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  SmallVector<Value> inside(loop.getRegionIterArgs());
  scf::YieldOp::create(b, body(loop.getInductionVar(), std::move(inside)));
  return SmallVector<Value>(loop.getResults());
}

Value mlir::halftone::keepInLoop(ImplicitLocOpBuilder &b, Value index) {
  Type word = b.getI64Type();
  Value number = arith::IndexCastOp::create(b, word, index);
  auto same = LLVM::InlineAsmOp::create(b, word, number, /*asm_string=*/"", /*constraints=*/"=r,0", /*has_side_effects=*/true,
                                        /*is_align_stack=*/false, LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
                                        /*operand_attrs=*/nullptr);
  return arith::IndexCastOp::create(b, b.getIndexType(), same.getRes());
}

bool mlir::halftone::isWithinPart(ImplicitLocOpBuilder &b) {
  Operation *around = b.getInsertionBlock()->getParentOp();
  return isa<scf::ForallOp>(around) || around->getParentOfType<scf::ForallOp>();
}

void mlir::halftone::emitParts(ImplicitLocOpBuilder &b, Value count, function_ref<void(Value)> part, bool always) {
  if (!always && getConstantIntValue(count) == 1)
    return part(indexConstant(b, 0));
  if (isWithinPart(b))
    return emitLoop(b, {indexConstant(b, 0), count}, 1, part);
  auto forall = scf::ForallOp::create(b, ArrayRef<OpFoldResult>{getAsOpFoldResult(count)}, ValueRange{}, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getBody()->getTerminator());
  part(forall.getInductionVars()[0]);
}
