//===- SelectPrecision.cpp - int8 or float for every operation --------------===//
//
// Forwards, a unit (a sandwich, a concatenation, a max pool, any other operation) is refused if it has no integer form
// or its operands have no range; elementwise units also if an operand is made as floats, as in a normalization: to round
// it first would cost time and accuracy, and so are chains of elementwise units behind contractions whose values nothing else reads. Backwards, units whose
// codes nobody would read are refused too. A contraction stays int8 then, but its result is floats, and what of its tail is computed in floats reads
// floats.
//
//===----------------------------------------------------------------------===//
#include "Logarithms.h"
#include "SteepFunctions.h"
#include "halftone/Analysis/NamePattern.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "halftone/Precision/Passes.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Support/Constants.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_SELECTPRECISION
#include "halftone/Precision/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The names of the kinds that a precision is selected for.
static SmallVector<StringRef> allKinds() {
  SmallVector<StringRef> names;
  for (OpKind kind : {OpKind::Contraction, OpKind::MaxPool, OpKind::AveragePool, OpKind::Elementwise, OpKind::Unary, OpKind::Concat, OpKind::Table,
                      OpKind::Other})
    names.push_back(kindName(kind));
  return names;
}

static bool matchesKind(const NamePattern &pattern) {
  return llvm::any_of(allKinds(), [&](StringRef name) { return pattern.matches(name); });
}

static constexpr StringLiteral kUsedInFloat = "its result is used in float only";

/// The share of a model's multiply-accumulates that may be floats because of logarithms behind them, and because of steep functions: floats take up to
/// four times the time of int8, a third of them then twice that of the model.
static constexpr double kShareOfFloats = 1.0 / 3;

/// Whether all elements of the constant are numbers: a mask's table has rows of -inf.
static bool isFinite(Value constant) {
  std::optional<std::vector<float>> elements = getConstantElements<float>(constant);
  return !elements || llvm::all_of(*elements, [](float element) { return std::isfinite(element); });
}

/// Kinds that are worth codes whoever reads the result.
static bool hasWeights(OpKind kind) { return kind == OpKind::Contraction || kind == OpKind::Table; }

namespace {
/// What is assigned as one.
struct Unit {
  OpKind kind;
  SmallVector<Operation *> members;
  SmallVector<Value> operands; ///< activations from outside
  unsigned integers;           ///< how many members a contraction with a result in floats computes from codes
  std::string reason;          ///< why it stays float; empty: int8
  bool inChain = false;        ///< an elementwise operation that reads only values of chains
  bool feedsChain = false;     ///< all readers of the result are in chains
  bool givesCodes = true;      ///< of int8: whether the result is rounded
  std::string steepness;       ///< why codes are too coarse for its function, or for those behind it

