//===- ShareLayers.cpp - one function for layers that are the same ----------===//
//
// Each layer that may be shared is cloned into a function on buffers without offsets; where an earlier layer of its name has an equal one, both
// become calls of that.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/LayerInfo.h"
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Codegen/RunFunction.h"
#include "halftone/Codegen/VectorEmission.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SHARELAYERS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The type of a buffer that begins at its first element: dense where its elements are. Null if something of it is dynamic.
static MemRefType withoutOffset(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  std::optional<SmallVector<int64_t>> strides = buffer && buffer.hasStaticShape() ? staticStrides(buffer) : std::nullopt;
  if (!strides)
    return {};
  auto dense = MemRefType::get(buffer.getShape(), buffer.getElementType());
  return *strides == *staticStrides(dense) ? dense : MemRefType::Builder(buffer).setLayout(StridedLayoutAttr::get(type.getContext(), 0, *strides));
}

/// An observer's row as a part of its buffers, so that observers differ in their operands only.
static void takeRow(ObserveOp op) {
  OpBuilder b(op);
  for (OpOperand *operand : {&op.getCountsMutable(), &op.getExtremaMutable()}) {
    auto type = cast<MemRefType>(operand->get().getType());
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(op.getIndex()), b.getIndexAttr(0)}, strides(2, b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), b.getIndexAttr(type.getDimSize(1))};
    operand->set(memref::SubViewOp::create(b, op.getLoc(), operand->get(), offsets, sizes, strides));
  }
  op.setIndex(0);
}

namespace {

/// The layers that one function computes.
struct Shared {
  func::FuncOp function;
  SmallVector<Operation *> layers;
};

struct ShareLayers : halftone::impl::ShareLayersBase<ShareLayers> {
  void runOnOperation() override {
    func::FuncOp entry = lookupEntry(getOperation());
    if (!entry)
      return signalPassFailure();
    count = 0;
    llvm::MapVector<StringAttr, SmallVector<Operation *>> layersOfName;
    for (Operation *op : singleLayers(entry)) {
      auto contract = dyn_cast<ContractOp>(op);
      if (contract && staticStrides(cast<MemRefType>(contract.getInput().getType())) && needsCopy(contract))
        continue; // the copy needs memory that is planned in @main
      if (std::string name = nodeName(op->getLoc()); !name.empty())
        layersOfName[StringAttr::get(&getContext(), name)].push_back(op);
    }
    for (auto &[name, layers] : layersOfName)
      if (layers.size() > 1)
        share(layers);
    numFunctions += count;
  }

private:
  int64_t count = 0; ///< of functions

  /// Whether a sum or a largest element starts from it: its kernel takes the place of both.
  static bool isStart(Operation *op) {
    auto fill = dyn_cast<linalg::FillOp>(op);
    return fill && llvm::any_of(fill.getOutputs().front().getUsers(), [&](Operation *user) {
             auto reader = dyn_cast<linalg::LinalgOp>(user);
             return reader && user != op && reader.getNumReductionLoops() > 0 && llvm::is_contained(reader.getDpsInits(), fill.getOutputs().front());
           });
  }

  /// The layers that are one operation each, and loops of no layer, as those that count channels.
  static SmallVector<Operation *> singleLayers(func::FuncOp entry) {
    llvm::MapVector<int64_t, SmallVector<Operation *, 1>> operations;
    SmallVector<Operation *> single;
    for (Operation &op : entry.getOps())
      if (std::optional<int64_t> layer = layerOf(op.getLoc()))
        operations[*layer].push_back(&op);
      else if (isa<scf::ForOp>(op) && op.getNumResults() == 0)
        single.push_back(&op);
    for (auto &[layer, ops] : operations)
      if (ops.size() == 1 && isa<ContractOp, linalg::LinalgOp, LookupOp, ObserveOp>(ops.front()) && !findProductKernel(ops.front()) &&
          !isStart(ops.front()))
        single.push_back(ops.front());
    return single;
  }

  void share(ArrayRef<Operation *> layers) {
    SmallVector<Shared> classes;
    for (Operation *op : layers) {
      if (auto observe = dyn_cast<ObserveOp>(op))
        takeRow(observe);
      func::FuncOp function = outline(op);
      if (!function)
        continue;
      auto known = llvm::find_if(classes, [&](const Shared &shared) { return isEqual(shared.function, function); });
      if (known == classes.end()) {
        classes.push_back({function, {op}});
        continue;
      }
      function.erase();
      known->layers.push_back(op);
    }
    for (const Shared &shared : classes)
      replace(shared);
  }

  /// A function that computes the layer on its arguments; null if it cannot be one.
  func::FuncOp outline(Operation *op) {
    SmallVector<Operation *> constants;
    SmallVector<Type> types;
    for (Value value : capturedBy(op)) {
      Operation *constant = value.getDefiningOp();
      MemRefType type = withoutOffset(value.getType());
      if (constant && constant->hasTrait<OpTrait::ConstantLike>())
        constants.push_back(constant);
      else if (type)
        types.push_back(type);
      else
        return {};
    }
    auto function = createInternalFunction(getOperation(), op->getLoc(), "shared", FunctionType::get(&getContext(), types, {}));
    auto b = OpBuilder::atBlockEnd(&function.getBody().front());
    IRMapping mapping;
    for (Operation *constant : constants)
      b.clone(*constant, mapping);
    for (auto [value, argument] : llvm::zip_equal(buffersOf(op), function.getArguments()))
      mapping.map(value, argument);
    b.clone(*op, mapping);
    func::ReturnOp::create(b, op->getLoc());
    return function;
  }

  static SetVector<Value> capturedBy(Operation *op) {
    SetVector<Value> captured(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    return captured;
  }

  /// The layer's buffers in the order of the function's arguments.
  static SmallVector<Value> buffersOf(Operation *op) {
    return llvm::filter_to_vector(capturedBy(op), [](Value value) { return isa<MemRefType>(value.getType()); });
  }

  static bool isEqual(func::FuncOp a, func::FuncOp b) {
    return a.getFunctionType() == b.getFunctionType() &&
           OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
  }

  /// Calls for the layers; the function of a layer that is alone goes.
  void replace(const Shared &shared) {
    func::FuncOp function = shared.function;
    if (shared.layers.size() == 1)
      return function.erase();
    function.setSymName("shared_" + std::to_string(count++));
    for (Operation *op : shared.layers) {
      OpBuilder b(op);
      SmallVector<Value> arguments = buffersOf(op);
      for (auto [argument, type] : llvm::zip_equal(arguments, function.getArgumentTypes()))
        if (argument.getType() != type)
          argument = UnrealizedConversionCastOp::create(b, op->getLoc(), type, argument).getResult(0);
      func::CallOp::create(b, op->getLoc(), function, arguments);
      op->erase();
      ++numShared;
    }
  }
};

} // namespace
