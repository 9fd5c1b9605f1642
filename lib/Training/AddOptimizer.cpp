//===- AddOptimizer.cpp - one step of SGD or Adam in the program ------------===//
//
//   SGD   g' = g + decay w;  m' = momentum m + g';  w' = w - rate m'     (nesterov: w - rate (g' + momentum m'))
//   Adam  m' = b1 m + (1 - b1) g;  v' = b2 v + (1 - b2) g^2;
//         w' = w - rate (decay w + (m' / c1) / (sqrt(v' / c2) + epsilon)),  c1 = 1 - b1^step, c2 = 1 - b2^step
//
// Weight decay is for tensors of rank 2 or more: biases are left out. Where a pruned weight w is 0, w' = 0: the mask is the
// weight itself, so it needs no state, and pruning more of a weight while it is trained is writing zeros. Adam's steps have
// the size of the rate, whatever the gradient's; of what is positive, a scale of quantization, they are that share.
//
//===----------------------------------------------------------------------===//
#include "TensorBuilding.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ADDOPTIMIZER
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// A trained tensor, its gradient, and what the step makes of them.
struct Trained {
  Value weight, gradient;
  std::string name;
  bool pruned, positive; ///< zeros stay; stays above 0
  Value updated;
};

struct AddOptimizer : halftone::impl::AddOptimizerBase<AddOptimizer> {
  using AddOptimizerBase::AddOptimizerBase;

  void runOnOperation() override {
    entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    if (kind != "sgd" && kind != "adam") {
      entry.emitError("there is no optimizer '") << kind << "': it is sgd or adam";
      return signalPassFailure();
    }
    SmallVector<Trained> all;
    if (failed(collect(all)))
      return signalPassFailure();
    b.emplace(entry.getBody().front().getTerminator());
    rate = append(RankedTensorType::get({}, b->getF32Type()), kRateName);
    if (kind == "adam") {
      firstCorrection = append(RankedTensorType::get({}, b->getF32Type()), kFirstCorrectionName);
      secondCorrection = append(RankedTensorType::get({}, b->getF32Type()), kSecondCorrectionName);
    }
    states.clear();
    for (Trained &trained : all)
      scaleGradient(trained);
    for (Trained &trained : all)
      trained.updated = kind == "sgd" ? stepSgd(trained) : stepAdam(trained);
    setResults(all);
  }

private:
  func::FuncOp entry;
  std::optional<OpBuilder> b;
  Value rate, firstCorrection, secondCorrection;
  SmallVector<std::pair<std::string, Value>> states; ///< as they are after the step, in the order of their arguments

  /// The gradients are the last results, one for each trained argument.
  LogicalResult collect(SmallVector<Trained> &all) {
    for (BlockArgument argument : entry.getArguments())
      if (entry.getArgAttr(argument.getArgNumber(), kTrainableAttr)) {
        unsigned number = argument.getArgNumber();
        auto name = entry.getArgAttrOfType<StringAttr>(number, kNameAttr);
        all.push_back({argument, Value(), name ? name.str() : "argument" + std::to_string(number),
                       entry.getArgAttr(number, kPrunedAttr) != nullptr,
                       entry.getArgAttr(number, kPositiveAttr) != nullptr, Value()});
      }
    auto results = entry.getBody().front().getTerminator()->getOperands();
    for (auto [i, trained] : llvm::enumerate(all)) {
      size_t at = results.size() - all.size() + i;
      if (all.size() < results.size() && results[at].getType() == trained.weight.getType())
        trained.gradient = results[at];
      else
        return entry.emitError("has no gradient of '") << trained.name << "' among its results; run halftone-differentiate";
    }
    return success();
  }

  Value append(Type type, StringRef name) {
    unsigned index = entry.getNumArguments();
    (void)entry.insertArgument(index, type, b->getDictionaryAttr(b->getNamedAttr(kNameAttr, b->getStringAttr(name))),
                               entry.getLoc());
    return entry.getArgument(index);
  }

  /// An elementwise result of tensors of the weight's shape and of scalars.
  Value update(const Trained &trained, ArrayRef<Value> inputs, ElementBuilder build) {
    RankedTensorType type = tensorType(trained.weight);
    SmallVector<AffineMap> maps;
    for (Value input : inputs)
      maps.push_back(tensorType(input).getRank() == type.getRank() ? b->getMultiDimIdentityMap(type.getRank())
                                                                    : AffineMap::get(type.getRank(), 0, {}, b->getContext()));
    return buildElementwise(*b, trained.weight.getLoc(), inputs, maps,
                            getAsIndexOpFoldResult(b->getContext(), type.getShape()), type.getElementType(), build);
  }

