//===- ProductChain.cpp - from one product to the next, row by row ----------===//
//
// In attention the scores of a long text are the largest tensor of the model, and nothing reads them but the softmax behind them, whose result
// only the next product reads. All of this is computed for some rows of one matrix at a time, which stay in L1:
//
//   forall matrix of the batch:
//     pack both right factors
//     for block of rows:
//       the first product, what is computed row by row from it, the second product
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/OuterProductKernel.h"
#include "halftone/Codegen/ProductEmitter.h"
#include "halftone/Codegen/StructuredKernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::halftone;

/// The rows of a block have so many bytes of the widest tensor between the products, but at least as many rows as reductions take
/// lanes: half of L1.
static constexpr int64_t kBlockBytes = 16 << 10;
static constexpr int64_t kLeastRows = 16;

namespace {

struct Chain {
  linalg::GenericOp first, second;
  SmallVector<linalg::LinalgOp> between; ///< behind the first one's epilogue
  llvm::SetVector<Value> inner;          ///< buffers that nothing else reads

  Operation *end() const {
    linalg::GenericOp last = findProductEpilogue(second);
    return last ? last : second;
  }
};

} // namespace

/// Whether the first `leading` dimensions of the operand are those loops.
static bool hasLeading(AffineMap map, int64_t leading) {
  for (int64_t d = 0; d < leading; ++d)
    if (d >= map.getNumResults() || map.getResult(d) != getAffineDimExpr(d, map.getContext()))
      return false;
  return true;
}

/// Whether the operation computes rows of a buffer of its own from the same rows of inner buffers and any parts of others.
static bool isRowwise(linalg::LinalgOp op, ArrayRef<int64_t> rowShape, const Chain &chain) {
  const int64_t leading = rowShape.size();
  if (!isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()) || !op.hasPureBufferSemantics() || op.getNumDpsInits() != 1 ||
      !hasStructuredKernel(op) || findProductKernel(op) || static_cast<int64_t>(op.getNumLoops()) < leading)
    return false;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  auto written = dyn_cast<MemRefType>(op.getDpsInits()[0].getType());
  if (!written || !op.getDpsInits()[0].getDefiningOp<memref::AllocOp>() || written.getRank() < leading ||
      written.getShape().take_front(leading) != rowShape || !written.getLayout().isIdentity() ||
      llvm::any_of(ArrayRef(kinds).take_front(leading), [](utils::IteratorType kind) { return kind != utils::IteratorType::parallel; }) ||
      llvm::any_of(written.getShape().drop_front(leading), ShapedType::isDynamic))
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    bool simple = llvm::all_of(map.getResults(), [](AffineExpr expr) {
      auto constant = dyn_cast<AffineConstantExpr>(expr);
      return isa<AffineDimExpr>(expr) || (constant && constant.getValue() == 0);
    });
    bool rows = op.isDpsInit(&operand) || chain.inner.contains(operand.get());
    if (!simple || (rows && !hasLeading(map, leading)))
      return false;
  }
  return true;
}

/// Whether `op` reads the rows of an inner buffer as its left factor, with the batch of the first product.
static bool continues(linalg::GenericOp op, const Chain &chain) {
  linalg::GenericOp first = chain.first;
  const int64_t batch = first.getNumLoops() - 3;
  AffineMap left = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  return op.getNumLoops() == first.getNumLoops() && chain.inner.contains(op.getDpsInputs()[0]) && !chain.inner.contains(op.getDpsInputs()[1]) &&
         hasLeading(left, batch + 1) && left.getResult(batch + 1) == getAffineDimExpr(batch + 2, left.getContext()) &&
         ArrayRef(op.getStaticLoopRanges()).take_front(batch + 1) == ArrayRef(first.getStaticLoopRanges()).take_front(batch + 1);
}

/// Whether nothing outside of the chain reads or writes its inner buffers.
static bool isClosed(const Chain &chain, linalg::GenericOp epilogue) {
  llvm::SetVector<Operation *> members;
  members.insert(epilogue);
  members.insert(chain.second);
  for (linalg::LinalgOp op : chain.between)
    members.insert(op);
  return llvm::all_of(chain.inner, [&](Value buffer) {
    return llvm::all_of(buffer.getUsers(), [&](Operation *user) { return members.contains(user); });
  });
}

/// Whether what stands among the members without being one leaves alone what they read.
static bool isUndisturbed(const Chain &chain, ArrayRef<Operation *> others, linalg::GenericOp epilogue) {
  llvm::SmallDenseSet<Value> reads;
  auto collect = [&](linalg::LinalgOp op) {
    for (Value input : op.getDpsInputs())
      reads.insert(rootOf(input));
  };
  collect(chain.first);
  collect(epilogue);
  llvm::for_each(chain.between, collect);
  return llvm::all_of(others, [&](Operation *op) {
    auto destination = dyn_cast<DestinationStyleOpInterface>(op);
    return destination && llvm::none_of(destination.getDpsInits(), [&](Value init) { return reads.contains(rootOf(init)); });
  });
}

