//===- Sandwiches.cpp - anchors with their tails ----------------------------===//
#include "halftone/Analysis/Sandwiches.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::halftone;

/// How far a tail has come; the steps come in this order.
enum class TailStep { Anchor, Bias, Residual, Clamp };

SmallVector<Operation *> Sandwich::members() const {
  SmallVector<Operation *> members{anchor};
  llvm::append_range(members, tail);
  return members;
}

SmallVector<OpOperand *> Sandwich::activations() const {
  SmallVector<OpOperand *> operands;
  SmallVector<Operation *> inside = members();
  for (Operation *op : inside) {
    auto destination = dyn_cast<DestinationStyleOpInterface>(op);
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isFloatTensor(operand.get()) || isConstant(operand.get()) || (destination && destination.isDpsInit(&operand)) ||
          llvm::is_contained(inside, operand.get().getDefiningOp()))
        continue;
      if (op == anchor && kind == OpKind::Contraction && !isa<linalg::BatchMatmulOp>(op) && &operand == &getWeightOperand(op))
        continue;
      operands.push_back(&operand);
    }
  }
  return operands;
}

const Sandwich *Sandwiches::find(Operation *op) const {
  auto found = owner.find(op);
  return found == owner.end() ? nullptr : &sandwiches[found->second];
}

/// Whether the operand is a constant with an element for each channel, the last dimension.
static bool isChannelConstant(linalg::GenericOp generic, OpOperand *operand) {
  AffineMap map = generic.getMatchingIndexingMap(operand);
  return isConstant(operand->get()) && map.getNumResults() == 1 &&
         map.getResult(0) == getAffineDimExpr(map.getNumDims() - 1, map.getContext());
}

/// The step that `next(chain, other)` takes: bias and residual are additions, clamps are minima and maxima with a
/// constant, which may differ by channel. Nothing if the operation may not stand in a tail or comes too early.
static std::optional<TailStep> nextStep(linalg::GenericOp generic, Operation &op, Value chain, TailStep reached) {
  if (op.getNumOperands() != 2 || op.getNumResults() != 1 || op.getOperand(0) == op.getOperand(1))
    return std::nullopt;
  Value other = op.getOperand(op.getOperand(0) == chain ? 1 : 0);
  bool clamps = isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op);
  if (clamps && isConstant(other))
    return TailStep::Clamp;
  auto argument = dyn_cast<BlockArgument>(other);
  if ((!clamps && !isa<arith::AddFOp>(op)) || !argument)
    return std::nullopt;
  OpOperand *operand = generic.getMatchingOpOperand(argument);
  if (clamps)
    return isChannelConstant(generic, operand) ? std::optional(TailStep::Clamp) : std::nullopt;
  if (isConstant(operand->get()))
    return isChannelConstant(generic, operand) && reached < TailStep::Bias ? std::optional(TailStep::Bias) : std::nullopt;
  bool residual = generic.getMatchingIndexingMap(operand).isIdentity() && isFloatTensor(operand->get()) && reached < TailStep::Residual;
  return residual ? std::optional(TailStep::Residual) : std::nullopt;
}

/// Whether the generic only continues the tail from `value`; how far it comes then.
static std::optional<TailStep> continueTail(linalg::GenericOp generic, Value value, TailStep reached) {
  OpOperand &use = *value.use_begin();
  if (generic.isDpsInit(&use) || !generic.getMatchingIndexingMap(&use).isIdentity() ||
      generic.getResult(0).getType() != value.getType())
    return std::nullopt;
  Value chain = generic.getMatchingBlockArgument(&use);
  for (Operation &op : generic.getBody()->without_terminator()) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!chain.hasOneUse() || *chain.user_begin() != &op)
      return std::nullopt;
    std::optional<TailStep> step = nextStep(generic, op, chain, reached);
    if (!step)
      return std::nullopt;
    reached = *step;
    chain = op.getResult(0);
  }
  bool ends = generic.getBody()->getTerminator()->getOperand(0) == chain;
  return ends ? std::optional(reached) : std::nullopt;
}

