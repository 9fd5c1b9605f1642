//===- TrainCommand.cpp - halftone train ------------------------------------===//
//
// The model is read twice: once with the training batch, to be compiled into a step, and once as the user wants it, to
// take the trained weights. Both promote the same constants, in the same order.
//
//===----------------------------------------------------------------------===//
#include "HessianCollector.h"
#include "ModelOptions.h"
#include "QuantizeOptions.h"
#include "ReportBuilder.h"
#include "TrainSchedules.h"
#include "Trainer.h"
#include "halftone/Training/Passes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::Twine;
namespace cl = llvm::cl;

namespace {
struct TrainOptions {
  explicit TrainOptions(CommandLine &line);
  Error check() const;
  Error checkCompanions() const;
  std::string describe() const;
  TrainingSettings settings() const;
  Expected<TrainerOptions> trainer(StringRef hash, int64_t batchSize, int64_t samples) const;

  ModelOptions model;
  QuantizeOptions quantize;
  cl::opt<std::string> statistics, data, labels, loss, teacher, distill, optimizer, schedule, only, checkpoint, augment, report;
  cl::opt<double> teacherShare, distillShare, temperature, smoothing, rate, warmup, momentum, decay;
  cl::opt<bool> nesterov, resume, learnScales, learnLevels;
  cl::opt<int64_t> batch, epochs, heldOut, seed, pauseAfter;
  cl::opt<int> threads;
  ScheduleOptions schedules;
  OutputOption output;
};
} // namespace

TrainOptions::TrainOptions(CommandLine &line)
    : model(line), quantize(line),
      statistics("stats", cl::sub(line.command), cl::value_desc("STATS"),
                 cl::desc("Train the quantized model: quantize with these statistics, then train through the casts; the "
                          "result is of the stage quantization, ready to compile")),
      data("data", cl::Required, cl::sub(line.command), cl::value_desc("D.npz|folder"),
           cl::desc("Samples: .npz keyed by input name with a leading sample axis, or a folder")),
      labels("labels", cl::sub(line.command), cl::value_desc("array"),
             cl::desc("Labels (integers), or with --loss=mse targets, an array of --data")),
      loss("loss", cl::sub(line.command), cl::init("cross-entropy"), cl::value_desc("loss"),
           cl::desc("cross-entropy (default; the model's first output is logits) or mse")),
      teacher("teacher", cl::sub(line.command), cl::value_desc("MODEL"),
              cl::desc("A float model whose first output is to be met, with or without labels")),
      distill("distill", cl::sub(line.command), cl::value_desc("blocks|regex"),
              cl::desc("With --teacher: tensors within the network are to be met, too: blocks (what residual additions give, "
                       "else all contractions), or those of the operations whose names match")),
      optimizer("optimizer", cl::sub(line.command), cl::init("sgd"), cl::value_desc("name"),
                cl::desc("sgd (default) or adam (decoupled weight decay)")),
      schedule("schedule", cl::sub(line.command), cl::init("cosine"), cl::value_desc("name"),
               cl::desc("cosine (default: the rate falls to 0) or constant")),
      only("only", cl::sub(line.command), cl::init(".*"), cl::value_desc("regex"),
           cl::desc("Names of the weights to train (default: all)")),
      checkpoint("checkpoint", cl::sub(line.command), cl::value_desc("C.npz"),
                 cl::desc("Written after each epoch and on Ctrl-C")),
      augment("augment", cl::sub(line.command), cl::value_desc("flip,shift=P,erase=P"),
              cl::desc("Random changes of pictures: mirrored, moved by up to P pixels, a square of up to P pixels erased")),
      report("report", cl::sub(line.command), cl::value_desc("R.html|R.json"),
             cl::desc("Loss, accuracy and learning rate of each epoch, as a page of curves or as figures")),
      teacherShare("teacher-share", cl::sub(line.command), cl::init(0.5),
                   cl::desc("Weight of the teacher where there are labels too (default 0.5)")),
      distillShare("distill-share", cl::sub(line.command), cl::init(1),
                   cl::desc("Weight of --distill beside the output's loss (default 1)")),
      temperature("temperature", cl::sub(line.command), cl::init(1),
                  cl::desc("Softens the teacher's classes (default 1)")),
      smoothing("smoothing", cl::sub(line.command), cl::init(0), cl::desc("Label smoothing (default 0)")),
      rate("rate", cl::sub(line.command), cl::init(0.01), cl::desc("Greatest learning rate (default 0.01)")),
      warmup("warmup", cl::sub(line.command), cl::init(0),
             cl::desc("Share of all steps in which the rate rises (default 0)")),
      momentum("momentum", cl::sub(line.command), cl::init(0.9), cl::desc("Of sgd (default 0.9)")),
      decay("decay", cl::sub(line.command), cl::init(0), cl::desc("Weight decay (default 0); biases have none")),
      nesterov("nesterov", cl::sub(line.command), cl::desc("Nesterov's momentum")),
      resume("resume", cl::sub(line.command), cl::desc("Go on from --checkpoint: the result is that of one run")),
      learnScales("learn-scales", cl::sub(line.command),
                  cl::desc("Of a quantized model: train the scales of weights and activations, too (LSQ)")),
      learnLevels("learn-levels", cl::sub(line.command),
                  cl::desc("Of a quantized model: train the levels of codebook weights, too")),
      batch("batch", cl::sub(line.command), cl::init(0),
            cl::desc("Samples of a step (default 128, or what a stage file has above 1). Samples that fill no batch wait for "
                     "another epoch's order")),
      epochs("epochs", cl::sub(line.command), cl::init(1), cl::desc("Passes over the data (default 1)")),
      heldOut("held-out", cl::sub(line.command), cl::init(0),
              cl::desc("Samples to measure on instead of training with them (default 0)")),
      seed("seed", cl::sub(line.command), cl::init(0), cl::desc("Of the order of samples (default 0)")),
      pauseAfter("pause-after", cl::sub(line.command), cl::init(0), cl::value_desc("steps"),
                 cl::desc("Stop behind so many steps as Ctrl-C would, with a checkpoint")),
      threads("threads", cl::sub(line.command), cl::init(0),
              cl::desc("Threads (default: all CPUs); the result is the same for any number")),
      schedules(line), output(line) {}

