//===- AssignFormats.cpp - formats of weights, as the user asks ---------------===//
//
// The options are a rule for all contractions, before those of the recipe.
//
//===----------------------------------------------------------------------===//
#include "halftone/Precision/Passes.h"
#include "halftone/Precision/Recipe.h"
#include "halftone/Quantization/WeightFormats.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ASSIGNFORMATS
#include "halftone/Precision/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct AssignFormatsPass : halftone::impl::AssignFormatsBase<AssignFormatsPass> {
  using AssignFormatsBase::AssignFormatsBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(readRules()))
      return signalPassFailure();
    matched.clear();
    for (const RecipeRule &rule : rules)
      matched.push_back(!rule.saysFormat()); // of ranges alone: followed before
    Sandwiches sandwiches(*entry);
    for (Operation &op : entry->getBody().front().without_terminator()) {
      const Sandwich *sandwich = sandwiches.find(&op);
      if (sandwich && sandwich->anchor == &op)
        assign(sandwich->members(), sandwich->kind);
      else if (!sandwich && isCompute(&op))
        assign({&op}, classify(&op));
    }
    if (failed(checkMatched()))
      signalPassFailure();
  }

  LogicalResult readRules();
  void assign(ArrayRef<Operation *> members, OpKind kind);
  LogicalResult checkMatched();

  RecipeRule all; ///< of the options
  std::vector<RecipeRule> rules;
  std::vector<bool> matched;
};
} // namespace

LogicalResult AssignFormatsPass::readRules() {
  all = RecipeRule::forContractions(weights, granularity);
  if (std::string reason = refuseRule(all); !reason.empty())
    return getOperation().emitError(reason);
  rules.clear();
  if (recipe.empty())
    return success();
  llvm::Expected<std::vector<RecipeRule>> read = readRecipe(recipe);
  if (!read)
    return getOperation().emitError(llvm::toString(read.takeError()));
  rules = std::move(*read);
  return success();
}

static void setFormat(Operation *contraction, const RecipeRule &rule) {
  Builder builder(contraction->getContext());
  contraction->removeAttr(kWeightsAttr);
  contraction->removeAttr(kGranularityAttr);
  contraction->removeAttr(kSparsityAttr);
  contraction->removeAttr(kWithoutHessianAttr);
  if (!rule.levels.empty())
    contraction->setAttr(kWeightsAttr, builder.getDenseI8ArrayAttr(SmallVector<int8_t>(rule.levels.begin(), rule.levels.end())));
  else if (!rule.weights.empty() && rule.weights != "int8")
    contraction->setAttr(kWeightsAttr, builder.getStringAttr(rule.weights));
  if (!rule.granularity.empty() && rule.granularity != "channel")
    contraction->setAttr(kGranularityAttr, builder.getStringAttr(rule.granularity));
  if (rule.sparsity != 0)
    contraction->setAttr(kSparsityAttr, builder.getF64FloatAttr(rule.sparsity));
  if (!rule.rounding.empty())
    contraction->setAttr(kWithoutHessianAttr, builder.getUnitAttr());
}

void AssignFormatsPass::assign(ArrayRef<Operation *> members, OpKind kind) {
  bool hasWeights = kind == OpKind::Contraction && isConstant(getWeightOperand(members.front()).get());
  const RecipeRule *last = nullptr;
  for (auto [i, rule] : llvm::enumerate(rules)) {
    bool concerns = rule.saysFormat() && (hasWeights || rule.isFloat() || !rule.precision.empty());
    if (!concerns || !rule.matches(members, kind))
      continue;
    matched[i] = true;
    last = &rule;
  }
  bool byRecipe = last;
  if (!last && kind == OpKind::Table && all.isFloat())
    last = &all;
  if (!last && kind == OpKind::Contraction && (all.weights == "int8" || all.isFloat() || !keepsInt8(members.front())))
    last = &all;
  if (!last)
    return;
  Builder builder(&getContext());
  // What is to be zero is found from codes of calibrated ranges.
  if (hasWeights && (last->precision == "int8" || !last->activations.empty() || last->sparsity != 0))
    members.front()->setAttr(kPrecisionAttr, builder.getStringAttr(llvm::StringSwitch<StringRef>(last->activations)
                                                                       .Case("dynamic", kDynamicPrecision)
                                                                       .Case("float", kWeightsPrecision)
                                                                       .Default("int8")));
  if (!last->isFloat())
    return hasWeights ? setFormat(members.front(), *last), void(++assigned) : void();
  for (Operation *member : members) {
    member->setAttr(kPrecisionAttr, builder.getStringAttr("float"));
    member->setAttr(kReasonAttr, builder.getStringAttr(byRecipe ? "the recipe asks for it (" + last->describe() + ")"
                                                                : "--weights=float asks for it"));
  }
}

LogicalResult AssignFormatsPass::checkMatched() {
  std::string unmatched = listUnmatched(rules, matched);
  if (unmatched.empty())
    return success();
  return getOperation().emitError("rules of the recipe '")
         << recipe << "' match no layer that they could change: " << unmatched;
}
