//===- FoldConstants.cpp - what is computed from constants is one -----------===//
//
// The evaluator computes it, with the functions written out as for the compiled model, so that the bits are those that the model would have
// computed when it runs. Values that are larger than the constants behind them (fills, broadcasts) stay operations.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Import/Passes.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The evaluator takes some ten nanoseconds for each scalar operation: what takes longer than seconds runs with the model.
static constexpr int64_t kMaxIterations = int64_t(1) << 27;

/// The values that an operation reads, those of its regions included.
static SetVector<Value> readValues(Operation &op) {
  SetVector<Value> values(op.getOperands().begin(), op.getOperands().end());
  getUsedValuesDefinedAbove(op.getRegions(), values);
  return values;
}

static bool isFill(Operation &op) { return isa<tensor::EmptyOp, linalg::FillOp>(op); }

/// Whether its bodies only compute: no assertions of other front ends, for example.
static bool onlyComputes(Operation &op) {
  return !op.walk([](Operation *inner) {
               bool known = isa<arith::ArithDialect, linalg::LinalgDialect, math::MathDialect, tensor::TensorDialect>(inner->getDialect());
               return known || isa<CompositeOp, YieldOp>(inner) ? WalkResult::advance() : WalkResult::interrupt();
             }).wasInterrupted();
}

/// Whether the operation is one of those that the import stage computes with, of a static result and not too long.
static bool isComputation(Operation &op) {
  if (!isa<linalg::LinalgOp, tensor::CollapseShapeOp, tensor::ConcatOp, tensor::EmptyOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp, tensor::PadOp,
           CompositeOp>(op) ||
      op.getNumResults() != 1 || !onlyComputes(op))
    return false;
  auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
  if (!type || !type.hasStaticShape() || !(type.getElementType().isF32() || isa<IntegerType>(type.getElementType())))
    return false;
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  return !structured || ShapedType::getNumElements(structured.getStaticLoopRanges()) <= kMaxIterations;
}

namespace {
/// What of a function's body is computed from constants alone.
class ConstantSlices {
public:
  explicit ConstantSlices(func::FuncOp function) : function(function) {
    for (Operation &op : function.getBody().front())
      classify(op);
  }

  /// Values that are computed from constants, for operations that are not.
  SmallVector<Value> findRoots();
  /// A module with a function without arguments that returns the roots.
  OwningOpRef<ModuleOp> extract(ArrayRef<Value> roots);

private:
  void classify(Operation &op);

  func::FuncOp function;
  llvm::MapVector<Value, int64_t> sizes; ///< of what depends on constants alone: elements of the largest constant behind it
};
} // namespace

void ConstantSlices::classify(Operation &op) {
  if (isa<arith::ConstantOp>(op)) {
    auto attribute = dyn_cast<ElementsAttr>(cast<arith::ConstantOp>(op).getValue());
    sizes[op.getResult(0)] = !attribute ? 0 : attribute.isSplat() ? 1 : attribute.getNumElements();
    return;
  }
  if (!isComputation(op))
    return;
  int64_t largest = 0;
  for (Value value : readValues(op)) {
    auto known = sizes.find(value);
    if (known == sizes.end())
      return;
    largest = std::max(largest, known->second);
  }
  if (isFill(op) || cast<RankedTensorType>(op.getResult(0).getType()).getNumElements() <= largest)
    sizes[op.getResult(0)] = largest;
}

SmallVector<Value> ConstantSlices::findRoots() {
  SmallVector<Value> roots;
  for (auto [value, size] : sizes) {
    Operation *op = value.getDefiningOp();
    auto computesOn = [&](Operation *user) {
      Operation *top = function.getBody().front().findAncestorOpInBlock(*user);
      return top->getNumResults() == 1 && sizes.contains(top->getResult(0));
    };
    if (!isa<arith::ConstantOp>(op) && !isFill(*op) && !llvm::all_of(value.getUsers(), computesOn))
      roots.push_back(value);
  }
  return roots;
}

OwningOpRef<ModuleOp> ConstantSlices::extract(ArrayRef<Value> roots) {
  llvm::SetVector<Operation *> needed;
  SmallVector<Value> open(roots);
  while (!open.empty()) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (needed.insert(op))
      llvm::append_range(open, readValues(*op));
  }
  OpBuilder builder(function.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(function.getLoc());
  builder.setInsertionPointToEnd(module->getBody());
  auto made = func::FuncOp::create(builder, function.getLoc(), "constants", builder.getFunctionType({}, ValueRange(roots).getTypes()));
  builder.setInsertionPointToStart(made.addEntryBlock());
  IRMapping copies;
  for (Operation &op : function.getBody().front())
    if (needed.contains(&op))
      builder.clone(op, copies);
  func::ReturnOp::create(builder, function.getLoc(), llvm::map_to_vector(roots, [&](Value root) { return copies.lookup(root); }));
  return module;
}

/// Writes functions out as the model would compute them.
static LogicalResult expandMath(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createExpandMath());
  return pm.run(module);
}

static FailureOr<unsigned> foldConstants(func::FuncOp function) {
  ConstantSlices slices(function);
  SmallVector<Value> roots = slices.findRoots();
  if (roots.empty())
    return 0u;
  OwningOpRef<ModuleOp> module = slices.extract(roots);
  if (failed(expandMath(*module)))
    return failure();
  FailureOr<SmallVector<HostTensor>> results = evaluate(*module->getOps<func::FuncOp>().begin(), {});
  if (failed(results))
    return failure();
  for (auto [root, result] : llvm::zip_equal(roots, *results)) {
    OpBuilder builder(root.getDefiningOp());
    ElementsAttr attribute = makeConstant(cast<RankedTensorType>(root.getType()), ArrayRef<char>(result.bytes), "constant");
    root.replaceAllUsesWith(arith::ConstantOp::create(builder, root.getLoc(), attribute));
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  return roots.size();
}

namespace {
struct FoldConstants : halftone::impl::FoldConstantsBase<FoldConstants> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!llvm::hasSingleElement(function.getBody()))
        continue;
      FailureOr<unsigned> count = foldConstants(function);
      if (failed(count))
        return signalPassFailure();
      folded += *count;
    }
  }
};
} // namespace
