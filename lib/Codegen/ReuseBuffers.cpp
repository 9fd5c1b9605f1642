//===- ReuseBuffers.cpp - results over operands that are not read again -----===//
//
// A contraction reads its residual at the position that it writes next, so the result may take the residual's place: the
// line is in the cache already, and two of the largest buffers become one.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_REUSEBUFFERS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Calls `visit` with the operation of `block` that holds each use of the buffer or of a view of it.
static void forEachUser(Value buffer, Block *block, function_ref<void(Operation *)> visit) {
  for (Operation *user : buffer.getUsers()) {
    visit(block->findAncestorOpInBlock(*user));
    if (auto view = dyn_cast<ViewLikeOpInterface>(user))
      forEachUser(view->getResult(0), block, visit);
  }
}

/// Whether each use of `buffer`, but for views themselves, satisfies the predicate.
static bool allUses(Value buffer, Block *block, function_ref<bool(Operation *)> holds) {
  bool all = true;
  forEachUser(buffer, block, [&](Operation *user) { all &= isa<ViewLikeOpInterface>(user) || holds(user); });
  return all;
}

/// The operand of `op` whose place its result can take, or null.
static memref::AllocOp findDyingOperand(ContractOp op, memref::AllocOp result) {
  Block *block = op->getBlock();
  auto notBefore = [&](Operation *user) { return user == op || op->isBeforeInBlock(user); };
  auto notAfter = [&](Operation *user) { return user == op || user->isBeforeInBlock(op); };
  if (!allUses(result, block, notBefore))
    return {};
  for (auto [operand, map] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps())) {
    auto alloc = operand.getDefiningOp<memref::AllocOp>();
    if (!alloc || alloc == result || alloc->getBlock() != block || !cast<AffineMapAttr>(map).getValue().isIdentity() ||
        alloc.getType() != result.getType() || alloc.getDynamicSizes() != result.getDynamicSizes())
      continue;
    // Read by this operation through the epilogue alone, and by no later one.
    if (llvm::count(op->getOperands(), operand) == 1 && allUses(alloc, block, notAfter))
      return alloc;
  }
  return {};
}

namespace {

struct ReuseBuffers : halftone::impl::ReuseBuffersBase<ReuseBuffers> {
  void runOnOperation() override {
    getOperation().walk([&](ContractOp op) {
      auto result = op.getOutput().getDefiningOp<memref::AllocOp>();
      if (!result || result->getBlock() != op->getBlock())
        return;
      if (memref::AllocOp operand = findDyingOperand(op, result)) {
        result.replaceAllUsesWith(operand.getResult());
        result.erase();
        ++numReused;
      }
    });
  }
};

} // namespace