static std::optional<Chain> findChain(linalg::GenericOp product) {
  linalg::GenericOp epilogue = findProductEpilogue(product);
  if (!epilogue || !epilogue.getDpsInits()[0].getDefiningOp<memref::AllocOp>() ||
      !llvm::all_of(epilogue.getIndexingMapsArray(), [&](AffineMap map) { return map.getNumDims() == product.getNumLoops() - 1; }) ||
      !epilogue.getMatchingIndexingMap(epilogue.getDpsInitOperand(0)).isIdentity())
    return std::nullopt;
  for (OpOperand *operand : epilogue.getDpsInputOperands())
    if (operand->get() == product.getDpsInits()[0] && !epilogue.getMatchingIndexingMap(operand).isIdentity())
      return std::nullopt;
  Chain chain = {product, {}, {}, {}};
  chain.inner.insert(epilogue.getDpsInits()[0]);
  const int64_t leading = product.getNumLoops() - 2;
  SmallVector<int64_t> ranges = product.getStaticLoopRanges();
  SmallVector<Operation *> others;
  for (Operation *op = epilogue->getNextNode(); op; op = op->getNextNode()) {
    if (isPure(op) || isa<memref::AllocOp>(op))
      continue;
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      return std::nullopt;
    if (findProductKernel(op)) {
      chain.second = cast<linalg::GenericOp>(op);
      if (!continues(chain.second, chain))
        return std::nullopt;
      linalg::GenericOp last = findProductEpilogue(chain.second);
      bool closed = isClosed(chain, epilogue) && isUndisturbed(chain, others, epilogue) &&
                    !chain.inner.contains(last ? last.getDpsInits()[0] : chain.second.getDpsInits()[0]);
      return closed ? std::optional(chain) : std::nullopt;
    }
    auto isSumsOfProduct = [](Operation *user) { return findProductKernel(user) != nullptr; };
    bool startsProduct = isa<linalg::FillOp>(op) && llvm::any_of(structured.getDpsInits()[0].getUsers(), isSumsOfProduct);
    bool reads = llvm::any_of(structured.getDpsInputs(), [&](Value input) { return chain.inner.contains(rootOf(input)); });
    if (startsProduct || (!reads && !isa<linalg::FillOp>(op))) {
      others.push_back(op);
      continue;
    }
    if (!isRowwise(structured, ArrayRef(ranges).take_front(leading), chain))
      return std::nullopt;
    chain.between.push_back(structured);
    chain.inner.insert(structured.getDpsInits()[0]);
  }
  return std::nullopt;
}

/// The members in program order.
static SmallVector<Operation *> membersOf(const Chain &chain) {
  SmallVector<Operation *> members = {chain.first, findProductEpilogue(chain.first)};
  llvm::append_range(members, chain.between);
  members.push_back(chain.second);
  if (chain.end() != chain.second)
    members.push_back(chain.end());
  return members;
}