/// Everything that can be known before long work.
Error TrainOptions::check() const {
  if (Error error = quantize.check())
    return error;
  if (!quantize.needsCalibration())
    return userError("training through casts is for --activations=int8: dynamic ranges and float activations have none");
  if (labels.empty() && teacher.empty())
    return userError("train needs --labels (an array of --data) or --teacher (a model)");
  if (!distill.empty() ? teacher.empty() || distillShare <= 0 : distillShare.getNumOccurrences() > 0)
    return userError("--distill needs --teacher, the model with the tensors to meet, and --distill-share above 0");
  if (schedule != "cosine" && schedule != "constant")
    return userError("--schedule=" + schedule + " is none of cosine, constant");
  if (epochs < 1 || batch < 0 || rate <= 0 || warmup < 0 || warmup >= 1 || temperature <= 0 || threads < 0)
    return userError("--epochs, --batch, --rate and --temperature are above 0, --warmup is from 0 to below 1");
  if (!(momentum >= 0 && momentum < 1) || !(smoothing >= 0 && smoothing < 1) || !(teacherShare >= 0 && teacherShare <= 1))
    return userError("--momentum and --smoothing are from 0 to below 1, --teacher-share is from 0 to 1");
  if (decay < 0 || pauseAfter < 0)
    return userError("--decay and --pause-after are 0 or above");
  if (Error error = checkCompanions())
    return error;
  if (Error error = schedules.check(epochs))
    return error;
  if (resume && checkpoint.empty())
    return userError("--resume needs --checkpoint, the file to go on from");
  if (!report.empty())
    if (Error error = checkReportPath(report))
      return error;
  if (!checkpoint.empty())
    if (Error error = checkWritable(checkpoint))
      return error;
  return output.check();
}

/// Options that would mean nothing beside the others.
Error TrainOptions::checkCompanions() const {
  if (optimizer == "adam" && (nesterov || momentum.getNumOccurrences()))
    return userError("--momentum and --nesterov are of --optimizer=sgd");
  if (teacher.empty() && temperature.getNumOccurrences())
    return userError("--temperature softens a teacher's classes: give --teacher");
  if (teacherShare.getNumOccurrences() && (teacher.empty() || labels.empty()))
    return userError("--teacher-share weighs a teacher against labels: give --teacher and --labels");
  if (smoothing.getNumOccurrences() && (labels.empty() || loss != "cross-entropy"))
    return userError("--smoothing is of --labels, with --loss=cross-entropy");
  return Error::success();
}

