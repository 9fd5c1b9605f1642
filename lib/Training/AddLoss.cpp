//===- AddLoss.cpp - what training makes small ------------------------------===//
//
// With logits z [N, C] and a weight for each class and sample, t [N, C]: the label's class has 1 (cross-entropy), or t is the
// teacher's softmax(u / T) (distillation):
//
//   loss = mean over n of (log sum_c exp(z - max z) + max z - sum_c t z)
//
// Tensors s of the student that are to be like those of the teacher, t, add sum (s - t)^2 / sum t^2, so that each counts
// alike whatever its scale and its size are.
//
//===----------------------------------------------------------------------===//
#include "TensorBuilding.h"
#include "halftone/Training/Passes.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ADDLOSS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// Builds on tensors of one shape [N, C], and of [N].
class RowBuilder {
public:
  RowBuilder(OpBuilder &b, Location loc, RankedTensorType type) : b(b), loc(loc), type(type) {}

  AffineMap both() { return b.getMultiDimIdentityMap(2); }
  AffineMap row() { return AffineMap::get(2, 0, {b.getAffineDimExpr(0)}, b.getContext()); }
  Value constant(double value) { return buildScalar(b, loc, type.getElementType(), value); }

  /// A sum over the classes.
  Value sumClasses(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, ElementBuilder term) {
    return buildSum(b, loc, {SmallVector<int64_t>(type.getShape()), SmallVector<Value>(inputs), SmallVector<AffineMap>(maps), row()},
                    term);
  }
  Value perElement(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, ElementBuilder term) {
    return buildElementwise(b, loc, inputs, maps, getAsIndexOpFoldResult(b.getContext(), type.getShape()),
                            type.getElementType(), term);
  }
  Value perRow(ArrayRef<Value> inputs, ElementBuilder term) {
    return buildElementwise(b, loc, inputs, {}, {b.getIndexAttr(type.getDimSize(0))}, type.getElementType(), term);
  }
  /// `factor` times the sum of a tensor's elements.
  Value scaledSum(Value x, double factor, ElementBuilder term) {
    RankedTensorType shape = tensorType(x);
    AffineMap identity = b.getMultiDimIdentityMap(shape.getRank());
    auto none = AffineMap::get(shape.getRank(), 0, {}, b.getContext());
    return buildSum(b, loc, {SmallVector<int64_t>(shape.getShape()), {x}, {identity}, none},
                    [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                      return arith::MulFOp::create(n, l, term(n, l, e), constant(factor));
                    });
  }
  /// The maximum of each row, which counts as a constant: it cancels in the gradient.
  Value maximum(Value x);
  /// exp(scale (x - the row's maximum)).
  Value powers(Value x, Value largest, double scale);

  OpBuilder &b;
  Location loc;
  RankedTensorType type;
};

} // namespace

Value RowBuilder::maximum(Value x) {
  Value init = tensor::EmptyOp::create(b, loc, {type.getDimSize(0)}, type.getElementType());
  Value least = constant(-std::numeric_limits<double>::infinity());
  init = linalg::FillOp::create(b, loc, least, init).getResult(0);
  auto reduced = linalg::ReduceOp::create(b, loc, x, init, ArrayRef<int64_t>{1},
                                          [](OpBuilder &n, Location l, ValueRange e) {
                                            Value larger = arith::MaximumFOp::create(n, l, e[0], e[1]);
                                            linalg::YieldOp::create(n, l, larger);
                                          });
  reduced->setAttr(kStopGradientAttr, b.getUnitAttr());
  return reduced.getResult(0);
}

Value RowBuilder::powers(Value x, Value largest, double scale) {
  return perElement({x, largest}, {both(), row()}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value difference = arith::SubFOp::create(n, l, e[0], e[1]);
    if (scale != 1)
      difference = arith::MulFOp::create(n, l, difference, constant(scale));
    return math::ExpOp::create(n, l, difference);
  });
}

static Value first(OpBuilder &, Location, ValueRange e) { return e[0]; }

namespace {

struct AddLoss : halftone::impl::AddLossBase<AddLoss> {
  using AddLossBase::AddLossBase;

  void runOnOperation() override {
    entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry || entry.getNumResults() == 0) {
      getOperation().emitError("needs a function @main with a result");
      return signalPassFailure();
    }
    if (failed(checkOptions()))
      return signalPassFailure();
    b.emplace(entry.getBody().front().getTerminator());
    Value output = entry.getBody().front().getTerminator()->getOperand(0);
    SmallVector<Value> results;
    SmallVector<std::pair<Value, Value>> blocks;
    Value taught = teacher.empty() ? Value() : inlineTeacher(blocks);
    if (kind == "mse")
      results = {meanSquare(output, taught ? taught : appendArgument(tensorType(output)))};
    else
      results = classify(output, taught);
    if (!blocks.empty())
      results[0] = addBlocks(results[0], blocks);
    setResults(results);
  }

private:
  func::FuncOp entry;
  std::optional<OpBuilder> b;

