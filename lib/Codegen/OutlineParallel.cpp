//===- OutlineParallel.cpp - the entry function and its layers --------------===//
//
// @main on buffers becomes `halftone_run` on pointers (include/halftone-c/Artefact.h), and each parallel loop a function
// that the caller's parallel_for runs on ranges of iterations. What both need is found from the same four
// values: inputs, outputs, batch, workspace. They are the layers' context, a struct on run's stack. The layers of a shared function
// (ShareLayers.cpp) have pointers to its arguments as theirs.
//
//===----------------------------------------------------------------------===//
#include "CallContext.h"
#include "FloatModes.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/IsaTable.h"
#include "halftone/Codegen/LayerInfo.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/RunFunction.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Argument `index` of @main: the inputs, then the outputs, then the arena.
static Value rebuildArgument(OpBuilder &builder, Location loc, const CallState &state, MemRefType type, unsigned index,
                             unsigned numInputs, unsigned numOutputs) {
  if (index < numInputs)
    return pointerToMemref(builder, loc, loadPointer(builder, loc, state.inputs, index), type, state.batch);
  index -= numInputs;
  if (index < numOutputs)
    return pointerToMemref(builder, loc, loadPointer(builder, loc, state.outputs, index), type, state.batch);
  // Views of the arena have constant offsets: its size is never read.
  Value unknown = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), 0);
  return pointerToMemref(builder, loc, state.workspace, type, unknown);
}

/// Operations that give the same result wherever they run: the value of a captured one is computed again. A scratch on
/// the stack means nothing outside of the call that uses it.
static bool isRecomputable(Operation *op) {
  return op->getNumRegions() == 0 && (isPure(op) || isa<memref::GetGlobalOp, memref::AllocaOp>(op));
}

namespace {

/// What a layer captures: values, the operations that compute them, in order, and the first one of these that is not
/// recomputable.
struct Capture {
  SetVector<Value> values;
  SmallVector<Operation *> slice;
  Operation *obstacle = nullptr;
};

} // namespace

