//===- Interleaving.cpp - values whose dimensions are split, moved and joined -===//
#include "halftone/Analysis/Interleaving.h"

using namespace mlir;
using namespace mlir::halftone;

std::optional<Interleaving> Interleaving::match(Value result) {
  auto collapse = result.getDefiningOp<tensor::CollapseShapeOp>();
  auto transpose = collapse ? collapse.getSrc().getDefiningOp<linalg::TransposeOp>() : linalg::TransposeOp();
  auto expand = transpose ? transpose.getInput().getDefiningOp<tensor::ExpandShapeOp>() : tensor::ExpandShapeOp();
  if (!expand || !transpose->hasOneUse() || !expand->hasOneUse())
    return std::nullopt;
  return Interleaving{expand, transpose, collapse};
}

std::optional<Interleaving::Origin> Interleaving::findOrigin(int64_t resultDimension) {
  ArrayRef<int64_t> shape = expand.getResultType().getShape(), permutation = transpose.getPermutation();
  SmallVector<ReassociationIndices> split = expand.getReassociationIndices();
  SmallVector<int64_t> parts = llvm::map_to_vector(collapse.getReassociationIndices()[resultDimension],
                                                   [&](int64_t d) { return permutation[d]; });
  auto group = llvm::find_if(split, [&](const ReassociationIndices &g) { return llvm::is_contained(g, parts[0]); });
  for (int64_t part : parts)
    if (!llvm::is_contained(*group, part) || ShapedType::isDynamic(shape[part]))
      return std::nullopt;
  int64_t extent = expand.getSrcType().getDimSize(group - split.begin());
  if (ShapedType::isDynamic(extent))
    return std::nullopt;
  Origin origin{group - split.begin(), {}};
  for (int64_t index = 0; index < extent; ++index) {
    DenseMap<int64_t, int64_t> digits;
    int64_t rest = index;
    for (int64_t part : llvm::reverse(*group)) {
      digits[part] = rest % shape[part];
      rest /= shape[part];
    }
    int64_t joined = 0;
    for (int64_t part : parts)
      joined = joined * shape[part] + digits[part];
    origin.indices.push_back(joined);
  }
  return origin;
}
