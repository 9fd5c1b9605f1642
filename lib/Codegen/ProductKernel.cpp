//===- ProductKernel.cpp - products of two activations ----------------------===//
//
//   forall matrix of the batch:
//     pack the right factor                 PanelPacking.cpp
//     contract the left one with it         ContractKernel.cpp, with the epilogue of the elementwise operation behind
//
// acc = sum (a - z) b = sum a b - z sum b: the sums of the columns are found while packing, and start the accumulators. So the
// right factor has no zero point of its own.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/OuterProductKernel.h"
#include "halftone/Codegen/ProductEmitter.h"
#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

/// A packed factor is a scratch on the stack of a thread, at most so large.
static constexpr int64_t kMostScratchBytes = 512 << 10;

const DotKernel *mlir::halftone::findProductKernel(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kProductAttr);
  return name && isa<linalg::GenericOp>(op) ? findDotKernel(name.getValue()) : nullptr;
}

//===----------------------------------------------------------------------===//
// Match
//===----------------------------------------------------------------------===//

namespace {

/// One factor in the body: ext(element) + offset.
struct Term {
  BlockArgument argument;
  bool isUnsigned = false;
  int64_t offset = 0;
};

} // namespace

/// Strides of `buffer` by the loops of its map, which has dimensions and constants only; nothing if one is not static.
static std::optional<WalkedFactor> walk(Value buffer, AffineMap map) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  std::optional<SmallVector<int64_t>> strides = type ? staticStrides(type) : std::nullopt;
  if (!strides)
    return std::nullopt;
  WalkedFactor walked = {buffer, SmallVector<int64_t>(map.getNumDims(), 0)};
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), *strides)) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      walked.strides[dim.getPosition()] += stride;
    else if (auto constant = dyn_cast<AffineConstantExpr>(expr); !constant || constant.getValue() != 0)
      return std::nullopt;
  }
  return walked;
}

/// A byte of the body, behind its extension and what constants add to it; or a float itself.
static std::optional<Term> matchTerm(Value value) {
  Term term;
  while (Operation *op = value.getDefiningOp()) {
    APInt constant;
    if (isa<arith::ExtSIOp, arith::ExtUIOp>(op)) {
      term.isUnsigned = isa<arith::ExtUIOp>(op);
    } else if (isa<arith::AddIOp, arith::SubIOp>(op) && matchPattern(op->getOperand(1), m_ConstantInt(&constant))) {
      term.offset += isa<arith::AddIOp>(op) ? constant.getSExtValue() : -constant.getSExtValue();
    } else {
      return std::nullopt;
    }
    value = op->getOperand(0);
  }
  term.argument = dyn_cast<BlockArgument>(value);
  return term.argument ? std::optional(term) : std::nullopt;
}

/// The terms of the left and of the right factor in `sum + left * right`.
static std::optional<std::pair<Term, Term>> matchTerms(linalg::GenericOp product) {
  Block &body = *product.getBody();
  Value result = body.getTerminator()->getOperand(0);
  Value factors[2], sum;
  if (auto fma = result.getDefiningOp<math::FmaOp>()) {
    factors[0] = fma.getA(), factors[1] = fma.getB(), sum = fma.getC();
  } else if (auto addition = result.getDefiningOp<arith::AddIOp>()) {
    const int at = addition.getLhs().getDefiningOp<arith::MulIOp>() ? 0 : 1;
    auto term = addition->getOperand(at).getDefiningOp<arith::MulIOp>();
    if (!term)
      return std::nullopt;
    factors[0] = term.getLhs(), factors[1] = term.getRhs(), sum = addition->getOperand(1 - at);
  } else {
    return std::nullopt;
  }
  std::optional<Term> left = matchTerm(factors[0]), right = matchTerm(factors[1]);
  if (!left || !right || body.getNumArguments() != 3 || sum != body.getArgument(2))
    return std::nullopt;
  if (left->argument == body.getArgument(1))
    std::swap(left, right);
  bool inOrder = left->argument == body.getArgument(0) && right->argument == body.getArgument(1);
  return inOrder ? std::optional(std::pair(*left, *right)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// The epilogue
//===----------------------------------------------------------------------===//

/// Whether `op` surely leaves the factors of `product` as they are.
static bool leavesFactors(Operation *op, linalg::GenericOp product) {
  if (isPure(op) || isa<memref::AllocOp>(op))
    return true;
  auto destination = dyn_cast<DestinationStyleOpInterface>(op);
  return destination && llvm::none_of(destination.getDpsInits(), [&](Value init) {
    return llvm::any_of(product.getDpsInputs(), [&](Value factor) { return rootOf(factor) == rootOf(init); });
  });
}

/// Whether all loops are parallel, the sums are read through a permutation of them, and nothing but the sums' element and other operands'
/// makes an element of the result.
static bool isElementwiseOf(linalg::GenericOp op, Value sums) {
  if (op->getNumResults() != 0 || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() || op.hasIndexSemantics() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)) || !canVectorize(*op.getBody()) ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() || op.getDpsInits()[0] == sums)
    return false;
  int64_t uses = 0;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (operand->get() == sums) {
      ++uses;
      if (!op.getMatchingIndexingMap(operand).isPermutation())
        return false;
    }
  return uses == 1;
}

