//===- ReportPage.cpp - The cost sheet as one page of HTML ----------------===//
//
// Nothing is fetched: the style sheet and the drawings are inside. Tables are
// the truth, drawings show their shape.
//
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "PageStyle.h"
#include "Svg.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::formatv, llvm::raw_ostream, llvm::StringRef;

/// The colours of parts, in turn.
static constexpr StringRef kColours[] = {"b", "c", "d", "a"};

static std::string kilobytes(double bytes) {
  return formatv("{0:f1} kB", bytes / 1e3).str();
}

static std::string decibels(double value) {
  return std::isfinite(value) ? formatv("{0:f1}", value).str() : "exact";
}

namespace {
/// A table, row by row; cells that begin with a digit or '-' are numbers.
class Table {
public:
  Table(raw_ostream &os, llvm::ArrayRef<StringRef> heads) : os(os) {
    os << "<div class=\"wide\"><table><thead><tr>";
    for (StringRef head : heads)
      os << "<th" << (head.ends_with(" ") ? " class=\"n\"" : "") << ">"
         << escapeHtml(head.trim()) << "</th>";
    os << "</tr></thead><tbody>\n";
  }
  ~Table() { os << "</tbody></table></div>\n"; }

  void begin() { os << "<tr>"; }
  void end() { os << "</tr>\n"; }
  void text(StringRef value) { os << "<td>" << escapeHtml(value) << "</td>"; }
  void number(StringRef value) {
    os << "<td class=\"n\">" << escapeHtml(value) << "</td>";
  }
  void beginDrawing() { os << "<td>"; }
  void endDrawing() { os << "</td>"; }

private:
  raw_ostream &os;
};

/// A part of a bar.
struct Part {
  std::string name;
  double value;
};
} // namespace