/// What the report says of the run.
std::string TrainOptions::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << optimizer << ", rate " << llvm::format("%g", rate.getValue()) << " (" << schedule << "), loss " << loss;
  for (auto [word, file] : {std::pair<StringRef, StringRef>{"labels", labels}, {"teacher", teacher}, {"distilled by", distill}, {"casts of", statistics},
                            {"augmented", augment}})
    if (!file.empty())
      os << ", " << word << ' ' << file;
  os << (learnScales ? ", learned scales" : "") << (learnLevels ? ", learned levels" : "") << ", seed " << seed;
  return text;
}

TrainingSettings TrainOptions::settings() const {
  TrainingSettings settings;
  settings.loss = loss;
  settings.target = labels.empty() ? "" : kTargetName.str();
  settings.hasTeacher = !teacher.empty();
  settings.teacherShare = teacherShare;
  settings.blockShare = distillShare;
  settings.temperature = temperature;
  settings.smoothing = smoothing;
  settings.optimizer = optimizer;
  settings.momentum = momentum;
  settings.decay = decay;
  settings.nesterov = nesterov;
  settings.castSchedule = schedules.changesCasts();
  return settings;
}

/// Of what a file holds: models of one source differ in their weights. 0 for none.
static uint64_t hashFile(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  return buffer ? llvm::xxh3_64bits(llvm::arrayRefFromStringRef((*buffer)->getBuffer())) : 0;
}

Expected<TrainerOptions> TrainOptions::trainer(StringRef hash, int64_t batchSize, int64_t samples) const {
  Expected<Augmentation> augmentation = Augmentation::parse(augment);
  if (!augmentation)
    return augmentation.takeError();
  TrainerOptions options;
  options.augmentation = *augmentation;
  options.batch = batchSize;
  options.epochs = epochs;
  options.seed = seed;
  options.rate = rate;
  options.cosine = schedule == "cosine";
  options.warmup = warmup;
  options.checkpoint = checkpoint;
  options.resume = resume;
  options.pauseAfter = pauseAfter;
  llvm::raw_string_ostream identity(options.identity);
  identity << hash << ' ' << hashFile(model.path()) << ' ' << hashFile(statistics) << ' ' << hashFile(teacher) << ' ' << samples << ' ' << labels << ' ' << loss
           << ' ' << teacher << ' ' << distill << ' ' << distillShare << ' ' << teacherShare << ' '
           << temperature << ' ' << smoothing << ' ' << optimizer << ' ' << momentum << ' ' << decay << ' ' << nesterov
           << ' ' << rate << ' ' << schedule << ' ' << warmup << ' ' << batchSize << ' ' << epochs << ' ' << heldOut
           << ' ' << seed << ' ' << only << ' ' << statistics << ' ' << augment << ' ' << learnScales << ' ' << learnLevels << ' ' << schedules.text();
  return options;
}

/// The leading dimension of all inputs.
static Expected<int64_t> batchOf(const InputInterface &interface) {
  int64_t batch = 0;
  for (const InputSpec &input : interface.inputs) {
    if (input.shape.empty() || input.shape[0] < 1)
      return userError("input '" + input.name + "' has the shape " + formatShape(input.shape) +
                       "; training needs a fixed batch in front: import with --dim NAME=SIZE, or give the source model");
    if (batch && input.shape[0] != batch)
      return userError("the inputs have different leading dimensions, " + Twine(batch) + " and " + Twine(input.shape[0]));
    batch = input.shape[0];
  }
  return batch;
}

/// A model of the stage quantization, or with --stats one on its way there: float weights in front of the casts.
static Error quantizeForTraining(const TrainOptions &options, ModuleOp module) {
  Stage stage = *stageOf(module);
  if (stage == Stage::Quantization) {
    if (!options.statistics.empty() || options.quantize.isGiven())
      return userError("'" + options.model.path() + "' is quantized already: give no --stats, and no option of quantization");
    if (options.schedules.prunes())
      return userError("--prune is for floats and for --stats: '" + options.model.path() + "' is quantized already; its zeros stay");
    if (options.schedules.startsInFloats())
      return userError("--quantize-from-epoch is for --stats: '" + options.model.path() + "' has no floats to begin with");
    return exposeWeights(module);
  }
  if (stage != Stage::Import)
    return userError("'" + options.model.path() + "' is at the stage '" + stageName(stage) + "'; train a file of the stage " +
                     "'quantization', or the source model" + (options.statistics.empty() ? ", with --stats if it is to be quantized" : ""));
  if (options.schedules.prunes())
    if (Error error = options.schedules.mark(module))
      return error;
  if (options.statistics.empty() && options.quantize.isGiven())
    return userError("options of quantization are for the casts that are trained through: give --stats");
  if (options.statistics.empty())
    return options.learnScales || options.learnLevels
               ? userError("--learn-scales and --learn-levels need --stats, or a file of the stage 'quantization': a float model has "
                           "neither")
               : Error::success();
  StageSettings settings = options.quantize.settings();
  settings.activations = Activations::Int8; // check() has refused the others, and what "auto" may choose is not trained through.
  settings.statistics = options.statistics;
  if (!options.quantize.isSmoothGiven())
    settings.smooth = "none"; // A teacher's values, of blocks, are not divided.
  if (Error error = advance(module, Stage::Precision, settings))
    return error;
  if (Error error = keepWeights(module))
    return error;
  if (Error error = advanceWithHessians(module, Stage::Quantization, settings, options.data))
    return error;
  return exposeWeights(module, options.schedules.startsInFloats());
}

