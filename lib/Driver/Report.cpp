//===- Report.cpp - The cost sheet as JSON and as a table -----------------===//
#include "Report.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir::halftone;
namespace json = llvm::json;

int64_t ModelCosts::tensorBytes() const {
  int64_t bytes = 0;
  for (const TensorSize &tensor : tensors)
    bytes += tensor.bytes();
  return bytes;
}

EnergyEstimate ModelCosts::energy() const {
  EnergyEstimate sum;
  for (const ProfileRow &layer : profile.layers)
    sum.add(estimateEnergy(layer));
  return sum;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// JSON has no infinity: an absent number is one.
static void setFinite(json::Object &object, llvm::StringRef key, double value) {
  if (std::isfinite(value))
    object[key] = value;
}

json::Value mlir::halftone::toJSON(llvm::ArrayRef<ComparedOutput> all) {
  json::Array outputs;
  for (const ComparedOutput &output : all) {
    const Fidelity &f = output.fidelity;
    json::Object object{{"output", output.name},  {"samples", f.samples},
                        {"elements", f.elements}, {"different_bits", f.differentBits},
                        {"cosine", f.cosine},     {"same_top1", f.sameTop1}};
    setFinite(object, "sqnr_db", f.sqnr);
    setFinite(object, "max_abs", f.maxAbs);
    if (output.accuracyA) {
      object["accuracy_a"] = *output.accuracyA;
      object["accuracy_b"] = *output.accuracyB;
    }
    outputs.push_back(std::move(object));
  }
  return outputs;
}

static json::Value toJSON(const EnergyEstimate &energy) {
  return json::Object{{"arithmetic_uj", energy.arithmetic},
                      {"instructions_uj", energy.instructions},
                      {"bytes_uj", energy.bytes},
                      {"total_uj", energy.total()}};
}

static json::Value toJSON(const ProfileRow &row) {
  return json::Object{{"name", row.name},
                      {"kind", row.kind},
                      {"kernel", row.kernel},
                      {"shapes", row.shapes},
                      {"microseconds", row.microseconds},
                      {"multiply_accumulates", int64_t(row.macs)},
                      {"read_bytes", int64_t(row.bytesRead)},
                      {"written_bytes", int64_t(row.bytesWritten)},
                      {"constant_bytes", int64_t(row.bytesConstant)},
                      {"energy_model_uj", estimateEnergy(row).total()}};
}

static json::Value toJSON(const TensorSize &size) {
  return json::Object{
      {"layer", size.layer},           {"shape", size.shape},
      {"format", size.format},         {"elements", size.elements},
      {"code_bytes", size.codeBytes},  {"scale_bytes", size.scaleBytes},
      {"table_bytes", size.tableBytes}, {"bytes", size.bytes()}};
}

static json::Value toJSON(const ModelCosts &costs) {
  json::Array tensors, layers;
  for (const TensorSize &tensor : costs.tensors)
    tensors.push_back(::toJSON(tensor));
  for (const ProfileRow &row : costs.profile.layers)
    layers.push_back(::toJSON(row));
  json::Object object{{"path", costs.path},
                      {"target", costs.profile.target},
                      {"constant_bytes", costs.constantBytes},
                      {"workspace_bytes", costs.workspaceBytes},
                      {"tensors", std::move(tensors)},
                      {"microseconds", costs.profile.total.microseconds},
                      {"layers", std::move(layers)},
                      {"energy_model", ::toJSON(costs.energy())}};
  if (costs.measuredEnergy)
    object["energy_measured_uj"] = *costs.measuredEnergy;
  return object;
}

static json::Value toJSON(const LayerError &layer) {
  const Probe &probe = layer.probe;
  json::Object object{{"key", probe.key},
                      {"name", probe.name()},
                      {"kind", probe.kind},
                      {"precision", probe.precision},
                      {"elements", layer.elements},
                      {"cosine", layer.cosine()}};
  setFinite(object, "sqnr_db", layer.sqnr());
  if (!probe.reason.empty())
    object["reason"] = probe.reason;
  if (probe.scale > 0) {
    object["clipped"] = layer.clipped;
    object["low"] = layer.low();
    object["high"] = layer.high();
    object["histogram_before"] = json::Array(layer.before);
    object["histogram_after"] = json::Array(layer.after);
  }
  return object;
}

json::Value mlir::halftone::toJSON(const Report &report) {
  json::Array layers, floats;
  for (const LayerError &layer : report.layers)
    layers.push_back(::toJSON(layer));
  for (const OpRow &row : report.floatOps)
    floats.push_back(json::Object{
        {"name", row.name}, {"kind", row.kind}, {"reason", row.reason}});
  json::Object object{{"format", "halftone-report-1"},
                      {"data", report.data},
                      {"samples", report.samples},
                      {"outputs", toJSON(llvm::ArrayRef(report.outputs))},
                      {"a", ::toJSON(report.a)},
                      {"b", ::toJSON(report.b)},
                      {"layer_errors", std::move(layers)},
                      {"float_operations", std::move(floats)}};
  if (!report.noLayers.empty())
    object["no_layer_errors"] = report.noLayers;
  return object;
}

//===----------------------------------------------------------------------===//
// Terminal
//===----------------------------------------------------------------------===//

static void printCosts(const Report &report, llvm::raw_ostream &os) {
  os << llvm::format("%-28s %14s %14s\n", "", "A", "B");
  auto line = [&](const char *what, const char *unit, double a, double b) {
    os << llvm::format("%-21s %-6s %14.1f %14.1f", what, unit, a, b);
    if (a > 0 && b > 0)
      os << llvm::format("   %.3f", b / a);
    os << "\n";
  };
  const ModelCosts &a = report.a, &b = report.b;
  line("constants", "kB", a.constantBytes / 1e3, b.constantBytes / 1e3);
  line("workspace", "kB", a.workspaceBytes / 1e3, b.workspaceBytes / 1e3);
  line("latency", "us", a.profile.total.microseconds,
       b.profile.total.microseconds);
  line("bytes moved", "kB", a.profile.total.bytes() / 1e3,
       b.profile.total.bytes() / 1e3);
  line("energy (a model)", "uJ", a.energy().total(), b.energy().total());
  if (a.measuredEnergy && b.measuredEnergy)
    line("energy (measured)", "uJ", *a.measuredEnergy, *b.measuredEnergy);
}

static void printLayers(const Report &report, llvm::raw_ostream &os) {
  if (!report.noLayers.empty()) {
    os << "no error per layer: " << report.noLayers << "\n";
    return;
  }
  os << llvm::format("\n%-9s %8s %10s %9s  %s\n", "precision", "SQNR dB",
                     "cosine", "clipped", "layer");
  for (const LayerError &layer : report.layers) {
    const Probe &probe = layer.probe;
    os << llvm::format("%-9s %8.2f %10.6f %7.3f %%  ", probe.precision.c_str(),
                       layer.sqnr(), layer.cosine(),
                       layer.elements ? 100.0 * layer.clipped / layer.elements
                                      : 0.0)
       << probe.kind << " " << probe.name();
    if (!probe.reason.empty())
      os << ": " << probe.reason;
    os << "\n";
  }
}

void mlir::halftone::printReport(const Report &report, llvm::raw_ostream &os) {
  printCosts(report, os);
  printLayers(report, os);
}