static Capture captureOf(ArrayRef<Operation *> layer) {
  Capture capture;
  DenseSet<Operation *> inside(llvm::from_range, layer), found;
  for (Operation *op : layer) {
    getUsedValuesDefinedAbove(op->getRegions(), capture.values);
    capture.values.insert(op->operand_begin(), op->operand_end());
  }
  for (size_t i = 0; i < capture.values.size(); ++i) {
    Operation *op = capture.values[i].getDefiningOp();
    if (!op || inside.contains(op) || !found.insert(op).second)
      continue;
    if (!isRecomputable(op) && !capture.obstacle)
      capture.obstacle = op;
    capture.values.insert(op->operand_begin(), op->operand_end());
  }
  llvm::copy_if(found, std::back_inserter(capture.slice), [&](Operation *op) { return op->getBlock() == layer.front()->getBlock(); });
  llvm::sort(capture.slice, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return capture;
}

/// Calls of shared functions that one function makes.
static constexpr size_t kCallsTogether = 64;

namespace {

/// Where layers are called from: the function that they are of, the values of the caller by its values, and what each call gets.
struct CallSite {
  func::FuncOp function;
  IRMapping &mapping;
  Value parallelFor, pool, context;
};

/// A function of halftone-share-layers.
struct SharedFunction {
  int64_t calls = 0;    ///< in a run
  func::FuncOp callee;  ///< as it is called; null before the first call
};

struct OutlineParallel : halftone::impl::OutlineParallelBase<OutlineParallel> {
  using OutlineParallelBase::OutlineParallelBase;

  void runOnOperation() override {
    const Isa *isa = target.empty() ? nullptr : requireIsa(getOperation(), target);
    if (!isa && !target.empty())
      return signalPassFailure();
    modes.emplace(isa ? isa->architecture : Architecture::X86);
    main = lookupEntry(getOperation());
    if (!main || failed(readSignature()))
      return signalPassFailure();
    pointer = LLVM::LLVMPointerType::get(&getContext());
    serialFor = {};
    described = readLayers(getOperation());
    layers.clear();
    seen.clear();
    numParts = 0;
    countCalls();
    if (failed(buildRun()))
      return signalPassFailure();
    writeLayers(getOperation(), layers);
    main.erase();
    for (auto &[function, shared] : sharedFunctions)
      function.erase();
  }

private:
  std::optional<FloatModes> modes;
  func::FuncOp main, serialFor;
  unsigned numInputs = 0, numOutputs = 0;
  SmallVector<LayerInfo> described, layers; ///< by halftone.layer; by function
  SmallVector<int64_t> seen;                ///< the former of the latter
  llvm::MapVector<func::FuncOp, SharedFunction> sharedFunctions;
  int64_t numParts = 0; ///< functions that call them
  int64_t minBatch = 1, maxBatch = 1;
  LLVM::LLVMPointerType pointer;

  LogicalResult readSignature() {
    auto inputs = getOperation()->getAttrOfType<ArrayAttr>(kInputsAttr);
    auto outputs = getOperation()->getAttrOfType<ArrayAttr>(kOutputsAttr);
    auto batch = getOperation()->getAttrOfType<DenseI64ArrayAttr>(kBatchAttr);
    if (!inputs || !outputs || !batch)
      return getOperation().emitError("has no recorded signature; run halftone-form-entry before");
    numInputs = inputs.size();
    numOutputs = outputs.size();
    minBatch = batch[0];
    maxBatch = batch[1];
    if (main.getNumArguments() != numInputs + numOutputs + 1)
      return main.emitError("has no arena; run halftone-plan-memory before");
    return success();
  }

  func::FuncOp calleeOf(func::CallOp call) { return getOperation().lookupSymbol<func::FuncOp>(call.getCallee()); }

  void countCalls() {
    sharedFunctions.clear();
    for (auto call : main.getOps<func::CallOp>())
      ++sharedFunctions[calleeOf(call)].calls;
  }

  func::FuncOp createFunction(StringRef name, FunctionType type) {
    return createInternalFunction(getOperation(), main.getLoc(), name, type);
  }

  Value rebuild(OpBuilder &builder, const CallState &state, BlockArgument argument) {
    return rebuildArgument(builder, main.getLoc(), state, cast<MemRefType>(argument.getType()),
                           argument.getArgNumber(), numInputs, numOutputs);
  }

  //===--------------------------------------------------------------------===//
  // halftone_run
  //===--------------------------------------------------------------------===//

  LogicalResult buildRun() {
    Location loc = main.getLoc();
    func::FuncOp run = createRunFunction(getOperation(), loc, kRunName);
    CallState state{run.getArgument(0), run.getArgument(1), run.getArgument(2), run.getArgument(3)};
    OpBuilder builder = checkBatch(run, minBatch, maxBatch);
    Value saved = modes->pin(builder, loc);
    Value context = storeContext(builder, loc, state);
    Value parallelFor = orSerial(builder, loc, run.getArgument(4));

    IRMapping mapping;
    for (BlockArgument argument : main.getArguments())
      mapping.map(argument, rebuild(builder, state, argument));
    if (failed(buildCalls(builder, {main, mapping, parallelFor, run.getArgument(5), context})))
      return failure();
    modes->restore(builder, loc, saved);
    Value ok = arith::ConstantIntOp::create(builder, loc, 0, 32);
    func::ReturnOp::create(builder, loc, ok);
    return success();
  }

  /// The operations of the function as calls of layers.
  LogicalResult buildCalls(OpBuilder &builder, const CallSite &site) {
    SmallVector<Operation *> serial, shared;
    for (Operation &op : func::FuncOp(site.function).getBody().front().without_terminator()) {
      bool uses = llvm::any_of(op.getOperands(), [&](Value v) { return llvm::is_contained(serial, v.getDefiningOp()); });
      if (isRecomputable(&op) && !uses) {
        builder.clone(op, site.mapping);
        continue;
      }
      if (!isRecomputable(&op) && !isSameLayer(serial, &op))
        outlineSerial(builder, serial, site);
      bool isShared = isa<func::CallOp>(op);
      if ((!isShared || shared.size() == kCallsTogether) && failed(callTogether(builder, shared, site)))
        return failure();
      auto loop = dyn_cast<scf::ForallOp>(op);
      if (loop && failed(outlineParallel(builder, loop, site)))
        return failure();
      if (!loop)
        (isShared ? shared : serial).push_back(&op);
    }
    outlineSerial(builder, serial, site);
    return callTogether(builder, shared, site);
  }

  /// Empties the list of calls of shared functions into a function(context, parallelFor, pool), as there may be thousands, which `run` is then not
  /// too long for the optimizer with.
  LogicalResult callTogether(OpBuilder &builder, SmallVector<Operation *> &together, const CallSite &site) {
    if (together.empty())
      return success();
    Location loc = together.front()->getLoc();
    func::FuncOp part = createFunction("steps_" + std::to_string(numParts++), FunctionType::get(&getContext(), {pointer, pointer, pointer}, {}));
    auto inside = OpBuilder::atBlockEnd(&part.getBody().front());
    IRMapping mapping;
    rebuildCaptured(inside, loc, captureOf(together), site.function, part.getArgument(0), mapping);
    unsigned most = 0;
    for (Operation *call : together)
      most = std::max(most, call->getNumOperands());
    Value pointers = LLVM::AllocaOp::create(inside, loc, pointer, pointer, LLVM::ConstantOp::create(inside, loc, inside.getI64Type(), most));
    for (Operation *call : together)
      if (failed(callShared(inside, cast<func::CallOp>(call), pointers, {site.function, mapping, part.getArgument(1), part.getArgument(2), {}})))
        return failure();
    func::ReturnOp::create(inside, loc);
    func::CallOp::create(builder, loc, part, ValueRange{site.context, site.parallelFor, site.pool});
    together.clear();
    return success();
  }

  /// Stores the arguments' pointers, and calls the function as outlineShared() makes it.
  LogicalResult callShared(OpBuilder &builder, func::CallOp call, Value pointers, const CallSite &site) {
    Location loc = call.getLoc();
    for (auto [i, argument] : llvm::enumerate(call.getOperands())) {
      auto cast = argument.getDefiningOp<UnrealizedConversionCastOp>();
      Value first = memrefToPointer(builder, loc, site.mapping.lookup(cast ? cast.getInputs()[0] : argument));
      LLVM::StoreOp::create(builder, loc, first, pointerSlot(builder, loc, pointers, i));
    }
    func::FuncOp function = calleeOf(call), &callee = sharedFunctions[function].callee;
    if (!callee && failed(outlineShared(function, callee)))
      return failure();
    func::CallOp::create(builder, loc, callee, ValueRange{pointers, site.parallelFor, site.pool});
    return success();
  }

  /// callee(pointers to the arguments, parallelFor, pool): the calls of the layers of `function`.
  LogicalResult outlineShared(func::FuncOp function, func::FuncOp &callee) {
    Location loc = function.getLoc();
    callee = createFunction(("call_" + function.getSymName()).str(), FunctionType::get(&getContext(), {pointer, pointer, pointer}, {}));
    auto builder = OpBuilder::atBlockEnd(&callee.getBody().front());
    IRMapping mapping;
    for (BlockArgument argument : function.getArguments())
      mapping.map(argument, rebuildShared(builder, loc, callee.getArgument(0), argument));
    if (failed(buildCalls(builder, {function, mapping, callee.getArgument(1), callee.getArgument(2), callee.getArgument(0)})))
      return failure();
    func::ReturnOp::create(builder, loc);
    return success();
  }

  /// An argument of a shared function, from the pointers to all of them.
  static Value rebuildShared(OpBuilder &builder, Location loc, Value pointers, BlockArgument argument) {
    return pointerToMemref(builder, loc, loadPointer(builder, loc, pointers, argument.getArgNumber()), cast<MemRefType>(argument.getType()));
  }

  Value functionPointer(OpBuilder &builder, Location loc, func::FuncOp function) {
    Value constant = func::ConstantOp::create(builder, loc, function.getFunctionType(), function.getSymName());
    return UnrealizedConversionCastOp::create(builder, loc, Type(pointer), constant).getResult(0);
  }

  /// The caller's parallel_for, or the serial one for null.
  Value orSerial(OpBuilder &builder, Location loc, Value parallelFor) {
    Value null = LLVM::ZeroOp::create(builder, loc, pointer);
    Value isNull = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, parallelFor, null);
    Value serial = functionPointer(builder, loc, getSerialFor());
    return LLVM::SelectOp::create(builder, loc, isNull, serial, parallelFor);
  }

  /// serial_for(pool, body, context, count): body(context, 0, count).
  func::FuncOp getSerialFor() {
    if (serialFor)
      return serialFor;
    Location loc = main.getLoc();
    Builder types(&getContext());
    serialFor = createFunction("serial_for", types.getFunctionType({pointer, pointer, pointer, types.getI64Type()}, {}));
    auto builder = OpBuilder::atBlockEnd(&serialFor.getBody().front());
    Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
    callIndirect(builder, loc, serialFor.getArgument(1), {serialFor.getArgument(2), zero, serialFor.getArgument(3)});
    func::ReturnOp::create(builder, loc);
    return serialFor;
  }

  static void callIndirect(OpBuilder &builder, Location loc, Value callee, ArrayRef<Value> arguments) {
    SmallVector<Type> types(ValueRange(arguments).getTypes());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), types);
    SmallVector<Value> operands{callee};
    operands.append(arguments.begin(), arguments.end());
    LLVM::CallOp::create(builder, loc, type, operands);
  }

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  static SmallVector<OpFoldResult> mapped(ArrayRef<OpFoldResult> values, IRMapping &mapping) {
    SmallVector<OpFoldResult> result(values);
    for (OpFoldResult &value : result)
      if (auto ssa = dyn_cast<Value>(value))
        value = mapping.lookup(ssa);
    return result;
  }

  /// ceil((upper - lower) / step) of each dimension.
  static SmallVector<OpFoldResult> tripCounts(OpBuilder &builder, scf::ForallOp loop, IRMapping &mapping) {
    AffineExpr lower, upper, step;
    bindSymbols(builder.getContext(), lower, upper, step);
    AffineExpr trips = (upper - lower).ceilDiv(step);
    SmallVector<OpFoldResult> counts;
    for (auto [low, high, by] : llvm::zip_equal(mapped(loop.getMixedLowerBound(), mapping),
                                                mapped(loop.getMixedUpperBound(), mapping),
                                                mapped(loop.getMixedStep(), mapping)))
      counts.push_back(affine::makeComposedFoldedAffineApply(builder, loop.getLoc(), trips, {low, high, by}));
    return counts;
  }

  static Value product(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> factors) {
    AffineExpr a, b;
    bindSymbols(builder.getContext(), a, b);
    OpFoldResult result = builder.getIndexAttr(1);
    for (OpFoldResult factor : factors)
      result = affine::makeComposedFoldedAffineApply(builder, loc, a * b, {result, factor});
    return getValueOrCreateConstantIndexOp(builder, loc, result);
  }

  /// A new function body(context, begin, end), "layer_3_conv1" for the third layer, on the list of layers.
  func::FuncOp createLayer(Location loc, int64_t callsOfRun) {
    std::optional<int64_t> known = layerOf(loc);
    LayerInfo info;
    info.name = nodeName(loc);
    info.kind = "loop";
    info.kernel = "scalar";
    if (known && *known < static_cast<int64_t>(described.size()))
      info = described[*known];
    // What a layer counts, its last function counts: those before it prepare.
    for (auto [layer, former] : llvm::zip_equal(layers, seen)) {
      if (former != known)
        continue;
      layer.multiplyAccumulates = layer.readBytes = layer.writtenBytes = layer.constantBytes = 0;
      layer.cost.clear();
    }
    seen.push_back(known.value_or(-1));
    info.calls = callsOfRun;
    info.body = "layer_" + std::to_string(layers.size());
    if (!info.name.empty())
      info.body += "_" + info.name;
    for (char &c : info.body)
      c = llvm::isAlnum(c) ? c : '_';
    layers.push_back(info);
    Type i64 = IntegerType::get(&getContext(), 64);
    return createFunction(info.body, FunctionType::get(&getContext(), {pointer, i64, i64}, {}));
  }

  /// Fills a layer's function with `emit`, and calls it on `count` iterations.
  void emitLayer(OpBuilder &builder, Location loc, const Capture &capture, const CallSite &site, Value count,
                 function_ref<void(OpBuilder &, func::FuncOp, IRMapping &)> emit) {
    func::FuncOp layer = createLayer(loc, site.function == main ? 1 : sharedFunctions[site.function].calls);
    auto inside = OpBuilder::atBlockEnd(&layer.getBody().front());
    Value saved = modes->pin(inside, loc);
    IRMapping mapping;
    rebuildCaptured(inside, loc, capture, site.function, layer.getArgument(0), mapping);
    emit(inside, layer, mapping);
    modes->restore(inside, loc, saved);
    func::ReturnOp::create(inside, loc);
    callIndirect(builder, loc, site.parallelFor,
                 {site.pool, functionPointer(builder, loc, layer), site.context, count});
  }

  LogicalResult outlineParallel(OpBuilder &builder, scf::ForallOp loop, const CallSite &site) {
    if (loop->getNumResults() != 0)
      return loop.emitOpError("still has tensor results");
    Capture capture = captureOf(loop.getOperation());
    if (capture.obstacle) {
      InFlightDiagnostic diagnostic = loop.emitOpError("uses a value that a layer cannot compute again");
      diagnostic.attachNote(capture.obstacle->getLoc()) << "computed by '" << capture.obstacle->getName() << "'";
      return diagnostic;
    }
    Location loc = loop.getLoc();
    Value count = product(builder, loc, tripCounts(builder, loop, site.mapping));
    Value wide = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), count);
    emitLayer(builder, loc, capture, site, wide, [&](OpBuilder &inside, func::FuncOp layer, IRMapping &mapping) {
      buildLoop(inside, loop, layer.getArgument(1), layer.getArgument(2), mapping);
    });
    ++numLayers;
    return success();
  }

  /// Whether `op` belongs to the layer of the operations before it.
  static bool isSameLayer(ArrayRef<Operation *> operations, Operation *op) {
    if (operations.empty() || isa<scf::ForallOp>(op))
      return false;
    std::optional<int64_t> layer = layerOf(op->getLoc());
    return layer && layer == layerOf(operations.front()->getLoc());
  }

  /// Whether the operations can be a function of the context.
  static bool standAlone(ArrayRef<Operation *> operations, const Capture &capture) {
    bool isLayer = layerOf(operations.front()->getLoc()) || isa<scf::ForOp>(operations.front());
    bool escapes = llvm::any_of(operations, [&](Operation *op) {
      return llvm::any_of(op->getUsers(), [&](Operation *user) {
        while (user->getBlock() != op->getBlock())
          user = user->getParentOp();
        return !llvm::is_contained(operations, user);
      });
    });
    return isLayer && !escapes && !capture.obstacle;
  }

  /// Empties the list of operations that are not parallel into a layer of one iteration, or into `run`. Layers are functions
  /// because the optimizer takes more than linear time in the size of a function, and because a profile shows them.
  void outlineSerial(OpBuilder &builder, SmallVector<Operation *> &operations, const CallSite &site) {
    if (operations.empty())
      return;
    Capture capture = captureOf(operations);
    Location loc = operations.front()->getLoc();
    if (standAlone(operations, capture)) {
      Value one = arith::ConstantIntOp::create(builder, loc, 1, 64);
      emitLayer(builder, loc, capture, site, one, [&](OpBuilder &inside, func::FuncOp, IRMapping &mapping) {
        for (Operation *op : operations)
          inside.clone(*op, mapping);
      });
      ++numSerial;
    } else {
      for (Operation *op : operations)
        builder.clone(*op, site.mapping);
    }
    operations.clear();
  }

  void rebuildCaptured(OpBuilder &builder, Location loc, const Capture &capture, func::FuncOp function, Value context, IRMapping &mapping) {
    std::optional<CallState> state;
    if (function == main)
      state = loadContext(builder, loc, context);
    for (BlockArgument argument : function.getArguments())
      if (capture.values.contains(argument))
        mapping.map(argument, state ? rebuild(builder, *state, argument) : rebuildShared(builder, loc, context, argument));
    for (Operation *op : capture.slice)
      builder.clone(*op, mapping);
  }

  /// for i in begin..end: the body at the i-th point of the iteration space, last dimension fastest.
  static void buildLoop(OpBuilder &builder, scf::ForallOp loop, Value begin, Value end, IRMapping &mapping) {
    Location loc = loop.getLoc();
    SmallVector<OpFoldResult> counts = tripCounts(builder, loop, mapping);
    SmallVector<OpFoldResult> lower = mapped(loop.getMixedLowerBound(), mapping);
    SmallVector<OpFoldResult> step = mapped(loop.getMixedStep(), mapping);
    Value from = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), begin);
    Value to = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), end);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto serial = scf::ForOp::create(builder, loc, from, to, one);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(serial.getBody());
    auto point = affine::AffineDelinearizeIndexOp::create(builder, loc, serial.getInductionVar(), counts,
                                                          /*hasOuterBound=*/true);
    AffineExpr low, by, index;
    bindSymbols(builder.getContext(), low, by, index);
    for (auto [i, variable] : llvm::enumerate(loop.getInductionVars())) {
      OpFoldResult value = affine::makeComposedFoldedAffineApply(builder, loc, low + by * index,
                                                                 {lower[i], step[i], point.getResult(i)});
      mapping.map(variable, getValueOrCreateConstantIndexOp(builder, loc, value));
    }
    for (Operation &op : loop.getBody()->without_terminator())
      builder.clone(op, mapping);
  }
};

} // namespace
