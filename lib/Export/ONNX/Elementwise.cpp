//===- Elementwise.cpp - parallel generics ----------------------------------===//
#include "ScalarBody.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

LogicalResult exporter::exportElementwise(Exporter &exporter, linalg::GenericOp op) {
  if (!op.getBody()->getArguments().take_back(op.getNumDpsInits()).front().use_empty())
    return exporter.unsupported(op, "an operation that reads what it overwrites");
  ScalarBody body(exporter, op, ScalarBody::chooseLoops(exporter, op));
  for (Operation &scalar : op.getBody()->without_terminator())
    if (failed(body.emit(scalar)))
      return failure();
  for (auto [result, yielded] : llvm::zip_equal(op->getOpResults(), op.getBody()->getTerminator()->getOperands())) {
    AffineMap map = op.getIndexingMapMatchingResult(result);
    if (!map.isPermutation())
      return exporter.unsupported(op, "a result that is written at other places than those of the loops");
    FailureOr<Scalar> scalar = body.read(yielded);
    if (failed(scalar) || failed(scalar = body.expand(*scalar)))
      return failure();
    SmallVector<int64_t> order = llvm::map_to_vector(body.order(), [&](int64_t loop) -> int64_t {
      return *map.getResultPosition(getAffineDimExpr(loop, op.getContext()));
    });
    exporter.bind(result, scalar->name, order, scalar->isUnsigned);
  }
  return success();
}
