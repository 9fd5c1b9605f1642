//===- Runnable.cpp - Anything that turns samples into outputs ------------===//
#include "Runnable.h"
#include "Command.h"
#include "LoadedModel.h"
#include "ModelOptions.h"
#include "Stages.h"
#include "TemporaryFile.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {
/// A compiled model, and the temporary file that it was compiled into, if any.
class CompiledRunnable : public Runnable {
public:
  CompiledRunnable(LoadedModel model, std::vector<InputInterface> sizes,
                   std::optional<TemporaryFile> file)
      : file(std::move(file)), model(std::move(model)),
        sizes(std::move(sizes)) {}

  llvm::ArrayRef<InputInterface> interfaces() const override { return sizes; }
  Expected<std::vector<Tensor>> run(const Dataset &data) override {
    return model.runDataset(data);
  }

private:
  std::optional<TemporaryFile> file;
  LoadedModel model;
  std::vector<InputInterface> sizes;
};
} // namespace

static Expected<std::unique_ptr<Runnable>>
openCompiled(StringRef path, int threads,
             std::optional<TemporaryFile> file = {}) {
  Expected<LoadedModel> model = LoadedModel::load(path, threads);
  if (!model)
    return model.takeError();
  auto sizes = InputInterface::ofSizes(model->sizes());
  if (!sizes)
    return sizes.takeError();
  return std::make_unique<CompiledRunnable>(
      std::move(*model), std::move(*sizes), std::move(file));
}

/// A stage file or a source model; one with casts goes on to integers.
static Expected<OwningOpRef<ModuleOp>> loadExecutable(StringRef path, MLIRContext *context, const ImportOptions &import) {
  Expected<OwningOpRef<ModuleOp>> module = loadModel(path, context, import);
  if (!module || stageOf(**module) != Stage::Quantization)
    return module;
  if (Error error = advance(**module, Stage::Integer, StageSettings()))
    return std::move(error);
  return module;
}

/// Compiles for the reference target.
static Expected<std::unique_ptr<Runnable>> openReference(StringRef path, const RunnableOptions &options) {
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = loadExecutable(path, context.get(), options.import);
  if (!module)
    return module.takeError();
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  std::string library = file->path().str();
  if (Error error = compileModule(**module, library, "reference"))
    return std::move(error);
  return openCompiled(library, options.threads, std::move(*file));
}

Expected<std::unique_ptr<Runnable>>
mlir::halftone::openRunnable(StringRef path, const RunnableOptions &options) {
  Expected<FileKind> kind = fileKind(path);
  if (!kind)
    return kind.takeError();
  if (*kind == FileKind::Artefact)
    return openCompiled(path, options.threads);
  if (options.interpret)
    return openInterpreted(path, options.import);
  return openReference(path, options);
}