void Sandwiches::extendSimply(Sandwich &sandwich) {
  TailStep reached = sandwich.kind == OpKind::Contraction ? TailStep::Anchor : TailStep::Residual;
  while (sandwich.result().hasOneUse()) {
    Operation *next = *sandwich.result().user_begin();
    if (owner.count(next))
      return;
    if (sandwich.kind == OpKind::Unary) {
      if (classify(next) != OpKind::Unary)
        return;
    } else if (isa<linalg::Conv2DNhwgcGfhwcOp>(sandwich.last())) {
      if (!isa<tensor::CollapseShapeOp>(next))
        return;
    } else {
      auto generic = dyn_cast<linalg::GenericOp>(next);
      OpKind kind = classify(next);
      if (!generic || (kind != OpKind::Unary && kind != OpKind::Elementwise))
        return;
      std::optional<TailStep> step = continueTail(generic, sandwich.result(), reached);
      if (!step)
        return;
      reached = *step;
    }
    sandwich.tail.push_back(next);
    owner.try_emplace(next, owner.lookup(sandwich.anchor));
    ++sandwich.simple;
    sandwich.affine += reached <= TailStep::Bias;
  }
}

/// Whether `op` computes each element of a tensor of this type from the same elements of the values that it reads of `inside`.
static bool continuesFunction(Operation *op, Type type, const llvm::SetVector<Operation *> &inside, Value start) {
  OpKind kind = classify(op);
  if ((kind != OpKind::Unary && kind != OpKind::Elementwise) || op->getResult(0).getType() != type)
    return false;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return !generic || llvm::all_of(generic->getOpOperands(), [&](OpOperand &operand) {
    bool fromInside = operand.get() == start || inside.contains(operand.get().getDefiningOp());
    return !fromInside || (generic.isDpsInput(&operand) && generic.getMatchingIndexingMap(&operand).isIdentity());
  });
}

/// The elementwise operations behind `value` up to the first whose result is all that is read outside; none if `value` or
/// one of theirs is read by something else.
SmallVector<Operation *> Sandwiches::findFunction(Value value) const {
  llvm::SetVector<Operation *> inside;
  SmallVector<Operation *> open; // read elements of values of the function, or of `value`
  auto follow = [&](Value read) {
    llvm::copy_if(read.getUsers(), std::back_inserter(open), [](Operation *user) { return !isa<tensor::DimOp>(user); });
  };
  follow(value);
  while (!open.empty()) {
    auto first = llvm::min_element(open, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    Operation *op = *first;
    llvm::erase(open, op);
    if (owner.count(op) || !continuesFunction(op, value.getType(), inside, value))
      return {};
    inside.insert(op);
    if (open.empty())
      return inside.takeVector();
    follow(op->getResult(0));
  }
  return {};
}

void Sandwiches::extend(Sandwich &sandwich) {
  extendSimply(sandwich);
  if (sandwich.kind == OpKind::Unary || isa<linalg::Conv2DNhwgcGfhwcOp>(sandwich.last()))
    return;
  for (SmallVector<Operation *> function; !(function = findFunction(sandwich.result())).empty();)
    for (Operation *op : function) {
      sandwich.tail.push_back(op);
      owner.try_emplace(op, owner.lookup(sandwich.anchor));
    }
}

Sandwiches::Sandwiches(func::FuncOp function) {
  auto claim = [&](ArrayRef<OpKind> kinds, bool backwards) {
    SmallVector<Operation *> ops;
    for (Operation &op : function.getBody().front())
      if (llvm::is_contained(kinds, classify(&op)))
        ops.push_back(&op);
    if (backwards)
      std::reverse(ops.begin(), ops.end());
    for (Operation *op : ops) {
      if (!owner.try_emplace(op, sandwiches.size()).second)
        continue;
      sandwiches.push_back({classify(op), op, {}});
      if (sandwiches.back().kind != OpKind::AveragePool)
        extend(sandwiches.back());
    }
  };
  // Contractions take what they can, the later ones first; then additions and products take their clamps.
  claim({OpKind::Contraction}, /*backwards=*/true);
  claim({OpKind::Elementwise, OpKind::AveragePool}, /*backwards=*/false);
  claim({OpKind::Unary}, /*backwards=*/false);
  llvm::sort(sandwiches, [](const Sandwich &a, const Sandwich &b) { return a.anchor->isBeforeInBlock(b.anchor); });
  owner.clear();
  for (auto [i, sandwich] : llvm::enumerate(sandwiches))
    for (Operation *op : sandwich.members())
      owner[op] = i;
}
