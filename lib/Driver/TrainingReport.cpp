//===- TrainingReport.cpp - curves of a training run ------------------------===//
//
// One page that fetches nothing: loss, accuracy and learning rate over the epochs, and the table that they show.
//
//===----------------------------------------------------------------------===//
#include "TrainingReport.h"
#include "PageStyle.h"
#include "Svg.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::Error, llvm::formatv, llvm::raw_ostream, llvm::StringRef;

/// What curves need beside the style of pages.
static constexpr char kCurveStyle[] = R"(
th, td { text-align: right; font-variant-numeric: tabular-nums; }
line.b { stroke: var(--b); stroke-width: 2; } line.c { stroke: var(--c); stroke-width: 2; }
)";

namespace {
/// A quantity over the epochs; those that have none of it are missing.
struct Curve {
  StringRef name, style;
  llvm::function_ref<std::optional<float>(const EpochRecord &)> value;
};
} // namespace

/// Four significant digits.
static std::string figure(std::optional<float> value, double factor = 1) {
  if (!value)
    return "";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.4g", *value * factor);
  return text;
}

static void draw(const TrainingReport &report, StringRef title, llvm::ArrayRef<Curve> curves, raw_ostream &os) {
  constexpr double left = 52, top = 8, width = 700, height = 160;
  double low = INFINITY, high = -INFINITY;
  for (const Curve &curve : curves)
    for (const EpochRecord &epoch : report.epochs)
      if (std::optional<float> value = curve.value(epoch)) {
        low = std::min<double>(low, *value);
        high = std::max<double>(high, *value);
      }
  if (!(low <= high))
    return;
  if (low == high) {
    low -= std::abs(low) * 0.1 + 1e-6;
    high += std::abs(high) * 0.1 + 1e-6;
  }
  os << "<h2>" << escapeHtml(title) << "</h2>\n";
  Svg svg(os, left + width + 8, top + height + 34, title);
  auto y = [&](double value) { return top + height * (high - value) / (high - low); };
  auto x = [&](size_t epoch) { return left + width * (epoch + 0.5) / report.epochs.size(); };
  for (int i = 0; i <= 4; ++i) {
    double level = low + (high - low) * i / 4;
    svg.line(left, y(level), left + width, y(level), "grid");
    svg.text(left - 6, y(level) + 4, figure(level), "end dim");
  }
  double legend = left;
  for (const Curve &curve : curves) {
    std::optional<std::pair<double, double>> last;
    for (auto [i, epoch] : llvm::enumerate(report.epochs)) {
      std::optional<float> value = curve.value(epoch);
      if (value && last)
        svg.line(last->first, last->second, x(i), y(*value), curve.style);
      if (value) {
        last = {x(i), y(*value)};
        svg.rect(x(i) - 2.5, y(*value) - 2.5, 5, 5, curve.style,
                 formatv("epoch {0}, {1}: {2}", i + 1, curve.name, figure(value)).str());
      }
    }
    if (!last)
      continue;
    svg.rect(legend, top + height + 18, 9, 9, curve.style);
    svg.text(legend + 13, top + height + 27, curve.name, "dim");
    legend += 110;
  }
}

static void writeTable(const TrainingReport &report, raw_ostream &os) {
  os << "<table><thead><tr><th>epoch</th><th>loss</th><th>right, %</th><th>held out: loss</th><th>right, %</th>"
        "<th>learning rate</th><th>seconds</th></tr></thead><tbody>\n";
  for (auto [i, epoch] : llvm::enumerate(report.epochs)) {
    os << "<tr><td>" << i + 1 << "</td>";
    for (const std::string &cell : {figure(epoch.loss), figure(epoch.accuracy, 100), figure(epoch.heldOutLoss),
                                    figure(epoch.heldOutAccuracy, 100), figure(epoch.rate), figure(epoch.seconds)})
      os << "<td>" << cell << "</td>";
    os << "</tr>\n";
  }
  os << "</tbody></table>\n";
}

static void writePage(const TrainingReport &report, raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width\">\n<title>Training of "
     << escapeHtml(report.model) << "</title>\n<style>" << kPageStyle << kCurveStyle << "</style></head><body>\n<h1>Training of "
     << escapeHtml(report.model) << "</h1>\n<p class=\"dim\">On " << escapeHtml(report.data) << "; "
     << escapeHtml(report.settings) << "</p>\n";
  draw(report, "Loss",
       {{"trained on", "b", [](const EpochRecord &e) { return std::optional<float>(e.loss); }},
        {"held out", "c", [](const EpochRecord &e) { return e.heldOutLoss; }}},
       os);
  draw(report, "Share that is right",
       {{"trained on", "b", [](const EpochRecord &e) { return e.accuracy; }},
        {"held out", "c", [](const EpochRecord &e) { return e.heldOutAccuracy; }}},
       os);
  draw(report, "Learning rate",
       {{"at the first step", "b", [](const EpochRecord &e) { return std::optional<float>(e.rate); }}}, os);
  os << "<h2>Figures</h2>\n";
  writeTable(report, os);
  os << "</body></html>\n";
}

static llvm::json::Value toJSON(const TrainingReport &report) {
  llvm::json::Array epochs;
  for (auto [i, epoch] : llvm::enumerate(report.epochs)) {
    llvm::json::Object row{{"epoch", int64_t(i + 1)}, {"loss", epoch.loss}, {"rate", epoch.rate}, {"seconds", epoch.seconds}};
    auto add = [&](StringRef key, std::optional<float> value) {
      if (value)
        row[key] = *value;
    };
    add("accuracy", epoch.accuracy);
    add("held_out_loss", epoch.heldOutLoss);
    add("held_out_accuracy", epoch.heldOutAccuracy);
    epochs.push_back(std::move(row));
  }
  return llvm::json::Object{
      {"model", report.model}, {"data", report.data}, {"settings", report.settings}, {"epochs", std::move(epochs)}};
}

Error mlir::halftone::writeTrainingReport(const TrainingReport &report, StringRef path) {
  return writeFileAtomically(path, [&](raw_ostream &os) {
    if (path.ends_with(".html"))
      writePage(report, os);
    else
      os << formatv("{0:2}\n", toJSON(report));
    return Error::success();
  });
}
