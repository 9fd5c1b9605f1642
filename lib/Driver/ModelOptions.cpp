//===- ModelOptions.cpp - Options of commands that read and write models --===//
#include "ModelOptions.h"
#include "DataOptions.h"
#include "Stages.h"
#include "halftone/Import/ForeignSizes.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// MODEL
//===----------------------------------------------------------------------===//

/// The description of --dim.
static const char *describeDim(bool takesLists) {
  if (takesLists)
    return "Sizes of a dynamic dimension: batch=1..32 leaves a leading one open, seq=16 fixes any, seq=16,32,64 makes a library for each of "
           "these sizes. One without a name is INPUT.AXIS. A leading dimension that is not named is fixed to 1";
  return "Sizes of a dynamic dimension, for example batch=1..32; one number fixes it. One without a name is INPUT.AXIS. "
         "A leading dimension that is not named is fixed to 1";
}

SourceOptions::SourceOptions(CommandLine &line, bool takesLists)
    : dims("dim", cl::sub(line.command), cl::value_desc(takesLists ? "name=low..high|name=size,size" : "name=low..high"),
           cl::desc(describeDim(takesLists))),
      values("value", cl::sub(line.command), cl::value_desc("name=number"),
             cl::desc("Makes an input of the model a constant, for example sr=16000: the compiled model has no such input")),
      outputs("outputs", cl::sub(line.command), cl::value_desc("names"), cl::CommaSeparated,
              cl::desc("Tensors of the model that are its outputs instead, with commas between: what none of them needs is left out")) {}

ModelOptions::ModelOptions(CommandLine &line, bool several, bool takesLists)
    : paths(cl::Positional, several ? cl::OneOrMore : cl::Required,
            cl::sub(line.command), cl::desc("MODEL")),
      source(line, takesLists),
      inputs("input", cl::sub(line.command), cl::value_desc("NAME: steps"),
             cl::desc("How pictures become an input, recorded in the artefact: "
                      "'NAME: u8 nhwc rgb "
                      "resize=256 crop=224 mean=0.485,0.456,0.406 "
                      "std=0.229,0.224,0.225'")) {}

/// A module in MLIR: a stage file, or what another compiler wrote, whose batch may be open.
static Expected<OwningOpRef<ModuleOp>> readForeign(StringRef path, MLIRContext *context, const ImportOptions &options) {
  Expected<OwningOpRef<ModuleOp>> module = readModule(path, context);
  if (!module)
    return module;
  if (!stageOf(**module))
    return succeeded(boundForeignSizes(**module, options)) ? std::move(module) : llvm::make_error<Reported>();
  if (!options.dims.empty())
    return userError("--dim is for source models; the dimensions of '" + path + "' are in its types already");
  return module;
}

/// The module of a file, before the passes of the stage import.
static Expected<OwningOpRef<ModuleOp>>
readSource(StringRef path, MLIRContext *context, const ImportOptions &options) {
  Expected<FileKind> kind = fileKind(path);
  if (!kind)
    return kind.takeError();
  switch (*kind) {
  case FileKind::Artefact:
    return userError(
        "'" + path +
        "' is a compiled model already; give the source model or a "
        "stage file");
  case FileKind::Module:
    if (!options.values.empty() || !options.outputs.empty())
      return userError((options.values.empty() ? "--outputs" : "--value") + (" is for ONNX models; '" + path + "' is imported already"));
    return readForeign(path, context, options);
  case FileKind::Onnx:
    break;
  }
  OwningOpRef<ModuleOp> module = importOnnx(path, context, options);
  if (!module)
    return llvm::make_error<Reported>();
  return module;
}

Expected<OwningOpRef<ModuleOp>> mlir::halftone::loadModel(StringRef path, MLIRContext *context, const ImportOptions &options, bool quantizes) {
  Expected<OwningOpRef<ModuleOp>> module = readSource(path, context, options);
  if (!module)
    return module;
  // The ONNX importer sets the stage, but the passes of the stage are still to
  // come.
  bool isSource = path.ends_with(".onnx") || !stageOf(**module);
  if (!isSource)
    return module;
  if (Error error = runStage(**module, Stage::Import, StageSettings()))
    return std::move(error);
  if (Error error = adoptCasts(**module, quantizes))
    return std::move(error);
  return module;
}

Expected<OwningOpRef<ModuleOp>> mlir::halftone::loadModelAtBatch(StringRef path, MLIRContext *context, ImportOptions options,
                                                                 int64_t batch) {
  options.leading = batch;
  return loadModel(path, context, options);
}

