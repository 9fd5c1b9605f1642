//===- Pipelines.cpp - the seven stages -------------------------------------===//
#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Evaluator/Passes.h"
#include "halftone/Import/Passes.h"
#include "halftone/Integer/Passes.h"
#include "mlir/Pass/PassRegistry.h"
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
  pm.addNestedPass<func::FuncOp>(createRecognize());
  // Inside NHWC first: folding and everything behind it look for one layout only.
  pm.addNestedPass<func::FuncOp>(createConvertLayout());
  // One definition of exp, tanh, ... before a folder can evaluate a constant with the host's library.
  pm.addPass(createExpandMath());
  // Batch normalization disappears before calibration, so that ranges are those of the folded network.
  pm.addNestedPass<func::FuncOp>(createFoldBatchNorm());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mlir::halftone::registerAllHalftonePasses() {
  registerCodegenPasses();
  registerEvaluatorPasses();
  registerImportPasses();
  registerIntegerPasses();
  PassPipelineRegistration<>("halftone-import-pipeline", "The import stage: one entry form, channels-last inside",
                             [](OpPassManager &pm) { buildImportPipeline(pm); });
}
