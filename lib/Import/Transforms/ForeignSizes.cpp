//===- ForeignSizes.cpp - the open sizes of another compiler's module -------===//
#include "halftone/Import/ForeignSizes.h"
#include "NameInterface.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Tosa/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include <set>

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

/// What --dim calls an open dimension: leading ones are the batch, another has the number of its axis behind the input's name.
static std::string dimensionName(func::FuncOp entry, BlockArgument argument, int64_t axis) {
  auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
  return axis == 0 ? kBatchName.str() : (name.getValue() + "." + Twine(axis)).str();
}

/// The names of the open dimensions.
static std::set<std::string> openDimensions(func::FuncOp entry, ArrayRef<BlockArgument> open) {
  std::set<std::string> names;
  for (BlockArgument argument : open) {
    auto type = cast<RankedTensorType>(argument.getType());
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (type.isDynamicDim(axis))
        names.insert(dimensionName(entry, argument, axis));
  }
  return names;
}

/// Each open dimension but the batch needs one size, and nothing else has one.
static LogicalResult checkSizes(func::FuncOp entry, const std::set<std::string> &open, const std::map<std::string, DimRange> &given) {
  Location loc = UnknownLoc::get(entry.getContext()); // of the file, not of a line
  std::vector<std::string> unknown, unsized;
  for (const auto &[name, range] : given)
    if (!open.count(name))
      unknown.push_back("'" + name + "'");
  for (const std::string &name : open) {
    auto size = given.find(name);
    if (name != kBatchName && (size == given.end() || size->second.low != size->second.high))
      unsized.push_back("--dim " + name + "=SIZE");
  }
  if (!unknown.empty() && open.empty())
    return emitError(loc, "no dimension of the model is open: its sizes are in its types");
  if (!unknown.empty())
    return emitError(loc, "the model has no dimension ") << llvm::join(unknown, ", ") << "; open are: " << llvm::join(open, ", ");
  if (!unsized.empty())
    return emitError(loc, "only the leading dimension may stay open; give each other one its size: ") << llvm::join(unsized, " ");
  return success();
}

static bool hasTosa(ModuleOp module) {
  return module.walk([](Operation *op) { return isa<tosa::TosaDialect>(op->getDialect()) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// The sizes of an argument that are one number.
static RankedTensorType sizedType(func::FuncOp entry, BlockArgument argument, const std::map<std::string, DimRange> &sizes) {
  auto type = cast<RankedTensorType>(argument.getType());
  SmallVector<int64_t> shape(type.getShape());
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    auto size = sizes.find(dimensionName(entry, argument, axis));
    if (ShapedType::isDynamic(extent) && size->second.low == size->second.high)
      extent = size->second.low;
  }
  return type.clone(shape);
}

/// Types that TOSA infers follow; what reads an argument otherwise has it as it was, behind a cast.
static void setTypes(func::FuncOp entry, ArrayRef<BlockArgument> open, const std::map<std::string, DimRange> &sizes, bool casts) {
  OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
  for (BlockArgument argument : open) {
    Type before = argument.getType();
    argument.setType(sizedType(entry, argument, sizes));
    if (!casts || argument.getType() == before)
      continue;
    auto cast = tensor::CastOp::create(b, entry.getLoc(), before, argument);
    argument.replaceAllUsesExcept(cast, cast);
  }
  entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(), entry.getResultTypes()));
}

/// The results as they are in front of casts that forget sizes.
static void setResultTypes(func::FuncOp entry) {
  Operation *end = entry.getBody().back().getTerminator();
  for (OpOperand &operand : end->getOpOperands())
    if (auto cast = operand.get().getDefiningOp<tensor::CastOp>()) {
      operand.set(cast.getSource());
      if (cast->use_empty())
        cast.erase();
    }
  entry.setType(FunctionType::get(entry.getContext(), entry.getBody().getArgumentTypes(), end->getOperandTypes()));
}

