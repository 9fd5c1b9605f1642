//===- CompareCommand.cpp - halftone compare ------------------------------===//
#include "Command.h"
#include "DataOptions.h"
#include "Fidelity.h"
#include "Runnable.h"
#include "halftone/Data/Npz.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

namespace {
/// One output of both models.
struct ComparedOutput {
  std::string name;
  Fidelity fidelity;
  std::optional<double> accuracyA, accuracyB;
};
} // namespace

/// The labels, one integer for each sample.
static Expected<std::vector<int64_t>> readLabels(StringRef path, StringRef key,
                                                 int64_t samples) {
  auto reader = NpzReader::open(path);
  if (!reader)
    return reader.takeError();
  Expected<Tensor> tensor = (*reader)->read(key);
  if (!tensor)
    return tensor.takeError();
  if (tensor->numElements() != samples)
    return userError("--labels '" + key + "' has " +
                     llvm::Twine(tensor->numElements()) + " labels for " +
                     llvm::Twine(samples) + " samples");
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

static void printJSON(llvm::ArrayRef<ComparedOutput> all) {
  llvm::json::Array outputs;
  for (const ComparedOutput &output : all) {
    const Fidelity &f = output.fidelity;
    llvm::json::Object object{
        {"output", output.name},  {"samples", f.samples},
        {"elements", f.elements}, {"different_bits", f.differentBits},
        {"cosine", f.cosine},     {"same_top1", f.sameTop1}};
    // JSON has no infinity: an absent number is one.
    if (std::isfinite(f.sqnr))
      object["sqnr_db"] = f.sqnr;
    if (std::isfinite(f.maxAbs))
      object["max_abs"] = f.maxAbs;
    if (output.accuracyA) {
      object["accuracy_a"] = *output.accuracyA;
      object["accuracy_b"] = *output.accuracyB;
    }
    outputs.push_back(std::move(object));
  }
  llvm::outs() << llvm::formatv("{0:2}\n",
                                llvm::json::Value(std::move(outputs)));
}

/// How pictures become the inputs of both models: by the lines given, else as
/// each model records it, else as the other one does.
static Expected<std::vector<InputInterface>>
interfacesOf(llvm::ArrayRef<std::unique_ptr<Runnable>> models,
             llvm::ArrayRef<std::string> lines) {
  std::vector<InputInterface> both;
  for (const auto &model : models)
    both.push_back(model->interface());
  both[0].adoptPreprocessing(both[1].preprocess);
  both[1].adoptPreprocessing(both[0].preprocess);
  for (InputInterface &interface : both)
    if (Error error = interface.setPreprocessing(lines))
      return std::move(error);
  return both;
}

Error mlir::halftone::runCompare(CommandLine &line) {
  namespace cl = llvm::cl;
  cl::opt<std::string> pathA(cl::Positional, cl::Required,
                             cl::sub(line.command), cl::desc("A"));
  cl::opt<std::string> pathB(cl::Positional, cl::Required,
                             cl::sub(line.command), cl::desc("B"));
  cl::opt<std::string> data("data", cl::Required, cl::sub(line.command),
                            cl::value_desc("D.npz|folder"),
                            cl::desc("Samples for both"));
  cl::list<std::string> inputs(
      "input", cl::sub(line.command), cl::value_desc("NAME: steps"),
      cl::desc("How pictures become an input of both, instead of what the "
               "models record; one that records nothing takes over the "
               "other's"));
  cl::opt<std::string> labels(
      "labels", cl::sub(line.command), cl::value_desc("KEY"),
      cl::desc("Array of the .npz with each sample's class: prints the "
               "accuracy of both"));
  cl::opt<bool> exact(
      "exact", cl::sub(line.command),
      cl::desc("Exit with 1 unless all outputs are equal bit for bit"));
  cl::opt<bool> evaluator(
      "evaluator", cl::sub(line.command),
      cl::desc("Interpret stage files instead of compiling them for the "
               "reference target"));
  cl::opt<int> threads("threads", cl::sub(line.command), cl::init(1),
                       cl::value_desc("N"),
                       cl::desc("Threads of parallel loops (default 1)"));
  cl::opt<bool> json("json", cl::sub(line.command), cl::desc("Print JSON"));
  line.parse();

  RunnableOptions options{evaluator, threads};
  std::vector<std::unique_ptr<Runnable>> models;
  for (StringRef path : {StringRef(pathA), StringRef(pathB)}) {
    auto runnable = openRunnable(path, options);
    if (!runnable)
      return runnable.takeError();
    models.push_back(std::move(*runnable));
  }
  auto interfaces = interfacesOf(models, inputs);
  if (!interfaces)
    return interfaces.takeError();
  std::vector<std::vector<Tensor>> results;
  int64_t samples = 0;
  for (auto [model, interface] : llvm::zip(models, *interfaces)) {
    auto dataset = loadDataset(data, interface.inputs, interface.preprocess);
    if (!dataset)
      return dataset.takeError();
    samples = (*dataset)->size();
    Expected<std::vector<Tensor>> outputs = model->run(**dataset);
    if (!outputs)
      return outputs.takeError();
    results.push_back(std::move(*outputs));
  }
  std::vector<int64_t> classes;
  if (!labels.empty()) {
    Expected<std::vector<int64_t>> read = readLabels(data, labels, samples);
    if (!read)
      return read.takeError();
    classes = std::move(*read);
  }
  auto compared = compareAll(results[0], results[1], classes);
  if (!compared)
    return compared.takeError();
  json ? printJSON(*compared) : printText(*compared);
  bool equal = llvm::all_of(*compared, [](const ComparedOutput &output) {
    return output.fidelity.differentBits == 0;
  });
  if (exact && !equal)
    return userError("the outputs of '" + pathA + "' and '" + pathB +
                     "' differ");
  return Error::success();
}
