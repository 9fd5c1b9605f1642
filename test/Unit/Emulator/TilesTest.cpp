//===- TilesTest.cpp - AMX, each instruction against plain C ----------------===//
#include "Machine.h"

namespace {

constexpr unsigned kTileBytes = 1024, kRowBytes = 64;

/// The operand of ldtilecfg: tile t has rows[t] rows of columns[t] bytes.
struct Config {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t columns[16] = {};
  uint8_t rows[16] = {};

  Config &set(unsigned tile, unsigned height, unsigned width) {
    rows[tile] = height;
    columns[tile] = width;
    return *this;
  }
};
static_assert(sizeof(Config) == 64);

void loadConfig(const Config &config) { __asm__ volatile("ldtilecfg %0" : : "m"(config)); }
Config storeConfig() {
  Config config;
  __asm__ volatile("sttilecfg %0" : "=m"(config) : : "memory");
  return config;
}
void release() { __asm__ volatile("tilerelease"); }

/// `%tmm` with a number needs a string: one function for each.
#define LOAD(T)                                                                                                        \
  void load##T(const void *memory, int64_t stride) {                                                                   \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #T : : "r"(memory), "r"(stride) : "memory");                         \
  }
#define STORE(T)                                                                                                       \
  void store##T(void *memory, int64_t stride) {                                                                        \
    __asm__ volatile("tilestored %%tmm" #T ", (%0,%1,1)" : : "r"(memory), "r"(stride) : "memory");                     \
  }
LOAD(0)
LOAD(1)
LOAD(2)
STORE(0)
STORE(2)
STORE(7)

struct TilesTest : testing::Test {
  void SetUp() override { requestTiles(); }
  void TearDown() override { release(); }
};

/// All 16 rows of 64 bytes of tile 0, whatever its configuration is: as a tile of another configuration would load them is
/// not to be seen, so it is stored by its own.
std::vector<uint8_t> stored(unsigned rows, unsigned columns) {
  std::vector<uint8_t> bytes(kTileBytes, 0xa5);
  store0(bytes.data(), kRowBytes);
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned column = 0; column < kRowBytes; ++column)
      if (row >= rows || column >= columns)
        EXPECT_EQ(0xa5, bytes[row * kRowBytes + column]) << "written outside of the tile";
  return bytes;
}

TEST_F(TilesTest, ConfigurationIsKeptAndReleased) {
  const Config config = Config().set(0, 16, 64).set(3, 1, 4).set(7, 9, 28);
  loadConfig(config);
  Config seen = storeConfig();
  EXPECT_EQ(0, std::memcmp(&config, &seen, sizeof seen));
  release();
  seen = storeConfig();
  const std::vector<uint8_t> zeros(sizeof seen);
  EXPECT_EQ(0, std::memcmp(zeros.data(), &seen, sizeof seen));
}

TEST_F(TilesTest, PaletteZeroReleases) {
  loadConfig(Config().set(0, 2, 8));
  Config none;
  none.palette = 0;
  loadConfig(none);
  EXPECT_EQ(0, storeConfig().palette);
}

TEST_F(TilesTest, LoadsAndStoresRowsAtAnyStride) {
  const std::vector<uint8_t> memory = mixedBytes(8192, 1);
  for (int64_t stride : {0, 1, 6, 64, 100, 320}) {
    loadConfig(Config().set(0, 13, 37 / 4 * 4));
    load0(memory.data(), stride);
    const std::vector<uint8_t> seen = stored(13, 36);
    for (unsigned row = 0; row < 13; ++row)
      EXPECT_EQ(0, std::memcmp(&seen[row * kRowBytes], &memory[row * stride], 36)) << "stride " << stride << ", row " << row;
  }
}

TEST_F(TilesTest, StridesGoBackwards) {
  const std::vector<uint8_t> memory = mixedBytes(4096, 2);
  loadConfig(Config().set(0, 16, 64));
  load0(memory.data() + 2048, -96);
  const std::vector<uint8_t> seen = stored(16, 64);
  for (int row = 0; row < 16; ++row)
    EXPECT_EQ(0, std::memcmp(&seen[row * kRowBytes], &memory[2048 - 96 * row], 64)) << row;
}

TEST_F(TilesTest, AddressesHaveBaseIndexScaleAndDisplacement) {
  const std::vector<uint8_t> memory = mixedBytes(4096, 3);
  std::vector<uint8_t> seen(kTileBytes);
  loadConfig(Config().set(2, 3, 64).set(7, 3, 64));
  const uint8_t *base = memory.data() + 300;
  __asm__ volatile("movq %0, %%r13\n\tmovq $20, %%r12\n\ttileloadd -44(%%r13,%%r12,4), %%tmm7\n\t"
                   "tileloaddt1 0x144(%%r13,%%r12,2), %%tmm2"
                   : : "r"(base) : "r12", "r13", "memory");
  store7(seen.data(), kRowBytes);
  for (int row = 0; row < 3; ++row)
    EXPECT_EQ(0, std::memcmp(&seen[row * kRowBytes], base - 44 + 80 * row, 64)) << row;
  store2(seen.data(), kRowBytes);
  for (int row = 0; row < 3; ++row)
    EXPECT_EQ(0, std::memcmp(&seen[row * kRowBytes], base + 0x144 + 40 * row, 64)) << row;
  // Without an index all rows are the same one: biases are loaded so.
  __asm__ volatile("tileloadd 8(%0), %%tmm7" : : "r"(base) : "memory");
  store7(seen.data(), kRowBytes);
  for (int row = 0; row < 3; ++row)
    EXPECT_EQ(0, std::memcmp(&seen[row * kRowBytes], base + 8, 64)) << row;
}

