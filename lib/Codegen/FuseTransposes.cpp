//===- FuseTransposes.cpp - computed where the transposed result belongs ----===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Codegen/StructuredKernel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FUSETRANSPOSES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether `op` is computed with a product's sums: what keeps its innermost dimension may be written anywhere.
static bool endsProduct(linalg::GenericOp op) {
  return llvm::any_of(op.getDpsInputs(), [](Value input) {
    Operation *product = input.getDefiningOp();
    return product && findProductKernel(product) && product->hasOneUse();
  });
}

/// The elementwise operation that nothing but `transpose` reads, if a kernel writes its few channels interleaved or the rows of a product.
static linalg::GenericOp matchProducer(linalg::TransposeOp transpose) {
  auto producer = transpose.getInput().getDefiningOp<linalg::GenericOp>();
  if (!producer || producer->getNumResults() != 1 || !producer->hasOneUse() || producer.getNumParallelLoops() != producer.getNumLoops() ||
      producer.payloadUsesValueFromOperand(producer.getDpsInitOperand(0)) || producer.hasIndexSemantics())
    return {};
  AffineMap written = producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  const int64_t rank = permutation.size();
  // The channels are innermost now, and were the outer neighbour of what is inside of them: positions follow one another.
  const bool channelsMove = rank >= 2 && permutation.back() != rank - 1 && permutation[rank - 2] == rank - 1;
  const int64_t channels = cast<ShapedType>(transpose.getInit().getType()).getShape().back();
  const bool keepsRows = permutation.back() == rank - 1 && endsProduct(producer);
  return written.isIdentity() && (keepsRows || (channelsMove && canInterleave(channels))) ? producer : linalg::GenericOp();
}

/// The same operation with its loops in the order of the transposed result.
static void fuse(linalg::TransposeOp transpose, linalg::GenericOp producer) {
  OpBuilder builder(transpose);
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  SmallVector<AffineExpr> loops(permutation.size());
  for (auto [now, before] : llvm::enumerate(permutation))
    loops[before] = builder.getAffineDimExpr(now);
  AffineMap moved = AffineMap::get(permutation.size(), 0, loops, builder.getContext());
  SmallVector<AffineMap> maps;
  for (OpOperand *input : producer.getDpsInputOperands())
    maps.push_back(producer.getMatchingIndexingMap(input).compose(moved));
  maps.push_back(builder.getMultiDimIdentityMap(permutation.size()));
  auto fused = linalg::GenericOp::create(builder, builder.getFusedLoc({producer.getLoc(), transpose.getLoc()}), transpose->getResultTypes(),
                                         producer.getInputs(), transpose.getInit(), maps, producer.getIteratorTypesArray());
  IRMapping mapping;
  producer.getRegion().cloneInto(&fused.getRegion(), mapping);
  transpose->replaceAllUsesWith(fused);
  transpose->erase();
  producer->erase();
}

namespace {

struct FuseTransposes : halftone::impl::FuseTransposesBase<FuseTransposes> {
  void runOnOperation() override {
    SmallVector<linalg::TransposeOp> transposes;
    getOperation().walk([&](linalg::TransposeOp transpose) { transposes.push_back(transpose); });
    for (linalg::TransposeOp transpose : transposes)
      if (linalg::GenericOp producer = matchProducer(transpose)) {
        fuse(transpose, producer);
        ++numFused;
      }
  }
};

} // namespace
