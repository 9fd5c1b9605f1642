//===- Pipelines.h - the seven stages ---------------------------------------===//
//
// One build<Stage>Pipeline for each stage of docs/Pipeline.md; the driver, halftone-opt and the plug-in share them.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PIPELINES_PIPELINES_H
#define HALFTONE_PIPELINES_PIPELINES_H

#include "halftone/Calibration/Passes.h"
#include "halftone/Codegen/WeightStorage.h"
#include "halftone/Precision/Passes.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Target/TargetTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::halftone {

/// The stages in their order; a name is also its `--stop-after=` value and the module's `halftone.stage`.
enum class Stage { Import, Calibration, Precision, Quantization, Integer, Codegen, Target };

/// "import", "calibration", ...
StringRef stageName(Stage stage);

/// The stage of that name, or nothing.
std::optional<Stage> parseStage(StringRef name);

/// The import stage behind a front end: channels-last inside, batch normalization folded.
void buildImportPipeline(OpPassManager &pm);

/// From the import stage to the quantization stage, for a source that has casts of its own.
void buildAdoptionPipeline(OpPassManager &pm);

struct CalibrationOptions : PassPipelineOptions<CalibrationOptions> {
  Option<std::string> stats{*this, "stats", llvm::cl::desc("Statistics file"), llvm::cl::init("")};
  Option<Estimator> estimator{*this, "estimator", llvm::cl::desc("How a range is estimated"),
                              llvm::cl::init(Estimator::MeanSquaredError),
                              estimatorValues()};
  Option<double> percentile{*this, "percentile", llvm::cl::desc("Percentile, above 50 and at most 100"),
                            llvm::cl::init(99.99)};
  Option<std::string> recipe{*this, "recipe", llvm::cl::desc("Recipe file: estimators by layer"), llvm::cl::init("")};
  Option<std::string> smooth{*this, "smooth", llvm::cl::desc("How much of the channels' ranges moves to weights: none, auto, or 0 to 1"),
                             llvm::cl::init("none")};
  Option<std::string> weights{*this, "weights", llvm::cl::desc("The format of weights that smoothing expects"), llvm::cl::init("int8")};
  Option<std::string> granularity{*this, "granularity", llvm::cl::desc("What shares a scale there: tensor, channel or group:N"), llvm::cl::init("channel")};
  Option<Activations> activations{*this, "activations", llvm::cl::desc("What contractions read: auto chooses by the statistics"),
                                  llvm::cl::init(Activations::Int8), activationsValues()};
};

/// The calibration stage from a statistics file.
void buildCalibrationPipeline(OpPassManager &pm, const CalibrationOptions &options);

/// The module whose run gives the statistics (Statistics::fromBuffers and addChannels read its buffers).
void buildObservePipeline(OpPassManager &pm);

struct PrecisionOptions : PassPipelineOptions<PrecisionOptions> {
  Option<std::string> weights{*this, "weights", llvm::cl::desc("Format of weights"), llvm::cl::init("int8")};
  Option<std::string> granularity{*this, "granularity", llvm::cl::desc("What shares a scale: tensor, channel or group:N"),
                                  llvm::cl::init("channel")};
  Option<std::string> recipe{*this, "recipe", llvm::cl::desc("Recipe file: formats by layer"), llvm::cl::init("")};
  ListOption<std::string> floatOps{*this, "float-ops",
                                   llvm::cl::desc("Regular expressions of operations that stay float")};
  Option<Activations> activations{
      *this, "activations", llvm::cl::desc("What contractions read"), llvm::cl::init(Activations::Int8),
      activationsValues()};
};

/// The precision stage.
void buildPrecisionPipeline(OpPassManager &pm, const PrecisionOptions &options);

struct QuantizationOptions : PassPipelineOptions<QuantizationOptions> {
  Option<WeightScales> weightScales{
      *this, "weight-scales", llvm::cl::desc("How scales of weights are found"), llvm::cl::init(WeightScales::Automatic),
      weightScalesValues()};
  Option<WeightRounding> rounding{
      *this, "rounding", llvm::cl::desc("How codes of weights are rounded"), llvm::cl::init(WeightRounding::Diffused),
      llvm::cl::values(clEnumValN(WeightRounding::Nearest, "nearest", "to the nearest code"),
                       clEnumValN(WeightRounding::Diffused, "diffused", "keep the sum over a kernel's taps"),
                       clEnumValN(WeightRounding::GPTQ, "gptq", "error feedback by Hessians"),
                       clEnumValN(WeightRounding::AdaRound, "adaround", "gptq, then descent on the layer's error"))};
  Option<std::string> hessians{*this, "hessians", llvm::cl::desc("File of Hessians, for gptq, adaround and pruning by recipe"),
                               llvm::cl::init("")};
  Option<double> sparsity{*this, "sparsity", llvm::cl::desc("Share of weights that gptq makes zero"), llvm::cl::init(0.0)};
  Option<std::string> pattern{*this, "pattern", llvm::cl::desc("What becomes zero together: blocks or unstructured"),
                              llvm::cl::init("blocks")};
};

/// The quantization stage.
void buildQuantizationPipeline(OpPassManager &pm, const QuantizationOptions &options);
/// What a training program computes.
struct TrainingSettings {
  std::string loss = "cross-entropy"; ///< or mse
  std::string target;                 ///< The argument of labels or targets; empty: none.
  bool hasTeacher = false;            ///< The module has a function @teacher.
  double teacherShare = 0.5, blockShare = 1, temperature = 1, smoothing = 0;
  std::string optimizer = "sgd"; ///< or adam
  double momentum = 0.9, decay = 0;
  bool nesterov = false;
  bool castSchedule = false; ///< Casts come in, or get coarser, while it runs.
};

/// From @main with trainable arguments, of the stage import, to one step: outputs are the loss, the number of correct
/// samples, the new weights and the optimizer's new state. Without `backward` the loss and the number alone.
void buildTrainingPipeline(OpPassManager &pm, const TrainingSettings &settings, bool backward);

/// The begin of the codegen stage: contractions with their epilogues, whose weights are still to be packed.
void buildContractionPipeline(OpPassManager &pm, const CpuTarget &target, StringRef costFile = "");

/// The codegen stage: from the integer stage's (or the entry form's) tensors to loops on planned memory behind the
/// artefact's entry function. `costFile` is a cost table; empty: the module's own, or the built-in one.
void buildCodegenPipeline(OpPassManager &pm, const CpuTarget &target, StringRef costFile = "",
                          const KernelChoice &choice = {});

/// The target stage up to the LLVM dialect; `writeTarget` (halftone/Target/Compile.h) does the rest.
void buildTargetPipeline(OpPassManager &pm);

/// Registers the codegen and the target pipelines; registerAllHalftonePasses calls it.
void registerCompilePipelines();

/// The integer stage.
void buildIntegerPipeline(OpPassManager &pm);

/// Registers every pass of the project, and each stage as a pipeline `halftone-<stage>-pipeline`.
void registerAllHalftonePasses();

} // namespace mlir::halftone

#endif // HALFTONE_PIPELINES_PIPELINES_H