namespace {
/// Parts of known sizes have a sum of known size.
struct ConcatOfCasts : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ConcatOp op, PatternRewriter &rewriter) const override {
    SmallVector<Value> parts;
    for (Value part : op.getInputs()) {
      auto cast = part.getDefiningOp<tensor::CastOp>();
      parts.push_back(cast && tensor::preservesStaticInformation(cast.getType(), cast.getSource().getType()) ? cast.getSource() : part);
    }
    if (llvm::equal(parts, op.getInputs()) || llvm::any_of(parts, [](Value part) { return !isa<RankedTensorType>(part.getType()); }))
      return failure();
    RankedTensorType type = tensor::ConcatOp::inferResultType(op.getDim(), ValueRange(parts).getTypes());
    Value joined = tensor::ConcatOp::create(rewriter, op.getLoc(), type, op.getDim(), parts);
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, op.getType(), joined);
    return success();
  }
};
} // namespace

/// Canonicalization moves casts to unknown sizes down to the results, but for concatenations.
static LogicalResult moveCasts(func::FuncOp entry) {
  MLIRContext *context = entry.getContext();
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects())
    dialect->getCanonicalizationPatterns(patterns);
  for (RegisteredOperationName op : context->getRegisteredOperations())
    op.getCanonicalizationPatterns(patterns, context);
  patterns.add<ConcatOfCasts>(context);
  return applyToEnd(entry, std::move(patterns));
}

/// Gives the arguments their sizes, and all that is computed from them the types that follow.
static LogicalResult inferSizes(ModuleOp module, func::FuncOp entry, ArrayRef<BlockArgument> open, const std::map<std::string, DimRange> &sizes) {
  const bool isTosa = hasTosa(module);
  setTypes(entry, open, sizes, /*casts=*/!isTosa);
  PassManager pm(module.getContext());
  pm.addNestedPass<func::FuncOp>(tosa::createTosaInferShapesPass()); // the return is no operation of TOSA: it stays, behind casts to the old types
  if (failed(isTosa ? pm.run(module) : moveCasts(entry)))
    return failure();
  setResultTypes(entry);
  return success();
}

/// Where all sizes of the arguments are known, those of all other tensors are.
static LogicalResult checkInferred(func::FuncOp entry) {
  WalkResult walked = entry.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !tensor.hasStaticShape()) {
        op->emitOpError("has sizes that do not follow from those of the inputs: ") << type;
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

LogicalResult mlir::halftone::boundForeignSizes(ModuleOp module, const ImportOptions &options) {
  func::FuncOp entry = findEntry(module);
  module.getContext()->loadDialect<HalftoneDialect>();
  if (entry)
    nameInterface(entry);
  SmallVector<BlockArgument> open = entry ? openArguments(entry) : SmallVector<BlockArgument>();
  const std::set<std::string> names = openDimensions(entry, open);
  if (failed(checkSizes(entry, names, options.dims)))
    return failure();
  if (open.empty())
    return success();
  std::map<std::string, DimRange> sizes = options.dims;
  const bool isGiven = sizes.count(kBatchName.str());
  DimRange &batch = sizes[kBatchName.str()];
  if (options.leading)
    batch = {*options.leading, *options.leading};
  else if (!isGiven && names.count(kBatchName.str()))
    emitRemark(UnknownLoc::get(module.getContext()), "the leading dimension is set to 1; --dim ") << kBatchName << "=LOW..HIGH leaves it open";
  const bool isFixed = batch.low == batch.high;
  if ((isFixed || names.size() > 1) && failed(inferSizes(module, entry, open, sizes)))
    return failure();
  if (isFixed)
    return checkInferred(entry);
  for (BlockArgument argument : openArguments(entry)) {
    SmallVector<Attribute> dims(cast<RankedTensorType>(argument.getType()).getRank(), UnitAttr::get(module.getContext()));
    dims[0] = DimAttr::get(module.getContext(), kBatchName, batch.low, batch.high);
    entry.setArgAttr(argument.getArgNumber(), kDimsAttr, ArrayAttr::get(module.getContext(), dims));
  }
  return success();
}