  bool isPointwise() const { return kind == OpKind::Elementwise || kind == OpKind::Unary; }
  Operation *first() const { return members.front(); }
  Value result() const { return members.back()->getResult(0); }
};

struct SelectPrecisionPass : halftone::impl::SelectPrecisionBase<SelectPrecisionPass> {
  using SelectPrecisionBase::SelectPrecisionBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(compileFloatOps()))
      return signalPassFailure();
    collectUnits(*entry);
    if (failed(checkAllUsed()))
      return signalPassFailure();
    findChains();
    if (activations != Activations::Float)
      beforeLogarithms = findBeforeLogarithms(*entry, kShareOfFloats);
    if (activationsOfOthers() == Activations::Int8)
      findSteep();
    for (Unit &unit : units)
      unit.reason = refuse(unit);
    for (Unit &unit : llvm::reverse(units)) {
      unit.givesCodes = readsCodes(unit) && unit.kind != OpKind::Table && feedsInt8(unit.result());
      if (unit.reason.empty() && !hasWeights(unit.kind) && !unit.givesCodes)
        unit.reason = kUsedInFloat;
    }
    for (Unit &unit : units)
      assign(unit);
  }

  LogicalResult compileFloatOps() {
    patterns.clear();
    for (const std::string &text : floatOps) {
      bool byKind = StringRef(text).starts_with("kind:");
      llvm::Expected<NamePattern> names = NamePattern::compile(StringRef(text).drop_front(byKind ? 5 : 0), text);
      if (!names)
        return getOperation().emitError("float-ops ") << llvm::toString(names.takeError());
      if (byKind && !matchesKind(*names))
        return getOperation().emitError("float-ops '") << text << "' is no kind of operation: " << llvm::join(allKinds(), ", ");
      patterns.push_back({byKind, text, std::move(*names)});
    }
    return success();
  }

  void collectUnits(func::FuncOp entry);
  LogicalResult checkAllUsed();
  std::string refuse(const Unit &unit);
  std::string matchFloatOps(const Unit &unit);
  std::string findFloatOperand(const Unit &unit);
  void findSteep();
  bool feedsSteepOnly(Value value);
  void findChains();
  bool feedsChainOnly(Value value);
  bool feedsInt8(Value value);
  bool readsCodes(OpOperand &use);
  /// What is not said by layer; what "auto" chose was said before (halftone-choose-activations).
  Activations activationsOfOthers() const { return activations == Activations::Automatic ? Activations::Int8 : activations; }
  Activations activationsOf(const Unit &unit) const;
  bool readsCodes(const Unit &unit) const { return unit.reason.empty() && activationsOf(unit) == Activations::Int8; }
  bool givesFloats(const Unit &unit) const { return !readsCodes(unit) || unit.kind == OpKind::Table; }
  void assign(const Unit &unit);
  void setPrecision(Operation *op, StringRef precision, StringRef reason);

  struct Pattern {
    bool byKind;
    std::string text;
    NamePattern names;

    bool matches(const Unit &unit) const {
      return llvm::any_of(unit.members, [&](Operation *member) {
        return names.matches(byKind ? kindName(unit.kind).str() : locationName(member->getLoc()));
      });
    }
  };
  std::vector<Pattern> patterns;
  std::vector<Unit> units;
  llvm::DenseMap<Operation *, unsigned> unitOf;
  llvm::DenseSet<Operation *> beforeLogarithms;
};
} // namespace

void SelectPrecisionPass::collectUnits(func::FuncOp entry) {
  units.clear();
  unitOf.clear();
  Sandwiches sandwiches(entry);
  for (Operation &op : entry.getBody().front().without_terminator()) {
    OpKind kind = classify(&op);
    const Sandwich *sandwich = sandwiches.find(&op);
    // A sandwich stands where its last operation stands: all its operands are assigned before it.
    if (sandwich ? sandwich->last() != &op : !isCompute(&op))
      continue;
    Unit unit{sandwich ? sandwich->kind : kind, {&op}, {}, 1, ""};
    if (sandwich) {
      unit.members = sandwich->members();
      unit.integers = unit.members.size() - (sandwich->kind == OpKind::Contraction ? sandwich->floatTail().size() : 0);
      for (OpOperand *operand : sandwich->activations())
        unit.operands.push_back(operand->get());
    } else if (kind == OpKind::MaxPool) {
      unit.operands = {op.getOperand(0)};
    } else {
      unit.operands = llvm::to_vector(op.getOperands());
    }
    for (Operation *member : unit.members)
      unitOf[member] = units.size();
    units.push_back(std::move(unit));
  }
}

/// The name of an operation for a reader: a composite's name, else the operation's.
static StringRef describe(Operation *op) {
  if (auto composite = dyn_cast<CompositeOp>(op))
    return composite.getName();
  return op->getName().getStringRef();
}

std::string SelectPrecisionPass::matchFloatOps(const Unit &unit) {
  for (const Pattern &pattern : patterns)
    if (pattern.matches(unit))
      return "float-ops '" + pattern.text + "' asks for it";
  return "";
}

/// Patterns that nothing matches are mistakes: the user believes that something stays float.
LogicalResult SelectPrecisionPass::checkAllUsed() {
  SmallVector<StringRef> idle;
  for (const Pattern &pattern : patterns)
    if (llvm::none_of(units, [&](const Unit &unit) { return pattern.matches(unit); }))
      idle.push_back(pattern.text);
  if (idle.empty())
    return success();
  std::vector<std::string> names;
  for (const Unit &unit : units)
    names.push_back(locationName(unit.first()->getLoc()));
  return getOperation().emitError("float-ops: no operation matches '")
         << llvm::join(idle, "', '") << "'; there are " << listNames(names);
}

/// Why an operation of the unit is float already: halftone-assign-formats was told so.
static std::string findAssigned(const Unit &unit) {
  for (Operation *member : unit.members) {
    auto precision = member->getAttrOfType<StringAttr>(kPrecisionAttr);
    auto reason = member->getAttrOfType<StringAttr>(kReasonAttr);
    if (reason && precision && precision.getValue() == "float")
      return reason.str();
  }
  return "";
}

