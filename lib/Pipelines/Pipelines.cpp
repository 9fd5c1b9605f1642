//===- Pipelines.cpp - the seven stages -------------------------------------===//
#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Evaluator/Passes.h"
#include "halftone/Import/Passes.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Precision/Passes.h"
#include "halftone/Pruning/Passes.h"
#include "halftone/Quantization/Smoothing.h"
#include "halftone/Reconstruction/Passes.h"
#include "halftone/Target/Passes.h"
#include "halftone/Training/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::halftone;

static constexpr StringLiteral kStageNames[] = {"import",  "calibration", "precision", "quantization",
                                                "integer", "codegen",     "target"};

StringRef mlir::halftone::stageName(Stage stage) { return kStageNames[static_cast<int>(stage)]; }

std::optional<Stage> mlir::halftone::parseStage(StringRef name) {
  for (auto [i, candidate] : llvm::enumerate(kStageNames))
    if (name == candidate)
      return static_cast<Stage>(i);
  return std::nullopt;
}

void mlir::halftone::buildImportPipeline(OpPassManager &pm) {
  // What other front ends write becomes what our importer writes, before anything looks at it.
  pm.addPass(createNameInterface());
  pm.addPass(createInlineSymbols());
  // One type of floats before any pattern looks for it; its remark has the names of the interface.
  pm.addPass(createConvertToF32());
  pm.addPass(createLowerTosa());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createVerifyImport());
  pm.addNestedPass<func::FuncOp>(createBoundIndices());
  pm.addNestedPass<func::FuncOp>(createRecognize());
  // Weights that the source computes from weights are constants for all that follows, also to be quantized. Behind the recognition, which knows a
  // batch normalization by how its statistics are computed.
  pm.addPass(createFoldConstants());
  // 1-D convolutions are rows of pictures, also between each other: before the layout, which is one of pictures.
  pm.addNestedPass<func::FuncOp>(createKeepHeights());
  // The same of 3-D convolutions, whose depths are in the batch.
  pm.addNestedPass<func::FuncOp>(createSinkDepths());
  // Inside NHWC first: folding and everything behind it look for one layout only.
  pm.addNestedPass<func::FuncOp>(createConvertLayout());
  // Taps that no position of the input meets are neither calibrated, quantized nor computed.
  pm.addNestedPass<func::FuncOp>(createDropPaddingTaps());
  // A matrix product and its tail stand together before anything looks for tails. Functions have their names still.
  pm.addNestedPass<func::FuncOp>(createSinkReshapes());
  pm.addNestedPass<func::FuncOp>(createFusePredicates());
  // One definition of exp, tanh, ... before a folder can evaluate a constant with the host's library.
  pm.addPass(createExpandMath());
  // Batch normalization disappears before calibration, so that ranges are those of the folded network.
  pm.addNestedPass<func::FuncOp>(createFoldBatchNorm());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mlir::halftone::buildAdoptionPipeline(OpPassManager &pm) {
  // Casts that meet have gone by now: the import stage ends in canonicalization.
  pm.addPass(createAdoptCasts());
  pm.addPass(createQuantizeTables());
  pm.addPass(createPropagateCasts());
  pm.addPass(createVerifyQuantization());
}

void mlir::halftone::buildCalibrationPipeline(OpPassManager &pm, const CalibrationOptions &options) {
  // What is none of the values of the option was refused by who asked for it.
  const Smoothing smoothing = Smoothing::parse(options.smooth).value_or(Smoothing());
  AnnotateRangesOptions ranges;
  ranges.stats = options.stats;
  ranges.estimator = options.estimator;
  ranges.percentile = options.percentile;
  ranges.recipe = options.recipe;
  ranges.channelExtrema = smoothing.isOn;
  ranges.rowGains = options.activations == Activations::Automatic;
  pm.addPass(createAnnotateRanges(ranges));
  if (ranges.rowGains)
    pm.addPass(createChooseActivations());
  // Ranges first: the factors change some of them, and need the extrema of channels.
  if (smoothing.isOn)
    pm.addPass(createSmoothActivations({smoothing.alpha, smoothing.isAutomatic, options.weights, options.granularity}));
  pm.addPass(createVerifyCalibration());
}

void mlir::halftone::buildObservePipeline(OpPassManager &pm) {
  // Channels too: correcting biases needs their means.
  pm.addPass(createInsertObservers({/*channels=*/true}));
}

void mlir::halftone::buildPrecisionPipeline(OpPassManager &pm, const PrecisionOptions &options) {
  // What the user asks for comes first: what is to be float needs no other reason.
  pm.addPass(createAssignFormats({options.weights, options.granularity, options.recipe}));
  SelectPrecisionOptions precision;
  llvm::append_range(precision.floatOps, options.floatOps);
  precision.activations = options.activations;
  pm.addPass(createSelectPrecision(precision));
  pm.addPass(createVerifyPrecision());
}

