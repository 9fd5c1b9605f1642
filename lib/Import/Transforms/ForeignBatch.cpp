//===- ForeignBatch.cpp - the open batch of another compiler's module -------===//
#include "halftone/Import/ForeignBatch.h"
#include "halftone/Analysis/BatchSize.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Tosa/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::halftone;

/// The one public function, as halftone-name-interface looks for it; null if there is another number of them.
static func::FuncOp findEntry(ModuleOp module) {
  func::FuncOp found;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic())
      continue;
    if (found)
      return {};
    found = function;
  }
  return found && !found.isExternal() ? found : func::FuncOp();
}

/// The arguments with a `?` that nothing bounds.
static SmallVector<BlockArgument> openArguments(func::FuncOp entry) {
  return llvm::filter_to_vector(entry.getArguments(), [&](BlockArgument argument) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    return type && !type.hasStaticShape() && !entry.getArgAttr(argument.getArgNumber(), kDimsAttr);
  });
}

static LogicalResult checkOpen(func::FuncOp entry, ArrayRef<BlockArgument> open) {
  std::string others;
  for (BlockArgument argument : open) {
    auto type = cast<RankedTensorType>(argument.getType());
    for (int64_t d = 1; d < type.getRank(); ++d)
      if (type.isDynamicDim(d))
        others += (others.empty() ? "" : ", ") + std::to_string(d) + " of argument " + std::to_string(argument.getArgNumber());
  }
  if (others.empty())
    return success();
  return emitError(UnknownLoc::get(entry.getContext()), "only the leading dimension may be open; export the model with a size for dimension ") << others;
}

static bool hasTosa(ModuleOp module) {
  return module.walk([](Operation *op) { return isa<tosa::TosaDialect>(op->getDialect()) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// Gives the arguments their size, and all that is computed from them the types that follow.
static LogicalResult inferSizes(ModuleOp module, func::FuncOp entry, ArrayRef<BlockArgument> open, int64_t size) {
  for (BlockArgument argument : open) {
    auto type = cast<RankedTensorType>(argument.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = size;
    argument.setType(type.clone(shape));
  }
  // The return is no operation of TOSA: the pass leaves it as it is, behind casts to the old types.
  PassManager pm(module.getContext());
  pm.addNestedPass<func::FuncOp>(tosa::createTosaInferShapesPass());
  entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(), entry.getResultTypes()));
  if (failed(pm.run(module)))
    return failure();
  Operation *end = entry.getBody().back().getTerminator();
  for (OpOperand &operand : end->getOpOperands())
    if (auto cast = operand.get().getDefiningOp<tensor::CastOp>())
      operand.set(cast.getSource());
  entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(), end->getOperandTypes()));
  return success();
}

LogicalResult mlir::halftone::boundForeignBatch(ModuleOp module, const ImportOptions &options) {
  Location loc = UnknownLoc::get(module.getContext()); // of the file, not of a line
  for (auto &[name, range] : options.dims)
    if (name != kBatchName)
      return emitError(loc, "the model has no dimension '") << name << "': in a module of MLIR the leading one of its arguments, where it is open, is '"
                                                              << kBatchName << "'";
  func::FuncOp entry = findEntry(module);
  SmallVector<BlockArgument> open = entry ? openArguments(entry) : SmallVector<BlockArgument>();
  if (open.empty())
    return options.dims.empty() ? success() : emitError(loc, "no leading dimension of the model is open: its sizes are in its types");
  if (failed(checkOpen(entry, open)))
    return failure();
  auto given = options.dims.find(kBatchName.str());
  DimRange range = given == options.dims.end() ? DimRange() : given->second;
  if (options.leading)
    range = {*options.leading, *options.leading};
  else if (given == options.dims.end())
    emitRemark(loc, "the leading dimension is set to 1; --dim ") << kBatchName << "=LOW..HIGH leaves it open";
  if (range.low == range.high && hasTosa(module))
    return inferSizes(module, entry, open, range.low);
  module.getContext()->loadDialect<HalftoneDialect>();
  for (BlockArgument argument : open) {
    SmallVector<Attribute> dims(cast<RankedTensorType>(argument.getType()).getRank(), UnitAttr::get(module.getContext()));
    dims[0] = DimAttr::get(module.getContext(), kBatchName, range.low, range.high);
    entry.setArgAttr(argument.getArgNumber(), kDimsAttr, ArrayAttr::get(module.getContext(), dims));
  }
  return success();
}

LogicalResult mlir::halftone::fixForeignBatch(ModuleOp module) {
  func::FuncOp entry = findEntry(module);
  if (!entry || entry.getNumArguments() == 0)
    return success();
  auto dims = entry.getArgAttrOfType<ArrayAttr>(0, kDimsAttr);
  auto leading = dims && !dims.empty() ? dyn_cast<DimAttr>(dims[0]) : DimAttr();
  return leading && leading.getLow() == leading.getHigh() ? setBatchSize(entry, leading.getLow()) : success();
}
