//===- Tiles.cpp - operations on AMX tiles, in plain C++ --------------------===//
#include "Tiles.h"
#include <algorithm>
#include <cstring>
#include <iterator>

using namespace mlir::halftone::emulator;

/// What a CPU demands of the 64 bytes.
static const char *checkConfig(const TileConfig &config) {
  auto isZero = [](auto &bytes) { return std::all_of(std::begin(bytes), std::end(bytes), [](unsigned byte) { return byte == 0; }); };
  if (config.palette > 1)
    return "the palette is neither 0 nor 1";
  if (config.startRow != 0)
    return "the first row is not 0, which is not emulated";
  if (!isZero(config.reserved) || !isZero(config.reservedColumns) || !isZero(config.reservedRows))
    return "reserved bytes are not zero";
  for (unsigned tile = 0; tile < 8; ++tile) {
    if (config.rows[tile] > 16)
      return "a tile has more than 16 rows";
    if (config.columnBytes[tile] > 64)
      return "a tile has more than 64 bytes of columns";
    if ((config.rows[tile] == 0) != (config.columnBytes[tile] == 0))
      return "a tile has rows without columns, or columns without rows";
  }
  return nullptr;
}

const char *Tiles::configure(const TileConfig &wanted) {
  if (wanted.palette != 0)
    if (const char *fault = checkConfig(wanted))
      return fault;
  if (wanted.palette > 1)
    return "the palette is neither 0 nor 1";
  *this = {};
  if (wanted.palette != 0)
    config = wanted;
  return nullptr;
}

const char *Tiles::check(unsigned tile) const {
  if (config.palette == 0)
    return "tiles are not configured";
  return config.rows[tile] == 0 ? "the tile is not configured" : nullptr;
}

const char *Tiles::zero(unsigned tile) {
  if (const char *fault = check(tile))
    return fault;
  std::memset(data[tile], 0, sizeof data[tile]);
  return nullptr;
}

const char *Tiles::load(unsigned tile, const uint8_t *memory, int64_t stride) {
  if (const char *fault = check(tile))
    return fault;
  std::memset(data[tile], 0, sizeof data[tile]);
  for (int64_t row = 0; row < config.rows[tile]; ++row)
    std::memcpy(data[tile][row], memory + row * stride, config.columnBytes[tile]);
  return nullptr;
}

const char *Tiles::store(unsigned tile, uint8_t *memory, int64_t stride) const {
  if (const char *fault = check(tile))
    return fault;
  for (int64_t row = 0; row < config.rows[tile]; ++row)
    std::memcpy(memory + row * stride, data[tile][row], config.columnBytes[tile]);
  return nullptr;
}

const char *Tiles::checkDot(unsigned destination, unsigned first, unsigned second) const {
  for (unsigned tile : {destination, first, second})
    if (const char *fault = check(tile))
      return fault;
  if (destination == first || destination == second || first == second)
    return "two of the three tiles are the same";
  for (unsigned tile : {destination, first, second})
    if (config.columnBytes[tile] % 4 != 0)
      return "the columns of a tile are no multiple of 4 bytes";
  if (config.rows[destination] != config.rows[first])
    return "the destination and the first operand differ in rows";
  if (config.columnBytes[destination] != config.columnBytes[second])
    return "the destination and the second operand differ in columns";
  if (config.columnBytes[first] / 4 != config.rows[second])
    return "the columns of the first operand do not fit the rows of the second";
  return nullptr;
}

/// Signed or unsigned bytes as 16-bit integers.
static void widen(const uint8_t *bytes, unsigned count, bool isSigned, int16_t *words) {
  for (unsigned i = 0; i < count; ++i)
    words[i] = isSigned ? static_cast<int16_t>(static_cast<int8_t>(bytes[i])) : static_cast<int16_t>(bytes[i]);
}

const char *Tiles::dot(unsigned destination, unsigned first, unsigned second, bool firstSigned, bool secondSigned) {
  if (const char *fault = checkDot(destination, first, second))
    return fault;
  const unsigned quads = config.rows[second], columns = config.columnBytes[destination] / 4;
  int16_t weights[kRows][kRowBytes], row[kRowBytes];
  for (unsigned k = 0; k < quads; ++k)
    widen(data[second][k], kRowBytes, secondSigned, weights[k]);
  for (unsigned m = 0; m < config.rows[destination]; ++m) {
    widen(data[first][m], kRowBytes, firstSigned, row);
    uint32_t sums[kRowBytes / 4];
    std::memcpy(sums, data[destination][m], sizeof sums);
    for (unsigned k = 0; k < quads; ++k)
      for (unsigned n = 0; n < kRowBytes / 4; ++n) // all of them, for constant bounds: what is outside is zero
        for (unsigned i = 0; i < 4; ++i)
          sums[n] += static_cast<uint32_t>(row[4 * k + i] * weights[k][4 * n + i]);
    std::memset(data[destination][m], 0, sizeof data[destination][m]);
    std::memcpy(data[destination][m], sums, columns * 4);
  }
  return nullptr;
}
