//===- Reduction.cpp - generics that reduce ---------------------------------===//
//
// `out = combine(out, e)`, e being any elementwise computation: its nodes, then one reduction. A sum of products of two
// operands is an Einsum instead, which does not make the products.
//
//===----------------------------------------------------------------------===//
#include "ScalarBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

namespace {
/// An operation that combines elements, the reduction that does, and where it starts.
struct Combiner {
  StringLiteral reduction, binary;
  double neutral;
};
} // namespace

static std::optional<Combiner> combinerOf(Operation *op) {
  if (isa<arith::AddFOp, arith::AddIOp>(op))
    return Combiner{"ReduceSum", "Add", 0};
  if (isa<arith::MulFOp, arith::MulIOp>(op))
    return Combiner{"ReduceProd", "Mul", 1};
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return Combiner{"ReduceMax", "Max", -INFINITY};
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return Combiner{"ReduceMin", "Min", INFINITY};
  return std::nullopt;
}

/// Whether a reduction that starts there gives what it would without the start.
static bool startsNeutral(Value init, double neutral) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  Attribute start;
  if (!fill || !matchPattern(fill.getInputs()[0], m_Constant(&start)))
    return false;
  if (auto number = dyn_cast<FloatAttr>(start))
    return number.getValueAsDouble() == neutral;
  auto integer = dyn_cast<IntegerAttr>(start);
  return integer && integer.getValue().getSExtValue() == neutral;
}

/// Whether every operand follows loops only, each once.
static bool hasPlainMaps(linalg::GenericOp op) {
  return llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isProjectedPermutation(); });
}

/// The loops of an operand as letters.
static std::string lettersOf(AffineMap map, ArrayRef<int64_t> order) {
  std::string letters;
  for (int64_t dim : order)
    letters.push_back('a' + map.getDimPosition(dim));
  return letters;
}

/// `out += a * b`.
static bool exportEinsum(Exporter &exporter, linalg::GenericOp op, Value element, ArrayRef<int64_t> kept, std::string &name) {
  auto product = element.getDefiningOp<arith::MulFOp>();
  if (!product || op.getNumDpsInputs() != 2 || !hasPlainMaps(op) || op.getNumLoops() > 26)
    return false;
  auto left = dyn_cast<BlockArgument>(product.getLhs()), right = dyn_cast<BlockArgument>(product.getRhs());
  if (!left || !right || left == right)
    return false;
  std::string equation;
  SmallVector<std::string> inputs;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Tensor tensor = exporter.read(operand->get(), hintOf(op));
    inputs.push_back(tensor.name);
    equation += (equation.empty() ? "" : ",") + lettersOf(op.getMatchingIndexingMap(operand), tensor.order);
  }
  equation += "->";
  for (int64_t loop : kept)
    equation.push_back('a' + loop);
  name = exporter.graph.addNode("Einsum", inputs, hintOf(op), {{"equation", equation}});
  return true;
}

LogicalResult exporter::exportReduction(Exporter &exporter, linalg::GenericOp op) {
  if (op->getNumResults() != 1 || op.hasIndexSemantics())
    return exporter.unsupported(op, "a reduction with several results or of indices");
  Operation *combine = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  std::optional<Combiner> combiner = combine ? combinerOf(combine) : std::nullopt;
  BlockArgument out = op.getRegionOutputArgs().front();
  if (!combiner || !out.hasOneUse() || *out.user_begin() != combine)
    return exporter.unsupported(op, "a reduction that is no sum, product, maximum or minimum");
  Value element = combine->getOperand(combine->getOperand(0) == out ? 1 : 0);
  ScalarBody body(exporter, op, ScalarBody::chooseLoops(exporter, op));

  SmallVector<int64_t> kept, axes;
  for (auto [i, loop] : llvm::enumerate(body.order()))
    if (linalg::isParallelIterator(op.getIteratorTypesArray()[loop]))
      kept.push_back(loop);
    else
      axes.push_back(i);
  AffineMap map = op.getIndexingMapMatchingResult(op->getOpResult(0));
  if (!map.isProjectedPermutation() || map.getNumResults() != kept.size())
    return exporter.unsupported(op, "a result that is written at other places than those of the loops");
  std::string name;
  if (!isa<arith::AddFOp>(combine) || !exportEinsum(exporter, op, element, kept, name)) {
    for (Operation &scalar : op.getBody()->without_terminator())
      if (&scalar != combine && failed(body.emit(scalar)))
        return failure();
    FailureOr<Scalar> scalar = body.read(element);
    if (failed(scalar) || failed(scalar = body.expand(*scalar)))
      return failure();
    name = exporter.graph.addNode(combiner->reduction, {scalar->name, exporter.graph.addIntegers(axes, "")}, hintOf(op),
                                  {{"keepdims", int64_t(0)}});
  }
  SmallVector<int64_t> order = llvm::map_to_vector(kept, [&](int64_t loop) -> int64_t {
    return *map.getResultPosition(getAffineDimExpr(loop, op.getContext()));
  });
  Value init = op.getDpsInits()[0];
  if (!startsNeutral(init, combiner->neutral))
    name = exporter.graph.addNode(combiner->binary, {name, exporter.read(init, order, hintOf(op))}, hintOf(op));
  exporter.bind(op->getResult(0), name, order);
  return success();
}
