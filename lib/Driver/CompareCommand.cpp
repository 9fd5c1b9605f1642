//===- CompareCommand.cpp - halftone compare ------------------------------===//
#include "Command.h"
#include "DataOptions.h"
#include "ModelOptions.h"
#include "QuantizeOptions.h"
#include "ReportBuilder.h"
#include "Runnable.h"
#include "halftone/Data/Npz.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;
namespace cl = llvm::cl;

/// The labels, one integer for each sample; none without a key.
static Expected<std::vector<int64_t>> readLabels(StringRef path, StringRef key) {
  if (key.empty())
    return std::vector<int64_t>();
  auto reader = NpzReader::open(path);
  if (!reader)
    return reader.takeError();
  Expected<Tensor> tensor = (*reader)->read(key);
  if (!tensor)
    return tensor.takeError();
  if (tensor->type == ElementType::I64)
    return std::vector<int64_t>(tensor->values<int64_t>().begin(),
                                tensor->values<int64_t>().end());
  if (tensor->type == ElementType::I32)
    return std::vector<int64_t>(tensor->values<int32_t>().begin(),
                                tensor->values<int32_t>().end());
  if (tensor->type == ElementType::U8)
    return std::vector<int64_t>(tensor->values<uint8_t>().begin(),
                                tensor->values<uint8_t>().end());
  return userError("--labels '" + key + "' has elements of " +
                   elementName(tensor->type) + "; labels are i64, i32 or u8");
}

static double accuracyOf(const Tensor &logits, llvm::ArrayRef<int64_t> labels) {
  std::vector<int64_t> top = argmaxRows(logits);
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i)
    right += top[i] == labels[i];
  return 100.0 * right / labels.size();
}

/// Both models have the same outputs, in the same order.
static Error checkSameOutputs(llvm::ArrayRef<Tensor> a,
                              llvm::ArrayRef<Tensor> b) {
  ProblemList problems;
  if (a.size() != b.size())
    return userError("A has " + llvm::Twine(a.size()) + " outputs and B " +
                     llvm::Twine(b.size()));
  for (auto [x, y] : llvm::zip(a, b))
    if (x.type != y.type || x.shape != y.shape)
      problems.add("'" + x.name + "' is " + elementName(x.type) +
                   formatShape(x.shape) + " in A and '" + y.name + "' is " +
                   elementName(y.type) + formatShape(y.shape) + " in B");
  return problems.take("the outputs cannot be compared:");
}

static Expected<std::vector<ComparedOutput>>
compareAll(llvm::ArrayRef<Tensor> a, llvm::ArrayRef<Tensor> b,
           llvm::ArrayRef<int64_t> labels) {
  if (Error error = checkSameOutputs(a, b))
    return std::move(error);
  std::vector<ComparedOutput> all;
  for (auto [x, y] : llvm::zip(a, b)) {
    ComparedOutput output{x.name, compareTensors(x, y), {}, {}};
    if (!labels.empty() && output.fidelity.sameTop1 >= 0) {
      output.accuracyA = accuracyOf(x, labels);
      output.accuracyB = accuracyOf(y, labels);
    }
    all.push_back(output);
  }
  return all;
}

static void printText(llvm::ArrayRef<ComparedOutput> all) {
  for (const ComparedOutput &output : all) {
    const Fidelity &f = output.fidelity;
    llvm::outs() << "output '" << output.name << "', " << f.samples
                 << " samples:\n";
    if (f.differentBits == 0)
      llvm::outs() << "  equal bit for bit (" << f.elements << " elements)\n";
    else
      llvm::outs() << llvm::format(
          "  %lld of %lld elements differ, max |a-b| = %.6g\n",
          (long long)f.differentBits, (long long)f.elements, f.maxAbs);
    llvm::outs() << llvm::format("  SQNR %.2f dB, cosine %.6f", f.sqnr,
                                 f.cosine);
    if (f.sameTop1 >= 0)
      llvm::outs() << llvm::format(", same top-1 %.2f %% (%lld of %lld)",
                                   100.0 * f.sameTop1 / f.samples,
                                   (long long)f.sameTop1, (long long)f.samples);
    llvm::outs() << "\n";
    if (output.accuracyA)
      llvm::outs() << llvm::format("  accuracy: A %.2f %%, B %.2f %%\n",
                                   *output.accuracyA, *output.accuracyB);
  }
}

