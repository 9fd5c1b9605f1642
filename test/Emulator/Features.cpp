//===- Features.cpp - what the emulator adds to the CPU ---------------------===//
//
// The library is the runtime of a build once more, from the same object files, linked with `--wrap`: two functions of the
// runtime's detection (lib/Runtime/CpuDetection.cpp) are replaced by those below, and called from them.
//
//===----------------------------------------------------------------------===//
#include "Emulator.h"
#include "halftone/Runtime/CpuFeatures.h"
#include <algorithm>
#include <iterator>

using namespace mlir::halftone;
using namespace mlir::halftone::emulator;

static constexpr const char *kNames[] = {"amx_tile", "amx_int8", "avx_vnni"};
static constexpr unsigned kFeatures = std::size(kNames);

// The names that the linker gives to the runtime's functions and to their replacements.
#define DETECT "_ZN4mlir8halftone17detectCpuFeaturesB5cxx11Ev"
#define REQUEST "_ZN4mlir8halftone15requestCpuStateERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
std::vector<std::string> detectNatively() __asm__("__real_" DETECT);
std::vector<std::string> detectWithEmulated() __asm__("__wrap_" DETECT);
bool requestNatively(const std::string &required) __asm__("__real_" REQUEST);
bool requestWithEmulated(const std::string &required) __asm__("__wrap_" REQUEST);

namespace {
/// Which features this CPU lacks; none counts without AVX2, which all kernels that use them need.
struct Lacking {
  bool features[kFeatures];

  Lacking() {
    const std::vector<std::string> names = detectNatively();
    auto has = [&](const char *name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    for (unsigned i = 0; i < kFeatures; ++i)
      features[i] = has("avx2") && !has(kNames[i]);
  }
};
} // namespace

static const Lacking &lacking() {
  static const Lacking instance;
  return instance;
}

bool mlir::halftone::emulator::isEmulated(Feature feature) { return lacking().features[static_cast<unsigned>(feature)]; }

std::vector<std::string> mlir::halftone::emulator::emulatedFeatures() {
  std::vector<std::string> names;
  for (unsigned i = 0; i < kFeatures; ++i)
    if (lacking().features[i])
      names.push_back(kNames[i]);
  return names;
}

const char *halftone_emulated_features(void) {
  static const std::string joined = [] {
    std::string text;
    for (const std::string &name : emulatedFeatures())
      text += (text.empty() ? "" : ",") + name;
    return text;
  }();
  return joined.c_str();
}

std::vector<std::string> detectWithEmulated() {
  std::vector<std::string> names = detectNatively();
  for (const std::string &name : emulatedFeatures())
    names.push_back(name);
  return names;
}

/// Emulated tiles need nothing of the operating system.
bool requestWithEmulated(const std::string &required) { return isEmulated(Feature::AmxTile) || requestNatively(required); }
