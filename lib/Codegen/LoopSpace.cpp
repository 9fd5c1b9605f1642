//===- LoopSpace.cpp - a structured operation as loops and strides ----------===//
#include "halftone/Codegen/LoopSpace.h"

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// From operations
//===----------------------------------------------------------------------===//

/// Adds `stride * expr` to the operand, if `expr` is linear in the loops.
static bool addLinear(AffineExpr expr, int64_t stride, LoopOperand &operand) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    operand.base += stride * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    operand.strides[dim.getPosition()] += stride;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), stride, operand) && addLinear(binary.getRHS(), stride, operand);
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return binary.getKind() == AffineExprKind::Mul && factor && addLinear(binary.getLHS(), stride * factor.getValue(), operand);
}

static std::optional<LoopOperand> operandOf(Value value, AffineMap map) {
  LoopOperand operand;
  operand.value = value;
  operand.strides.assign(map.getNumDims(), 0);
  if (operand.isScalar())
    return operand;
  std::optional<SmallVector<int64_t>> strides = staticStrides(cast<MemRefType>(value.getType()));
  if (!strides)
    return std::nullopt;
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), *strides))
    if (!addLinear(expr, stride, operand))
      return std::nullopt;
  return operand;
}

/// Finds the buffer dimension that gives a dynamic loop its extent.
static bool findSize(linalg::LinalgOp op, unsigned position, Loop &loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (isa<MemRefType>(operand.get().getType()) && expr == getAffineDimExpr(position, op.getContext())) {
        loop.sizedBy = operand.get();
        loop.sizedDim = dim;
        return true;
      }
  }
  return false;
}

std::optional<LoopSpace> LoopSpace::of(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op.getBlock()->getNumArguments() != op->getNumOperands())
    return std::nullopt;
  LoopSpace space;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (auto [i, extent] : llvm::enumerate(op.getStaticLoopRanges())) {
    Loop loop = {extent, kinds[i] == utils::IteratorType::reduction, Value()};
    if (loop.isDynamic() && !findSize(op, i, loop))
      return std::nullopt;
    space.loops.push_back(loop);
  }
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<LoopOperand> operand = operandOf(input->get(), op.getMatchingIndexingMap(input));
    if (!operand)
      return std::nullopt;
    space.inputs.push_back(*operand);
  }
  OpOperand *init = op.getDpsInitOperand(0);
  std::optional<LoopOperand> output = operandOf(init->get(), op.getMatchingIndexingMap(init));
  if (!output)
    return std::nullopt;
  space.output = *output;
  for (auto [loop, stride] : llvm::zip_equal(space.loops, output->strides))
    if (loop.reduction && stride != 0)
      return std::nullopt;
  space.simplify();
  return space;
}

std::optional<LoopSpace> LoopSpace::elementwise(ArrayRef<Value> inputs, Value output) {
  auto type = cast<MemRefType>(output.getType());
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), type.getContext());
  LoopSpace space;
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    space.loops.push_back({extent, false, output, static_cast<int64_t>(i)});
  for (Value input : inputs) {
    std::optional<LoopOperand> operand = operandOf(input, identity);
    if (!operand)
      return std::nullopt;
    space.inputs.push_back(*operand);
  }
  std::optional<LoopOperand> operand = operandOf(output, identity);
  if (!operand)
    return std::nullopt;
  space.output = *operand;
  space.simplify();
  return space;
}

//===----------------------------------------------------------------------===//
// Simplification
//===----------------------------------------------------------------------===//

size_t LoopSpace::numParallel() const {
  return llvm::count_if(loops, [](const Loop &loop) { return !loop.reduction; });
}

void LoopSpace::eraseLoop(size_t index) {
  loops.erase(loops.begin() + index);
  for (LoopOperand &input : inputs)
    input.strides.erase(input.strides.begin() + index);
  output.strides.erase(output.strides.begin() + index);
}

/// Whether loops `index` and `index + 1` are one run in every buffer.
bool LoopSpace::joinsNext(size_t index) const {
  const Loop &outer = loops[index], &inner = loops[index + 1];
  if (outer.reduction != inner.reduction || inner.isDynamic())
    return false;
  auto isRun = [&](const LoopOperand &operand) {
    return operand.isScalar() || operand.strides[index] == operand.strides[index + 1] * inner.extent;
  };
  return isRun(output) && llvm::all_of(inputs, isRun);
}

void LoopSpace::simplify() {
  for (size_t i = loops.size(); i-- > 0;)
    if (loops[i].extent == 1)
      eraseLoop(i);
  // Parallel loops first, by falling strides of the output; reductions keep their order.
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, loops.size()));
  llvm::sort(order, [&](size_t x, size_t y) {
    if (loops[x].reduction != loops[y].reduction)
      return loops[y].reduction;
    bool equal = loops[x].reduction || output.strides[x] == output.strides[y];
    return equal ? x < y : output.strides[x] > output.strides[y];
  });
  auto permute = [&](auto &list) {
    auto old = list;
    for (auto [i, from] : llvm::enumerate(order))
      list[i] = old[from];
  };
  permute(loops);
  for (LoopOperand &input : inputs)
    permute(input.strides);
  permute(output.strides);
  for (size_t i = loops.size(); i-- > 1;)
    if (joinsNext(i - 1)) {
      Loop &inner = loops[i], &outer = loops[i - 1];
      inner.sizedBy = outer.sizedBy;
      inner.sizedDim = outer.sizedDim;
      inner.factor = outer.isDynamic() ? outer.factor * inner.extent : 1;
      inner.extent = outer.isDynamic() ? outer.extent : outer.extent * inner.extent;
      eraseLoop(i - 1);
    }
}
