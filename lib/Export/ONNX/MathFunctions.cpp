//===- MathFunctions.cpp - polynomials back to the functions that they are --===//
#include "MathFunctions.h"
#include "halftone/Integer/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

/// Those that ONNX has and that are written out at import.
static constexpr StringLiteral kFunctions[] = {"math.atan", "math.cos", "math.erf", "math.exp",
                                               "math.log",  "math.sin", "math.tanh"};

/// A module with a function for each of the operations, as the import stage leaves it.
static OwningOpRef<ModuleOp> makeTemplates(MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect>();
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  Type real = builder.getF32Type();
  for (StringRef name : kFunctions) {
    builder.setInsertionPointToEnd(module->getBody());
    auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType(real, real));
    builder.setInsertionPointToStart(function.addEntryBlock());
    OperationState state(loc, name, ValueRange(function.getArguments()), real);
    func::ReturnOp::create(builder, loc, builder.create(state)->getResults());
  }
  PassManager pm(context);
  pm.addPass(createExpandMath());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  return succeeded(pm.run(*module)) ? std::move(module) : OwningOpRef<ModuleOp>();
}

namespace {
/// Compares the scalars behind a value with those of a template.
class TemplateMatcher {
public:
  /// The function's operand, or null if the value is something else.
  Value match(func::FuncOp function, Value value) {
    operand = {};
    argument = function.getArgument(0);
    matched.clear();
    return matches(function.getBody().front().getTerminator()->getOperand(0), value) ? operand : Value();
  }

private:
  bool matches(Value pattern, Value value) {
    if (auto known = matched.find(pattern); known != matched.end())
      return known->second == value;
    if (!matchesAnew(pattern, value))
      return false;
    matched[pattern] = value;
    return true;
  }

  bool matchesAnew(Value pattern, Value value) {
    if (pattern == argument) {
      if (!operand && value.getType() == pattern.getType())
        operand = value;
      return operand == value;
    }
    Attribute expected, constant;
    if (matchPattern(pattern, m_Constant(&expected)))
      return matchPattern(value, m_Constant(&constant)) && constant == expected;
    Operation *from = pattern.getDefiningOp(), *op = value.getDefiningOp();
    if (!op || op->getName() != from->getName() || op->getNumOperands() != from->getNumOperands() ||
        op->getRawDictionaryAttrs() != from->getRawDictionaryAttrs() || op->getPropertiesAsAttribute() != from->getPropertiesAsAttribute() ||
        value.getType() != pattern.getType())
      return false;
    return llvm::all_of(llvm::zip(from->getOperands(), op->getOperands()),
                        [&](auto pair) { return matches(std::get<0>(pair), std::get<1>(pair)); });
  }

  Value argument, operand;
  DenseMap<Value, Value> matched;
};
} // namespace

/// Puts the functions that one block of scalars has been written from.
static void restoreInBlock(Block &block, ModuleOp templates) {
  TemplateMatcher matcher;
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator()))
    for (auto function : templates.getOps<func::FuncOp>()) {
      Value operand = op.getNumResults() == 1 ? matcher.match(function, op.getResult(0)) : Value();
      if (!operand)
        continue;
      OpBuilder builder(&op);
      OperationState state(op.getLoc(), function.getName(), operand, operand.getType());
      op.getResult(0).replaceAllUsesWith(builder.create(state)->getResult(0));
      break;
    }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult exporter::restoreMathFunctions(ModuleOp module) {
  OwningOpRef<ModuleOp> templates = makeTemplates(module.getContext());
  if (!templates)
    return failure();
  module.walk([&](linalg::GenericOp op) { restoreInBlock(*op.getBody(), *templates); });
  return success();
}
