//===- Emulator.h - instructions that this CPU lacks, for tests -------------===//
//
// A library that is preloaded into what runs compiled models. An instruction of AMX or AVX-VNNI is an illegal instruction to a
// CPU without it: the library's handler of SIGILL executes it on the saved registers, and goes on behind it. Nothing else is
// emulated; any other illegal instruction ends the process with one message. docs/Testing.md has how tests use it,
// docs/Rationale.md why it is no part of the runtime.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_EMULATOR_H
#define HALFTONE_TEST_EMULATOR_EMULATOR_H

#include "Instruction.h"
#include <string>
#include <vector>

namespace mlir::halftone::emulator {

/// Whether instructions of `feature` are emulated: those that this CPU has are not.
bool isEmulated(Feature feature);

/// The names of emulated features, as in /proc/cpuinfo.
std::vector<std::string> emulatedFeatures();

} // namespace mlir::halftone::emulator

/// The same, joined by commas, for test programs in other languages.
extern "C" __attribute__((visibility("default"))) const char *halftone_emulated_features(void);

/// Whether instructions may be replaced by ones that this CPU has (Patches.h), as they are at the start: for its unit tests.
extern "C" __attribute__((visibility("default"))) void halftone_patch_emulated(int enable);

#endif // HALFTONE_TEST_EMULATOR_EMULATOR_H
