//===- Patches.h - instructions that become jumps to their twins ------------===//
//
// A signal for each instruction takes microseconds, and a network has hundreds of millions of `vpdpbusd`. So an instruction that has
// trapped is replaced in memory, where it has a twin (Twins.h), by a jump to that and back: it never traps again.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_PATCHES_H
#define HALFTONE_TEST_EMULATOR_PATCHES_H

#include "Instruction.h"

namespace mlir::halftone::emulator {

/// Finds out what this CPU and its operating system allow; called once, before any thread can trap.
void preparePatches();

/// Lets `patch` work or not, for tests of what executes the instruction otherwise.
void enablePatches(bool enable);

/// Replaces the instruction at `code`, in any number of threads at a time. Returns whether it can be executed again: false if it
/// has no twin, or there is no memory within reach.
bool patch(uint8_t *code, const Instruction &instruction);

/// Whether what stands at `code` is, or is about to be, such a jump: another thread may have written it since the trap.
bool isPatched(const uint8_t *code);

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_PATCHES_H
