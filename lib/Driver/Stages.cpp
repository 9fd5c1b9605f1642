//===- Stages.cpp - Takes a module from stage to stage --------------------===//
#include "Stages.h"
#include "Command.h"
#include "ModelFile.h"
#include "ReasonGroups.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Driver/Driver.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/CompileToFile.h"
#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Target/TargetTable.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error;

static void addCalibration(OpPassManager &pm, const StageSettings &settings) {
  CalibrationOptions options;
  options.stats = settings.statistics;
  options.estimator = settings.estimator;
  options.percentile = settings.percentile;
  options.recipe = settings.recipe;
  options.smooth = settings.smooth;
  options.weights = settings.weights;
  options.granularity = settings.granularity;
  options.activations = settings.activations;
  buildCalibrationPipeline(pm, options);
}

static void addPrecision(OpPassManager &pm, const StageSettings &settings) {
  PrecisionOptions options;
  options.floatOps = settings.floatOps;
  options.activations = settings.activations;
  options.weights = settings.weights;
  options.granularity = settings.granularity;
  options.recipe = settings.recipe;
  buildPrecisionPipeline(pm, options);
}

static void addQuantization(OpPassManager &pm, const StageSettings &settings) {
  QuantizationOptions options;
  options.weightScales = settings.weightScales;
  options.rounding = settings.rounding;
  options.hessians = settings.hessians;
  options.sparsity = settings.sparsity;
  options.pattern = settings.pattern;
  buildQuantizationPipeline(pm, options);
}

/// A pass that fails says why. One that does not is a defect, which is not to be passed over in silence.
static Error runPasses(PassManager &pm, ModuleOp module) {
  GroupedRemarks remarks(module.getContext());
  bool isReported = false;
  ScopedDiagnosticHandler listener(module.getContext(), [&](Diagnostic &diagnostic) {
    isReported |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return failure(); // others print it
  });
  if (succeeded(pm.run(module)))
    return Error::success();
  if (isReported)
    return llvm::make_error<Reported>();
  return userError("a pass failed without a reason, which is a defect of halftone: please report it with the model; "
                   "`halftone-opt --mlir-print-ir-after-failure` on a stage file names the pass");
}

Error mlir::halftone::runPass(ModuleOp module, std::unique_ptr<Pass> pass) {
  PassManager pm(module.getContext());
  pm.addPass(std::move(pass));
  return runPasses(pm, module);
}

Error mlir::halftone::runStage(ModuleOp module, Stage stage,
                               const StageSettings &settings) {
  PassManager pm(module.getContext());
  switch (stage) {
  case Stage::Import:
    buildImportPipeline(pm);
    break;
  case Stage::Calibration:
    addCalibration(pm, settings);
    break;
  case Stage::Precision:
    addPrecision(pm, settings);
    break;
  case Stage::Quantization:
    addQuantization(pm, settings);
    break;
  case Stage::Integer:
    buildIntegerPipeline(pm);
    break;
  case Stage::Codegen:
  case Stage::Target:
    return userError("the stages codegen and target are run by compileModule");
  }
  if (Error error = runPasses(pm, module))
    return error;
  setStage(module, stage);
  return Error::success();
}