  void scaleGradient(Trained &trained) {
    auto factor = entry.getArgAttrOfType<FloatAttr>(cast<BlockArgument>(trained.weight).getArgNumber(), kGradientFactorAttr);
    if (factor)
      trained.gradient = update(trained, {trained.gradient}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
        return arith::MulFOp::create(n, l, e[0], buildScalar(n, l, e[0].getType(), factor.getValueAsDouble()));
      });
  }

  double decayOf(const Trained &trained) { return tensorType(trained.weight).getRank() > 1 ? static_cast<double>(decay) : 0; }

  Value state(const Trained &trained, StringRef what) {
    return append(trained.weight.getType(), trained.name + "." + what.str());
  }
  void keep(const Trained &trained, StringRef what, Value value) {
    states.emplace_back(trained.name + "." + what.str(), value);
  }

  /// The weight w - distance; 0 where it is 0 and stays so; at least w / 2 where it stays positive.
  Value move(OpBuilder &n, Location l, const Trained &trained, Value weight, Value distance) {
    Value moved = arith::SubFOp::create(n, l, weight, distance);
    if (trained.positive) {
      Value half = arith::MulFOp::create(n, l, weight, buildScalar(n, l, weight.getType(), 0.5));
      return arith::MaximumFOp::create(n, l, moved, half);
    }
    if (!trained.pruned)
      return moved;
    Value zero = buildScalar(n, l, weight.getType(), 0);
    Value stays = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, weight, zero);
    return arith::SelectOp::create(n, l, stays, zero, moved);
  }

  Value stepSgd(const Trained &trained) {
    double mu = momentum, lambda = decayOf(trained);
    auto decayed = [&](OpBuilder &n, Location l, Value weight, Value gradient) -> Value {
      if (lambda == 0)
        return gradient;
      Value pull = arith::MulFOp::create(n, l, weight, buildScalar(n, l, weight.getType(), lambda));
      return arith::AddFOp::create(n, l, gradient, pull);
    };
    Value direction;
    if (mu != 0) {
      direction = update(trained, {trained.weight, trained.gradient, state(trained, "momentum")},
                         [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                           Value kept = arith::MulFOp::create(n, l, e[2], buildScalar(n, l, e[2].getType(), mu));
                           return arith::AddFOp::create(n, l, kept, decayed(n, l, e[0], e[1]));
                         });
      keep(trained, "momentum", direction);
    }
    SmallVector<Value> inputs = {trained.weight, trained.gradient, rate};
    if (direction)
      inputs.push_back(direction);
    return update(trained, inputs, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value step = direction ? e[3] : decayed(n, l, e[0], e[1]);
      if (direction && nesterov) {
        Value ahead = arith::MulFOp::create(n, l, step, buildScalar(n, l, step.getType(), mu));
        step = arith::AddFOp::create(n, l, decayed(n, l, e[0], e[1]), ahead);
      }
      return move(n, l, trained, e[0], arith::MulFOp::create(n, l, e[2], step));
    });
  }

  /// old * beta + new * (1 - beta).
  static Value blend(OpBuilder &n, Location l, Value old, Value fresh, double beta) {
    Value x = arith::MulFOp::create(n, l, old, buildScalar(n, l, old.getType(), beta));
    Value y = arith::MulFOp::create(n, l, fresh, buildScalar(n, l, old.getType(), 1 - beta));
    return arith::AddFOp::create(n, l, x, y);
  }

  Value stepAdam(const Trained &trained) {
    Value first = update(trained, {state(trained, "first"), trained.gradient},
                         [&](OpBuilder &n, Location l, ValueRange e) { return blend(n, l, e[0], e[1], beta1); });
    keep(trained, "first", first);
    Value second = update(trained, {state(trained, "second"), trained.gradient},
                          [&](OpBuilder &n, Location l, ValueRange e) {
                            return blend(n, l, e[0], arith::MulFOp::create(n, l, e[1], e[1]), beta2);
                          });
    keep(trained, "second", second);
    double lambda = decayOf(trained);
    return update(trained, {trained.weight, first, second, rate, firstCorrection, secondCorrection},
                  [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                    Value root = math::SqrtOp::create(n, l, arith::DivFOp::create(n, l, e[2], e[5]));
                    Value bottom = arith::AddFOp::create(n, l, root, buildScalar(n, l, root.getType(), epsilon));
                    Value step = arith::DivFOp::create(n, l, arith::DivFOp::create(n, l, e[1], e[4]), bottom);
                    if (trained.positive)
                      step = arith::MulFOp::create(n, l, step, e[0]);
                    if (lambda != 0)
                      step = arith::AddFOp::create(
                          n, l, step, arith::MulFOp::create(n, l, e[0], buildScalar(n, l, step.getType(), lambda)));
                    return move(n, l, trained, e[0], arith::MulFOp::create(n, l, e[3], step));
                  });
  }

  /// The results before the gradients, then the weights, then the states.
  void setResults(ArrayRef<Trained> all) {
    Operation *terminator = entry.getBody().front().getTerminator();
    size_t kept = terminator->getNumOperands() - all.size();
    SmallVector<Value> results(terminator->getOperands().take_front(kept));
    SmallVector<Attribute> attributes;
    for (size_t i = 0; i < kept; ++i)
      attributes.push_back(entry.getResultAttrDict(i) ? entry.getResultAttrDict(i) : b->getDictionaryAttr({}));
    auto append = [&](StringRef name, Value value) {
      results.push_back(value);
      attributes.push_back(b->getDictionaryAttr(b->getNamedAttr(kNameAttr, b->getStringAttr(name))));
    };
    for (const Trained &trained : all)
      append(trained.name, trained.updated);
    for (auto &[name, value] : states)
      append(name, value);
    terminator->setOperands(results);
    entry.setType(b->getFunctionType(entry.getBody().getArgumentTypes(), ValueRange(results).getTypes()));
    entry.setAllResultAttrs(attributes);
  }
};

} // namespace
