//===- LoopSamples.cpp - a run of many samples, one after the other ---------===//
//
//   run(inputs, outputs, batch, workspace, ...):
//     for each sample: run_sample(the pointers to its inputs and outputs, 1, workspace, ...)
//
// Samples share the workspace, which is that of one.
//
//===----------------------------------------------------------------------===//
#include "CallContext.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/LayerInfo.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/RunFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOOPSAMPLES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static Attribute withLeadingExtent(DictionaryAttr entry, int64_t extent) {
  NamedAttrList list(entry);
  auto type = cast<ShapedType>(entry.getAs<TypeAttr>("type").getValue());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = extent;
  list.set("type", TypeAttr::get(type.clone(shape)));
  return list.getDictionary(entry.getContext());
}

static int64_t bytesOf(DictionaryAttr entry) {
  auto type = cast<ShapedType>(entry.getAs<TypeAttr>("type").getValue());
  return type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

namespace {

/// The pointers to the tensors of one sample, in an array on the stack.
class SamplePointers {
public:
  SamplePointers(OpBuilder &b, Location loc, Value array, ArrayAttr entries) : loc(loc), entries(entries) {
    Value count = LLVM::ConstantOp::create(b, loc, b.getI64Type(), entries.size());
    slots = LLVM::AllocaOp::create(b, loc, pointerType(b), pointerType(b), count);
    for (size_t i = 0; i < entries.size(); ++i)
      LLVM::StoreOp::create(b, loc, loadPointer(b, loc, array, i), pointerSlot(b, loc, slots, i));
  }
  Value array() const { return slots; }
  void advance(OpBuilder &b) const {
    for (auto [i, entry] : llvm::enumerate(entries.getAsRange<DictionaryAttr>())) {
      Value old = loadPointer(b, loc, slots, i);
      Value bytes = LLVM::ConstantOp::create(b, loc, b.getI64Type(), bytesOf(entry)); // a constant index has 32 bits
      Value next = LLVM::GEPOp::create(b, loc, pointerType(b), b.getI8Type(), old, ArrayRef<LLVM::GEPArg>{bytes});
      LLVM::StoreOp::create(b, loc, next, pointerSlot(b, loc, slots, i));
    }
  }

private:
  static Type pointerType(OpBuilder &b) { return LLVM::LLVMPointerType::get(b.getContext()); }

  Location loc;
  ArrayAttr entries;
  Value slots;
};

struct LoopSamples : halftone::impl::LoopSamplesBase<LoopSamples> {
  void runOnOperation() override {
    auto samples = getOperation()->getAttrOfType<DenseI64ArrayAttr>(kSamplesAttr);
    if (!samples)
      return;
    auto run = getOperation().lookupSymbol<func::FuncOp>(kRunName);
    if (!run) {
      getOperation().emitError("has no @") << kRunName << "; run halftone-outline-parallel before";
      return signalPassFailure();
    }
    run.setSymName(kRunSampleName);
    run.setPrivate();
    buildLoop(run, samples[0], samples[1], samples[2]);
    recordSignature(samples[0], samples[1], samples[2]);
    getOperation()->removeAttr(kSamplesAttr);
    const int64_t calls = ShapedType::isDynamic(samples[0]) ? LayerInfo::kCallsPerSample : samples[0];
    getOperation()->setAttr(kSampleCallsAttr, IntegerAttr::get(IntegerType::get(&getContext(), 64), calls));
    setCalls(calls);
  }

private:
  ArrayAttr entriesOf(StringRef name) { return getOperation()->getAttrOfType<ArrayAttr>(name); }

  void buildLoop(func::FuncOp sample, int64_t extent, int64_t low, int64_t high) {
    Location loc = sample.getLoc();
    const bool isDynamic = ShapedType::isDynamic(extent);
    func::FuncOp run = createRunFunction(getOperation(), loc, kRunName);
    OpBuilder b = checkBatch(run, isDynamic ? low : 1, isDynamic ? high : 1);
    SamplePointers inputs(b, loc, run.getArgument(0), entriesOf(kInputsAttr)), outputs(b, loc, run.getArgument(1), entriesOf(kOutputsAttr));
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 64), one = arith::ConstantIntOp::create(b, loc, 1, 64);
    Value count = isDynamic ? Value(run.getArgument(2)) : arith::ConstantIntOp::create(b, loc, extent, 64);
    Block *body = run.addBlock(), *done = run.addBlock();
    body->addArgument(b.getI64Type(), loc);
    cf::BranchOp::create(b, loc, body, ValueRange{zero}); // there is at least one sample

    b.setInsertionPointToEnd(body);
    func::CallOp::create(b, loc, sample,
                         ValueRange{inputs.array(), outputs.array(), one, run.getArgument(3), run.getArgument(4), run.getArgument(5)});
    inputs.advance(b);
    outputs.advance(b);
    Value next = arith::AddIOp::create(b, loc, body->getArgument(0), one);
    Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, next, count);
    cf::CondBranchOp::create(b, loc, more, body, ValueRange{next}, done, ValueRange());

    b.setInsertionPointToEnd(done);
    Value ok = arith::ConstantIntOp::create(b, loc, 0, 32);
    func::ReturnOp::create(b, loc, ok);
  }

  void setCalls(int64_t calls) {
    SmallVector<LayerInfo> layers = readLayers(getOperation());
    for (LayerInfo &layer : layers)
      layer.calls *= calls;
    writeLayers(getOperation(), layers);
    numCalls += layers.size();
  }

  /// The table describes the tensors of all samples.
  void recordSignature(int64_t extent, int64_t low, int64_t high) {
    Builder b(&getContext());
    for (StringRef name : {StringRef(kInputsAttr), StringRef(kOutputsAttr)}) {
      SmallVector<Attribute> entries;
      for (auto entry : entriesOf(name).getAsRange<DictionaryAttr>())
        entries.push_back(withLeadingExtent(entry, extent));
      getOperation()->setAttr(name, b.getArrayAttr(entries));
    }
    if (ShapedType::isDynamic(extent))
      getOperation()->setAttr(kBatchAttr, b.getDenseI64ArrayAttr({low, high}));
  }
};

} // namespace
