//===- Machine.h - instructions of AMX and AVX-VNNI, written out ------------===//
//
// The tests execute the instructions themselves: on a CPU that has them they compare the hardware with plain C, elsewhere the
// emulator, which the program is linked with.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_UNIT_EMULATOR_MACHINE_H
#define HALFTONE_TEST_UNIT_EMULATOR_MACHINE_H

#include "gtest/gtest.h"
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

extern "C" const char *halftone_emulated_features(void);
extern "C" void halftone_patch_emulated(int enable);

/// Whether the emulator stands in for a feature.
inline bool isEmulatedHere(const std::string &feature) {
  return ("," + std::string(halftone_emulated_features()) + ",").find("," + feature + ",") != std::string::npos;
}

/// Linux gives tiles to those who ask; the emulator asks for nothing.
inline void requestTiles() { syscall(SYS_arch_prctl, 0x1023, 18); }

/// `count` bytes, a third of them the extremes of signed and unsigned bytes.
inline std::vector<uint8_t> mixedBytes(size_t count, unsigned seed) {
  static constexpr uint8_t kExtremes[] = {0x00, 0x7f, 0x80, 0xff};
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes)
    byte = random() % 3 == 0 ? kExtremes[random() % 4] : random();
  return bytes;
}

#endif // HALFTONE_TEST_UNIT_EMULATOR_MACHINE_H
