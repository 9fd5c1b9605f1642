//===- CompilePipelines.cpp - the codegen and target stages -----------------===//
//
// Alive after codegen: vector, scf, memref, arith, math, func, llvm. After target: llvm.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Target/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::halftone;

/// Canonicalization where each region is one block: what looks for unreachable and equal blocks would walk all operations for nothing.
static std::unique_ptr<Pass> createBlockCanonicalizer() {
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  return createCanonicalizerPass(config);
}

static void simplify(OpPassManager &pm) {
  pm.addPass(createBlockCanonicalizer());
  pm.addPass(createCSEPass());
}

void mlir::halftone::buildContractionPipeline(OpPassManager &pm, const CpuTarget &target, StringRef costFile) {
  pm.addNestedPass<func::FuncOp>(createInlineComposites());
  pm.addNestedPass<func::FuncOp>(createGuardDivisions());
  // Constants that a composite's inlining made dead must not reach the packing.
  simplify(pm);
  if (target.isReference())
    return;
  pm.addPass(createAttachCostTable({target.isa.str(), costFile.str()}));
  pm.addNestedPass<func::FuncOp>(createFormContractions());
}

void mlir::halftone::buildCodegenPipeline(OpPassManager &pm, const CpuTarget &target, StringRef costFile,
                                           const KernelChoice &choice) {
  buildContractionPipeline(pm, target, costFile);
  if (!target.isReference()) {
    // What the batch is decides which kernels are fastest.
    pm.addPass(createSplitBatch({target.isa.str()}));
    // The multipliers are constants of tensors still.
    if (!choice.openConstants)
      pm.addNestedPass<func::FuncOp>(createClampCodes());
    pm.addNestedPass<func::FuncOp>(createFormProducts({target.isa.str()}));
    // Behind both, which take what they can into their epilogues.
    pm.addNestedPass<func::FuncOp>(createFuseElementwise());
    pm.addNestedPass<func::FuncOp>(
        createPackWeights({target.isa.str(), choice.storage, choice.panelVectors, /*dense=*/choice.openConstants, choice.sharesPanels}));
    // Behind the choice of kernels, before padding is data.
    pm.addNestedPass<func::FuncOp>(createStoreUnsigned());
  }
  pm.addNestedPass<func::FuncOp>(createMergeConstants());
  // A float contraction that got no kernel is still one chain of fma.
  pm.addPass(createFuseMultiplyAdd());
  simplify(pm);
  // Behind the choice of signed or unsigned codes, which both operations would have to agree on; before padding is data.
  if (!target.isReference())
    pm.addNestedPass<func::FuncOp>(createFuseTransposes());
  // No cse from here on, which would make one tensor of two with equal contents.
  pm.addNestedPass<func::FuncOp>(createSplitFills());
  // Behind the fusion of epilogues: the fused operation writes into the border's interior. No cse between here and
  // bufferization: it would make one border of two equal ones, which then has to be copied.
  pm.addNestedPass<func::FuncOp>(createMaterializePadding());

  // tensors above, buffers below
  pm.addPass(createFormEntry());
  pm.addPass(createBufferize());
  // Equal views become one, which shows the copies of a buffer to itself.
  pm.addPass(createCSEPass());
  pm.addPass(createBlockCanonicalizer());
  pm.addNestedPass<func::FuncOp>(createLowerCopies());
  // From here on an operation of @main is one layer, until it is loops.
  pm.addPass(createAnnotateLayers({target.isa.str()}));
  if (!target.isReference()) { // before kernels hide which operand is which
    // Types first: only buffers of one type can take each other's place.
    pm.addNestedPass<func::FuncOp>(createAssignPlanes());
    pm.addNestedPass<func::FuncOp>(createReuseBuffers());
  }
  // Behind what looks at all users of a buffer.
  pm.addPass(createShareLayers());
  pm.addNestedPass<func::FuncOp>(createLowerObservers());
  if (!target.isReference()) {
    pm.addNestedPass<func::FuncOp>(createLowerProducts({target.isa.str()}));
    pm.addNestedPass<func::FuncOp>(createLowerContract({target.isa.str()}));
    // Gradients of weights, before they become structured kernels like any other sum.
    pm.addNestedPass<func::FuncOp>(createLowerOuterProducts({target.isa.str()}));
    pm.addNestedPass<func::FuncOp>(createLowerStructured({target.isa.str()}));
  }
  pm.addNestedPass<func::FuncOp>(createLowerLookups());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());

  // Lifetimes are those of the loops as they will run, so planning comes last before outlining.
  pm.addPass(createPlanMemory());
  simplify(pm);
  pm.addPass(createOutlineParallel({target.isa.str()}));
  pm.addPass(createLoopSamples());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createVerifyCodegen());
}

void mlir::halftone::buildTargetPipeline(OpPassManager &pm) {
  // Thousands of layers, as of a recurrent network's steps, are lowered one by one, by all threads.
  OpPassManager &layer = pm.nest<func::FuncOp>();
  // Views become offsets and strides; their arithmetic is affine, so affine is lowered behind it.
  layer.addPass(memref::createFoldMemRefAliasOpsPass());
  layer.addPass(memref::createExpandStridedMetadataPass());
  layer.addPass(createLowerAffinePass());
  simplify(layer);
  layer.addPass(createConvertVectorToSCFPass());
  layer.addPass(createSCFToControlFlowPass());
  pm.addPass(createLowerToLLVM());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createVerifyTarget());
}

namespace {
/// Options of the stages that depend on the CPU.
struct CpuOptions : PassPipelineOptions<CpuOptions> {
  Option<std::string> cpu{*this, "target-cpu", llvm::cl::desc("native, or a name of the target table"),
                          llvm::cl::init("native")};
  Option<std::string> cost{*this, "cost",
                           llvm::cl::desc("Cost table; without, the module's own, or the built-in one of the CPU"),
                           llvm::cl::init("")};
  Option<StorageChoice> storage{
      *this, "weight-storage", llvm::cl::desc("Which weights are stored in few bits"), llvm::cl::init(StorageChoice::Automatic),
      llvm::cl::values(clEnumValN(StorageChoice::Automatic, "auto", "those whose layer gets no slower by it"),
                       clEnumValN(StorageChoice::Bytes, "bytes", "none"),
                       clEnumValN(StorageChoice::Packed, "packed", "all that get smaller"))};
  Option<int64_t> panelVectors{*this, "panel-vectors",
                               llvm::cl::desc("Vectors of a panel of weights; 0: as many as the cost model predicts to be fastest"),
                               llvm::cl::init(0)};
};
} // namespace

void mlir::halftone::registerCompilePipelines() {
  PassPipelineRegistration<CpuOptions>(
      "halftone-codegen-pipeline", "The codegen stage: loops on planned memory",
      [](OpPassManager &pm, const CpuOptions &options) {
        llvm::Expected<CpuTarget> target = findCpuTarget(options.cpu);
        if (!target)
          llvm::report_fatal_error(target.takeError(), /*gen_crash_diag=*/false);
        buildCodegenPipeline(pm, *target, options.cost, {options.storage, options.panelVectors});
      });
  PassPipelineRegistration<>("halftone-target-pipeline", "The target stage up to the LLVM dialect",
                             [](OpPassManager &pm) { buildTargetPipeline(pm); });
}