/// What halftone-assign-formats or halftone-choose-activations said of a contraction, else what the option says.
Activations SelectPrecisionPass::activationsOf(const Unit &unit) const {
  auto assigned = unit.first()->getAttrOfType<StringAttr>(kPrecisionAttr);
  if (unit.kind != OpKind::Contraction || !assigned)
    return activationsOfOthers();
  return llvm::StringSwitch<Activations>(assigned.getValue())
      .Case(kDynamicPrecision, Activations::Dynamic)
      .Case(kWeightsPrecision, Activations::Float)
      .Default(activationsOfOthers());
}

std::string SelectPrecisionPass::refuse(const Unit &unit) {
  if (unit.kind == OpKind::Other)
    return (describe(unit.first()) + " has no integer form").str();
  if (std::string reason = findAssigned(unit); !reason.empty())
    return reason;
  if (std::string reason = matchFloatOps(unit); !reason.empty())
    return reason;
  if (beforeLogarithms.contains(unit.first()) && !isInt8(unit.first()))
    return "a logarithm behind it shows the rounding of small values";
  if (!unit.steepness.empty() && !isInt8(unit.first()))
    return unit.steepness;
  const bool isProduct = isa<linalg::BatchMatmulOp>(unit.first()); // of two activations
  if (unit.kind == OpKind::Contraction && !isProduct && !isConstant(getWeightOperand(unit.first()).get()))
    return "its weights are not constant";
  if (unit.kind == OpKind::Table)
    return isFinite(cast<CompositeOp>(unit.first()).getInputs()[0]) ? "" : "its table has NaN or infinite elements";
  if (activationsOf(unit) != Activations::Int8)
    return unit.kind == OpKind::Contraction && !isProduct ? "" : "activations are floats";
  if (std::string reason = findFloatOperand(unit); !reason.empty())
    return reason;
  for (Value operand : unit.operands)
    if (!getRange(traceRoot(operand)))
      return "an operand has no calibrated range";
  if (unit.kind != OpKind::Contraction && unit.kind != OpKind::MaxPool && !getRange(unit.result()))
    return "its result has no calibrated range";
  return "";
}

//===----------------------------------------------------------------------===//
// Steep functions
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kBehind = "its result are too coarse for the function behind it";

/// Why codes are too coarse for a function among the unit's members, or "".
static std::string findSteepness(const Unit &unit) {
  for (Operation *member : unit.members) {
    std::optional<double> decibels = classify(member) == OpKind::Unary ? measureRoundedOperand(member) : std::nullopt;
    if (decibels && *decibels < kLeastOfRoundedOperand)
      return llvm::formatv("codes of {0} ({1:f1} dB)", member == unit.first() ? "what it reads are too coarse for its function" : kBehind, *decibels);
  }
  return "";
}

/// Whether the value has readers, and all of them, maybe behind movement, are steep or stand in front of what is.
bool SelectPrecisionPass::feedsSteepOnly(Value value) {
  return !value.use_empty() && llvm::all_of(value.getUsers(), [&](Operation *user) {
    auto found = unitOf.find(user);
    if (found == unitOf.end())
      return classify(user) == OpKind::Movement && feedsSteepOnly(user->getResult(0));
    return !units[found->second].steepness.empty();
  });
}

/// Users are decided before what they read. Contractions are float if together they have at most a share of the multiply-accumulates.
void SelectPrecisionPass::findSteep() {
  int64_t steep = 0, all = 0;
  for (Unit &unit : llvm::reverse(units)) {
    auto structured = dyn_cast<linalg::LinalgOp>(unit.first());
    const int64_t count = unit.kind == OpKind::Contraction && structured ? countMultiplyAccumulates(structured) : 0;
    all += count;
    unit.steepness = findSteepness(unit);
    if (unit.steepness.empty() && (unit.isPointwise() || unit.kind == OpKind::Contraction || unit.kind == OpKind::Concat) && feedsSteepOnly(unit.result()))
      unit.steepness = ("codes of " + kBehind).str();
    steep += unit.steepness.empty() ? 0 : count;
  }
  if (double(steep) > kShareOfFloats * double(all))
    for (Unit &unit : units)
      if (unit.kind == OpKind::Contraction)
        unit.steepness.clear();
}