Expected<ImportOptions> SourceOptions::importOptions() const {
  Expected<std::vector<ModelSize>> all = sizes();
  if (!all)
    return all.takeError();
  if (all->size() > 1)
    return userError("a list of sizes is for a library, which build and compile make: give --dim one size here");
  return std::move(all->front().import);
}

Expected<std::vector<ModelSize>> SourceOptions::sizes() const {
  ImportOptions options;
  std::string reason;
  for (const std::string &text : values)
    if (!parseValue(text, options.values, reason))
      return userError("--value '" + text + "': " + reason);
  options.outputs.assign(outputs.begin(), outputs.end());
  return combineSizes(dims, options);
}

Error ModelOptions::isQuantizedAlready(const llvm::Twine &advice) const {
  return userError("'" + path() + "' is quantized already, with scales of its own: " + advice);
}

Expected<OwningOpRef<ModuleOp>> ModelOptions::load(MLIRContext *context, bool quantizes) const {
  Expected<ImportOptions> options = importOptions();
  if (!options)
    return options.takeError();
  return load(context, {path().str(), "", std::move(*options)}, quantizes);
}

Expected<OwningOpRef<ModuleOp>> ModelOptions::load(MLIRContext *context, const ModelSize &size, bool quantizes) const {
  Expected<OwningOpRef<ModuleOp>> module = loadModel(size.path, context, size.import, quantizes);
  if (!module)
    return module;
  if (Error error = record(**module))
    return std::move(error);
  return module;
}

Expected<std::vector<ModelSize>> ModelOptions::sizes() const {
  Expected<std::vector<ModelSize>> all = source.sizes();
  if (!all)
    return all;
  if (paths.size() > 1 && all->size() > 1)
    return userError("several models are sizes of one already: give no list of sizes to --dim");
  std::vector<ModelSize> sizes;
  for (const std::string &path : paths)
    for (const ModelSize &size : *all)
      sizes.push_back({path, size.name, size.import});
  return sizes;
}

Error ModelOptions::record(ModuleOp module) const { return recordPreprocessing(module, inputs); }

EqualizeOption::EqualizeOption(CommandLine &line)
    : opt("equalize", cl::sub(line.command),
          cl::desc("Even out the ranges of weights between consecutive layers "
                   "first (cross-layer equalization): calibrate and quantize "
                   "need it alike")) {}

Error EqualizeOption::apply(ModuleOp module) const {
  return getValue() ? equalizeLayers(module) : Error::success();
}

//===----------------------------------------------------------------------===//
// -o and --stop-after
//===----------------------------------------------------------------------===//

OutputOption::OutputOption(CommandLine &line)
    : path("o", cl::sub(line.command), cl::value_desc("file"), cl::init("-"),
           cl::desc("Output: .mlir for text, .mlirbc for bytecode, - for text "
                    "on stdout "
                    "(default)")),
      elide("elide-weights", cl::sub(line.command),
            cl::desc("Leave the weights out: for reading, cannot be resumed")) {
}

Error OutputOption::check() const {
  StringRef extension = llvm::sys::path::extension(path);
  if (!extension.empty() && extension != ".mlir" && extension != ".mlirbc")
    return userError("'" + path + "' is to be a stage file: name it .mlir for text, or .mlirbc for bytecode");
  if (elide && extension == ".mlirbc")
    return userError("--elide-weights is for text to read, but '" + path + "' is bytecode; name the output .mlir");
  return checkWritable(path);
}

Error OutputOption::write(ModuleOp module) const {
  return writeModule(module, path, elide);
}

StageOption::StageOption(CommandLine &line, Stage first, Stage last,
                         Stage initial)
    : first(first), last(last),
      description("Write the stage file after this stage: " + listStages()),
      name("stop-after", cl::sub(line.command), cl::value_desc("stage"),
           cl::init(stageName(initial).str()), cl::desc(description)) {}

std::string StageOption::listStages() const {
  std::string text;
  for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i)
    text += (text.empty() ? "" : ", ") + stageName(static_cast<Stage>(i)).str();
  return text;
}

Expected<Stage> StageOption::stage() const {
  std::optional<Stage> stage = parseStage(name);
  if (!stage || *stage < first || *stage > last)
    return userError("--stop-after=" + name + " is none of " + listStages());
  return *stage;
}
