//===- Logarithms.cpp - contractions in front of logarithms -----------------===//
#include "Logarithms.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include <map>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

namespace {
/// What a scalar is of the value that is followed.
struct Growth {
  enum Kind { Constant, Other /* made of other activations */, Power, Logarithm, Unknown } kind = Unknown;
  double degree = 0; ///< of a power

  bool isLogarithm() const { return kind == Logarithm || (kind == Power && degree < 1); }
};
} // namespace

/// Of a sum, a maximum or a choice. Another activation may be a part of the same kind: the other half of a spectrum.
static Growth join(Growth a, Growth b) {
  if (a.kind == Growth::Power && b.kind == Growth::Power && a.degree != b.degree)
    return {};
  return a.kind < b.kind ? b : a;
}

static Growth multiply(Growth a, Growth b) {
  if (a.kind == Growth::Power && b.kind == Growth::Power)
    return {Growth::Power, a.degree + b.degree};
  const bool scales = a.kind == Growth::Constant || b.kind == Growth::Constant || a.kind == b.kind;
  return scales ? join(a, b) : Growth{};
}

/// Of an operation of the body, from what its operands are.
static Growth evaluate(Operation *op, ArrayRef<Growth> of) {
  return llvm::TypeSwitch<Operation *, Growth>(op)
      .Case<arith::AddFOp, arith::SubFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(
          [&](auto) { return join(of[0], of[1]); })
      .Case([&](arith::MulFOp) { return multiply(of[0], of[1]); })
      .Case([&](math::FmaOp) { return join(multiply(of[0], of[1]), of[2]); })
      .Case([&](arith::DivFOp) { return of[1].kind == Growth::Constant ? of[0] : Growth{}; })
      .Case<arith::NegFOp, math::AbsFOp>([&](auto) { return of[0]; })
      .Case([&](math::SqrtOp) { return Growth{of[0].kind, of[0].degree / 2}; })
      .Case([&](arith::SelectOp) { return join(of[1], of[2]); })
      .Case([](arith::CmpFOp) { return Growth{Growth::Constant}; })
      // The import stage writes logarithms out (halftone-expand-math): they alone read the bits, which have the exponent.
      .Case([&](arith::BitcastOp cast) {
        return Growth{isa<FloatType>(cast.getIn().getType()) && of[0].kind == Growth::Power ? Growth::Logarithm : Growth::Unknown};
      })
      .Default([](Operation *) { return Growth{}; });
}

/// What a generic gives of a value of this degree among its inputs.
static Growth evaluate(linalg::GenericOp generic, Value followed, double degree) {
  llvm::DenseMap<Value, Growth> known;
  for (OpOperand &operand : generic->getOpOperands()) {
    const bool isOther = generic.isDpsInput(&operand) && !isConstant(operand.get());
    known[generic.getMatchingBlockArgument(&operand)] =
        operand.get() == followed ? Growth{Growth::Power, degree} : Growth{isOther ? Growth::Other : Growth::Constant};
  }
  // What the body reads from outside is constant.
  auto get = [&](Value value) { return known.contains(value) ? known.lookup(value) : Growth{Growth::Constant}; };
  for (Operation &op : generic.getBody()->without_terminator()) {
    auto of = llvm::map_to_vector(op.getOperands(), get);
    const bool isConstant = llvm::all_of(of, [](Growth growth) { return growth.kind == Growth::Constant; });
    const Growth growth = isConstant ? Growth{Growth::Constant} : evaluate(&op, of);
    if (growth.isLogarithm())
      return growth;
    known[op.getResult(0)] = growth;
  }
  return get(generic.getBody()->getTerminator()->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

static bool hasConstantWeights(Operation *op) { return classify(op) == OpKind::Contraction && isConstant(getWeightOperand(op).get()); }

namespace {
/// Follows values to all that read them; what was found is kept, since branches meet again.
class Follower {
public:
  /// Whether all that read the value, of this degree, come to a logarithm.
  bool follow(Value value, double degree) {
    auto found = known.find({value.getAsOpaquePointer(), degree});
    if (found != known.end())
      return found->second;
    const bool all = !value.use_empty() && llvm::all_of(value.getUses(), [&](OpOperand &use) { return followUse(use, degree); });
    known[{value.getAsOpaquePointer(), degree}] = all;
    return all;
  }

private:
  bool followUse(OpOperand &use, double degree) {
    Operation *op = use.getOwner();
    if (isa<tensor::DimOp>(op))
      return true;
    if (auto composite = dyn_cast<CompositeOp>(op); composite && composite.getName() == "sqrt")
      return followResult(op, {Growth::Power, degree / 2});
    switch (classify(op)) {
    case OpKind::Movement:
    case OpKind::MaxPool:
    case OpKind::AveragePool:
    case OpKind::Concat:
      return followResult(op, {Growth::Power, degree});
    case OpKind::Contraction:
      return hasConstantWeights(op) && &use == &getActivationOperand(op) && followResult(op, {Growth::Power, degree});
    default:
      auto generic = dyn_cast<linalg::GenericOp>(op); // a sum over a dimension as well
      return generic && generic.getNumResults() == 1 && followResult(op, evaluate(generic, use.get(), degree));
    }
  }

  bool followResult(Operation *op, Growth growth) {
    return growth.isLogarithm() || (growth.kind == Growth::Power && follow(op->getResult(0), growth.degree));
  }

  std::map<std::pair<void *, double>, bool> known;
};
} // namespace

llvm::DenseSet<Operation *> mlir::halftone::findBeforeLogarithms(func::FuncOp entry, double share) {
  llvm::DenseSet<Operation *> found;
  Follower follower;
  int64_t before = 0, all = 0;
  for (Operation &op : llvm::reverse(entry.getBody().front())) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      continue;
    const int64_t count = countMultiplyAccumulates(structured);
    all += count;
    if (hasConstantWeights(&op) && follower.follow(op.getResult(0), 1)) {
      before += count;
      found.insert(&op);
    }
  }
  return double(before) <= share * double(all) ? found : llvm::DenseSet<Operation *>();
}
