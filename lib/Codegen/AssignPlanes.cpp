//===- AssignPlanes.cpp - channels in planes between sparse kernels -----------===//
//
// Sparse kernels have positions in their lanes. What one of them writes and others read position by position need not be
// transposed to channels side by side and back: each channel gets a plane of its positions.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/SparseLayout.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ASSIGNPLANES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Planes begin at lines of the cache. Vectors that reach behind the last position end in the same plane.
static constexpr int64_t kPlaneAlignment = 64;

/// Whether an epilogue operand has one value for each channel, or one for all.
static bool isOfChannels(AffineMap map) {
  return llvm::all_of(map.getResults(), [&](AffineExpr result) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    return !dim || dim.getPosition() + 1 == map.getNumDims();
  });
}

/// Whether the kernel of the contraction works on columns of positions until the end: it is sparse, the results are i8 and so are
/// its residuals. A column without a partner is written twice, which a residual in the same place does not bear.
static bool worksOnColumns(ContractOp op) {
  auto truncate = cast<YieldOp>(op.getEpilogue().front().getTerminator()).getValues()[0].getDefiningOp<arith::TruncIOp>();
  std::optional<SparseLayout> layout = SparseLayout::fromAttribute(op);
  if (!layout || layout->columns % 2 != 0 || !truncate || !truncate.getIn().getType().isInteger(32) || !truncate.getType().isInteger(8))
    return false;
  return llvm::all_of(llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps()), [](auto pair) {
    auto [operand, attribute] = pair;
    AffineMap map = cast<AffineMapAttr>(attribute).getValue();
    return isOfChannels(map) || (map.isIdentity() && cast<MemRefType>(operand.getType()).getElementType().isInteger(8));
  });
}

/// Whether the contraction can use the buffer in planes: as its result, as a residual, or as the input of a product of positions.
static bool takesPlanes(ContractOp op, Value buffer) {
  if (!worksOnColumns(op))
    return false;
  for (auto [operand, map] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps()))
    if (operand == buffer && !cast<AffineMapAttr>(map).getValue().isIdentity())
      return false;
  auto isOne = [](int64_t stride) { return stride == 1; };
  const bool pointwise = SparseLayout::fromAttribute(op)->taps() == 1 && llvm::all_of(op.getStrides(), isOne);
  return op.getWeights() != buffer && (op.getInput() != buffer || pointwise);
}

/// The type with planes of a buffer of codes (NHWC), or null.
static MemRefType planesOf(MemRefType type) {
  ArrayRef<int64_t> shape = type.getShape();
  if (shape.size() != 4 || llvm::is_contained(shape.drop_front(), ShapedType::kDynamic) || !type.getElementType().isInteger(8) ||
      !type.getLayout().isIdentity())
    return {};
  const int64_t plane = llvm::alignTo(shape[1] * shape[2], kPlaneAlignment);
  const int64_t strides[] = {plane * shape[3], shape[2], 1, plane};
  auto layout = StridedLayoutAttr::get(type.getContext(), /*offset=*/0, strides);
  return MemRefType::get(shape, type.getElementType(), layout, type.getMemorySpace());
}

namespace {

struct AssignPlanes : halftone::impl::AssignPlanesBase<AssignPlanes> {
  void runOnOperation() override {
    getOperation().walk([&](memref::AllocOp alloc) {
      MemRefType planes = planesOf(alloc.getType());
      auto takes = [&](Operation *user) {
        auto contract = dyn_cast<ContractOp>(user);
        return isa<memref::DeallocOp>(user) || (contract && takesPlanes(contract, alloc));
      };
      if (!planes || !llvm::all_of(alloc->getUsers(), takes))
        return;
      alloc.getResult().setType(planes);
      ++numPlanes;
    });
  }
};

} // namespace
