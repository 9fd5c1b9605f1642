//===- Twins.h - what this CPU executes in place of an instruction ----------===//
//
// AVX512-VNNI has the instructions of AVX-VNNI with another prefix (EVEX). A CPU with neither multiplies bytes as words: a dozen
// instructions of AVX2 for `vpdpbusd`, the one that kernels use.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_TWINS_H
#define HALFTONE_TEST_EMULATOR_TWINS_H

#include "Instruction.h"

namespace mlir::halftone::emulator {

/// No twin takes more.
inline constexpr unsigned kMostTwinBytes = 160;

/// Finds out what this CPU has; called once, before any thread can trap. Returns whether anything has a twin.
bool prepareTwins();

/// Whether this CPU can execute something else in place of `instruction`.
bool hasTwin(const Instruction &instruction);

/// Writes the twin of `instruction`, which stands at `code`, to `next`. It changes what the instruction changes, and nothing else that
/// code may rely on. Returns its end, or null if an operand is out of reach.
uint8_t *writeTwin(uint8_t *next, const Instruction &instruction, const uint8_t *code);

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_TWINS_H