/// A model with that number of samples: a source model is imported so where its leading dimension has a name, any other
/// gets it behind import, unless it has a batch above 1 and nothing else was asked for.
static Expected<OwningOpRef<ModuleOp>> loadAtBatch(StringRef path, const ImportOptions &options,
                                                   std::optional<int64_t> asked, MLIRContext *context) {
  constexpr int64_t usual = 128;
  Expected<OwningOpRef<ModuleOp>> module = loadModelAtBatch(path, context, options, asked.value_or(usual));
  if (!module)
    return module;
  int64_t present = leadingDimension(**module);
  if (present == asked.value_or(present > 1 ? present : usual))
    return module;
  if (Error error = setBatch(**module, asked.value_or(usual)))
    return std::move(error);
  return module;
}

/// The model to train, with its teacher.
static Expected<OwningOpRef<ModuleOp>> loadForTraining(const TrainOptions &options, MLIRContext *context) {
  std::optional<int64_t> asked;
  if (options.batch)
    asked = options.batch;
  Expected<ImportOptions> imported = options.model.importOptions();
  if (!imported)
    return imported.takeError();
  Expected<OwningOpRef<ModuleOp>> module = loadAtBatch(options.model.path(), *imported, asked, context);
  if (!module)
    return module;
  if (Error error = options.model.record(**module))
    return std::move(error);
  const int64_t batch = leadingDimension(**module);
  if (Error error = quantizeForTraining(options, **module))
    return std::move(error);
  if (options.teacher.empty())
    return module;
  // Dimensions without sizes are those of an ONNX model; a stage file has them fixed.
  const bool isSource = StringRef(options.teacher).ends_with(".onnx");
  Expected<OwningOpRef<ModuleOp>> teacher =
      loadAtBatch(options.teacher, isSource ? *imported : ImportOptions(), batch, context);
  if (!teacher)
    return teacher;
  if (Error error = adoptTeacher(**module, **teacher))
    return std::move(error);
  if (!options.distill.empty())
    if (Error error = exposeBlocks(**module, options.distill == "blocks" ? StringRef() : StringRef(options.distill)))
      return std::move(error);
  return module;
}

/// What changes from step to step.
static Error addSchedules(const ScheduleOptions &schedules, ModuleOp module, int64_t stepsPerEpoch, TrainerOptions &trainer) {
  if (schedules.prunes()) {
    Expected<GradualPruning> pruning = schedules.pruning(module, trainer.epochs, stepsPerEpoch);
    if (!pruning)
      return pruning.takeError();
    trainer.pruning = std::move(*pruning);
  }
  if (!schedules.changesCasts())
    return Error::success();
  Expected<CastSchedule> casts = schedules.casts(module, trainer.epochs, stepsPerEpoch);
  if (!casts)
    return casts.takeError();
  trainer.casts = *casts;
  return Error::success();
}

/// Whether the labels are what the loss will compare with, before the program is compiled.
static Error checkLabels(const TrainOptions &options, ModuleOp module, const TrainingData &data, int64_t batch) {
  if (options.labels.empty())
    return Error::success();
  auto output = dyn_cast<RankedTensorType>(module.lookupSymbol<func::FuncOp>("main").getResultTypes().front());
  if (options.loss == "cross-entropy") {
    if (Error error = data.checkTarget(Tensor(kTargetName, ElementType::I64, {batch})))
      return error;
    return output && output.getRank() == 2 ? data.checkClasses(output.getDimSize(1)) : Error::success();
  }
  if (options.loss != "mse" || !output || !output.hasStaticShape() || !output.getElementType().isF32())
    return Error::success();
  return data.checkTarget(Tensor(kTargetName, ElementType::F32, output.getShape()));
}

