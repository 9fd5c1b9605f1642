//===- PlanMemory.cpp - allocations to views of one arena -------------------===//
//
// The body of @main is straight-line: the position of an operation in it is the time at which it runs. A loop is one
// operation, so a buffer used inside of it lives for all of it.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ArenaPlanner.h"
#include "halftone/Codegen/BatchExtents.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_PLANMEMORY
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static constexpr int64_t kAlignment = 64;

/// Bytes of the planes of one image (halftone-assign-planes); nothing for another type.
static std::optional<int64_t> planesOfImage(MemRefType type) {
  std::optional<SmallVector<int64_t>> strides = staticStrides(type);
  if (type.getLayout().isIdentity() || !strides || !type.getElementType().isInteger(8))
    return std::nullopt;
  return strides->front();
}

/// Bytes of a buffer for the greatest batch, or nothing.
static std::optional<int64_t> boundBytes(memref::AllocOp alloc, int64_t batch) {
  MemRefType type = alloc.getType();
  if (!type.getElementType().isIntOrFloat())
    return std::nullopt;
  std::optional<int64_t> image = planesOfImage(type);
  if (!type.getLayout().isIdentity() && !image)
    return std::nullopt;
  int64_t elements = image.value_or(1);
  auto dynamic = alloc.getDynamicSizes().begin();
  for (int64_t extent : image ? type.getShape().take_front() : type.getShape()) {
    std::optional<int64_t> size = extent;
    if (ShapedType::isDynamic(extent))
      size = evaluateAtBatch(*dynamic++, batch);
    if (!size)
      return std::nullopt;
    elements *= *size;
  }
  return elements * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

namespace {

struct PlanMemory : halftone::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    entry = lookupEntry(getOperation());
    if (!entry)
      return signalPassFailure();
    if (!entry.getBody().hasOneBlock()) {
      entry.emitError("needs a body of one block to plan its memory");
      return signalPassFailure();
    }
    if (auto bounds = getOperation()->getAttrOfType<DenseI64ArrayAttr>(kBatchAttr))
      batch = bounds[1];
    number();
    eraseDeallocations();
    if (failed(collect()) || failed(verifyNoCopy()))
      return signalPassFailure();
    int64_t bytes = planArena(buffers, kAlignment);
    place(bytes);
    numBuffers += buffers.size();
    arenaBytes += bytes;
  }

private:
  func::FuncOp entry;
  int64_t batch = 1;
  DenseMap<Operation *, int64_t> times;
  SmallVector<memref::AllocOp> allocations;
  SmallVector<PlannedBuffer> buffers;

  void number() {
    times.clear();
    allocations.clear();
    buffers.clear();
    for (auto [time, op] : llvm::enumerate(entry.getBody().front()))
      times[&op] = time;
  }

  void eraseDeallocations() {
    SmallVector<memref::DeallocOp> deallocations;
    entry.walk([&](memref::DeallocOp op) { deallocations.push_back(op); });
    for (memref::DeallocOp op : deallocations)
      op.erase();
  }

  LogicalResult verifyNoCopy() {
    WalkResult found = entry.walk([&](memref::CopyOp op) {
      op.emitOpError("is a call into a library that an artefact does not have");
      return WalkResult::interrupt();
    });
    return failure(found.wasInterrupted());
  }

  LogicalResult collect() {
    WalkResult result = entry.walk([&](memref::AllocOp alloc) {
      if (alloc->getParentOfType<scf::ForallOp>() || alloc->getParentOfType<scf::ParallelOp>()) {
        alloc.emitOpError("is inside of a parallel loop: its iterations would share the buffer");
        return WalkResult::interrupt();
      }
      std::optional<int64_t> bytes = boundBytes(alloc, batch);
      if (!bytes) {
        alloc.emitOpError("has no bound for its size; only the leading dimension of an input may be dynamic");
        return WalkResult::interrupt();
      }
      bufferBytes += *bytes;
      allocations.push_back(alloc);
      buffers.push_back(lifetime(alloc));
      buffers.back().bytes = *bytes + kSlackBytes;
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  int64_t timeOf(Operation *op) { return times.lookup(entry.getBody().front().findAncestorOpInBlock(*op)); }

  /// First and last use of the buffer and of everything that may alias it. A view alone is no use.
  PlannedBuffer lifetime(memref::AllocOp alloc) {
    SetVector<Value> aliases;
    aliases.insert(alloc.getResult());
    int64_t first = std::numeric_limits<int64_t>::max(), last = -1;
    for (size_t i = 0; i < aliases.size(); ++i) {
      for (OpOperand &use : aliases[i].getUses()) {
        Operation *user = use.getOwner();
        addAliases(use, aliases);
        if (isa<ViewLikeOpInterface>(user))
          continue;
        first = std::min(first, timeOf(user));
        last = std::max(last, timeOf(user));
      }
    }
    return last < 0 ? PlannedBuffer() : PlannedBuffer{0, first, last, 0};
  }

  /// Memref results of the user, of the loop that it feeds, and the block arguments of a loop that takes the buffer.
  static void addAliases(OpOperand &use, SetVector<Value> &aliases) {
    Operation *user = use.getOwner();
    auto addAll = [&](ValueRange values) {
      for (Value value : values)
        if (isa<BaseMemRefType>(value.getType()))
          aliases.insert(value);
    };
    addAll(user->getResults());
    for (Region &region : user->getRegions())
      if (!region.empty())
        addAll(region.front().getArguments());
    if (user->hasTrait<OpTrait::IsTerminator>())
      addAll(user->getParentOp()->getResults());
  }

  /// The part of the arena that takes the place of an allocation.
  static Value viewOf(OpBuilder &builder, memref::AllocOp alloc, Value arena, Value offset) {
    MemRefType type = alloc.getType();
    Location loc = alloc.getLoc();
    std::optional<int64_t> image = planesOfImage(type);
    if (!image)
      return memref::ViewOp::create(builder, loc, type, arena, offset, alloc.getDynamicSizes());
    auto images = MemRefType::get({type.getDimSize(0), *image}, builder.getI8Type());
    Value flat = memref::ViewOp::create(builder, loc, images, arena, offset, alloc.getDynamicSizes());
    return memref::ReinterpretCastOp::create(builder, loc, type, flat, builder.getIndexAttr(0), alloc.getMixedSizes(),
                                             getAsIndexOpFoldResult(builder.getContext(), *staticStrides(type)));
  }

  void place(int64_t bytes) {
    MLIRContext *context = &getContext();
    Location loc = entry.getLoc();
    auto arenaType = MemRefType::get({ShapedType::kDynamic}, IntegerType::get(context, 8));
    (void)entry.insertArgument(entry.getNumArguments(), arenaType, DictionaryAttr::get(context), loc);
    Value arena = entry.getArguments().back();
    for (auto [alloc, buffer] : llvm::zip_equal(allocations, buffers)) {
      OpBuilder builder(alloc);
      Value offset = arith::ConstantIndexOp::create(builder, alloc.getLoc(), buffer.offset);
      alloc.replaceAllUsesWith(viewOf(builder, alloc, arena, offset));
      alloc.erase();
    }
    getOperation()->setAttr(kWorkspaceAttr, IntegerAttr::get(IntegerType::get(context, 64), bytes));
  }
};

} // namespace