linalg::GenericOp mlir::halftone::findProductEpilogue(linalg::GenericOp product) {
  if (!findProductKernel(product) || !product.hasPureBufferSemantics())
    return {};
  Value sums = product.getDpsInits()[0];
  linalg::GenericOp found;
  if (!sums.getDefiningOp<memref::AllocOp>())
    return {};
  for (Operation *user : sums.getUsers()) {
    if (user == product || isa<linalg::FillOp>(user))
      continue;
    auto generic = dyn_cast<linalg::GenericOp>(user);
    if (!generic || found || generic->getBlock() != product->getBlock() || !product->isBeforeInBlock(generic))
      return {};
    found = generic;
  }
  if (!found || !isElementwiseOf(found, sums) || !leavesFactors(found, product))
    return {};
  for (Operation *op = product->getNextNode(); op != found; op = op->getNextNode())
    if (!leavesFactors(op, product))
      return {};
  return found;
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

ProductEmitter::ProductEmitter(ImplicitLocOpBuilder &b, linalg::GenericOp product, const Isa &isa, const CostTable &costs)
    : b(b), product(product), last(findProductEpilogue(product)), kernel(*findProductKernel(product)), isa(isa), costs(costs),
      batch(product.getNumLoops() - 3) {}

bool ProductEmitter::match() {
  extents = product.getStaticLoopRanges();
  bool known = llvm::none_of(ArrayRef(extents).drop_front(batch), ShapedType::isDynamic) &&
               llvm::none_of(ArrayRef(extents).take_front(batch).drop_front(), ShapedType::isDynamic);
  if (!known || extent(Reduction) == 0 || extent(Rows) == 0 || extent(Columns) == 0 || !matchFactors() || !matchResult() || !matchBytes())
    return false;
  chooseLayout();
  const int64_t elementBytes = kernel.dot == DotKind::Fma ? sizeof(float) : 1;
  return layout.elements() * elementBytes <= kMostScratchBytes;
}

/// The reduction follows in the left factor; in the right one it or the columns.
bool ProductEmitter::matchFactors() {
  SmallVector<AffineMap> maps = product.getIndexingMapsArray();
  std::optional<WalkedFactor> a = walk(product.getDpsInputs()[0], maps[0]), c = walk(product.getDpsInputs()[1], maps[1]);
  if (!a || !c)
    return false;
  left = *a, right = *c;
  // A dot reads whole steps, and may go on behind the last row.
  bool inSteps = extent(Reduction) % kernel.step == 0 || rootOf(left.buffer).getDefiningOp<memref::AllocOp>();
  return inSteps && left.strides[batch + Reduction] == 1 &&
         (right.strides[batch + Reduction] == 1 || right.strides[batch + Columns] == 1);
}

/// Where the results go, and what else the epilogue reads, by the loops of the product.
bool ProductEmitter::matchResult() {
  AffineMap sums = product.getIndexingMapsArray()[2]; // loops to dimensions of the sums
  if (!sums.isIdentity() && sums != AffineMap::getMultiDimIdentityMap(batch + 3, b.getContext()).getMajorSubMap(batch + 2))
    return false;
  auto walkAll = [&](Value buffer, AffineMap map) { return walk(buffer, map); };
  if (!last) {
    std::optional<WalkedFactor> found = walkAll(product.getDpsInits()[0], sums);
    output = found.value_or(WalkedFactor());
    return found && output.strides[batch + Columns] == 1;
  }
  Value read = product.getDpsInits()[0];
  AffineMap order;
  for (OpOperand *operand : last.getDpsInputOperands())
    if (operand->get() == read)
      order = inversePermutation(last.getMatchingIndexingMap(operand));
  AffineMap toLoops = order; // loops of the epilogue by those of the product
  for (OpOperand *operand : last.getDpsInputOperands()) {
    if (operand->get() == read)
      continue;
    scalars.push_back(isa_and_present<MemRefType>(operand->get().getType()) ? Value() : operand->get());
    if (scalars.back())
      continue;
    std::optional<WalkedFactor> found = walkAll(operand->get(), last.getMatchingIndexingMap(operand).compose(toLoops));
    if (!found)
      return false;
    operands.push_back(*found);
  }
  std::optional<WalkedFactor> found = walkAll(last.getDpsInits()[0], toLoops);
  output = found.value_or(WalkedFactor());
  return found && output.strides[batch + Columns] == 1;
}

/// What the start row makes up for: the left factor's zero point, and the sign bit that a kernel flips.
bool ProductEmitter::matchBytes() {
  std::optional<std::pair<Term, Term>> terms = matchTerms(product);
  if (!terms)
    return false;
  auto [a, c] = *terms;
  if (kernel.dot == DotKind::Fma)
    return a.offset == 0 && c.offset == 0;
  bytes.flipsSign = c.isUnsigned;
  if (c.offset != (c.isUnsigned ? -128 : 0) || (a.isUnsigned && !kernel.flipsSign()))
    return false;
  bytes.startFactor = static_cast<int32_t>(a.offset) - (kernel.flipsSign() && !a.isUnsigned ? 128 : 0);
  layout.storedUnsigned = a.isUnsigned;
  return true;
}

void ProductEmitter::chooseLayout() {
  ContractShape shape;
  shape.span = extent(Rows);
  shape.runLength = extent(Reduction);
  shape.columns = extent(Columns);
  const int64_t panel = predictCycles(costs, shape, kernel).panelVectors;
  layout = {&kernel, 1, 1, extent(Reduction), extent(Columns), /*groups=*/1, /*joined=*/true, panel, layout.storedUnsigned, /*storage=*/{}};
}

/// A buffer of rows of one matrix.
WalkedFactor ProductEmitter::localOf(Value buffer, int64_t stride, int64_t inner) const {
  WalkedFactor local = {buffer, SmallVector<int64_t>(batch + 3, 0), /*isLocal=*/true};
  local.strides[batch + Rows] = stride;
  local.strides[batch + inner] = 1;
  return local;
}

void ProductEmitter::setLocalResult(Value buffer, int64_t stride) { output = localOf(buffer, stride, Columns); }

void ProductEmitter::setLocalLeft(Value buffer, int64_t stride) { left = localOf(buffer, stride, Reduction); }

/// A matrix of a buffer, by two loops, at the given indices of the batch; its rows from `first` on, unless that is null.
Value ProductEmitter::emitView(const WalkedFactor &walked, ArrayRef<Value> indices, Value first, ArrayRef<int64_t> loops, ArrayRef<int64_t> shape) {
  auto type = cast<MemRefType>(walked.buffer.getType());
  SmallVector<int64_t> strides;
  int64_t start;
  (void)type.getStridesAndOffset(strides, start);
  Value offset = ShapedType::isDynamic(start) ? Value(memref::ExtractStridedMetadataOp::create(b, walked.buffer).getOffset())
                                              : indexConstant(b, start);
  if (!walked.isLocal) {
    for (auto [index, stride] : llvm::zip(indices, walked.strides))
      if (stride)
        offset = add(b, offset, mul(b, index, stride));
    if (first && walked.strides[batch + Rows])
      offset = add(b, offset, mul(b, first, walked.strides[batch + Rows]));
  }
  SmallVector<int64_t> steps = {walked.strides[batch + loops[0]], walked.strides[batch + loops[1]]};
  auto view = MemRefType::get(shape, type.getElementType(), StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, steps), type.getMemorySpace());
  auto attributes = [&](ArrayRef<int64_t> values) { return getAsIndexOpFoldResult(b.getContext(), values); };
  return memref::ReinterpretCastOp::create(b, view, walked.buffer, OpFoldResult(offset), attributes(shape), attributes(steps));
}