/// Compiles, trains, and leaves the result in `weights`.
static Error trainWeights(const TrainOptions &options, ModuleOp module, std::vector<TrainedWeight> &weights,
                          const InputInterface &interface) {
  Expected<int64_t> batch = batchOf(interface);
  if (!batch)
    return batch.takeError();
  Expected<TrainingData> data = TrainingData::open(options.data, interface, options.labels, options.heldOut, options.seed);
  if (!data)
    return data.takeError();
  if (data->trained() < *batch)
    return userError("there are " + Twine(data->trained()) + " samples to train on, a batch takes " + Twine(*batch));
  if (Error error = checkLabels(options, module, *data, *batch))
    return error;
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  Expected<TrainerOptions> trainer = options.trainer(hash ? hash.getValue() : "", *batch, data->trained());
  if (!trainer)
    return trainer.takeError();
  if (Error error = addSchedules(options.schedules, module, data->trained() / *batch, *trainer))
    return error;
  if (!trainer->augmentation.isNone() && llvm::none_of(interface.inputs, [](const InputSpec &input) {
        return holdsPictures(input.type, input.shape);
      }))
    return userError("--augment is for pictures, f32 of shape [N, C, H, W] or [N, H, W, C]; no input is one");
  TrainingSettings settings = options.settings();
  Expected<TrainingProgram> step = TrainingProgram::compile(module, settings, /*backward=*/true, options.threads);
  if (!step)
    return step.takeError();
  if (Tensor *target = step->input(kTargetName))
    if (Error error = data->checkTarget(*target))
      return error;
  std::optional<TrainingProgram> check;
  if (static_cast<int64_t>(data->heldOut().size()) >= *batch) {
    Expected<TrainingProgram> made = TrainingProgram::compile(module, settings, /*backward=*/false, options.threads);
    if (!made)
      return made.takeError();
    check.emplace(std::move(*made));
  }
  Trainer training(*trainer, *data, weights, std::move(*step), std::move(check));
  if (Error error = training.run())
    return error;
  if (options.report.empty())
    return Error::success();
  return writeTrainingReport({options.model.path().str(), options.data, options.describe(), training.history().vec()},
                             options.report);
}

/// Weights and, if they are to be learned, scales, as arguments.
static Expected<std::vector<TrainedWeight>> promote(const TrainOptions &options, ModuleOp module) {
  if (options.learnScales)
    if (Error error = promoteScales(module))
      return std::move(error);
  if (options.learnLevels)
    if (Error error = promoteLevels(module))
      return std::move(error);
  return promoteWeights(module, options.only);
}

/// Before anything long or anything written.
static Error checkLoss(const TrainOptions &options, ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto output = main ? dyn_cast<RankedTensorType>(main.getResultTypes().front()) : RankedTensorType();
  if (options.loss == "cross-entropy" && output && output.getRank() != 2)
    return userError("--loss=cross-entropy needs logits [samples, classes], and the model's first output has " + Twine(output.getRank()) +
                     " dimensions: give --loss=mse");
  return Error::success();
}

Error mlir::halftone::runTrain(CommandLine &line) {
  TrainOptions options(line);
  line.parse();
  if (Error error = options.check())
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> result = options.model.load(context.get());
  if (!result)
    return result.takeError();
  if (Error error = checkLoss(options, **result))
    return error;
  if (Error error = quantizeForTraining(options, **result))
    return error;
  Expected<OwningOpRef<ModuleOp>> module = loadForTraining(options, context.get());
  if (!module)
    return module.takeError();
  Expected<InputInterface> interface = InputInterface::of(**module);
  if (!interface)
    return interface.takeError();
  Expected<std::vector<TrainedWeight>> weights = promote(options, **module);
  if (!weights)
    return weights.takeError();
  Expected<std::vector<TrainedWeight>> untrained = promote(options, **result);
  if (!untrained)
    return untrained.takeError();
  if (Error error = trainWeights(options, **module, *weights, *interface))
    return error;
  if (Error error = restoreWeights(**result, *weights))
    return error;
  if (Error error = options.output.write(**result))
    return error;
  llvm::errs() << "wrote " << options.output.path << ": " << weights->size() << " weights trained\n";
  return Error::success();
}
