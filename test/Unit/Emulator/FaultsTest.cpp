//===- FaultsTest.cpp - what a CPU refuses, the emulator does ---------------===//
//
// On a CPU with AMX the same instructions end the process by a signal instead of the message.
//
//===----------------------------------------------------------------------===//
#include "Machine.h"
#include <string>
#include <thread>

namespace {

struct FaultsTest : testing::Test {
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    requestTiles();
  }
};

/// ldtilecfg of a palette, the same rows and columns for the tiles 0, 1 and 2, and one byte that is different.
void configure(uint8_t palette, uint8_t rows, uint8_t columns, unsigned place = 0, uint8_t value = 0) {
  uint8_t bytes[64] = {palette};
  for (unsigned tile = 0; tile < 3; ++tile) {
    bytes[16 + 2 * tile] = columns;
    bytes[48 + tile] = rows;
  }
  if (place)
    bytes[place] = value;
  __asm__ volatile("ldtilecfg %0" : : "m"(bytes) : "memory");
}
void dot() { __asm__ volatile("tdpbssd %tmm2, %tmm1, %tmm0"); }
void dotWithItself() { __asm__ volatile(".byte 0xc4, 0xe2, 0x73, 0x5e, 0xc1"); } // tile 0 += tile 1 * tile 1
void zero0() { __asm__ volatile("tilezero %tmm0"); }
void zero3() { __asm__ volatile("tilezero %tmm3"); }
void release() { __asm__ volatile("tilerelease"); }

/// The message, where the emulator gives it.
std::string says(const char *message) { return isEmulatedHere("amx_tile") ? message : ""; }

TEST_F(FaultsTest, Configurations) {
  EXPECT_DEATH(configure(2, 16, 64), says("ldtilecfg would fault: the palette"));
  EXPECT_DEATH(configure(1, 17, 64), says("ldtilecfg would fault: a tile has more than 16 rows"));
  EXPECT_DEATH(configure(1, 16, 68), says("ldtilecfg would fault: a tile has more than 64 bytes"));
  EXPECT_DEATH(configure(1, 16, 0), says("ldtilecfg would fault: a tile has rows without columns"));
  EXPECT_DEATH(configure(1, 16, 64, 5, 1), says("ldtilecfg would fault: reserved bytes"));
}

TEST_F(FaultsTest, TilesWithoutConfiguration) {
  EXPECT_DEATH(zero0(), says("tilezero would fault: tiles are not configured"));
  EXPECT_DEATH((configure(1, 16, 64), zero3()),
               says("tilezero would fault: the tile is not configured"));
  EXPECT_DEATH((configure(1, 16, 64), release(), dot()), says("tdpbssd would fault: tiles are not"));
}

TEST_F(FaultsTest, DotsOfTilesThatDoNotFit) {
  EXPECT_DEATH((configure(1, 16, 64, 48, 15), dot()), says("tdpbssd would fault: .* differ in rows"));
  EXPECT_DEATH((configure(1, 16, 64, 16, 60), dot()), says("tdpbssd would fault: .* differ in columns"));
  EXPECT_DEATH((configure(1, 16, 64, 18, 60), dot()), says("tdpbssd would fault: .* do not fit the rows"));
  EXPECT_DEATH((configure(1, 16, 64, 20, 62), dot()), says("tdpbssd would fault: .* no multiple of 4"));
  EXPECT_DEATH((configure(1, 16, 64), dotWithItself()),
               says("tdpbssd would fault: two of the three"));
}

TEST_F(FaultsTest, AThreadHasItsOwnTiles) {
  configure(1, 16, 64);
  uint8_t palette = 1;
  std::thread([&] {
    uint8_t bytes[64];
    __asm__ volatile("sttilecfg %0" : "=m"(bytes) : : "memory");
    palette = bytes[0];
  }).join();
  EXPECT_EQ(0, palette);
  release();
}

TEST_F(FaultsTest, WhatIsNotEmulated) {
  EXPECT_DEATH(__asm__ volatile("ud2"), says("halftone emulator: illegal instruction 0f 0b .*EmulatorTests: neither this CPU nor the emulator"));
  // vpdpbusd with W = 1, and tdpfp16ps.
  EXPECT_DEATH(__asm__ volatile(".byte 0xc4, 0xe2, 0xf5, 0x50, 0xc2"), says("illegal instruction c4 e2 f5 50 c2"));
  EXPECT_DEATH(__asm__ volatile(".byte 0xc4, 0xe2, 0x6b, 0x5c, 0xc1"), says("illegal instruction c4 e2 6b 5c c1"));
}

} // namespace
