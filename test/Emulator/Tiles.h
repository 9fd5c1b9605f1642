//===- Tiles.h - the state of AMX tiles, in plain C++ -----------------------===//
//
// Palette 1: 8 tiles of at most 16 rows of 64 bytes. What is outside of a tile's configured rows and columns is zero after
// each operation, as the Intel 64 manual says (volume 1, chapter 18; volume 2 for each instruction).
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_TILES_H
#define HALFTONE_TEST_EMULATOR_TILES_H

#include <cstdint>

namespace mlir::halftone::emulator {

/// The 64 bytes of ldtilecfg.
struct TileConfig {
  uint8_t palette, startRow, reserved[14];
  uint16_t columnBytes[8], reservedColumns[8];
  uint8_t rows[8], reservedRows[8];
};
static_assert(sizeof(TileConfig) == 64);

/// The tiles of a thread. Each operation returns null, or why a CPU faults; tiles then stay as they were.
class Tiles {
public:
  const char *configure(const TileConfig &wanted);
  /// The configuration, zeros for none.
  const TileConfig &configuration() const { return config; }
  void release() { *this = {}; }

  const char *zero(unsigned tile);
  /// Rows are `stride` bytes apart in memory.
  const char *load(unsigned tile, const uint8_t *memory, int64_t stride);
  const char *store(unsigned tile, uint8_t *memory, int64_t stride) const;
  /// destination[m][n] += sum over k of first[m][k] * second[k / 4][4 * n + k % 4], modulo 2^32.
  const char *dot(unsigned destination, unsigned first, unsigned second, bool firstSigned, bool secondSigned);

private:
  static constexpr unsigned kTiles = 8, kRows = 16, kRowBytes = 64;

  const char *check(unsigned tile) const;
  const char *checkDot(unsigned destination, unsigned first, unsigned second) const;

  TileConfig config = {};
  uint8_t data[kTiles][kRows][kRowBytes] = {};
};

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_TILES_H
