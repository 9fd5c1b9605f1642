//===- PromoteConstants.cpp - weights become arguments ----------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Training/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Regex.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_PROMOTECONSTANTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The first name in a location, or "".
static StringRef nameOf(Location loc) {
  StringRef name;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (named)
      name = named.getName().getValue();
    return named ? WalkResult::interrupt() : WalkResult::advance();
  });
  return name;
}

/// Whether the constant is computed with as it is: by a contraction, or elementwise.
static bool isWeight(arith::ConstantOp constant) {
  auto type = dyn_cast<RankedTensorType>(constant.getType());
  if (!type || !isa<FloatType>(type.getElementType()) || type.getRank() == 0)
    return false;
  return llvm::any_of(constant->getUsers(), llvm::IsaPred<linalg::LinalgOp, CompositeOp, QuantizeOp>);
}

/// The pattern of zeros that stay: that of the pruned contraction whose weights the value is, maybe behind its casts.
static Attribute prunedPattern(Value value) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (classify(user) == OpKind::Contraction && &getWeightOperand(user) == &use) {
      if (Attribute pattern = user->getAttr(kPrunedAttr))
        return pattern;
    } else if (isa<QuantizeOp, DequantizeOp>(user) || classify(user) == OpKind::Movement) {
      if (Attribute pattern = prunedPattern(user->getResult(0)))
        return pattern;
    }
  }
  return {};
}

namespace {

struct PromoteConstants : halftone::impl::PromoteConstantsBase<PromoteConstants> {
  using PromoteConstantsBase::PromoteConstantsBase;

  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    llvm::Regex chosen(only);
    if (std::string reason; !chosen.isValid(reason)) {
      getOperation().emitError("'") << only << "' is no regular expression: " << reason;
      return signalPassFailure();
    }
    llvm::StringSet<> names;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      if (auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr))
        names.insert(name.getValue());
    for (auto constant : llvm::make_early_inc_range(entry.getBody().front().getOps<arith::ConstantOp>())) {
      std::string name = uniqueName(constant, names);
      if (!isWeight(constant) || !chosen.match(name))
        continue;
      names.insert(name);
      promote(entry, constant, name);
      ++promoted;
    }
  }

  /// The name of the constant's location; where that is the name of an operation that reads it, or there is none, the
  /// reader's name with `.weight` or (rank 1) `.bias` behind it. Made unique.
  static std::string uniqueName(arith::ConstantOp constant, const llvm::StringSet<> &names) {
    std::string base = nameOf(constant.getLoc()).str(), reader;
    for (Operation *user : constant->getUsers())
      if (StringRef name = nameOf(user->getLoc()); !name.empty() && (base.empty() || name == base))
        reader = name.str();
    auto type = dyn_cast<RankedTensorType>(constant.getType());
    if (base.empty() || reader == base)
      base = reader + (type && type.getRank() == 1 ? ".bias" : ".weight");
    std::string name = base;
    for (unsigned i = 1; names.contains(name); ++i)
      name = base + "." + std::to_string(i);
    return name;
  }

  static void promote(func::FuncOp entry, arith::ConstantOp constant, StringRef name) {
    Builder builder(entry.getContext());
    NamedAttrList attributes;
    attributes.append(kNameAttr, builder.getStringAttr(name));
    attributes.append(kTrainableAttr, builder.getUnitAttr());
    attributes.append(kValueAttr, constant.getValue());
    if (Attribute pattern = prunedPattern(constant))
      attributes.append(kPrunedAttr, pattern);
    unsigned index = entry.getNumArguments();
    (void)entry.insertArgument(index, constant.getType(), attributes.getDictionary(entry.getContext()), constant.getLoc());
    constant.replaceAllUsesWith(static_cast<Value>(entry.getArgument(index)));
    constant.erase();
  }
};

} // namespace
