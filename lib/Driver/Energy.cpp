//===- Energy.cpp - What one run takes from the socket --------------------===//
#include "Energy.h"
#include "halftone/Codegen/IsaTable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir::halftone;
using llvm::Error, llvm::StringRef;

static constexpr char kPowercap[] = "/sys/class/powercap";

void EnergyEstimate::add(const EnergyEstimate &other) {
  arithmetic += other.arithmetic;
  instructions += other.instructions;
  bytes += other.bytes;
}

/// What one instruction of a kernel does: multiply-accumulates of a dot, or
/// bytes of a vector.
static double workPerInstruction(StringRef kernel) {
  unsigned bits = 0;
  if (kernel.consume_front("vector_") && !kernel.getAsInteger(10, bits))
    return bits / 8;
  kernel.consume_front("sparse_");
  const DotKernel *dots = findDotKernel(kernel);
  return dots ? dots->products() / dots->instructions() : 1;
}

EnergyEstimate mlir::halftone::estimateEnergy(const ProfileRow &layer,
                                              const EnergyModel &model) {
  StringRef kernel = layer.kernel;
  bool isFloat = kernel.starts_with("fma") || kernel == "scalar";
  bool isDot = layer.macs > 0 && !kernel.starts_with("vector");
  double instructions = (isDot ? layer.macs : std::max(layer.macs, layer.bytes())) /
                        workPerInstruction(kernel);
  return {1e-6 * layer.macs * (isFloat ? model.floatMac : model.int8Mac),
          1e-6 * instructions * model.instruction,
          1e-6 * layer.bytes() * model.cacheByte};
}

/// The number in a file, if it may be read.
static std::optional<double> readNumber(const llvm::Twine &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true,
                                          /*RequiresNullTerminator=*/false);
  double value = 0;
  if (!file || (*file)->getBuffer().trim().getAsDouble(value))
    return std::nullopt;
  return value;
}

std::optional<double> mlir::halftone::readEnergyCounters(StringRef folder) {
  std::optional<double> sum;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(folder, error), end;
       at != end && !error; at.increment(error)) {
    // "intel-rapl:0" is a package, "intel-rapl:0:1" a part of one.
    StringRef name = llvm::sys::path::filename(at->path());
    if (!name.contains("rapl") || name.count(':') != 1)
      continue;
    if (std::optional<double> energy = readNumber(at->path() + "/energy_uj"))
      sum = sum.value_or(0) + *energy;
  }
  return sum;
}

llvm::Expected<std::optional<double>>
mlir::halftone::measureEnergy(Contestant &contestant) {
  std::optional<double> before = readEnergyCounters(kPowercap);
  if (!before)
    return std::nullopt;
  constexpr int kRounds = 50; // of 20 ms
  for (int round = 0; round < kRounds; ++round)
    if (Error error = contestant.runRound())
      return std::move(error);
  std::optional<double> after = readEnergyCounters(kPowercap);
  // A counter that started again from 0 in between says nothing.
  if (!after || *after <= *before)
    return std::nullopt;
  return (*after - *before) / double(kRounds * contestant.runsPerRound);
}