SmallVector<Operation *> mlir::halftone::findProductChain(linalg::GenericOp product) {
  std::optional<Chain> chain = findChain(product);
  return chain ? membersOf(*chain) : SmallVector<Operation *>();
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {

class ChainEmitter {
public:
  ChainEmitter(Chain &chain, const Isa &isa, const CostTable &costs)
      : chain(chain), b(chain.first.getLoc(), chain.end()), first(b, chain.first, isa, costs), second(b, chain.second, isa, costs) {}
  bool match() { return findZeroFill(chain.first) && findZeroFill(chain.second) && first.match() && second.match(); }
  /// In place of the members.
  void emit(ArrayRef<Operation *> members);

private:
  int64_t rowElements(Value buffer) const;
  int64_t chooseRows() const;
  void emitBlock(ArrayRef<Value> indices, Value row, int64_t count);
  Value emitInner(Value buffer, int64_t count);
  Value emitPart(OpOperand &operand, AffineMap map, ArrayRef<Value> indices, Value row, int64_t count);

  Chain &chain;
  ImplicitLocOpBuilder b;
  ProductEmitter first, second;
  DenseMap<Value, Value> scratches;
};

} // namespace

SmallVector<Operation *> mlir::halftone::emitProductChain(linalg::GenericOp product, const Isa &isa, const CostTable &costs) {
  std::optional<Chain> chain = findChain(product);
  if (!chain)
    return {};
  ChainEmitter emitter(*chain, isa, costs);
  if (!emitter.match())
    return {};
  SmallVector<Operation *> members = membersOf(*chain);
  emitter.emit(members);
  return members;
}

/// Elements of one row of an inner buffer.
int64_t ChainEmitter::rowElements(Value buffer) const {
  return ShapedType::getNumElements(cast<MemRefType>(buffer.getType()).getShape().drop_front(first.batchDims() + 1));
}

/// Rows of a block; blocks are alike as far as it goes.
int64_t ChainEmitter::chooseRows() const {
  int64_t widest = 1;
  for (Value buffer : chain.inner)
    widest = std::max(widest, rowElements(buffer) * storedBits(getElementTypeOrSelf(buffer.getType())) / 8);
  const int64_t most = std::max(kLeastRows, kBlockBytes / widest / kLeastRows * kLeastRows), rows = first.rows();
  return std::min<int64_t>(rows, llvm::alignTo(llvm::divideCeil(rows, llvm::divideCeil(rows, most)), kLeastRows));
}

/// The rows of an inner buffer, as a tensor of one matrix.
Value ChainEmitter::emitInner(Value buffer, int64_t count) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> shape(first.batchDims(), 1);
  shape.push_back(count);
  llvm::append_range(shape, type.getShape().drop_front(first.batchDims() + 1));
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = shape.size() - 1; d-- > 0;)
    strides[d] = strides[d + 1] * shape[d + 1];
  auto view = MemRefType::get(shape, type.getElementType(), StridedLayoutAttr::get(b.getContext(), 0, strides));
  auto attributes = [&](ArrayRef<int64_t> values) { return getAsIndexOpFoldResult(b.getContext(), values); };
  return memref::ReinterpretCastOp::create(b, view, scratches.lookup(buffer), OpFoldResult(b.getIndexAttr(0)), attributes(shape), attributes(strides));
}

/// What some rows of one matrix need of an operand.
Value ChainEmitter::emitPart(OpOperand &operand, AffineMap map, ArrayRef<Value> indices, Value row, int64_t count) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return operand.get();
  if (scratches.count(operand.get()))
    return emitInner(operand.get(), count);
  SmallVector<OpFoldResult> offsets, sizes, steps(type.getRank(), b.getIndexAttr(1));
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    const int64_t loop = dim ? dim.getPosition() : map.getNumDims();
    const bool ofBatch = loop < first.batchDims(), ofRows = loop == first.batchDims();
    offsets.push_back(ofBatch ? OpFoldResult(indices[loop]) : ofRows ? OpFoldResult(row) : OpFoldResult(b.getIndexAttr(0)));
    sizes.push_back(b.getIndexAttr(ofBatch ? 1 : ofRows ? count : type.getDimSize(d)));
  }
  return memref::SubViewOp::create(b, operand.get(), offsets, sizes, steps);
}

void ChainEmitter::emitBlock(ArrayRef<Value> indices, Value row, int64_t count) {
  first.emitRows(indices, row, count);
  for (linalg::LinalgOp op : chain.between) {
    SmallVector<Value> operands;
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(emitPart(operand, op.getMatchingIndexingMap(&operand), indices, row, count));
    mlir::clone(b, op, TypeRange{}, operands);
  }
  second.emitRows(indices, row, count);
}

void ChainEmitter::emit(ArrayRef<Operation *> members) {
  // Before anything new stands among them.
  SmallVector<Operation *> dead = {findZeroFill(chain.first), findZeroFill(chain.second)};
  llvm::append_range(dead, members);
  const int64_t block = chooseRows(), rows = first.rows(), whole = rows / block * block;
  first.emitScratch();
  second.emitScratch();
  for (Value buffer : chain.inner) {
    Type element = cast<MemRefType>(buffer.getType()).getElementType();
    const int64_t elements = block * rowElements(buffer) + kSlackBytes * 8 / storedBits(element);
    scratches[buffer] = memref::AllocaOp::create(b, MemRefType::get({elements}, element), b.getI64IntegerAttr(64));
  }
  first.setLocalResult(scratches.lookup(first.result()), rowElements(first.result()));
  Value left = chain.second.getDpsInputs()[0];
  second.setLocalLeft(scratches.lookup(left), rowElements(left));
  emitParts(b, first.emitCount(), [&](Value index) {
    SmallVector<Value> indices = first.emitIndices(index);
    first.emitPacking(indices);
    second.emitPacking(indices);
    emitLoop(b, {indexConstant(b, 0), indexConstant(b, whole)}, block, [&](Value row) { emitBlock(indices, row, block); });
    if (rows > whole)
      emitBlock(indices, indexConstant(b, whole), rows - whole);
  }, /*always=*/true);
  for (Operation *op : llvm::reverse(dead))
    op->erase();
  for (Value buffer : chain.inner)
    if (buffer.use_empty())
      buffer.getDefiningOp()->erase();
}
