//===- Explain.cpp - What the cost model says of each layer ---------------===//
//
// Predictions are of the same formula that code generation chose by, on what
// the artefact recorded of each contraction. With threads, the work is divided
// by them.
//
//===----------------------------------------------------------------------===//
#include "Explain.h"
#include "Command.h"
#include "LayerCost.h"
#include "Profile.h"
#include "halftone/Codegen/ContractChoice.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

namespace {
struct ExplainedRow {
  const ProfileRow *measured = nullptr;
  double predicted = 0; ///< Microseconds, as all times here.
  std::string bound;
  std::string alternative; ///< The kernel that was not chosen, or "".
  double alternativeTime = 0;
  double roofline = 0; ///< 0: none.
  double epilogue = 0; ///< Of the predicted time, the epilogue's share.
  std::string tile = "-"; ///< Rows and vectors of the register tile.
};

/// Turns cycles into the microseconds of a run.
struct Converter {
  const CostTable &table;
  double gigahertz;
  int threads;
  double batch;

  double micros(double cycles) const { return cycles / gigahertz / 1e3; }
  double of(const Cost &cost) const {
    double work = (cost.cycles() - cost.layer) / threads;
    return micros(cost.layer + (threads > 1 ? table.threadCycles : 0) + work);
  }
};
} // namespace

static ExplainedRow explain(const ProfileRow &row, const HalftoneLayerInfo &layer,
                            const HalftoneModel &model, const Isa &isa,
                            const Converter &convert) {
  ExplainedRow result;
  result.measured = &row;
  const CostTable &table = convert.table;
  std::optional<RecordedLayer> record =
      recordOf(model, layer, table, int64_t(convert.batch));
  if (!record) {
    Cost cost = predictCycles(table, row.bytesRead + row.bytesConstant,
                              row.bytesWritten);
    result.predicted = convert.of(cost);
    result.bound = cost.bound;
    return result;
  }
  Cost cost = record->predict(table);
  result.predicted = convert.of(cost);
  result.bound = cost.bound;
  result.epilogue = cost.epilogue / cost.cycles();
  result.tile = record->tile();
  result.roofline = convert.micros(record->roofline(table)) / convert.threads;
  ContractShape shape = record->shape;
  shape.panelVectors = 0;
  const DotKernel *other = otherKernel(isa, table, shape, *record->kernel, record->sparse.has_value());
  if (other && table.find(other->name)) {
    result.alternative = other->name.str();
    result.alternativeTime = convert.of(predictCycles(table, shape, *other));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static void printText(llvm::ArrayRef<ExplainedRow> rows, const Profile &profile,
                      const CostTable &table) {
  llvm::raw_ostream &os = llvm::outs();
  os << profile.path << ": " << profile.target << ", "
     << llvm::format("%d thread%s, %.2f GHz", profile.threads,
                     profile.threads == 1 ? "" : "s", profile.gigahertz)
     << ", cost table " << table.id() << "\n\n"
     << "    #  time us predicted ratio %roofline %epilogue  kernel        tile  other: us"
        "              bound by              kind, shapes, name\n";
  double measured = 0, predicted = 0;
  for (auto [index, row] : llvm::enumerate(rows)) {
    const ProfileRow &layer = *row.measured;
    measured += layer.microseconds;
    predicted += row.predicted;
    os << llvm::format("%5d %8.1f %9.1f %5.2f ", int(index), layer.microseconds,
                       row.predicted,
                       row.predicted / std::max(layer.microseconds, 1e-3));
    if (row.roofline > 0)
      os << llvm::format("%9.0f %9.0f",
                         100 * row.roofline /
                             std::max(layer.microseconds, 1e-3),
                         100 * row.epilogue);
    else
      os << "        -         -";
    std::string other = row.alternative.empty()
                            ? "-"
                            : llvm::formatv("{0}: {1:f1}", row.alternative,
                                            row.alternativeTime)
                                  .str();
    os << llvm::format("  %-13s %-5s %-22s %-21s ", layer.kernel.c_str(),
                       row.tile.c_str(), other.c_str(), row.bound.c_str())
       << layer.kind << "  " << layer.shapes << "  " << layer.name << "\n";
  }
  os << llvm::format("\nall layers: %.1f us, predicted %.1f us\n", measured,
                     predicted);
}

static void printJSON(llvm::ArrayRef<ExplainedRow> rows, const Profile &profile,
                      const CostTable &table) {
  llvm::json::Array layers;
  for (const ExplainedRow &row : rows) {
    llvm::json::Object layer{{"name", row.measured->name},
                             {"kind", row.measured->kind},
                             {"kernel", row.measured->kernel},
                             {"tile", row.tile},
                             {"shapes", row.measured->shapes},
                             {"microseconds", row.measured->microseconds},
                             {"predicted_us", row.predicted},
                             {"bound", row.bound}};
    if (row.roofline > 0) {
      layer["roofline_us"] = row.roofline;
      layer["predicted_epilogue_share"] = row.epilogue;
    }
    if (!row.alternative.empty()) {
      layer["alternative"] = row.alternative;
      layer["alternative_us"] = row.alternativeTime;
    }
    layers.push_back(std::move(layer));
  }
  llvm::json::Object object{{"path", profile.path},
                            {"target", profile.target},
                            {"threads", profile.threads},
                            {"batch", profile.batch},
                            {"gigahertz", profile.gigahertz},
                            {"cost_table", table.name},
                            {"cost_hash", table.hash()},
                            {"layers", std::move(layers)}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object)));
}

//===----------------------------------------------------------------------===//
// The command
//===----------------------------------------------------------------------===//

Error mlir::halftone::explainModel(Contestant &contestant, int rounds, bool json,
                                   StringRef file) {
  const HalftoneModel &model = contestant.model.info();
  Expected<CpuTarget> target = findCpuTarget(model.target);
  if (!target)
    return target.takeError();
  const Isa *isa = findIsa(target->isa);
  if (!isa)
    return userError("'" + contestant.path +
                     "' is scalar reference code: no cost model chose it");
  Expected<CostTable> table = CostTable::forTarget(file, *isa);
  if (!table)
    return userError(llvm::toString(table.takeError()));
  Expected<Profile> profile = measureProfile(contestant, rounds);
  if (!profile)
    return profile.takeError();
  if (profile->gigahertz <= 0)
    return userError("the clock of this CPU cannot be measured, so cycles are "
                     "no times");
  Converter convert = {*table, profile->gigahertz, profile->threads,
                       double(profile->batch)};
  std::vector<ExplainedRow> rows;
  auto layers = contestant.model.layers();
  for (size_t i = 0; i < layers.size(); ++i)
    rows.push_back(explain(profile->layers[i], *layers[i], model, *isa, convert));
  json ? printJSON(rows, *profile, *table) : printText(rows, *profile, *table);
  return Error::success();
}
