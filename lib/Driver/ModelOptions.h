//===- ModelOptions.h - Options of commands that read and write models ----===//
#ifndef HALFTONE_LIB_DRIVER_MODELOPTIONS_H
#define HALFTONE_LIB_DRIVER_MODELOPTIONS_H

#include "Command.h"
#include "ModelFile.h"
#include "ModelSizes.h"
#include "halftone/Import/ONNX.h"

namespace mlir::halftone {

/// Reads a model of any kind and stage and brings it at least to the stage
/// import. The options are for source models only.
llvm::Expected<OwningOpRef<ModuleOp>> loadModel(StringRef path, MLIRContext *context, const ImportOptions &options = {}, bool quantizes = false);

/// The same with every leading dimension of a source model fixed to `batch`; a stage file stays as it is.
llvm::Expected<OwningOpRef<ModuleOp>> loadModelAtBatch(StringRef path, MLIRContext *context, ImportOptions options, int64_t batch);

/// --dim, --value and --outputs, of source models.
class SourceOptions {
public:
  /// `takesLists`: the command makes a library, which may have several sizes.
  explicit SourceOptions(CommandLine &line, bool takesLists = false);
  /// Of one size.
  llvm::Expected<ImportOptions> importOptions() const;
  /// Of all sizes that lists of --dim give; one if there is no list.
  llvm::Expected<std::vector<ModelSize>> sizes() const;

private:
  llvm::cl::list<std::string> dims, values, outputs;
};

/// MODEL, --dim, --value, --outputs and --input; and the loading that they govern.
class ModelOptions {
public:
  explicit ModelOptions(CommandLine &line, bool several = false, bool takesLists = false);

  /// The only model, at the stage import or later, with its preprocessing; `quantizes` as in adoptCasts().
  llvm::Expected<OwningOpRef<ModuleOp>> load(MLIRContext *context, bool quantizes = false) const;
  /// The same in one of its sizes.
  llvm::Expected<OwningOpRef<ModuleOp>> load(MLIRContext *context, const ModelSize &size, bool quantizes = false) const;

  /// Records --input in a module that was loaded another way.
  llvm::Error record(ModuleOp module) const;

  StringRef path() const { return paths.front(); }
  /// Whether the model is an ONNX file, not a stage file.
  bool isOnnx() const { return path().ends_with(".onnx"); }
  /// That its own scales leave nothing to choose, and what to do.
  llvm::Error isQuantizedAlready(const llvm::Twine &advice) const;
  llvm::Expected<ImportOptions> importOptions() const { return source.importOptions(); }
  /// The sizes of the model; of several files, which are of one size each, those files.
  llvm::Expected<std::vector<ModelSize>> sizes() const;

  llvm::cl::list<std::string> paths;

private:
  SourceOptions source;
  llvm::cl::list<std::string> inputs;
};

/// --equalize, of calibrate, quantize and build.
class EqualizeOption : public llvm::cl::opt<bool> {
public:
  explicit EqualizeOption(CommandLine &line);
  /// Equalizes the layers of the model if it is asked for.
  llvm::Error apply(ModuleOp module) const;
};

/// -o of a stage file, and --elide-weights.
class OutputOption {
public:
  explicit OutputOption(CommandLine &line);
  /// Whether it can be written, before long work: its folder, and that its name is that of a stage file.
  llvm::Error check() const;
  llvm::Error write(ModuleOp module) const;

  llvm::cl::opt<std::string> path;
  llvm::cl::opt<bool> elide;
};

/// --stop-after, within [first, last].
class StageOption {
public:
  StageOption(CommandLine &line, Stage first, Stage last, Stage initial);
  /// Fails for a name that is no stage in the bounds, naming those that are.
  llvm::Expected<Stage> stage() const;

private:
  std::string listStages() const;

  Stage first, last;
  /// The option keeps a reference to it.
  std::string description;
  llvm::cl::opt<std::string> name;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MODELOPTIONS_H