//===----------------------------------------------------------------------===//
// Chains
//===----------------------------------------------------------------------===//

/// Whether the value has readers, and all of them, maybe behind movement, are in chains.
bool SelectPrecisionPass::feedsChainOnly(Value value) {
  return !value.use_empty() && llvm::all_of(value.getUsers(), [&](Operation *user) {
    auto found = unitOf.find(user);
    if (found == unitOf.end())
      return classify(user) == OpKind::Movement && feedsChainOnly(user->getResult(0));
    return units[found->second].inChain;
  });
}

/// The greatest set of elementwise units each of which reads nothing but results of contractions and of such units that nothing else reads.
void SelectPrecisionPass::findChains() {
  for (Unit &unit : units) {
    unit.inChain = unit.isPointwise();
    unit.feedsChain = unit.inChain || unit.kind == OpKind::Contraction;
  }
  auto readsChain = [&](Value operand) {
    auto found = unitOf.find(traceRoot(operand).getDefiningOp());
    return found != unitOf.end() && units[found->second].feedsChain;
  };
  for (bool changed = activationsOfOthers() == Activations::Int8; changed;) {
    changed = false;
    for (Unit &unit : llvm::reverse(units)) {
      const bool in = unit.inChain && llvm::all_of(unit.operands, readsChain);
      const bool feeds = unit.feedsChain && (in || !unit.isPointwise()) && feedsChainOnly(unit.result());
      changed |= feeds != unit.feedsChain || in != unit.inChain;
      unit.feedsChain = feeds;
      unit.inChain = in;
    }
  }
}

/// Why an elementwise unit has an operand that is made as floats.
std::string SelectPrecisionPass::findFloatOperand(const Unit &unit) {
  if (!unit.isPointwise())
    return "";
  for (Value operand : unit.operands) {
    auto found = unitOf.find(traceRoot(operand).getDefiningOp());
    if (found == unitOf.end())
      continue;
    const Unit &source = units[found->second];
    // The end of a chain is rounded for who reads codes; then they are there for all.
    if (unit.inChain ? source.feedsChain : givesFloats(source) && !source.inChain)
      return "it computes from floats, of '" + locationName(source.first()->getLoc()) + "'";
  }
  return "";
}

bool SelectPrecisionPass::feedsInt8(Value value) {
  return llvm::any_of(value.getUses(), [&](OpOperand &use) { return readsCodes(use); });
}

/// Whether the use reads codes, maybe behind movement. Users are decided before what they read.
bool SelectPrecisionPass::readsCodes(OpOperand &use) {
  Operation *user = use.getOwner();
  auto found = unitOf.find(user);
  if (found == unitOf.end())
    return classify(user) == OpKind::Movement && feedsInt8(user->getResult(0));
  const Unit &unit = units[found->second];
  bool inFloatTail = !llvm::is_contained(ArrayRef(unit.members).take_front(unit.integers), user);
  return readsCodes(unit) && (!inFloatTail || unit.givesCodes);
}

void SelectPrecisionPass::assign(const Unit &unit) {
  bool int8 = unit.reason.empty();
  const Activations reads = activationsOf(unit);
  // A table reads no activations, whatever the others' are.
  StringRef quantized = reads == Activations::Float || unit.kind == OpKind::Table ? StringRef(kWeightsPrecision)
                        : reads == Activations::Dynamic                           ? StringRef(kDynamicPrecision)
                                                                                  : StringRef("int8");
  StringRef behind = reads == Activations::Int8 ? StringRef(kUsedInFloat) : StringRef("activations are floats");
  for (auto [i, member] : llvm::enumerate(unit.members)) {
    bool inFloatTail = int8 && !unit.givesCodes && i >= unit.integers;
    setPrecision(member, int8 && !inFloatTail ? quantized : "float", inFloatTail ? behind : StringRef(unit.reason));
  }
}

void SelectPrecisionPass::setPrecision(Operation *op, StringRef precision, StringRef reason) {
  halftone::setPrecision(op, precision, reason);
  const bool isFloat = precision == "float";
  ++(isFloat ? floatOpsLeft : int8Ops);
  if (isFloat)
    for (StringRef name : {StringRef(kWeightsAttr), StringRef(kGranularityAttr), StringRef(kSparsityAttr), StringRef(kWithoutHessianAttr)})
      op->removeAttr(name);
}