void mlir::halftone::buildQuantizationPipeline(OpPassManager &pm, const QuantizationOptions &options) {
  // Zeros first: codes and biases make up for them.
  PruneWeightsOptions pruning;
  pruning.assigned = true;
  pruning.hessians = options.hessians;
  pm.addPass(createPruneWeights(pruning));
  // Codes before biases, which take the error of just these codes out.
  if (needsHessians(options.rounding))
    pm.addPass(createReconstructWeights({options.hessians, options.weightScales, options.sparsity, options.pattern, options.rounding}));
  // Biases first, while the float weights are there to compare with.
  pm.addPass(createCorrectBias({options.weightScales, options.rounding}));
  pm.addPass(createInsertCasts({options.weightScales, options.rounding}));
  pm.addPass(createQuantizeTables());
  // Types are final before casts move, so that each move sees one type on both sides.
  pm.addPass(createUnifyScales());
  pm.addPass(createPropagateCasts());
  pm.addPass(createVerifyQuantization());
}

void mlir::halftone::buildIntegerPipeline(OpPassManager &pm) {
  // Codes are next to what computes from them once data movement is out of the way.
  pm.addNestedPass<func::FuncOp>(createConvertDataMovement());
  // Contractions take their tails before anything else can take a part of one.
  pm.addNestedPass<func::FuncOp>(createConvertContraction());
  pm.addNestedPass<func::FuncOp>(createConvertProducts());
  pm.addNestedPass<func::FuncOp>(createConvertFloatActivations());
  pm.addNestedPass<func::FuncOp>(createConvertPooling());
  // A table is cheaper than any computation, so what can be one does not become a generic.
  pm.addNestedPass<func::FuncOp>(createTabulateUnary());
  pm.addNestedPass<func::FuncOp>(createConvertElementwise());
  // Last, because it writes out whatever cast is left.
  pm.addNestedPass<func::FuncOp>(createConvertBoundaries());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVerifyInteger());
}

void mlir::halftone::buildTrainingPipeline(OpPassManager &pm, const TrainingSettings &settings, bool backward) {
  pm.addNestedPass<func::FuncOp>(createSimulateCasts({settings.castSchedule}));
  // Functions as the importer wrote them: their polynomials have no useful derivative.
  pm.addNestedPass<func::FuncOp>(createRefreshComposites());
  pm.addNestedPass<func::FuncOp>(createInlineComposites());
  AddLossOptions loss;
  loss.kind = settings.loss;
  loss.target = settings.target;
  loss.teacher = settings.hasTeacher ? "teacher" : "";
  loss.teacherShare = settings.teacherShare;
  loss.blockShare = settings.blockShare;
  loss.temperature = settings.temperature;
  loss.smoothing = settings.smoothing;
  pm.addPass(createAddLoss(loss));
  if (backward) {
    pm.addPass(createDifferentiate());
    AddOptimizerOptions optimizer;
    optimizer.kind = settings.optimizer;
    optimizer.momentum = settings.momentum;
    optimizer.decay = settings.decay;
    optimizer.nesterov = settings.nesterov;
    pm.addPass(createAddOptimizer(optimizer));
  }
  pm.addPass(createExpandMath());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mlir::halftone::registerAllHalftonePasses() {
  registerCodegenPasses();
  registerTargetPasses();
  registerCompilePipelines();
  registerEvaluatorPasses();
  registerImportPasses();
  registerIntegerPasses();
  registerCalibrationPasses();
  registerPrecisionPasses();
  registerPruningPasses();
  registerQuantizationPasses();
  registerReconstructionPasses();
  registerTrainingPasses();
  PassPipelineRegistration<>("halftone-import-pipeline", "The import stage: one entry form, channels-last inside",
                             [](OpPassManager &pm) { buildImportPipeline(pm); });
  PassPipelineRegistration<>("halftone-adoption-pipeline", "From import to quantization with the casts of the source",
                             [](OpPassManager &pm) { buildAdoptionPipeline(pm); });
  PassPipelineRegistration<CalibrationOptions>("halftone-calibration-pipeline", "The calibration stage: ranges",
                                               buildCalibrationPipeline);
  PassPipelineRegistration<PrecisionOptions>("halftone-precision-pipeline", "The precision stage: int8 or float",
                                             buildPrecisionPipeline);
  PassPipelineRegistration<QuantizationOptions>("halftone-quantization-pipeline", "The quantization stage: casts",
                                                buildQuantizationPipeline);
  PassPipelineRegistration<>("halftone-integer-pipeline", "The integer stage: casts become integer computation",
                             [](OpPassManager &pm) { buildIntegerPipeline(pm); });
}
