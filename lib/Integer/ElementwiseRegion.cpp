//===- ElementwiseRegion.cpp - elementwise operations that become one -------===//
//
// Against the program's order: an operation belongs to the region if all that read its result do, so when it is looked at
// its readers are decided. Joined, the values between are scalars of one body: x clamp(x + 3, 0, 6) reads x once.
//
//===----------------------------------------------------------------------===//
#include "ElementwiseRegion.h"
#include "halftone/Analysis/EntryForm.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::halftone;

/// Whether the operation computes a tensor of this type element by element.
static bool mayJoin(Operation *op, Type type) {
  if (!op || op->getNumResults() != 1 || op->getResult(0).getType() != type)
    return false;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic ? isElementwise(generic) : isa<CompositeOp>(op) && classify(op) == OpKind::Unary;
}

/// Whether the use reads the element that is computed from it.
static bool readsElement(OpOperand &use) {
  auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
  return !generic || (generic.isDpsInput(&use) && generic.getMatchingIndexingMap(&use).isIdentity());
}

static bool isCodes(Value value) { return matchDequantized(value) || getElementTypeOrSelf(value.getType()).isInteger(); }

ElementwiseRegion ElementwiseRegion::find(Value result) {
  ElementwiseRegion region;
  if (!mayJoin(result.getDefiningOp(), result.getType()) || !result.hasOneUse())
    return region;
  llvm::SetVector<Operation *> inside;
  SmallVector<Operation *> candidates{result.getDefiningOp()};
  bool codes = false;
  while (!candidates.empty()) {
    auto last = llvm::max_element(candidates, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    Operation *op = *last;
    llvm::erase(candidates, op);
    auto joined = [&](OpOperand &use) { return inside.contains(use.getOwner()) && readsElement(use); };
    if (!inside.empty() && !llvm::all_of(op->getUses(), joined))
      continue;
    inside.insert(op);
    codes |= llvm::any_of(op->getOperands(), isCodes);
    for (Value operand : op->getOperands())
      if (mayJoin(operand.getDefiningOp(), result.getType()))
        candidates.push_back(operand.getDefiningOp());
  }
  if (codes)
    region.ops.assign(inside.rbegin(), inside.rend());
  return region;
}

/// Replaces a function by the generics of its body.
static void inlineFunction(RewriterBase &rewriter, CompositeOp op) {
  rewriter.setInsertionPoint(op);
  Block &body = op.getBody().front();
  IRMapping mapping;
  mapping.map(body.getArguments(), op.getInputs());
  for (Operation &inner : body.without_terminator())
    rewriter.clone(inner, mapping);
  rewriter.replaceOp(op, mapping.lookupOrDefault(body.getTerminator()->getOperand(0)));
}

namespace {
/// What the joined generic reads, each value through each map once.
struct Operands {
  unsigned add(Value value, AffineMap map) {
    for (unsigned i = 0; i < values.size(); ++i)
      if (values[i] == value && maps[i] == map)
        return i;
    values.push_back(value);
    maps.push_back(map);
    return values.size() - 1;
  }
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
};
} // namespace

/// The scalar results of all generics, one after the other; the last one's is returned.
static Value emitBodies(OpBuilder &builder, ArrayRef<Operation *> ops, const llvm::DenseMap<OpOperand *, unsigned> &outside,
                        ValueRange scalars) {
  llvm::DenseMap<Value, Value> inside;
  for (Operation *op : ops) {
    auto generic = cast<linalg::GenericOp>(op);
    IRMapping mapping;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      auto found = outside.find(operand);
      mapping.map(generic.getMatchingBlockArgument(operand), found == outside.end() ? inside.lookup(operand->get()) : scalars[found->second]);
    }
    for (Operation &inner : generic.getBody()->without_terminator())
      builder.clone(inner, mapping);
    inside[generic.getResult(0)] = mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0));
  }
  return inside.lookup(ops.back()->getResult(0));
}

bool ElementwiseRegion::inlineFunctions(RewriterBase &rewriter) {
  bool found = false;
  for (Operation *op : ops)
    if (auto function = dyn_cast<CompositeOp>(op)) {
      inlineFunction(rewriter, function);
      found = true;
    }
  return found;
}

void ElementwiseRegion::join(RewriterBase &rewriter) {
  if (ops.size() < 2)
    return;
  Operands operands;
  llvm::DenseMap<OpOperand *, unsigned> outside;
  for (Operation *op : ops) {
    auto generic = cast<linalg::GenericOp>(op);
    for (OpOperand *operand : generic.getDpsInputOperands())
      if (!llvm::is_contained(ops, operand->get().getDefiningOp()))
        outside[operand] = operands.add(operand->get(), generic.getMatchingIndexingMap(operand));
  }
  Operation *last = ops.back();
  rewriter.setInsertionPoint(last);
  Value joined = createElementwise(
      rewriter, last->getLoc(), sizesOf(rewriter, last->getLoc(), last->getResult(0)),
      getElementTypeOrSelf(last->getResult(0).getType()), operands.values, operands.maps,
      [&](OpBuilder &builder, Location, ValueRange scalars) { return emitBodies(builder, ops, outside, scalars); });
  rewriter.replaceOp(last, joined);
  for (Operation *op : llvm::reverse(ArrayRef(ops).drop_back()))
    rewriter.eraseOp(op);
}