  LogicalResult checkOptions() {
    auto type = dyn_cast<RankedTensorType>(entry.getResultTypes()[0]);
    if (!type || !isa<FloatType>(type.getElementType()) || !type.hasStaticShape())
      return entry.emitError("result 0 must be a tensor of floats with a static shape, not ") << entry.getResultTypes()[0];
    if (kind != "mse" && kind != "cross-entropy")
      return entry.emitError("there is no loss '") << kind << "': it is cross-entropy or mse";
    if (kind == "cross-entropy" && type.getRank() != 2)
      return entry.emitError("cross-entropy needs logits [samples, classes], not ") << type << "; mse takes any shape";
    if (target.empty() && teacher.empty())
      return entry.emitError("needs a target (the name of a new argument) or a teacher (a function)");
    if (teacher.empty())
      return success();
    auto function = getOperation().lookupSymbol<func::FuncOp>(teacher);
    if (!function)
      return entry.emitError("there is no function @") << teacher;
    bool same = function.getNumResults() > 0 && function.getResultTypes()[0] == type &&
                function.getNumArguments() <= entry.getNumArguments() &&
                function.getArgumentTypes() == entry.getArgumentTypes().take_front(function.getNumArguments());
    return same ? success() : function.emitError("the teacher's inputs or its first output differ from @main's");
  }

  BlockArgument appendArgument(Type type) {
    unsigned index = entry.getNumArguments();
    (void)entry.insertArgument(index, type, b->getDictionaryAttr(b->getNamedAttr(kNameAttr, b->getStringAttr(target))),
                               entry.getLoc());
    return entry.getArgument(index);
  }

  /// The teacher's first result on the same inputs, and pairs of tensors of student and teacher that are to be alike; the
  /// function is erased.
  Value inlineTeacher(SmallVector<std::pair<Value, Value>> &blocks) {
    auto function = getOperation().lookupSymbol<func::FuncOp>(teacher);
    IRMapping mapping;
    mapping.map(function.getArguments(), ValueRange(entry.getArguments()).take_front(function.getNumArguments()));
    for (Operation &op : function.getBody().front().without_terminator())
      b->clone(op, mapping);
    ValueRange own = entry.getBody().front().getTerminator()->getOperands();
    ValueRange others = function.getBody().front().getTerminator()->getOperands();
    for (unsigned i = 0; i < own.size(); ++i)
      for (unsigned k = 0; k < others.size(); ++k)
        if (auto name = entry.getResultAttrOfType<StringAttr>(i, kNameAttr);
            name && name.getValue().starts_with(kBlockPrefix) && name == function.getResultAttr(k, kNameAttr))
          blocks.push_back({own[i], mapping.lookup(others[k])});
    Value result = mapping.lookup(others.front());
    function.erase();
    return result;
  }

  static Value square(OpBuilder &n, Location l, ValueRange e) { return arith::MulFOp::create(n, l, e[0], e[0]); }

  /// `factor` times the sum of the squared differences.
  Value squaredDistance(Value output, Value wanted, double factor) {
    RankedTensorType type = tensorType(output);
    RowBuilder rows(*b, entry.getLoc(), type);
    Value difference = buildElementwise(*b, entry.getLoc(), {output, wanted}, {},
                                        getAsIndexOpFoldResult(b->getContext(), type.getShape()), type.getElementType(),
                                        [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                          return arith::SubFOp::create(n, l, e[0], e[1]);
                                        });
    return rows.scaledSum(difference, factor, square);
  }

  Value meanSquare(Value output, Value wanted) {
    return squaredDistance(output, wanted, 1.0 / tensorType(output).getNumElements());
  }

  /// The loss with what the tensors within the network add to it.
  Value addBlocks(Value loss, ArrayRef<std::pair<Value, Value>> blocks) {
    for (auto [student, taught] : blocks) {
      RowBuilder rows(*b, entry.getLoc(), tensorType(taught));
      const double mean = 1.0 / tensorType(taught).getNumElements();
      Value distance = squaredDistance(student, taught, mean * blockShare / blocks.size());
      Value norm = rows.scaledSum(taught, mean, square);
      loss = buildElementwise(*b, entry.getLoc(), {loss, distance, norm}, {}, {}, rows.type.getElementType(),
                              [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                                // A teacher's tensor of zeros has no scale.
                                Value scale = arith::MaximumFOp::create(n, l, e[2], rows.constant(1e-12));
                                return arith::AddFOp::create(n, l, e[0], arith::DivFOp::create(n, l, e[1], scale));
                              });
    }
    return loss;
  }

