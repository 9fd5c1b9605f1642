//===- Pipelines.h - the seven stages ---------------------------------------===//
//
// One build<Stage>Pipeline for each stage of docs/Pipeline.md; the driver, halftone-opt and the plug-in share them.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PIPELINES_PIPELINES_H
#define HALFTONE_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace mlir::halftone {

/// The stages in their order; a name is also its `--stop-after=` value and the module's `halftone.stage`.
enum class Stage { Import, Calibration, Precision, Quantization, Integer, Codegen, Target };

/// "import", "calibration", ...
StringRef stageName(Stage stage);

/// The stage of that name, or nothing.
std::optional<Stage> parseStage(StringRef name);

/// The import stage behind a front end: channels-last inside, batch normalization folded.
void buildImportPipeline(OpPassManager &pm);

/// Registers every pass of the project, and each stage as a pipeline `halftone-<stage>-pipeline`.
void registerAllHalftonePasses();

} // namespace mlir::halftone

#endif // HALFTONE_PIPELINES_PIPELINES_H