/// How pictures become the inputs of both models: by the lines given, else as
/// each model records it, else as the other one does.
static Expected<std::vector<std::vector<InputInterface>>>
interfacesOf(llvm::ArrayRef<std::unique_ptr<Runnable>> models,
             llvm::ArrayRef<std::string> lines) {
  std::vector<std::vector<InputInterface>> both;
  for (const auto &model : models)
    both.push_back(model->interfaces().vec());
  const std::vector<Preprocess> first = both[0].front().preprocess, second = both[1].front().preprocess;
  for (auto [sizes, others] : {std::tie(both[0], second), std::tie(both[1], first)})
    for (InputInterface &interface : sizes) {
      interface.adoptPreprocessing(others);
      if (Error error = interface.setPreprocessing(lines))
        return std::move(error);
    }
  return both;
}

namespace {
struct CompareOptions {
  explicit CompareOptions(CommandLine &line);

  llvm::cl::opt<std::string> pathA, pathB;
  SourceOptions source;
  llvm::cl::opt<std::string> data;
  llvm::cl::list<std::string> inputs;
  llvm::cl::opt<std::string> labels;
  llvm::cl::list<std::string> reports;
  llvm::cl::opt<bool> exact, evaluator;
  llvm::cl::opt<int> threads;
  llvm::cl::opt<bool> json;
  StorageOption storage;
};
} // namespace

CompareOptions::CompareOptions(CommandLine &line)
    : pathA(cl::Positional, cl::Required, cl::sub(line.command), cl::desc("A")),
      pathB(cl::Positional, cl::Required, cl::sub(line.command), cl::desc("B")),
      source(line),
      data("data", cl::Required, cl::sub(line.command),
           cl::value_desc("D.npz|folder"), cl::desc("Samples for both")),
      inputs("input", cl::sub(line.command), cl::value_desc("NAME: steps"),
             cl::desc("How pictures become an input of both, instead of what "
                      "the models record; one that records nothing takes over "
                      "the other's")),
      labels("labels", cl::sub(line.command), cl::value_desc("KEY"),
             cl::desc("Array of the .npz with each sample's class: prints the "
                      "accuracy of both")),
      reports("report", cl::sub(line.command), cl::value_desc("R.html|R.json"),
              cl::desc("Write what B costs and where it differs from A: size "
                       "of each tensor, error and time of each layer, bytes "
                       "moved, energy, why operations stay float; both models "
                       "are compiled for this machine. May be repeated")),
      exact("exact", cl::sub(line.command),
            cl::desc("Exit with 1 unless all outputs are equal bit for bit")),
      evaluator("evaluator", cl::sub(line.command),
                cl::desc("Interpret stage files instead of compiling them for "
                         "the reference target")),
      threads("threads", cl::sub(line.command), cl::init(1),
              cl::value_desc("N"),
              cl::desc("Threads of parallel loops (default 1)")),
      json("json", cl::sub(line.command), cl::desc("Print JSON")),
      storage(line) {}

namespace {
/// Both models with their samples.
struct Contest {
  std::vector<ReportedModel> reported; ///< Both, if there is to be a report.
  std::vector<std::unique_ptr<Runnable>> models;
  std::vector<std::unique_ptr<Dataset>> data;
  std::vector<std::vector<Tensor>> results;
};
} // namespace

static bool isOnnx(StringRef path) { return path.ends_with(".onnx"); }