/// Whether the source model rounds by scales of its own: what it computes or, without `ofActivations`, its weights alone.
static bool hasCasts(ModuleOp module, bool ofActivations) {
  return module
      .walk([&](Operation *op) {
        bool isCast = isa<QuantizeOp, DequantizeOp>(op) || op->hasAttr(kSourceDynamicAttr) ||
                      (!ofActivations && op->hasAttr(kSourceScalesAttr) && !op->hasAttr(kSourceWrittenAttr) && classify(op) != OpKind::Table);
        return isCast ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

Error mlir::halftone::adoptCasts(ModuleOp module, bool quantizes) {
  if (!hasCasts(module, quantizes))
    return Error::success();
  PassManager pm(module.getContext());
  buildAdoptionPipeline(pm);
  if (Error error = runPasses(pm, module))
    return error;
  setStage(module, Stage::Quantization);
  return Error::success();
}

Error mlir::halftone::equalizeLayers(ModuleOp module) {
  std::optional<Stage> now = stageOf(module);
  if (now != Stage::Import)
    return userError("--equalize changes weights before calibration: give the "
                     "source model or a file of the stage 'import'; this one "
                     "is at '" + (now ? stageName(*now) : "none") + "'");
  return runPass(module, createEqualizeLayers());
}

Error mlir::halftone::advance(ModuleOp module, Stage last,
                              const StageSettings &settings) {
  std::optional<Stage> now = stageOf(module);
  if (!now)
    return userError("the module has no stage; import it first");
  if (*now > last)
    return userError("the model is at the stage '" + stageName(*now) +
                     "' already, behind '" + stageName(last) +
                     "'; start from an earlier stage file or the source model");
  for (int next = static_cast<int>(*now) + 1; next <= static_cast<int>(last);
       ++next)
    if (Error error = runStage(module, static_cast<Stage>(next), settings))
      return error;
  return Error::success();
}

Error mlir::halftone::generateCode(ModuleOp module, StringRef target,
                                   const KernelChoice &choice) {
  if (target.contains(','))
    return userError("the codegen stage is that of one CPU: name one of '" +
                     target + "' by --target-cpu");
  llvm::Expected<CpuTarget> cpu = findCpuTarget(target);
  if (!cpu)
    return cpu.takeError();
  PassManager pm(module.getContext());
  buildCodegenPipeline(pm, *cpu, /*costFile=*/"", choice);
  if (Error error = runPasses(pm, module))
    return error;
  module->setAttr(kStageAttr, StringAttr::get(module.getContext(),
                                              stageName(Stage::Codegen)));
  return Error::success();
}

static TargetOptions targetOptions(StringRef target) {
  TargetOptions options;
  options.cpu = target.str();
  options.compilerVersion = versionText();
  return options;
}

Error mlir::halftone::compileOpenModule(ModuleOp module, StringRef path, StringRef target) {
  TargetOptions options = targetOptions(target);
  options.openConstants = true;
  if (failed(compileToFile(module, options, path, {StorageChoice::Bytes})))
    return llvm::make_error<Reported>();
  return Error::success();
}

Error mlir::halftone::checkCompilation(StringRef path, StringRef target) {
  if (!llvm::is_contained({".so", ".o", ".ll", ".s"}, llvm::sys::path::extension(path)))
    return userError("'" + path + "' says no kind of file to compile to: give .so, .o, .ll or .s");
  return findCpuTargets(target).takeError();
}

/// Modules behind the stage integer have a target already.
static Error checkBeforeCodegen(ModuleOp module) {
  std::optional<Stage> now = stageOf(module);
  if (now && *now >= Stage::Codegen)
    return userError("the model is at the stage '" + stageName(*now) +
                     "' already; compile from an earlier stage file");
  return Error::success();
}

Error mlir::halftone::compileSize(TargetWriter &writer, ModuleOp module, StringRef size, StringRef target, StringRef report,
                                  const KernelChoice &choice) {
  if (Error error = checkBeforeCodegen(module))
    return error;
  TargetOptions options = targetOptions(target);
  options.size = size.str();
  options.report = report.str();
  KernelChoice kernels = choice;
  kernels.sharesPanels = !size.empty();
  if (failed(compileInto(writer, module, options, kernels)))
    return llvm::make_error<Reported>();
  return Error::success();
}

Error mlir::halftone::compileModule(ModuleOp module, StringRef path,
                                    StringRef target, StringRef report,
                                    const KernelChoice &choice) {
  if (Error error = checkBeforeCodegen(module))
    return error;
  if (Error error = checkCompilation(path, target))
    return error;
  TargetOptions options = targetOptions(target);
  options.report = report.str();
  if (failed(compileToFile(module, options, path, choice)))
    return llvm::make_error<Reported>();
  return Error::success();
}