SmallVector<Value> ProductEmitter::emitIndices(Value index) {
  SmallVector<Value> indices(batch);
  for (int64_t loop = batch; loop-- > 1;) {
    Value size = indexConstant(b, extents[loop]);
    indices[loop] = b.createOrFold<arith::RemUIOp>(index, size);
    index = b.createOrFold<arith::DivUIOp>(index, size);
  }
  indices[0] = index;
  return indices;
}

Value ProductEmitter::emitCount() {
  Value count = indexConstant(b, 1);
  AffineMap map = product.getIndexingMapsArray()[1];
  for (int64_t loop = 0; loop < batch; ++loop) {
    std::optional<unsigned> dim = map.getResultPosition(b.getAffineDimExpr(loop));
    count = b.createOrFold<arith::MulIOp>(count, ShapedType::isDynamic(extents[loop]) ? Value(memref::DimOp::create(b, right.buffer, *dim))
                                                                                      : indexConstant(b, extents[loop]));
  }
  return count;
}

void ProductEmitter::emitScratch() {
  auto type = MemRefType::get({layout.elements()}, getElementTypeOrSelf(right.buffer.getType()));
  scratch = memref::AllocaOp::create(b, type, b.getI64IntegerAttr(64));
}

void ProductEmitter::emitPacking(ArrayRef<Value> indices) {
  Value view = emitView(right, indices, Value(), {Reduction, Columns}, {extent(Reduction), extent(Columns)});
  mlir::halftone::emitPacking(b, layout, flatten(b, view), scratch, bytes);
}