/// What --dim, --value and --outputs say; the model that is no ONNX file has sizes of its own.
static Expected<ImportOptions> importOptions(const CompareOptions &options) {
  Expected<ImportOptions> import = options.source.importOptions();
  const bool isGiven = import && (!import->dims.empty() || !import->values.empty() || !import->outputs.empty());
  if (isGiven && !isOnnx(options.pathA) && !isOnnx(options.pathB))
    return userError("--dim, --value and --outputs are for ONNX models; '" + options.pathA + "' and '" + options.pathB + "' are imported already");
  return import;
}

/// Opens both models; for a report, their compiled forms.
static Error openModels(const CompareOptions &options, const ImportOptions &import, Contest &contest) {
  for (StringRef path : {StringRef(options.pathA), StringRef(options.pathB)}) {
    const RunnableOptions opening = {options.evaluator, options.threads, isOnnx(path) ? import : ImportOptions()};
    if (!options.reports.empty()) {
      auto model = ReportedModel::open(path, opening, options.storage);
      if (!model)
        return model.takeError();
      contest.reported.push_back(std::move(*model));
      path = contest.reported.back().artefact();
    }
    auto runnable = openRunnable(path, opening);
    if (!runnable)
      return runnable.takeError();
    contest.models.push_back(std::move(*runnable));
  }
  return Error::success();
}

/// Runs both models on their samples.
static Error runModels(const CompareOptions &options, Contest &contest) {
  auto interfaces = interfacesOf(contest.models, options.inputs);
  if (!interfaces)
    return interfaces.takeError();
  for (auto [model, sizes] : llvm::zip(contest.models, *interfaces)) {
    auto dataset = loadDatasetFor(sizes, options.data);
    if (!dataset)
      return dataset.takeError();
    Expected<std::vector<Tensor>> outputs = model->run(**dataset);
    if (!outputs)
      return outputs.takeError();
    contest.data.push_back(std::move(*dataset));
    contest.results.push_back(std::move(*outputs));
  }
  return Error::success();
}

static Error writeReports(const CompareOptions &options, const Contest &contest,
                          const std::vector<ComparedOutput> &compared) {
  auto report = buildReport(contest.reported[0], contest.reported[1],
                            *contest.data[1], compared);
  if (!report)
    return report.takeError();
  report->data = options.data;
  for (const std::string &path : options.reports)
    if (Error error = writeReport(*report, path))
      return error;
  if (!options.json)
    printReport(*report, llvm::outs());
  return Error::success();
}

Error mlir::halftone::runCompare(CommandLine &line) {
  CompareOptions options(line);
  line.parse();
  for (const std::string &path : options.reports)
    if (Error error = checkReportPath(path))
      return error;
  if (options.evaluator && !options.reports.empty())
    return userError("--report measures compiled models; leave --evaluator out");
  Expected<std::vector<int64_t>> classes = readLabels(options.data, options.labels);
  if (!classes)
    return classes.takeError();
  Expected<ImportOptions> import = importOptions(options);
  if (!import)
    return import.takeError();
  Contest contest;
  if (Error error = openModels(options, *import, contest))
    return error;
  if (Error error = runModels(options, contest))
    return error;
  const size_t samples = contest.data[1]->size();
  if (!options.labels.empty() && classes->size() != samples)
    return userError("--labels '" + options.labels + "' has " + llvm::Twine(classes->size()) + " labels for " +
                     llvm::Twine(samples) + " samples");
  auto compared = compareAll(contest.results[0], contest.results[1], *classes);
  if (!compared)
    return compared.takeError();
  if (options.json)
    llvm::outs() << llvm::formatv("{0:2}\n", toJSON(llvm::ArrayRef(*compared)));
  else
    printText(*compared);
  if (!options.reports.empty())
    if (Error error = writeReports(options, contest, *compared))
      return error;
  bool equal = llvm::all_of(*compared, [](const ComparedOutput &output) {
    return output.fidelity.differentBits == 0;
  });
  if (options.exact && !equal)
    return userError("the outputs of '" + options.pathA + "' and '" +
                     options.pathB + "' differ");
  return Error::success();
}
