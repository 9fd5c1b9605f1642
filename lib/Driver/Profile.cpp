//===- Profile.cpp - Where a model's time goes ----------------------------===//
//
// The peak is what the kernel's instruction can do at the clock measured in the
// same run: multiply-accumulates per cycle and thread from the kernel's row.
// Bytes are those of the layer's operands, each counted once; what a layer
// reads again because its caches are too small shows as a low rate.
//
//===----------------------------------------------------------------------===//
#include "Profile.h"
#include "Command.h"
#include "LayerCost.h"
#include "MachineClock.h"
#include "halftone/Codegen/IsaTable.h"
#include "halftone/Target/DotRate.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace mlir::halftone;
using llvm::Error, llvm::StringRef;

void ProfileRow::add(const ProfileRow &other) {
  microseconds += other.microseconds;
  macs += other.macs;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  bytesConstant += other.bytesConstant;
  peakMicroseconds += other.peakMicroseconds;
  rooflineMicroseconds += other.rooflineMicroseconds;
  layers += other.layers;
}

/// Multiply-accumulates per cycle of a kernel from registers: two multiplications
/// start in one cycle of an x86 CPU (of an AMX dot one in 16; of 512 bits, by the CPU); 0: unknown.
static double peakPerCycle(StringRef name, StringRef target) {
  const DotKernel *kernel = findDotKernel(name);
  const Isa *isa = findIsaOfTarget(target);
  if (!kernel || !isa || isa->architecture != Architecture::X86 || kernel->dot == DotKind::Widen)
    return 0;
  const double ofOne = kernel->products() / kernel->multiplications();
  if (kernel->dot == DotKind::Tile)
    return ofOne / 16;
  return ofOne * (kernel->lanes == 16 ? halftoneDotRate()->dots512 : 2);
}

static ProfileRow describe(const HalftoneLayerInfo &layer, const Profile &profile) {
  const double calls = callsOf(layer, profile.batch);
  double scale = calls * (layer.perSample ? double(profile.batch) : 1);
  ProfileRow row = {layer.name, layer.kind, layer.kernel, layer.shapes};
  row.macs = scale * double(layer.multiplyAccumulates);
  row.bytesRead = scale * double(layer.readBytes);
  row.bytesWritten = scale * double(layer.writtenBytes);
  row.bytesConstant = calls * double(layer.constantBytes);
  double perCycle = peakPerCycle(row.kernel, profile.target);
  if (perCycle > 0 && profile.gigahertz > 0)
    row.peakMicroseconds =
        row.macs / (perCycle * profile.gigahertz * 1e3 * profile.threads);
  return row;
}

/// Of the rounds, each layer's time in one run.
static llvm::Expected<std::vector<double>> measure(Contestant &contestant,
                                                   int rounds, size_t layers, RoundTime kind) {
  std::vector<std::vector<double>> times(layers + 1);
  for (int round = 0; round < rounds; ++round) {
    std::vector<int64_t> nanoseconds(layers + 1);
    for (int64_t i = 0; i < contestant.runsPerRound; ++i)
      if (Error error = contestant.model.runProfiled(
              contestant.inputs, contestant.outputs, nanoseconds))
        return error;
    for (auto [time, sum] : llvm::zip(times, nanoseconds))
      time.push_back(double(sum) / 1e3 / double(contestant.runsPerRound));
  }
  std::vector<double> results;
  for (std::vector<double> &time : times)
    results.push_back(kind == RoundTime::Least ? *llvm::min_element(time) : median(std::move(time)));
  return results;
}