/// The block of a contraction's epilogue.
static void fillEpilogue(ContractOp contract, linalg::GenericOp product, linalg::GenericOp last, ArrayRef<Value> scalars) {
  Location loc = contract.getLoc();
  Block &block = contract.getEpilogue().emplaceBlock();
  OpBuilder inside = OpBuilder::atBlockEnd(&block);
  Value sums = product.getDpsInits()[0], sum = block.addArgument(getElementTypeOrSelf(sums.getType()), loc);
  if (!last) {
    YieldOp::create(inside, loc, sum);
    return;
  }
  IRMapping mapping;
  auto scalar = scalars.begin();
  for (OpOperand *operand : last.getDpsInputOperands()) {
    BlockArgument argument = last.getMatchingBlockArgument(operand);
    if (operand->get() == sums)
      mapping.map(argument, sum);
    else if (Value outside = *scalar++)
      mapping.map(argument, outside);
    else
      mapping.map(argument, block.addArgument(argument.getType(), loc));
  }
  for (Operation &op : last.getBody()->without_terminator())
    inside.clone(op, mapping);
  YieldOp::create(inside, loc, mapping.lookupOrDefault(last.getBody()->getTerminator()->getOperand(0)));
}

void ProductEmitter::emitRows(ArrayRef<Value> indices, Value first, int64_t count) {
  auto ofRows = [&](const WalkedFactor &walked) { return emitView(walked, indices, first, {Rows, Columns}, {count, extent(Columns)}); };
  SmallVector<Value> views = llvm::map_to_vector(operands, ofRows);
  SmallVector<Attribute> maps(views.size(), AffineMapAttr::get(b.getMultiDimIdentityMap(2)));
  Value factor = emitView(left, indices, first, {Rows, Reduction}, {count, extent(Reduction)});
  auto contract = ContractOp::create(b, TypeRange{}, factor, scratch, views, ofRows(output), ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{1, 1},
                                     /*groups=*/1, b.getArrayAttr(maps), layout.toAttribute(b.getContext()));
  fillEpilogue(contract, product, last, scalars);
  emitContractKernel(contract, layout, isa, costs);
  contract.erase();
}

bool mlir::halftone::emitProductKernel(linalg::GenericOp product, const Isa &isa, const CostTable &costs) {
  linalg::FillOp fill = findZeroFill(product);
  if (!findProductKernel(product) || !fill)
    return false;
  linalg::GenericOp last = findProductEpilogue(product);
  ImplicitLocOpBuilder b(product.getLoc(), last ? last : product);
  ProductEmitter emitter(b, product, isa, costs);
  if (!emitter.match())
    return false;
  emitter.emitScratch();
  emitParts(b, emitter.emitCount(), [&](Value index) {
    SmallVector<Value> indices = emitter.emitIndices(index);
    emitter.emitPacking(indices);
    emitter.emitRows(indices, indexConstant(b, 0), emitter.rows());
  }, /*always=*/true);
  if (last)
    last.erase();
  product.erase();
  fill.erase();
  return true;
}
