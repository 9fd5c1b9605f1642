//===- ReportBuilder.cpp - Measures what a report shows -------------------===//
#include "ReportBuilder.h"
#include "Command.h"
#include "ModelOptions.h"
#include "Stages.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

//===----------------------------------------------------------------------===//
// ReportedModel
//===----------------------------------------------------------------------===//

Expected<ReportedModel> ReportedModel::open(StringRef path, const RunnableOptions &options, StorageChoice storage) {
  Expected<FileKind> kind = fileKind(path);
  if (!kind)
    return kind.takeError();
  ReportedModel model;
  model.source = path.str();
  model.threads = options.threads;
  model.storage = storage;
  model.artefactPath = path.str();
  if (*kind == FileKind::Artefact)
    return model;
  model.context = std::make_unique<CompilerContext>();
  auto module = loadModel(path, model.context->get(), options.import);
  if (!module)
    return module.takeError();
  model.module = std::move(*module);
  if (Error error = model.compile())
    return std::move(error);
  return model;
}

Error ReportedModel::compile() {
  Expected<TemporaryFile> created = TemporaryFile::create("so");
  if (!created)
    return created.takeError();
  file = std::move(*created);
  artefactPath = file->path().str();
  OwningOpRef<ModuleOp> compiled = module->clone();
  std::string report = OpReport::of(*compiled).toJSON();
  if (stageOf(*compiled) == Stage::Quantization)
    if (Error error = advance(*compiled, Stage::Integer, StageSettings()))
      return error;
  return compileModule(*compiled, artefactPath, "native", report, {storage});
}

std::string ReportedModel::whyNoLayers() const {
  if (!module)
    return ("'" + source +
            "' is a compiled model; for the error of each layer give the source "
            "model or a stage file up to 'quantization' (halftone quantize -o, "
            "or build --stop-after=quantization)");
  if (*stageOf(*module) > Stage::Quantization)
    return ("'" + source + "' is at the stage '" +
            stageName(*stageOf(*module)).str() +
            "'; for the error of each layer give a file of the stage "
            "'quantization' or before");
  return "";
}

Expected<ModelCosts> ReportedModel::measure(const Dataset &data) const {
  Expected<LoadedModel> loaded = LoadedModel::load(artefactPath, threads);
  if (!loaded)
    return loaded.takeError();
  if (Error error = loaded->takeSize(data.inputs()))
    return std::move(error);
  ModelCosts costs;
  costs.path = source;
  costs.constantBytes = loaded->info().constantBytes;
  costs.workspaceBytes = loaded->info().workspaceBytes;
  if (module && *stageOf(*module) <= Stage::Integer) {
    auto tensors = measureTensorSizes(*module, "native", storage);
    if (!tensors)
      return tensors.takeError();
    costs.tensors = std::move(*tensors);
  }
  const int64_t batch = loaded->info().minBatch;
  auto contestant = Contestant::prepare(artefactPath, std::move(*loaded), batch);
  if (!contestant)
    return contestant.takeError();
  if (Error error = contestant->fillRound())
    return std::move(error);
  constexpr int kRounds = 15;
  Expected<Profile> profile = measureProfile(*contestant, kRounds);
  if (!profile)
    return profile.takeError();
  costs.profile = std::move(*profile);
  costs.profile.path = source;
  auto energy = measureEnergy(*contestant);
  if (!energy)
    return energy.takeError();
  costs.measuredEnergy = *energy;
  return costs;
}

Expected<std::vector<OpRow>> ReportedModel::floatOps(const Dataset &data) const {
  Expected<LoadedModel> loaded = LoadedModel::load(artefactPath, threads);
  if (!loaded)
    return loaded.takeError();
  if (Error error = loaded->takeSize(data.inputs()))
    return std::move(error);
  auto report = llvm::json::parse(loaded->info().report);
  if (!report)
    return report.takeError();
  std::vector<OpRow> rows;
  const llvm::json::Object *object = report->getAsObject();
  const llvm::json::Array *list =
      object ? object->getArray("operations") : nullptr;
  for (const llvm::json::Value &value : list ? *list : llvm::json::Array()) {
    const llvm::json::Object *row = value.getAsObject();
    auto text = [&](StringRef key) { return row->getString(key).value_or("").str(); };
    if (row && text("precision") == "float")
      rows.push_back({text("name"), text("kind"), false, text("reason"), 0});
  }
  return rows;
}

//===----------------------------------------------------------------------===//
// Report
//===----------------------------------------------------------------------===//

static Error addLayerErrors(Report &report, const ReportedModel &a,
                            const ReportedModel &b, const Dataset &data) {
  for (const ReportedModel *model : {&a, &b})
    if (report.noLayers.empty())
      report.noLayers = model->whyNoLayers();
  if (!report.noLayers.empty())
    return Error::success();
  auto layers = measureLayerErrors(a.getModule(), b.getModule(), data);
  if (!layers)
    return layers.takeError();
  report.layers = std::move(*layers);
  if (report.layers.empty())
    report.noLayers = "the two models have no layer of the same name: they are "
                      "not a model and its own quantized form";
  return Error::success();
}

Expected<Report>
mlir::halftone::buildReport(const ReportedModel &a, const ReportedModel &b,
                            const Dataset &data,
                            std::vector<ComparedOutput> outputs) {
  Report report;
  report.samples = data.size();
  report.outputs = std::move(outputs);
  for (auto [model, costs] : {std::pair(&a, &report.a), {&b, &report.b}}) {
    Expected<ModelCosts> measured = model->measure(data);
    if (!measured)
      return measured.takeError();
    *costs = std::move(*measured);
  }
  auto rows = b.floatOps(data);
  if (!rows)
    return rows.takeError();
  report.floatOps = std::move(*rows);
  if (Error error = addLayerErrors(report, a, b, data))
    return std::move(error);
  return report;
}

Error mlir::halftone::checkReportPath(StringRef path) {
  if (!path.ends_with(".html") && !path.ends_with(".json"))
    return userError("--report '" + path +
                     "' says no kind of report: give .html or .json");
  return checkWritable(path);
}

Error mlir::halftone::writeReport(const Report &report, StringRef path) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    if (path.ends_with(".html"))
      writePage(report, os);
    else
      os << llvm::formatv("{0:2}\n", toJSON(report));
    return Error::success();
  });
}
