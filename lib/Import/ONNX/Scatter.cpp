//===- Scatter.cpp - ONNX's ScatterElements -------------------------------===//
//
// For each element of the result a reduction over the updates along the axis: those whose index is its own are taken in, one after
// the other, so that the last of several counts.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Operators.h"
#include "Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// What an update does to the element.
struct Update {
  StringLiteral reduction;
  Value (*ofFloats)(OpBuilder &b, Location l, Value x, Value update);
  Value (*ofIntegers)(OpBuilder &b, Location l, Value x, Value update);
};
} // namespace

template <typename Op>
static Value apply(OpBuilder &b, Location l, Value x, Value update) {
  return Op::create(b, l, x, update);
}

static Value replace(OpBuilder &, Location, Value, Value update) { return update; }

static constexpr Update kUpdates[] = {
    {"none", replace, replace},
    {"add", apply<arith::AddFOp>, apply<arith::AddIOp>},
    {"mul", apply<arith::MulFOp>, apply<arith::MulIOp>},
    {"max", apply<arith::MaximumFOp>, apply<arith::MaxSIOp>},
    {"min", apply<arith::MinimumFOp>, apply<arith::MinSIOp>},
};

/// Whether the updates are a part of the input from its first element on, in all dimensions but the axis all of it.
static bool fits(const Tensor &x, const Tensor &indices, const Tensor &updates, int64_t axis) {
  if (indices.rank() != x.rank() || updates.shape != indices.shape || updates.element != x.element)
    return false;
  for (int64_t d = 0; d < x.rank(); ++d)
    if (d != axis && indices.shape[d] != x.shape[d])
      return false;
  return !ShapedType::isDynamic(x.shape[axis]) && !ShapedType::isDynamic(indices.shape[axis]);
}

/// Reads what `value` repeats instead of it, by another map: of the indices that an Expand gave every column there is one for each row then.
static Value skipRepeats(Value value, AffineMap &map) {
  auto copy = value.getDefiningOp<linalg::GenericOp>();
  if (!copy || copy.getNumDpsInputs() != 1 || copy.getNumParallelLoops() != copy.getNumLoops() || copy.hasIndexSemantics())
    return value;
  auto yield = cast<linalg::YieldOp>(copy.getBody()->getTerminator());
  AffineMap read = copy.getMatchingIndexingMap(copy.getDpsInputOperand(0));
  if (!copy.getIndexingMapMatchingResult(copy->getOpResult(0)).isIdentity() || yield.getOperand(0) != copy.getBody()->getArgument(0) ||
      !read.isProjectedPermutation())
    return value;
  map = read.compose(map);
  return copy.getDpsInputs()[0];
}

LogicalResult onnx_operators::buildScatterElements(Node &node) {
  const Tensor x = node.input(0), indices = node.input(1), updates = node.input(2);
  const int64_t axis = fromStart(node.getInt("axis", 0), x.rank());
  const std::string reduction = node.getString("reduction", "none");
  const Update *row = llvm::find_if(kUpdates, [&](const Update &update) { return update.reduction == reduction; });
  if (row == std::end(kUpdates))
    return node.unsupported("reduction '" + reduction + "'");
  if (!(x.element.isF32() || (isa<IntegerType>(x.element) && !x.element.isUnsignedInteger())) || !isa<IntegerType>(indices.element))
    return node.unsupported("element types that are not f32 or signed, and integers for the indices");
  if (axis < 0 || axis >= x.rank() || !fits(x, indices, updates, axis))
    return node.unsupported("indices or updates that have not the input's size in all dimensions but the axis");
  OpBuilder &b = node.builder;
  const int64_t rank = x.rank(), size = x.shape[axis];
  AffineMap own = b.getMultiDimIdentityMap(rank + 1).dropResult(rank), of = readLines(b, rank, axis);
  AffineMap ofIndices = of;
  Value index = skipRepeats(node.operand(1), ofIndices);
  SmallVector<AffineMap> maps = {ofIndices, of, AffineMap::get(rank + 1, 0, b.getAffineDimExpr(axis)), own};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  // Positions are data, so that the reduction is a vector kernel.
  Value positions = node.materialize(HostTensor::fromIntegers(indices.element, size, llvm::to_vector(llvm::seq<int64_t>(0, size))));
  auto build = [&](OpBuilder &n, Location l, ValueRange e) {
    Value wrapped = arith::AddIOp::create(n, l, e[0], scalarConstant(n, l, indices.element, size));
    Value negative = arith::CmpIOp::create(n, l, arith::CmpIPredicate::slt, e[0], scalarConstant(n, l, indices.element, 0));
    Value index = arith::SelectOp::create(n, l, negative, wrapped, e[0]);
    Value here = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, index, e[2]);
    Value updated = (x.isFloat() ? row->ofFloats : row->ofIntegers)(n, l, e[3], e[1]);
    linalg::YieldOp::create(n, l, arith::SelectOp::create(n, l, here, updated, e[3]).getResult());
  };
  Value inputs[] = {index, node.operand(2), positions};
  node.setResult(linalg::GenericOp::create(b, node.loc, node.operand(0).getType(), inputs, node.operand(0), maps, iterators, build).getResult(0), x.element);
  return success();
}

/// Without a reduction, on constants: exporters make filters of their few numbers that are not 0.
std::optional<HostTensor> onnx_operators::evaluateScatterElements(Node &node) {
  HostTensor result = *node.constant(0);
  const HostTensor &indices = *node.constant(1), &updates = *node.constant(2);
  const int64_t rank = result.shape.size(), axis = fromStart(node.getInt("axis", 0), rank);
  if (node.getString("reduction", "none") != "none" || axis < 0 || axis >= rank || indices.isFloat() || result.scales ||
      result.symbolic || indices.symbolic || updates.symbolic || updates.element != result.element ||
      updates.shape != indices.shape || static_cast<int64_t>(indices.shape.size()) != rank)
    return std::nullopt;
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis && indices.shape[d] > result.shape[d])
      return std::nullopt;
  SmallVector<int64_t> strides = rowMajorStrides(result.shape);
  const int64_t stride = strides[axis], size = result.shape[axis], width = elementBytes(result.element);
  strides[axis] = 0;
  std::vector<int64_t> lines = stridedIndices<int64_t>(indices.shape, strides);
  for (auto [i, index] : llvm::enumerate(indices.integers())) {
    const int64_t place = index + (index < 0 ? size : 0);
    if (place < 0 || place >= size)
      return std::nullopt;
    result.bytes.replace((lines[i] + place * stride) * width, width, updates.bytes, i * width, width);
  }
  return result;
}