  /// Loss, and how many samples have the label (or the teacher's class) as the largest logit.
  SmallVector<Value> classify(Value logits, Value taught) {
    RowBuilder rows(*b, entry.getLoc(), tensorType(logits));
    Value largest = rows.maximum(logits);
    Value loss, chosen;
    if (!target.empty()) {
      Value labels = appendArgument(RankedTensorType::get({rows.type.getDimSize(0)}, b->getI64Type()));
      chosen = pickLabel(rows, logits, labels);
      loss = crossEntropy(rows, logits, largest, smoothed(rows, logits, chosen), 1);
    }
    if (taught) {
      double share = target.empty() ? 1.0 : static_cast<double>(teacherShare);
      Value soft = distill(rows, logits, largest, taught);
      loss = loss ? mix(rows, loss, soft, share) : soft;
      if (!chosen)
        chosen = pickSame(rows, logits, taught);
    }
    Value right = rows.perRow({chosen, largest}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value equal = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OGE, e[0], e[1]);
      return arith::SelectOp::create(n, l, equal, rows.constant(1), rows.constant(0));
    });
    return {loss, rows.scaledSum(right, 1, first)};
  }

  /// mean of (log sum exp(scale (z - max)) + scale max - aimed / ...), `aimed` being sum_c t z.
  Value crossEntropy(RowBuilder &rows, Value logits, Value largest, Value aimed, double scale) {
    Value sums = rows.sumClasses({rows.powers(logits, largest, scale)}, {rows.both()}, first);
    Value each = rows.perRow({sums, largest, aimed}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value above = arith::SubFOp::create(n, l, e[1], e[2]);
      if (scale != 1)
        above = arith::MulFOp::create(n, l, above, rows.constant(scale));
      return arith::AddFOp::create(n, l, math::LogOp::create(n, l, e[0]), above);
    });
    return rows.scaledSum(each, 1.0 / rows.type.getDimSize(0), first);
  }

  /// z of the label.
  Value pickLabel(RowBuilder &rows, Value logits, Value labels) {
    return rows.sumClasses({labels, logits}, {rows.row(), rows.both()},
                           [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                             Value index = linalg::IndexOp::create(n, l, 1);
                             Value number = arith::IndexCastOp::create(n, l, n.getI64Type(), index);
                             Value equal = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, number, e[0]);
                             return arith::SelectOp::create(n, l, equal, e[1], rows.constant(0));
                           });
  }

  /// (1 - s) z of the label + s / C sum_c z.
  Value smoothed(RowBuilder &rows, Value logits, Value chosen) {
    if (smoothing == 0)
      return chosen;
    Value all = rows.sumClasses({logits}, {rows.both()}, first);
    return rows.perRow({chosen, all}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value label = arith::MulFOp::create(n, l, e[0], rows.constant(1 - smoothing));
      Value rest = arith::MulFOp::create(n, l, e[1], rows.constant(smoothing / rows.type.getDimSize(1)));
      return arith::AddFOp::create(n, l, label, rest);
    });
  }

  /// T^2 times the cross-entropy with the teacher's softmax, both at temperature T (Hinton et al., arXiv:1503.02531).
  Value distill(RowBuilder &rows, Value logits, Value largest, Value taught) {
    double scale = 1 / static_cast<double>(temperature);
    Value powers = rows.powers(taught, rows.maximum(taught), scale);
    Value sums = rows.sumClasses({powers}, {rows.both()}, first);
    Value aimed = rows.sumClasses({powers, sums, logits}, {rows.both(), rows.row(), rows.both()},
                                  [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                    Value share = arith::DivFOp::create(n, l, e[0], e[1]);
                                    return arith::MulFOp::create(n, l, share, e[2]);
                                  });
    Value loss = crossEntropy(rows, logits, largest, aimed, scale);
    return rows.scaledSum(loss, static_cast<double>(temperature) * static_cast<double>(temperature), first);
  }

  /// z of the teacher's class.
  Value pickSame(RowBuilder &rows, Value logits, Value taught) {
    return rows.sumClasses({taught, rows.maximum(taught), logits}, {rows.both(), rows.row(), rows.both()},
                           [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                             Value equal = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, e[0], e[1]);
                             return arith::SelectOp::create(n, l, equal, e[2], rows.constant(0));
                           });
  }

  Value mix(RowBuilder &rows, Value hard, Value soft, double share) {
    return buildElementwise(*b, entry.getLoc(), {hard, soft}, {}, {}, rows.type.getElementType(),
                            [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                              Value x = arith::MulFOp::create(n, l, e[0], rows.constant(1 - share));
                              Value y = arith::MulFOp::create(n, l, e[1], rows.constant(share));
                              return arith::AddFOp::create(n, l, x, y);
                            });
  }

  void setResults(ArrayRef<Value> results) {
    static constexpr StringLiteral kNames[] = {"loss", "correct"};
    SmallVector<Attribute> attributes;
    for (size_t i = 0; i < results.size(); ++i)
      attributes.push_back(b->getDictionaryAttr(b->getNamedAttr(kNameAttr, b->getStringAttr(kNames[i]))));
    entry.getBody().front().getTerminator()->setOperands(results);
    entry.setType(b->getFunctionType(entry.getBody().getArgumentTypes(), ValueRange(results).getTypes()));
    entry.setAllResultAttrs(attributes);
  }
};

} // namespace
