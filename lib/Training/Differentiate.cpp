//===- Differentiate.cpp - reverse-mode differentiation ---------------------===//
#include "Adjoints.h"
#include "TensorBuilding.h"
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool isRealTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

/// The values of floats that depend on trained arguments.
static DenseSet<Value> findActive(func::FuncOp entry, ArrayRef<BlockArgument> trained) {
  DenseSet<Value> active(trained.begin(), trained.end());
  for (Operation &op : entry.getBody().front())
    if (!op.hasAttr(kStopGradientAttr) && llvm::any_of(op.getOperands(), [&](Value v) { return active.contains(v); }))
      for (Value result : op.getResults())
        if (isRealTensor(result.getType()))
          active.insert(result);
  return active;
}

static LogicalResult differentiateOperation(Adjoints &adjoints, Operation *op, Value dy) {
  bool known = false;
  for (auto rule : {differentiateContraction, differentiateWindow, differentiateMovement, differentiateStructured}) {
    LogicalResult result = rule(adjoints, op, dy, known);
    if (known)
      return succeeded(result) ? success() : failure();
  }
  return op->emitError("'") << op->getName() << "' has no derivative";
}

namespace {

struct Differentiate : halftone::impl::DifferentiateBase<Differentiate> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    SmallVector<BlockArgument> trained;
    for (BlockArgument argument : entry.getArguments())
      if (entry.getArgAttr(argument.getArgNumber(), kTrainableAttr))
        trained.push_back(argument);
    if (failed(check(entry, trained)) || failed(differentiate(entry, trained)))
      signalPassFailure();
  }

private:
  static LogicalResult check(func::FuncOp entry, ArrayRef<BlockArgument> trained) {
    if (trained.empty())
      return entry.emitError("has no argument with ") << kTrainableAttr << "; run halftone-promote-constants";
    for (BlockArgument argument : trained)
      if (!isRealTensor(argument.getType()))
        return entry.emitError("argument ") << argument.getArgNumber() << " is trained, but is no tensor of floats";
    auto loss = entry.getNumResults() ? dyn_cast<RankedTensorType>(entry.getResultTypes()[0]) : RankedTensorType();
    if (!loss || loss.getRank() != 0 || !isRealTensor(loss))
      return entry.emitError("the first result must be one float, tensor<f32>: the loss (halftone-add-loss makes it)");
    LogicalResult result = success();
    entry.walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        if (auto shaped = dyn_cast<ShapedType>(type); shaped && !shaped.hasStaticShape())
          result = op->emitError("has a dynamic shape: gradients are cut into parts by shape; fix the batch");
    });
    return result;
  }

  LogicalResult differentiate(func::FuncOp entry, ArrayRef<BlockArgument> trained) {
    Operation *terminator = entry.getBody().front().getTerminator();
    OpBuilder b(terminator);
    Adjoints adjoints(b, findActive(entry, trained));
    Value loss = terminator->getOperand(0);
    SmallVector<Operation *> forward;
    for (Operation &op : entry.getBody().front().without_terminator())
      forward.push_back(&op);
    adjoints.add(loss.getLoc(), loss, buildConstant(b, loss.getLoc(), tensorType(loss), {1.0}));
    LogicalResult result = success();
    for (Operation *op : llvm::reverse(forward)) {
      Value dy = op->getNumResults() == 1 ? adjoints.get(op->getResult(0)) : Value();
      if (!dy)
        continue;
      if (failed(differentiateOperation(adjoints, op, dy)))
        result = failure(); // go on, to name all of them
      ++differentiated;
    }
    if (succeeded(result))
      appendGradients(entry, trained, adjoints);
    return result;
  }

  static void appendGradients(func::FuncOp entry, ArrayRef<BlockArgument> trained, Adjoints &adjoints) {
    Operation *terminator = entry.getBody().front().getTerminator();
    SmallVector<Attribute> attributes;
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      attributes.push_back(entry.getResultAttrDict(i) ? entry.getResultAttrDict(i) : adjoints.b.getDictionaryAttr({}));
    SmallVector<Value> results(terminator->getOperands());
    for (BlockArgument argument : trained) {
      Value gradient = adjoints.get(argument);
      if (!gradient)
        gradient = buildZeros(adjoints.b, argument.getLoc(), tensorType(argument));
      results.push_back(gradient);
      auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
      std::string text = (name ? name.str() : "argument" + std::to_string(argument.getArgNumber())) + ".gradient";
      attributes.push_back(adjoints.b.getDictionaryAttr(
          adjoints.b.getNamedAttr(kNameAttr, adjoints.b.getStringAttr(text))));
    }
    terminator->setOperands(results);
    entry.setType(adjoints.b.getFunctionType(entry.getArgumentTypes(), ValueRange(results).getTypes()));
    entry.setAllResultAttrs(attributes);
  }
};

} // namespace
