//===- Metric.cpp - How much worse than float a model is ------------------===//
#include "Metric.h"
#include "Command.h"
#include "Fidelity.h"
#include "halftone/Data/Npz.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::ArrayRef, llvm::Error, llvm::Expected, llvm::StringRef;

/// Where an SQNR ends to matter: beyond f32's own rounding.
static constexpr double kCleanDecibels = 100;

//===----------------------------------------------------------------------===//
// The user's command
//===----------------------------------------------------------------------===//

static Expected<TemporaryFile> writeOutputs(ArrayRef<Tensor> outputs) {
  Expected<TemporaryFile> file = TemporaryFile::create("npz");
  if (!file)
    return file.takeError();
  if (Error error = writeNpz(file->path(), outputs))
    return std::move(error);
  return file;
}

/// The last line of what the command prints for a model, as a number. `outputs`
/// and `reference` are files of what the model and float gave for the samples.
static Expected<double> runCommand(StringRef command, StringRef model, const SampleRange &samples, StringRef outputs, StringRef reference) {
  auto shell = llvm::sys::findProgramByName("sh");
  if (!shell)
    return userError("--metric-command needs a shell, and there is no sh");
  Expected<TemporaryFile> printed = TemporaryFile::create("txt");
  if (!printed)
    return printed.takeError();
  // Paths are arguments of their own, so that they need no quotes.
  std::string script = ("export HALFTONE_OUTPUTS=\"$2\" HALFTONE_REFERENCE=\"$3\" HALFTONE_SAMPLES=\"$4\"\n" + command + " \"$1\"").str();
  std::string range = llvm::formatv("{0}:{1}", samples.begin, samples.end).str();
  std::optional<StringRef> redirects[] = {std::nullopt, printed->path(),
                                          std::nullopt};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(
      *shell, {"sh", "-c", script, "halftone", model, outputs, reference, range},
      std::nullopt, redirects, 0, 0, &message);
  if (status != 0)
    return userError("--metric-command '" + command + "' ended with " +
                     llvm::Twine(status) +
                     (message.empty() ? "" : ": " + message));
  auto text = llvm::MemoryBuffer::getFile(printed->path());
  StringRef last = text ? (*text)->getBuffer().trim().rsplit('\n').second : "";
  if (text && last.empty())
    last = (*text)->getBuffer().trim();
  double value = 0;
  if (last.trim().getAsDouble(value) || !std::isfinite(value))
    return userError("--metric-command '" + command +
                     "' prints a number on its last line, not '" + last + "'");
  return value;
}

//===----------------------------------------------------------------------===//
// Metric
//===----------------------------------------------------------------------===//

/// One output of [samples, classes].
static bool isClassifier(ArrayRef<Tensor> outputs) {
  return outputs.size() == 1 && outputs[0].type == ElementType::F32 &&
         outputs[0].shape.size() == 2 && outputs[0].shape[1] > 1;
}

Expected<Metric> Metric::make(MetricKind kind, StringRef command, StringRef floatModel, ArrayRef<FloatOutputs> floats) {
  Metric metric;
  metric.command = command.str();
  if (!command.empty()) {
    for (const auto &[samples, outputs] : floats) {
      Expected<TemporaryFile> file = writeOutputs(outputs);
      if (!file)
        return file.takeError();
      Expected<double> value = runCommand(command, floatModel, samples, file->path(), file->path());
      if (!value)
        return value.takeError();
      metric.floatRuns.emplace(std::pair(samples.begin, samples.end), FloatRun{std::move(*file), *value});
    }
    return metric;
  }
  if (kind == MetricKind::Automatic || kind == MetricKind::Top1) {
    if (!isClassifier(floats.front().outputs))
      return userError(
          "the model is no classifier (one f32 output of [samples, classes]); "
          "say what its error is: --metric=sqnr, --metric=cosine, or "
          "--metric-command 'CMD' that prints a number for a compiled model, "
          "more is better");
    kind = MetricKind::Top1;
  }
  metric.kind = kind;
  return metric;
}

std::string Metric::unit() const {
  if (!command.empty())
    return "points of '" + command + "'";
  if (kind == MetricKind::Top1)
    return "% of disagreement with float's top-1";
  return kind == MetricKind::Sqnr ? "dB below 100 dB SQNR" : "of 1 - cosine";
}

double Metric::distance(double drop) const { return kind == MetricKind::Sqnr ? std::pow(10, drop / 10) : drop; }

namespace {
/// Sums over all float outputs.
struct Sums {
  double signal = 0, noise = 0, other = 0, cross = 0;
};
} // namespace

static Sums sumAll(ArrayRef<Tensor> floats, ArrayRef<Tensor> outputs) {
  Sums sums;
  for (auto [a, b] : llvm::zip(floats, outputs)) {
    if (a.type != ElementType::F32)
      continue;
    for (auto [x, y] : llvm::zip(a.values<float>(), b.values<float>())) {
      double difference = double(x) - y;
      sums.signal += double(x) * x;
      sums.other += double(y) * y;
      sums.cross += double(x) * y;
      sums.noise += difference * difference;
    }
  }
  return sums;
}

Expected<double> Metric::drop(StringRef model, const FloatOutputs &reference, ArrayRef<Tensor> outputs) const {
  const auto &[samples, floats] = reference;
  if (!command.empty()) {
    const FloatRun &floatRun = floatRuns.at({samples.begin, samples.end});
    Expected<TemporaryFile> file = writeOutputs(outputs);
    if (!file)
      return file.takeError();
    Expected<double> value = runCommand(command, model, samples, file->path(), floatRun.outputs.path());
    if (!value)
      return value.takeError();
    return floatRun.value - *value;
  }
  if (kind == MetricKind::Top1) {
    Fidelity fidelity = compareTensors(floats[0], outputs[0]);
    return 100.0 * (fidelity.samples - fidelity.sameTop1) / fidelity.samples;
  }
  Sums sums = sumAll(floats, outputs);
  if (kind == MetricKind::Cosine) {
    double norms = std::sqrt(sums.signal * sums.other);
    return norms == 0 ? double(sums.signal != sums.other)
                      : 1 - sums.cross / norms;
  }
  if (sums.noise == 0)
    return 0;
  return std::max(0.0, kCleanDecibels - 10 * std::log10(sums.signal / sums.noise));
}

/// KL(softmax of x, softmax of y), in nats.
static double divergence(ArrayRef<float> x, ArrayRef<float> y) {
  auto logSum = [](ArrayRef<float> row) {
    double most = *std::max_element(row.begin(), row.end()), sum = 0;
    for (float value : row)
      sum += std::exp(value - most);
    return most + std::log(sum);
  };
  double offset = logSum(y) - logSum(x), norm = logSum(x), sum = 0;
  for (auto [a, b] : llvm::zip(x, y))
    sum += std::exp(a - norm) * (double(a) - b + offset);
  return std::max(sum, 0.0);
}

double mlir::halftone::measureLoss(const Metric &metric,
                                   ArrayRef<Tensor> reference,
                                   ArrayRef<Tensor> outputs) {
  if (!metric.isTop1()) {
    Sums sums = sumAll(reference, outputs);
    return sums.signal > 0 ? sums.noise / sums.signal : 0;
  }
  ArrayRef<float> x = reference[0].values<float>(), y = outputs[0].values<float>();
  size_t classes = reference[0].shape[1];
  double sum = 0;
  for (size_t at = 0; at < x.size(); at += classes)
    sum += divergence(x.slice(at, classes), y.slice(at, classes));
  return sum / reference[0].shape[0];
}
