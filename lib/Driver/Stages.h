//===- Stages.h - Takes a module from stage to stage ----------------------===//
#ifndef HALFTONE_LIB_DRIVER_STAGES_H
#define HALFTONE_LIB_DRIVER_STAGES_H

#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Target/Compile.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// What the passes behind calibration are told.
struct StageSettings {
  std::string statistics; ///< A statistics file.
  Estimator estimator = Estimator::MeanSquaredError;
  double percentile = 99.99;
  std::string smooth = "none"; ///< As of Smoothing::parse; what quantizes asks for "auto", what prunes sees the model as it is.
  std::string weights = "int8";        ///< Format of weights.
  std::string granularity = "channel"; ///< tensor, channel or group:N.
  std::string recipe;                  ///< A file of formats by layer.
  WeightScales weightScales = WeightScales::Automatic;
  WeightRounding rounding = WeightRounding::Diffused;
  std::string hessians; ///< A file of Hessians, for GPTQ and AdaRound.
  bool sequential = false; ///< GPTQ and AdaRound layer by layer.
  int64_t heldOut = 0;  ///< The last samples of the data, which nothing is fitted to.
  double sparsity = 0;  ///< The share of weights that GPTQ makes zero.
  std::string pattern = "blocks"; ///< Or unstructured.
  std::vector<std::string> floatOps; ///< Regular expressions.
  Activations activations = Activations::Int8;
};

/// One pass over a module.
llvm::Error runPass(ModuleOp module, std::unique_ptr<Pass> pass);

/// Runs the passes of one stage up to integer, verifying the module after each
/// pass, and marks it. Calibration needs statistics.
llvm::Error runStage(ModuleOp module, Stage stage,
                     const StageSettings &settings);

/// Takes a module of the stage import whose source has quantized it to the stage quantization, with the source's scales;
/// leaves others as they are. With `quantizes` a module whose source has scales of weights alone is one of them: its weights keep their codes when it is
/// quantized.
llvm::Error adoptCasts(ModuleOp module, bool quantizes = false);

/// Cross-layer equalization of a module of the stage import, whose source hash
/// says it from then on.
llvm::Error equalizeLayers(ModuleOp module);

/// Runs the stages behind the module's own up to `last`. A module that is
/// behind `last` already is an error.
llvm::Error advance(ModuleOp module, Stage last, const StageSettings &settings);

/// Takes an integer-stage or float module through the codegen stage, for that
/// target.
llvm::Error generateCode(ModuleOp module, StringRef target,
                         const KernelChoice &choice);

/// What would be refused of a file to compile to and of the CPUs to compile for; to be asked before long work.
llvm::Error checkCompilation(StringRef path, StringRef target);

/// Compiles a module, of the stages import to precision (all floats) or
/// integer, in place, into a file of the kind that its name says: .so, .o, .ll
/// or .s. The report is what the artefact carries as JSON.
llvm::Error compileModule(ModuleOp module, StringRef path, StringRef target,
                          StringRef report = "{}",
                          const KernelChoice &choice = {});

/// The same of one of several sizes, named `size`, which `writer` puts into one library.
llvm::Error compileSize(TargetWriter &writer, ModuleOp module, StringRef size, StringRef target, StringRef report, const KernelChoice &choice);

/// The same into a library whose constants can be written over
/// (TargetOptions::openConstants), with weights as bytes.
llvm::Error compileOpenModule(ModuleOp module, StringRef path, StringRef target);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_STAGES_H
