//===- FormEntry.cpp - @main on buffers -------------------------------------===//
//
// The function boundary of the artefact: inputs are read-only buffers, results are written into buffers of the caller.
//
// Kernels of 8-bit contractions read whole steps of the reduction, and so past the end of a row: into the slack that
// halftone-plan-memory leaves behind each buffer of the arena. A caller's buffer has no slack, so they get a copy.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/InterfaceType.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FORMENTRY
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

func::FuncOp mlir::halftone::lookupEntry(ModuleOp module) {
  auto entry = module.lookupSymbol<func::FuncOp>(kEntryName);
  if (!entry || entry.isExternal()) {
    module.emitError("needs a function @") << kEntryName;
    return {};
  }
  return entry;
}

DimAttr mlir::halftone::leadingDim(func::FuncOp entry, unsigned argument) {
  auto dims = entry.getArgAttrOfType<ArrayAttr>(argument, kDimsAttr);
  return dims && !dims.empty() ? dyn_cast<DimAttr>(dims[0]) : DimAttr();
}

static LogicalResult checkShape(func::FuncOp entry, StringRef what, unsigned index, Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return entry.emitError() << what << " " << index << " is not a ranked tensor: " << type;
  if (shaped.getRank() > 0 && llvm::is_contained(shaped.getShape().drop_front(), ShapedType::kDynamic))
    return entry.emitError() << what << " " << index << " has a dynamic dimension behind the first: " << type;
  return success();
}

/// Whether a contraction's activations are 8-bit elements in the buffer of this tensor, seen through views.
static bool isReadInSteps(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.getElementType().isInteger(8))
    return false;
  return llvm::any_of(tensor.getUsers(), [&](Operation *user) {
    if (auto contract = dyn_cast<ContractOp>(user))
      return contract.getInput() == tensor;
    return isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp>(user) &&
           isReadInSteps(user->getResult(0));
  });
}

static Value createCopy(OpBuilder &builder, Value tensor) {
  Location loc = tensor.getLoc();
  Value empty = tensor::EmptyOp::create(builder, loc, tensor::getMixedSizes(builder, loc, tensor),
                                        getElementTypeOrSelf(tensor.getType()));
  return linalg::CopyOp::create(builder, loc, tensor, empty).getResult(0);
}

namespace {

struct FormEntry : halftone::impl::FormEntryBase<FormEntry> {
  void runOnOperation() override {
    func::FuncOp entry = lookupEntry(getOperation());
    if (!entry || failed(recordSignature(entry)))
      return signalPassFailure();
    convertArguments(entry);
    convertResults(entry);
  }

  /// Sets halftone.inputs, halftone.outputs and halftone.batch.
  LogicalResult recordSignature(func::FuncOp entry) {
    Builder builder(&getContext());
    SmallVector<Attribute> inputs, outputs;
    int64_t low = 1, high = 1;
    for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes())) {
      if (failed(checkShape(entry, "argument", i, type)))
        return failure();
      inputs.push_back(describe(builder, type, entry.getArgAttrDict(i), "input" + std::to_string(i)));
      if (cast<ShapedType>(type).hasStaticShape())
        continue;
      DimAttr dim = leadingDim(entry, i);
      if (!dim)
        return entry.emitError("argument ") << i << " of type " << type << " has a dynamic dimension without bounds; set "
                                            << kDimsAttr << " (for example by --dim batch=1..32)";
      bool first = high == 1 && low == 1;
      low = first ? dim.getLow() : std::max(low, dim.getLow());
      high = first ? dim.getHigh() : std::min(high, dim.getHigh());
    }
    for (auto [i, type] : llvm::enumerate(entry.getResultTypes())) {
      if (failed(checkShape(entry, "result", i, type)))
        return failure();
      outputs.push_back(describe(builder, type, entry.getResultAttrDict(i), "output" + std::to_string(i)));
    }
    getOperation()->setAttr(kInputsAttr, builder.getArrayAttr(inputs));
    getOperation()->setAttr(kOutputsAttr, builder.getArrayAttr(outputs));
    getOperation()->setAttr(kBatchAttr, builder.getDenseI64ArrayAttr({low, high}));
    return success();
  }

  static Attribute describe(Builder &builder, Type type, DictionaryAttr attributes, StringRef defaultName) {
    auto text = [&](StringRef key, StringRef otherwise) {
      auto found = attributes ? attributes.getAs<StringAttr>(key) : StringAttr();
      return found ? found : builder.getStringAttr(otherwise);
    };
    // Inside, integers have no sign; the table says how the caller's bytes are read.
    auto shaped = cast<ShapedType>(type);
    if (attributes && attributes.get(kUnsignedAttr))
      type = shaped.clone(IntegerType::get(type.getContext(), shaped.getElementTypeBitWidth(), IntegerType::Unsigned));
    return builder.getDictionaryAttr({builder.getNamedAttr("name", text(kNameAttr, defaultName)),
                                      builder.getNamedAttr("preprocess", text(kPreprocessAttr, "")),
                                      builder.getNamedAttr("type", TypeAttr::get(interfaceType(type, attributes)))});
  }

  static MemRefType bufferType(Type tensor) {
    auto shaped = cast<ShapedType>(tensor);
    return MemRefType::get(shaped.getShape(), shaped.getElementType());
  }

  static void convertArguments(func::FuncOp entry) {
    auto builder = OpBuilder::atBlockBegin(&entry.getBody().front());
    for (BlockArgument argument : entry.getArguments()) {
      auto tensor = dyn_cast<RankedTensorType>(argument.getType());
      if (!tensor)
        continue;
      argument.setType(bufferType(tensor));
      auto read = bufferization::ToTensorOp::create(builder, argument.getLoc(), tensor, argument, /*restrict=*/true);
      argument.replaceAllUsesExcept(read, read);
      if (!isReadInSteps(read))
        continue;
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : read->getUses())
        uses.push_back(&use);
      Value copy = createCopy(builder, read);
      for (OpOperand *use : uses)
        use->set(copy);
    }
  }

  static void convertResults(func::FuncOp entry) {
    auto terminator = cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    OpBuilder builder(terminator);
    SmallVector<Attribute> argAttrs;
    for (unsigned i = 0, e = entry.getNumArguments(); i < e; ++i)
      argAttrs.push_back(entry.getArgAttrDict(i) ? entry.getArgAttrDict(i) : builder.getDictionaryAttr({}));
    for (auto [i, result] : llvm::enumerate(terminator.getOperands())) {
      Value operand = isReadInSteps(result) ? createCopy(builder, result) : result;
      BlockArgument buffer = entry.getBody().addArgument(bufferType(operand.getType()), operand.getLoc());
      bufferization::MaterializeInDestinationOp::create(builder, operand.getLoc(), Type(), operand, buffer,
                                                        /*restrict=*/true, /*writable=*/true);
      argAttrs.push_back(entry.getResultAttrDict(i) ? entry.getResultAttrDict(i) : builder.getDictionaryAttr({}));
    }
    terminator->setOperands({});
    entry.setType(builder.getFunctionType(entry.getBody().getArgumentTypes(), {}));
    entry.removeResAttrsAttr();
    entry.setAllArgAttrs(argAttrs);
  }
};

} // namespace