static std::vector<ProfileRow> sumByKind(llvm::ArrayRef<ProfileRow> layers) {
  std::map<std::pair<std::string, std::string>, ProfileRow> sums;
  for (const ProfileRow &layer : layers) {
    auto [entry, isNew] = sums.try_emplace({layer.kind, layer.kernel}, layer);
    if (!isNew)
      entry->second.add(layer);
  }
  std::vector<ProfileRow> kinds;
  for (auto &[kind, row] : sums)
    kinds.push_back(row);
  llvm::sort(kinds, [](const ProfileRow &a, const ProfileRow &b) {
    return a.microseconds > b.microseconds;
  });
  return kinds;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

/// The figures that all tables share.
static void printFigures(const ProfileRow &row, const Profile &profile) {
  llvm::outs() << llvm::format("%9.1f %6.1f %9.2f ", row.microseconds,
                               percent(row.microseconds,
                                       profile.total.microseconds),
                               row.macs / 1e6);
  if (row.peakMicroseconds > 0)
    llvm::outs() << llvm::format(
        "%6.1f ", percent(row.peakMicroseconds, row.microseconds));
  else
    llvm::outs() << "     - ";
  if (row.rooflineMicroseconds > 0)
    llvm::outs() << llvm::format(
        "%9.1f ", percent(row.rooflineMicroseconds, row.microseconds));
  else
    llvm::outs() << "        - ";
  llvm::outs() << llvm::format("%9.1f %7.1f  ", row.bytes() / 1e3,
                               row.bytes() / 1e3 /
                                   std::max(row.microseconds, 1e-3));
}

static void printHeader(const Profile &profile) {
  llvm::outs() << profile.path
               << llvm::format(": %s, %d thread%s, %s",
                               profile.sizes.c_str(), profile.threads,
                               profile.threads == 1 ? "" : "s",
                               profile.target.c_str());
  if (profile.gigahertz > 0)
    llvm::outs() << llvm::format(", %.2f GHz", profile.gigahertz);
  if (!profile.costTable.empty())
    llvm::outs() << ", cost table " << profile.costTable;
  llvm::outs() << "\n";
}

static constexpr char kFigures[] =
    "  time us      %      MMAC % peak %roofline        kB    GB/s  ";

static void printText(const Profile &profile) {
  printHeader(profile);
  llvm::outs() << "\n    #" << kFigures << "kernel, kind, shapes, name\n";
  for (auto [index, row] : llvm::enumerate(profile.layers)) {
    llvm::outs() << llvm::format("%5d", int(index));
    printFigures(row, profile);
    llvm::outs() << llvm::format("%-13s %-15s ", row.kernel.c_str(),
                                 row.kind.c_str())
                 << row.shapes << (row.name.empty() ? "" : "  ") << row.name
                 << "\n";
  }
  llvm::outs() << "\ncount" << kFigures << "kernel, kind\n";
  for (const ProfileRow &row : profile.kinds) {
    llvm::outs() << llvm::format("%5d", row.layers);
    printFigures(row, profile);
    llvm::outs() << llvm::format("%-13s ", row.kernel.c_str()) << row.kind
                 << "\n";
  }
  llvm::outs() << llvm::format("%5d", profile.total.layers);
  printFigures(profile.total, profile);
  llvm::outs() << "whole run\n";
}

static llvm::json::Object toJSON(const ProfileRow &row, const Profile &profile) {
  llvm::json::Object object{
      {"kind", row.kind},
      {"kernel", row.kernel},
      {"microseconds", row.microseconds},
      {"percent", percent(row.microseconds, profile.total.microseconds)},
      {"multiply_accumulates", int64_t(row.macs)},
      {"read_bytes", int64_t(row.bytesRead)},
      {"written_bytes", int64_t(row.bytesWritten)},
      {"constant_bytes", int64_t(row.bytesConstant)}};
  if (row.peakMicroseconds > 0)
    object["percent_of_peak"] = percent(row.peakMicroseconds, row.microseconds);
  if (row.rooflineMicroseconds > 0)
    object["percent_of_roofline"] =
        percent(row.rooflineMicroseconds, row.microseconds);
  return object;
}

static void printJSON(const Profile &profile) {
  llvm::json::Array layers, kinds;
  for (const ProfileRow &row : profile.layers) {
    llvm::json::Object object = toJSON(row, profile);
    object["name"] = row.name;
    object["shapes"] = row.shapes;
    layers.push_back(std::move(object));
  }
  for (const ProfileRow &row : profile.kinds) {
    llvm::json::Object object = toJSON(row, profile);
    object["count"] = row.layers;
    kinds.push_back(std::move(object));
  }
  llvm::json::Object object{{"path", profile.path},
                            {"batch", profile.batch},
                            {"threads", profile.threads},
                            {"target", profile.target},
                            {"gigahertz", profile.gigahertz},
                            {"cost_table", profile.costTable},
                            {"microseconds", profile.total.microseconds},
                            {"layers", std::move(layers)},
                            {"kinds", std::move(kinds)}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object)));
}

llvm::Expected<Profile>
mlir::halftone::measureProfile(Contestant &contestant, int rounds, RoundTime time) {
  auto layers = contestant.model.layers();
  if (layers.empty())
    return userError("'" + contestant.path +
                     "' has no list of layers: it was compiled by an older "
                     "Halftone; compile it again");
  Profile profile = {contestant.path,
                     contestant.model.info().target,
                     contestant.batch,
                     contestant.describeSizes(),
                     contestant.model.threads(),
                     measureClock() / 1e9,
                     {},
                     {},
                     {},
                     {}};
  auto times = measure(contestant, rounds, layers.size(), time);
  if (!times)
    return times.takeError();
  ProfileRow between = {"", "between layers", "", ""};
  between.microseconds = times->back();
  for (auto [layer, time] : llvm::zip(layers, *times)) {
    ProfileRow row = describe(*layer, profile);
    row.microseconds = time;
    between.microseconds -= time;
    profile.layers.push_back(std::move(row));
  }
  between.microseconds = std::max(between.microseconds, 0.0);
  profile.layers.push_back(between);
  profile.kinds = sumByKind(profile.layers);
  profile.total.layers = -1; // What lies between the layers is none.
  for (const ProfileRow &row : profile.layers)
    profile.total.add(row);
  profile.total.microseconds = times->back();
  profile.total.peakMicroseconds = profile.total.rooflineMicroseconds = 0;
  return profile;
}

/// Sets the roofline of each contraction, and of the kinds that are all such.
static void addRooflines(Profile &profile, const CostTable &table,
                         const Contestant &contestant) {
  if (profile.gigahertz <= 0)
    return;
  profile.costTable = table.id();
  const HalftoneModel &model = contestant.model.info();
  for (auto [layer, row] : llvm::zip(contestant.model.layers(), profile.layers))
    if (auto record = recordOf(model, *layer, table, profile.batch))
      row.rooflineMicroseconds =
          record->roofline(table) / (profile.gigahertz * 1e3 * profile.threads);
  profile.kinds = sumByKind(profile.layers);
}

Error mlir::halftone::profileModel(Contestant &contestant, int rounds,
                                   bool json, StringRef costFile) {
  llvm::Expected<std::optional<CostTable>> table =
      knownTable(contestant.model.info(), costFile);
  if (!table)
    return table.takeError();
  llvm::Expected<Profile> profile = measureProfile(contestant, rounds);
  if (!profile)
    return profile.takeError();
  if (*table)
    addRooflines(*profile, **table, contestant);
  json ? printJSON(*profile) : printText(*profile);
  return Error::success();
}
