//===- ExposeBlocks.cpp - what student and teacher are compared by ----------===//
//
// Tensors are found by the name of the operation that gives them, the k-th of a name in the student being the k-th in the
// teacher. Chosen automatically, they are what residual additions give; a network without has the results of its contractions.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/NamePattern.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Training/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPOSEBLOCKS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// A tensor of a function.
struct Named {
  Value value;
  Operation *source;
  StringRef name; ///< of the operation
};
using Tensors = llvm::MapVector<StringRef, Named>;
} // namespace

/// Where codes are made of a value, what its readers see.
static Value behindCasts(Value value) {
  for (Operation *user : value.getUsers())
    if (isa<QuantizeOp>(user))
      for (Operation *reader : user->getUsers())
        if (isa<DequantizeOp>(reader))
          return reader->getResult(0);
  return value;
}

/// The tensors of a function that operations give, by name and number.
static Tensors findTensors(func::FuncOp function, llvm::UniqueStringSaver &saver) {
  Tensors tensors;
  llvm::StringMap<unsigned> seen;
  for (const QuantizableValue &quantizable : getQuantizableValues(function)) {
    Operation *source = quantizable.value.getDefiningOp();
    if (!source)
      continue;
    StringRef name = saver.save(locationName(source->getLoc()));
    unsigned number = seen[name]++;
    StringRef key = number ? saver.save((name + "." + Twine(number)).str()) : name;
    if (!name.empty())
      tensors.insert({key, {behindCasts(quantizable.value), source, name}});
  }
  return tensors;
}

/// Whether an operation adds two tensors that are both computed.
static bool isResidualAddition(Operation *op) {
  auto linalg = dyn_cast<linalg::LinalgOp>(op);
  if (!linalg || llvm::count_if(linalg.getDpsInputs(), [](Value input) { return !isConstant(input); }) < 2)
    return false;
  return isa<linalg::AddOp>(op) || (isa<linalg::GenericOp>(op) && !op->getRegion(0).front().getOps<arith::AddFOp>().empty());
}

/// The tensors that are chosen without an expression.
static SmallVector<StringRef> chooseBlocks(func::FuncOp student, const Tensors &tensors) {
  Sandwiches sandwiches(student);
  SmallVector<StringRef> additions, contractions;
  for (const auto &[key, named] : tensors) {
    const Sandwich *sandwich = sandwiches.find(named.source);
    if (sandwich ? llvm::any_of(sandwich->members(), isResidualAddition) : isResidualAddition(named.source))
      additions.push_back(key);
    if (sandwich && sandwich->kind == OpKind::Contraction)
      contractions.push_back(key);
  }
  if (!additions.empty())
    return additions;
  if (!contractions.empty())
    contractions.pop_back(); // the logits, which have a loss of their own
  return contractions;
}

/// Appends values to the results of a function.
static void appendResults(func::FuncOp function, ArrayRef<std::pair<StringRef, Value>> values) {
  Operation *terminator = function.getBody().front().getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  SmallVector<Attribute> attributes;
  Builder b(function.getContext());
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    attributes.push_back(function.getResultAttrDict(i) ? function.getResultAttrDict(i) : b.getDictionaryAttr({}));
  for (auto [name, value] : values) {
    results.push_back(value);
    attributes.push_back(b.getDictionaryAttr(b.getNamedAttr(kNameAttr, b.getStringAttr(kBlockPrefix + name))));
  }
  terminator->setOperands(results);
  function.setType(b.getFunctionType(function.getArgumentTypes(), ValueRange(results).getTypes()));
  function.setAllResultAttrs(attributes);
}

namespace {

struct ExposeBlocks : halftone::impl::ExposeBlocksBase<ExposeBlocks> {
  using ExposeBlocksBase::ExposeBlocksBase;

  void runOnOperation() override {
    auto student = getOperation().lookupSymbol<func::FuncOp>("main");
    auto taught = getOperation().lookupSymbol<func::FuncOp>(teacher);
    if (!student || !taught) {
      getOperation().emitError("needs the functions @main and @") << teacher;
      return signalPassFailure();
    }
    llvm::BumpPtrAllocator memory;
    llvm::UniqueStringSaver saver(memory);
    Tensors mine = findTensors(student, saver), theirs = findTensors(taught, saver);
    FailureOr<SmallVector<StringRef>> chosen = choose(student, mine);
    if (failed(chosen))
      return signalPassFailure();
    SmallVector<std::pair<StringRef, Value>> results, wanted;
    for (StringRef key : *chosen) {
      auto found = theirs.find(key);
      if (found == theirs.end() || found->second.value.getType() != mine[key].value.getType())
        continue;
      results.push_back({key, mine[key].value});
      wanted.push_back({key, found->second.value});
    }
    if (results.empty()) {
      student.emitError("has no tensor to be compared with its teacher's: ")
          << (only.empty() ? "none behind a residual addition or a contraction" : "none whose name matches '" + only + "'")
          << " has the same name and type in both";
      return signalPassFailure();
    }
    appendResults(student, results);
    appendResults(taught, wanted);
    exposed += results.size();
  }

private:
  FailureOr<SmallVector<StringRef>> choose(func::FuncOp student, const Tensors &tensors) {
    if (only.empty())
      return chooseBlocks(student, tensors);
    llvm::Expected<NamePattern> pattern = NamePattern::compile(only);
    if (!pattern)
      return student.emitError(llvm::toString(pattern.takeError()));
    SmallVector<StringRef> keys;
    for (const auto &[key, named] : tensors)
      if (pattern->matches(named.name))
        keys.push_back(key);
    return keys;
  }
};

} // namespace