/// One bar a row, its parts one after another, with a legend below. All bars
/// have the same parts.
static void drawBars(raw_ostream &os, StringRef label, StringRef unit,
                     llvm::ArrayRef<std::pair<StringRef, std::vector<Part>>> bars) {
  constexpr double kLeft = 30, kWidth = 620, kRow = 26;
  double longest = 0;
  for (const auto &[name, parts] : bars) {
    double sum = 0;
    for (const Part &part : parts)
      sum += part.value;
    longest = std::max(longest, sum);
  }
  Svg svg(os, kLeft + kWidth + 110, kRow * bars.size() + 22, label);
  double y = 0;
  for (const auto &[name, parts] : bars) {
    double x = kLeft, sum = 0;
    svg.text(0, y + 15, name, "");
    for (auto [i, part] : llvm::enumerate(parts)) {
      double width = longest > 0 ? kWidth * part.value / longest : 0;
      svg.rect(x, y + 2, width, kRow - 7, kColours[i % std::size(kColours)],
               formatv("{0}: {1:f1} {2}", part.name, part.value, unit).str());
      x += width;
      sum += part.value;
    }
    svg.text(x + 6, y + 15, formatv("{0:f1} {1}", sum, unit).str(), "");
    y += kRow;
  }
  double x = kLeft;
  for (auto [i, part] : llvm::enumerate(bars.front().second)) {
    svg.rect(x, y + 6, 9, 9, kColours[i % std::size(kColours)]);
    svg.text(x + 13, y + 15, part.name, "dim");
    x += 30 + 6.3 * part.name.size();
  }
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

static void writeOutputs(const Report &report, raw_ostream &os) {
  os << "<h2>Outputs: B against A</h2>\n";
  Table table(os, {"output", "SQNR dB ", "cosine ", "max |a-b| ", "same top-1 ",
                   "accuracy A ", "accuracy B "});
  for (const ComparedOutput &output : report.outputs) {
    const Fidelity &f = output.fidelity;
    table.begin();
    table.text(output.name);
    table.number(decibels(f.sqnr));
    table.number(formatv("{0:f6}", f.cosine).str());
    table.number(formatv("{0:f4}", f.maxAbs).str());
    table.number(f.sameTop1 < 0 ? ""
                                : formatv("{0:f2} %", 100.0 * f.sameTop1 / f.samples).str());
    auto accuracy = [&](std::optional<double> value) {
      table.number(value ? formatv("{0:f2} %", *value).str() : "");
    };
    accuracy(output.accuracyA);
    accuracy(output.accuracyB);
    table.end();
  }
}

//===----------------------------------------------------------------------===//
// Size
//===----------------------------------------------------------------------===//

static std::vector<Part> partsBySize(const ModelCosts &costs,
                                     llvm::ArrayRef<std::string> formats) {
  std::vector<Part> parts;
  for (const std::string &format : formats) {
    double bytes = 0;
    for (const TensorSize &tensor : costs.tensors)
      if (tensor.format == format)
        bytes += tensor.bytes();
    parts.push_back({format, bytes / 1e3});
  }
  return parts;
}

static void writeTensors(const ModelCosts &costs, raw_ostream &os) {
  os << "<details><summary>Every constant of B</summary>\n";
  {
    Table table(os, {"layer", "shape", "format", "packed ", "scales ", "tables ",
                     "bytes ", "bits / value "});
    for (const TensorSize &tensor : costs.tensors) {
      table.begin();
      table.text(tensor.layer);
      table.text(tensor.shape);
      table.text(tensor.format);
      for (int64_t bytes : {tensor.codeBytes, tensor.scaleBytes,
                            tensor.tableBytes, tensor.bytes()})
        table.number(std::to_string(bytes));
      table.number(formatv("{0:f2}", tensor.bitsPerElement()).str());
      table.end();
    }
  }
  os << "</details>\n";
}

static void writeSizes(const Report &report, raw_ostream &os) {
  os << "<h2>Size</h2>\n";
  os << formatv("<p>The compiled models hold {0} (A) and {1} (B) of constants, "
                "as packed for the kernels; at run time they take {2} and {3} "
                "of workspace.</p>\n",
                kilobytes(report.a.constantBytes),
                kilobytes(report.b.constantBytes),
                kilobytes(report.a.workspaceBytes),
                kilobytes(report.b.workspaceBytes));
  llvm::SmallVector<std::string> formats;
  for (const ModelCosts *costs : {&report.b, &report.a})
    for (const TensorSize &tensor : costs->tensors)
      if (!llvm::is_contained(formats, tensor.format))
        formats.push_back(tensor.format);
  if (report.a.tensors.empty() || report.b.tensors.empty()) {
    os << "<p class=\"dim\">Sizes by tensor are those of stage files; a "
          "compiled model has only its total.</p>\n";
    return;
  }
  drawBars(os, "bytes by format", "kB",
           {{"A", partsBySize(report.a, formats)},
            {"B", partsBySize(report.b, formats)}});
  writeTensors(report.b, os);
}

//===----------------------------------------------------------------------===//
// Error of layers
//===----------------------------------------------------------------------===//

static void drawHistogram(const LayerError &layer, raw_ostream &os) {
  auto shares = [](llvm::ArrayRef<int64_t> counts) {
    double most = std::max<int64_t>(*llvm::max_element(counts), 1);
    std::vector<double> list;
    for (int64_t count : counts) // The root shows rare values too.
      list.push_back(std::sqrt(count / most));
    return list;
  };
  Svg svg(os, 192, 30, "values of " + layer.probe.key);
  svg.steps(192, 30, shares(layer.before), "before");
  svg.steps(192, 30, shares(layer.after), "after");
}

static void drawSqnr(const Report &report, raw_ostream &os) {
  constexpr double kLeft = 34, kTop = 8, kHeight = 150, kWidth = 800;
  double most = 10;
  for (const LayerError &layer : report.layers)
    if (std::isfinite(layer.sqnr()))
      most = std::max(most, layer.sqnr());
  double step = kWidth / report.layers.size();
  Svg svg(os, kLeft + kWidth, kTop + kHeight + 18,
          "SQNR of each layer in the order of the program");
  for (double level = 0; level <= most; level += most > 60 ? 20 : 10) {
    double y = kTop + kHeight * (1 - level / most);
    svg.line(kLeft, y, kLeft + kWidth, y, "grid");
    svg.text(kLeft - 6, y + 4, formatv("{0:f0}", level).str(), "end dim");
  }
  for (auto [i, layer] : llvm::enumerate(report.layers)) {
    double value = std::clamp(layer.sqnr(), 0.0, most);
    double height = kHeight * value / most;
    svg.rect(kLeft + i * step, kTop + kHeight - height,
             std::max(step - 2, step * 0.7), height,
             layer.probe.precision == "int8" ? "b" : "c",
             formatv("{0} {1}: {2} dB ({3})", layer.probe.kind,
                     layer.probe.name(), decibels(layer.sqnr()),
                     layer.probe.precision)
                 .str());
  }
  svg.text(kLeft, kTop + kHeight + 14,
           "layers in the order of the program, dB; int8 blue, float orange",
           "dim");
}

static void writeLayerErrors(const Report &report, raw_ostream &os) {
  os << "<h2>Error of each layer</h2>\n";
  if (!report.noLayers.empty()) {
    os << "<p class=\"dim\">" << escapeHtml(report.noLayers) << "</p>\n";
    return;
  }
  os << "<p>Each layer's result in B against the same layer in A, with the "
        "errors of all layers before it. Histograms: float values in grey, "
        "what the codes stand for in blue; heights are square roots of "
        "counts.</p>\n";
  drawSqnr(report, os);
  Table table(os, {"#", "layer", "kind", "precision", "SQNR dB ", "cosine ",
                   "clipped ", "from ", "before and after", "to"});
  for (auto [i, layer] : llvm::enumerate(report.layers)) {
    const Probe &probe = layer.probe;
    table.begin();
    table.number(std::to_string(i));
    table.text(probe.name());
    table.text(probe.kind);
    table.text(probe.precision);
    table.number(decibels(layer.sqnr()));
    table.number(formatv("{0:f6}", layer.cosine()).str());
    bool coded = probe.scale > 0 && layer.elements > 0;
    table.number(coded ? formatv("{0:f3} %", 100.0 * layer.clipped / layer.elements).str() : "");
    table.number(coded ? formatv("{0:f2}", layer.low()).str() : "");
    table.beginDrawing();
    if (coded)
      drawHistogram(layer, os);
    table.endDrawing();
    table.text(coded ? formatv("{0:f2}", layer.high()).str() : "");
    table.end();
  }
}

//===----------------------------------------------------------------------===//
// Time, bytes, energy
//===----------------------------------------------------------------------===//

static void writeKinds(const Profile &profile, raw_ostream &os) {
  Table table(os, {"kind", "kernel", "layers ", "time us ", "share", "% ",
                   "MMAC ", "% of peak ", "kB moved ", "GB/s "});
  for (const ProfileRow &row : profile.kinds) {
    double share = row.microseconds / profile.total.microseconds;
    table.begin();
    table.text(row.kind);
    table.text(row.kernel);
    table.number(std::to_string(row.layers));
    table.number(formatv("{0:f1}", row.microseconds).str());
    table.beginDrawing();
    Svg(os, 120, 12, "share of the time").rect(0, 1, 120 * share, 10, "b");
    table.endDrawing();
    table.number(formatv("{0:f1}", 100 * share).str());
    table.number(formatv("{0:f2}", row.macs / 1e6).str());
    table.number(row.peakMicroseconds > 0
                     ? formatv("{0:f0}", 100 * row.peakMicroseconds / row.microseconds).str()
                     : "");
    table.number(formatv("{0:f1}", row.bytes() / 1e3).str());
    table.number(formatv("{0:f1}", row.bytes() / 1e3 / std::max(row.microseconds, 1e-3)).str());
    table.end();
  }
}

static void writeLayerTimes(const Profile &profile, raw_ostream &os) {
  os << "<details><summary>Every layer of B</summary>\n";
  {
    Table table(os, {"#", "layer", "kind", "kernel", "shapes", "time us ", "% ",
                     "kB read ", "kB written ", "kB constant ", "model uJ "});
    for (auto [i, row] : llvm::enumerate(profile.layers)) {
      table.begin();
      table.number(std::to_string(i));
      for (const std::string &text : {row.name, row.kind, row.kernel, row.shapes})
        table.text(text);
      table.number(formatv("{0:f1}", row.microseconds).str());
      table.number(formatv("{0:f1}", 100 * row.microseconds / profile.total.microseconds).str());
      for (double bytes : {row.bytesRead, row.bytesWritten, row.bytesConstant})
        table.number(formatv("{0:f1}", bytes / 1e3).str());
      table.number(formatv("{0:f2}", estimateEnergy(row).total()).str());
      table.end();
    }
  }
  os << "</details>\n";
}

static void writeTimes(const Report &report, raw_ostream &os) {
  const Profile &a = report.a.profile, &b = report.b.profile;
  os << "<h2>Time and bytes moved</h2>\n";
  os << formatv("<p>One run takes {0:f1} us (A) and {1:f1} us (B), medians, "
                "batch {2}, {3} thread(s), {4}. Bytes are those of the layers' "
                "operands, each counted once.</p>\n",
                a.total.microseconds, b.total.microseconds, b.batch, b.threads,
                b.target);
  auto moved = [](const Profile &profile) {
    return std::vector<Part>{{"activations read", profile.total.bytesRead / 1e3},
                             {"activations written", profile.total.bytesWritten / 1e3},
                             {"constants", profile.total.bytesConstant / 1e3}};
  };
  drawBars(os, "bytes moved", "kB", {{"A", moved(a)}, {"B", moved(b)}});
  os << "<p>B by kind of layer:</p>\n";
  writeKinds(b, os);
  writeLayerTimes(b, os);
}

static void writeEnergy(const Report &report, raw_ostream &os) {
  os << "<h2>Energy of one run</h2>\n";
  if (report.a.measuredEnergy && report.b.measuredEnergy)
    os << formatv("<p>Measured by the packages' counters (RAPL; all that ran "
                  "on the machine is in them): A {0:f1} uJ, B {1:f1} uJ.</p>\n",
                  *report.a.measuredEnergy, *report.b.measuredEnergy);
  else
    os << "<p>This machine has no energy counters that may be read "
          "(/sys/class/powercap).</p>\n";
  EnergyModel model;
  os << formatv("<p><strong>A model, not a measurement.</strong> Counts from "
                "the compiled code at the energies of Horowitz, Computing's "
                "energy problem, ISSCC 2014 (45 nm, 0.9 V): int8 "
                "multiply-accumulate {0:f1} pJ, f32 {1:f1} pJ, instruction "
                "{2:f0} pJ, byte from a 1 MB cache {3:f1} pJ. Newer chips take "
                "several times less: read the shares and the ratio.</p>\n",
                model.int8Mac, model.floatMac, model.instruction,
                model.cacheByte);
  auto parts = [](const EnergyEstimate &energy) {
    return std::vector<Part>{{"arithmetic", energy.arithmetic},
                             {"instructions", energy.instructions},
                             {"bytes", energy.bytes}};
  };
  drawBars(os, "energy by the model", "uJ",
           {{"A", parts(report.a.energy())}, {"B", parts(report.b.energy())}});
}

static void writeFloatOps(const Report &report, raw_ostream &os) {
  os << "<h2>What stays float in B, and why</h2>\n";
  if (report.floatOps.empty()) {
    os << "<p>Nothing.</p>\n";
    return;
  }
  Table table(os, {"operation", "kind", "operations", "reason"});
  for (const auto &[row, count] : countEqual(report.floatOps)) {
    table.begin();
    table.text(row.name);
    table.text(row.kind);
    table.text(std::to_string(count));
    table.text(row.reason.empty() ? "it is not quantized" : row.reason);
    table.end();
  }
}

void mlir::halftone::writePage(const Report &report, raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>"
     << escapeHtml(report.b.path) << " against " << escapeHtml(report.a.path)
     << "</title>\n<style>" << kPageStyle << "</style></head><body>\n<h1>"
     << escapeHtml(report.b.path) << "</h1>\n<p class=\"dim\">B, against A = "
     << escapeHtml(report.a.path) << ", on " << report.samples
     << " samples of " << escapeHtml(report.data) << "</p>\n";
  writeOutputs(report, os);
  writeSizes(report, os);
  writeLayerErrors(report, os);
  writeTimes(report, os);
  writeEnergy(report, os);
  writeFloatOps(report, os);
  os << "</body></html>\n";
}
