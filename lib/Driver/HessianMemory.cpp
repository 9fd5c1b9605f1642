//===- HessianMemory.cpp - whether Hessians fit into memory ---------------===//
#include "HessianMemory.h"
#include "Command.h"
#include "halftone/Runtime/Cgroup.h"
#include "llvm/Support/FormatVariadic.h"
#include <sys/resource.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::halftone;

double mlir::halftone::memoryLimit() {
  double limit = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
  if (double group = cgroupMemoryLimit(readText("/proc/self/cgroup"), "/sys/fs/cgroup"))
    limit = std::min(limit, group);
  rlimit own;
  if (getrlimit(RLIMIT_AS, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
    limit = std::min(limit, double(own.rlim_cur));
  return limit;
}

namespace {
struct Layer {
  std::string name;
  double bytes;
};
} // namespace

/// The largest first.
static std::vector<Layer> listLayers(ArrayRef<ContractionInput> inputs) {
  std::vector<Layer> layers;
  for (const ContractionInput &input : inputs)
    if (std::optional<Patches> patches = takesHessian(input.contraction) && getRange(traceRoot(input.value)) ? getPatches(input) : std::nullopt)
      layers.push_back({locationName(input.contraction->getLoc()), double(patches->groups) * triangleSize(patches->dimension()) * sizeof(int64_t)});
  llvm::stable_sort(layers, [](const Layer &a, const Layer &b) { return a.bytes > b.bytes; });
  return layers;
}

/// What all of them take at once.
static double countBytes(ArrayRef<Layer> layers, bool layerByLayer) {
  if (layers.empty())
    return 0;
  double sum = layers.front().bytes * (layerByLayer ? 4 : 1);
  if (!layerByLayer)
    for (const Layer &layer : layers)
      sum += layer.bytes;
  return sum;
}

static std::string inGigabytes(double bytes) { return llvm::formatv("{0:f1} GB", bytes / 1e9).str(); }

llvm::Error mlir::halftone::refuseHugeHessians(ArrayRef<ContractionInput> inputs, bool layerByLayer) {
  const std::vector<Layer> layers = listLayers(inputs);
  const double limit = memoryLimit();
  ArrayRef<Layer> fitting = layers;
  std::string names;
  for (; countBytes(fitting, layerByLayer) > limit; fitting = fitting.drop_front())
    names += "\n  '" + fitting.front().name + "': " + inGigabytes(fitting.front().bytes);
  if (names.empty())
    return llvm::Error::success();
  return userError("Hessians need " + inGigabytes(countBytes(layers, layerByLayer)) + ", and there are " + inGigabytes(limit) +
                   " of memory. Those of" + names +
                   "\nare too large: round these layers without them, by a rule {name: LAYER, rounding: diffused} of --recipe, or keep them float, by {name: LAYER, "
                   "precision: float}; `halftone prune` needs none with --method=magnitude");
}