TEST_F(TilesTest, ConfiguringAndZeroingClear) {
  const std::vector<uint8_t> memory = mixedBytes(kTileBytes, 4), zeros(kTileBytes);
  std::vector<uint8_t> seen(kTileBytes, 1);
  for (bool configures : {true, false}) {
    loadConfig(Config().set(0, 16, 64));
    load0(memory.data(), 64);
    if (configures)
      loadConfig(Config().set(0, 16, 64));
    else
      __asm__ volatile("tilezero %tmm0");
    store0(seen.data(), 64);
    EXPECT_EQ(zeros, seen);
  }
}

/// destination[m][n] += first[m][4 k + i] * second[k][4 n + i], modulo 2^32, one after the other.
std::vector<uint8_t> expectedDot(std::vector<uint8_t> sums, const std::vector<uint8_t> &first, const std::vector<uint8_t> &second,
                                 unsigned rows, unsigned quads, unsigned columns, bool firstSigned, bool secondSigned) {
  auto value = [](uint8_t byte, bool isSigned) { return isSigned ? int64_t(int8_t(byte)) : int64_t(byte); };
  for (unsigned m = 0; m < rows; ++m)
    for (unsigned n = 0; n < columns; ++n) {
      uint32_t sum;
      std::memcpy(&sum, &sums[m * kRowBytes + 4 * n], 4);
      for (unsigned k = 0; k < 4 * quads; ++k)
        sum += uint32_t(value(first[m * kRowBytes + k], firstSigned) *
                        value(second[k / 4 * kRowBytes + 4 * n + k % 4], secondSigned));
      std::memcpy(&sums[m * kRowBytes + 4 * n], &sum, 4);
    }
  return sums;
}

struct Dot {
  const char *name;
  bool firstSigned, secondSigned;
  void (*run)(); // tile 0 += tile 1 * tile 2
};
const Dot kDots[] = {
    {"tdpbssd", true, true, [] { __asm__ volatile("tdpbssd %tmm2, %tmm1, %tmm0"); }},
    {"tdpbsud", true, false, [] { __asm__ volatile("tdpbsud %tmm2, %tmm1, %tmm0"); }},
    {"tdpbusd", false, true, [] { __asm__ volatile("tdpbusd %tmm2, %tmm1, %tmm0"); }},
    {"tdpbuud", false, false, [] { __asm__ volatile("tdpbuud %tmm2, %tmm1, %tmm0"); }},
};

void checkDots(const std::vector<uint8_t> &sums, const std::vector<uint8_t> &first, const std::vector<uint8_t> &second,
               unsigned rows, unsigned quads, unsigned columns) {
  for (const Dot &dot : kDots) {
    loadConfig(Config().set(0, rows, 4 * columns).set(1, rows, 4 * quads).set(2, quads, 4 * columns));
    load0(sums.data(), kRowBytes);
    load1(first.data(), kRowBytes);
    load2(second.data(), kRowBytes);
    dot.run();
    const std::vector<uint8_t> seen = stored(rows, 4 * columns);
    const std::vector<uint8_t> expected =
        expectedDot(sums, first, second, rows, quads, columns, dot.firstSigned, dot.secondSigned);
    for (unsigned m = 0; m < rows; ++m)
      EXPECT_EQ(0, std::memcmp(&seen[m * kRowBytes], &expected[m * kRowBytes], 4 * columns))
          << dot.name << ", " << rows << " rows, " << quads << " quads, " << columns << " columns, row " << m;
  }
}

TEST_F(TilesTest, DotsOfMixedBytes) {
  const unsigned shapes[][3] = {{16, 16, 16}, {1, 1, 1}, {16, 1, 16}, {3, 16, 5}, {13, 7, 16}, {16, 16, 1}};
  unsigned seed = 10;
  for (auto &[rows, quads, columns] : shapes) {
    checkDots(mixedBytes(kTileBytes, seed), mixedBytes(kTileBytes, seed + 1), mixedBytes(kTileBytes, seed + 2), rows, quads, columns);
    seed += 3;
  }
}

TEST_F(TilesTest, DotsOfExtremes) {
  for (uint8_t first : {0x00, 0x7f, 0x80, 0xff})
    for (uint8_t second : {0x00, 0x7f, 0x80, 0xff})
      for (uint32_t sum : {0u, 0x7fffffffu, 0x80000000u}) { // which wrap
        std::vector<uint8_t> sums(kTileBytes);
        for (unsigned i = 0; i < kTileBytes; i += 4)
          std::memcpy(&sums[i], &sum, 4);
        checkDots(sums, std::vector<uint8_t>(kTileBytes, first), std::vector<uint8_t>(kTileBytes, second), 16, 16, 16);
      }
}

TEST_F(TilesTest, OperandsKeepTheirPlaces) {
  // Tiles of other numbers than above, and a destination that is the last one.
  const std::vector<uint8_t> first = mixedBytes(kTileBytes, 30), second = mixedBytes(kTileBytes, 31), zeros(kTileBytes);
  loadConfig(Config().set(7, 4, 64).set(2, 4, 32).set(1, 8, 64));
  load2(first.data(), kRowBytes);
  load1(second.data(), kRowBytes);
  __asm__ volatile("tilezero %tmm7\n\ttdpbssd %tmm1, %tmm2, %tmm7");
  std::vector<uint8_t> seen(kTileBytes);
  store7(seen.data(), kRowBytes);
  const std::vector<uint8_t> expected = expectedDot(zeros, first, second, 4, 8, 16, true, true);
  EXPECT_EQ(0, std::memcmp(seen.data(), expected.data(), 4 * kRowBytes));
}

} // namespace
