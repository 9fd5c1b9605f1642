//===- VectorDotsTest.cpp - AVX-VNNI, each instruction against plain C ------===//
#include "Machine.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace {

using Vector = std::array<uint8_t, 32>;

Vector vectorOf(const std::vector<uint8_t> &bytes) {
  Vector vector;
  std::copy_n(bytes.begin(), vector.size(), vector.begin());
  return vector;
}

/// What the manual says of vpdpbusd (depth 4: unsigned by signed bytes) and vpdpwssd (depth 2: signed words), with or without
/// saturation; the upper half is zero where `bytes` is 16.
Vector expectedDot(const Vector &sums, const Vector &first, const Vector &second, unsigned bytes, unsigned depth, bool saturates) {
  Vector result = {};
  for (unsigned lane = 0; lane < bytes / 4; ++lane) {
    int32_t start;
    std::memcpy(&start, &sums[4 * lane], 4);
    int64_t sum = start;
    for (unsigned i = 0; i < depth; ++i) {
      int16_t x, y;
      std::memcpy(&x, &first[4 * lane + i * 4 / depth], 2);
      std::memcpy(&y, &second[4 * lane + i * 4 / depth], 2);
      sum += depth == 2 ? int64_t(x) * y : int64_t(first[4 * lane + i]) * int8_t(second[4 * lane + i]);
    }
    const int32_t value = saturates ? std::max<int64_t>(std::min<int64_t>(sum, INT32_MAX), INT32_MIN) : uint32_t(sum);
    std::memcpy(&result[4 * lane], &value, 4);
  }
  return result;
}

struct Dot {
  const char *name;
  unsigned bytes, depth;
  bool saturates;
  /// Of registers, and with the last operand in memory.
  Vector (*run)(const Vector &, const Vector &, const Vector &), (*runMemory)(const Vector &, const Vector &, const Vector &);
};

/// Registers 12, 9 and 10, so that all bits of their numbers are seen; all 32 bytes of the result are.
#define DOT(NAME, REGISTER, BYTES, DEPTH, SATURATES)                                                                   \
  {NAME " %" REGISTER, BYTES, DEPTH, SATURATES,                                                                        \
   [](const Vector &sums, const Vector &first, const Vector &second) {                                                 \
     Vector result;                                                                                                    \
     __asm__ volatile("vmovdqu %1, %%ymm12\n\tvmovdqu %2, %%ymm9\n\tvmovdqu %3, %%ymm10\n\t"                           \
                      "%{vex%} " NAME " %%" REGISTER "10, %%" REGISTER "9, %%" REGISTER "12\n\tvmovdqu %%ymm12, %0"      \
                      : "=m"(result) : "m"(sums), "m"(first), "m"(second) : "xmm9", "xmm10", "xmm12");                 \
     return result;                                                                                                    \
   },                                                                                                                  \
   [](const Vector &sums, const Vector &first, const Vector &second) {                                                 \
     Vector result;                                                                                                    \
     __asm__ volatile("vmovdqu %1, %%ymm3\n\tvmovdqu %2, %%ymm5\n\t%{vex%} " NAME " %3, %%" REGISTER "5, %%" REGISTER    \
                      "3\n\tvmovdqu %%ymm3, %0"                                                                        \
                      : "=m"(result) : "m"(sums), "m"(first), "m"(second) : "xmm3", "xmm5");                           \
     return result;                                                                                                    \
   }}
const Dot kDots[] = {
    DOT("vpdpbusd", "ymm", 32, 4, false), DOT("vpdpbusds", "ymm", 32, 4, true), DOT("vpdpwssd", "ymm", 32, 2, false),
    DOT("vpdpwssds", "ymm", 32, 2, true), DOT("vpdpbusd", "xmm", 16, 4, false), DOT("vpdpbusds", "xmm", 16, 4, true),
    DOT("vpdpwssd", "xmm", 16, 2, false), DOT("vpdpwssds", "xmm", 16, 2, true),
};

void checkDots(const Vector &sums, const Vector &first, const Vector &second) {
  for (const Dot &dot : kDots) {
    const Vector expected = expectedDot(sums, first, second, dot.bytes, dot.depth, dot.saturates);
    EXPECT_EQ(expected, dot.run(sums, first, second)) << dot.name;
    EXPECT_EQ(expected, dot.runMemory(sums, first, second)) << dot.name << " from memory";
  }
}

struct VectorDotsTest : testing::Test {
  void SetUp() override {
    if (!__builtin_cpu_supports("avx2"))
      GTEST_SKIP() << "no avx2";
    halftone_patch_emulated(false);
  }
};

void checkMixedBytes() {
  for (unsigned seed = 0; seed < 300; seed += 3)
    checkDots(vectorOf(mixedBytes(32, seed)), vectorOf(mixedBytes(32, seed + 1)), vectorOf(mixedBytes(32, seed + 2)));
}

TEST_F(VectorDotsTest, MixedBytes) { checkMixedBytes(); }

void checkExtremes() {
  for (uint8_t first : {0x00, 0x7f, 0x80, 0xff})
    for (uint8_t second : {0x00, 0x7f, 0x80, 0xff})
      for (uint32_t start : {0u, 0x7fffffffu, 0x80000000u}) {
        Vector sums, x, y;
        x.fill(first);
        y.fill(second);
        for (unsigned i = 0; i < sums.size(); i += 4)
          std::memcpy(&sums[i], &start, 4);
        checkDots(sums, x, y);
        // Words of 0x8000, whose products add up to 2^31.
        for (unsigned i = 0; i < x.size(); i += 2)
          x[i] = y[i] = 0;
        checkDots(sums, x, y);
      }
}

TEST_F(VectorDotsTest, Extremes) { checkExtremes(); }

/// Linux may leave out the state of upper halves while all of them are zero.
void checkUpperHalves() {
  const Vector second = vectorOf(mixedBytes(32, 5)), zeros = {};
  Vector result, ones;
  ones.fill(1);
  __asm__ volatile("vzeroall\n\t%{vex%} vpdpbusd %1, %%ymm0, %%ymm1\n\tvmovdqu %%ymm1, %0"
                   : "=m"(result) : "m"(second) : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                     "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  EXPECT_EQ(zeros, result);
  __asm__ volatile("vzeroall\n\tvmovdqu %2, %%xmm0\n\tvmovdqa %%xmm0, %%xmm1\n\t%{vex%} vpdpbusd %1, %%ymm0, %%ymm1\n\tvmovdqu %%ymm1, %0"
                   : "=m"(result) : "m"(second), "m"(ones) : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                     "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  Vector low = {};
  std::fill_n(low.begin(), 16, 1);
  EXPECT_EQ(expectedDot(low, low, second, 32, 4, false), result);
}

TEST_F(VectorDotsTest, UpperHalvesFromZero) { checkUpperHalves(); }

void checkAddresses() {
  const std::vector<uint8_t> memory = mixedBytes(4096, 6);
  const Vector first = vectorOf(mixedBytes(32, 7)), sums = vectorOf(mixedBytes(32, 8));
  Vector result, kept;
  __asm__ volatile("vmovdqu %2, %%ymm15\n\tvmovdqu %3, %%ymm0\n\tmovq %4, %%r13\n\tmovq $-5, %%r9\n\t"
                   "%{vex%} vpdpbusd 0x400(%%r13,%%r9,8), %%ymm15, %%ymm0\n\tvmovdqu %%ymm0, %0\n\tvmovdqu %%ymm15, %1"
                   : "=m"(result), "=m"(kept) : "m"(first), "m"(sums), "r"(memory.data()) : "r9", "r13", "xmm0", "xmm15");
  EXPECT_EQ(first, kept);
  Vector second;
  std::copy_n(&memory[0x400 - 40], 32, second.begin());
  EXPECT_EQ(expectedDot(sums, first, second, 32, 4, false), result);
  __asm__ volatile("jmp 2f\n\t.balign 32\n1: .fill 32, 1, 0x83\n2:\n\tvmovdqu %1, %%ymm15\n\tvmovdqu %2, %%ymm0\n\t"
                   "%{vex%} vpdpbusd 1b(%%rip), %%ymm15, %%ymm0\n\tvmovdqu %%ymm0, %0"
                   : "=m"(result) : "m"(first), "m"(sums) : "xmm0", "xmm15");
  second.fill(0x83);
  EXPECT_EQ(expectedDot(sums, first, second, 32, 4, false), result);
}

TEST_F(VectorDotsTest, OtherRegistersAndAddresses) { checkAddresses(); }

/// One register for all operands, operands by the stack pointer, and what functions keep below it; other registers and flags stay.
void checkSurroundings() {
  const Vector bytes = vectorOf(mixedBytes(32, 9)), other = vectorOf(mixedBytes(32, 10));
  Vector result, kept[4];
  uint8_t carry = 0;
  __asm__ volatile("vmovdqu %1, %%ymm0\n\t%{vex%} vpdpbusd %%ymm0, %%ymm0, %%ymm0\n\tvmovdqu %%ymm0, %0"
                   : "=m"(result) : "m"(bytes) : "xmm0");
  EXPECT_EQ(expectedDot(bytes, bytes, bytes, 32, 4, false), result);
  __asm__ volatile("vmovdqu %6, %%ymm0\n\tvmovdqu %7, %%ymm1\n\tvmovdqa %%ymm1, %%ymm2\n\tvmovdqa %%ymm1, %%ymm3\n\tvmovdqa %%ymm1, %%ymm4\n\t"
                   "leaq -256(%%rsp), %%rsp\n\tvmovdqu %%ymm1, 64(%%rsp)\n\tvmovdqu %%ymm1, -128(%%rsp)\n\tstc\n\t"
                   "%{vex%} vpdpbusd 64(%%rsp), %%ymm0, %%ymm0\n\tsetc %5\n\tvmovdqu -128(%%rsp), %%ymm1\n\tleaq 256(%%rsp), %%rsp\n\t"
                   "vmovdqu %%ymm0, %0\n\tvmovdqu %%ymm1, %1\n\tvmovdqu %%ymm2, %2\n\tvmovdqu %%ymm3, %3\n\tvmovdqu %%ymm4, %4"
                   : "=m"(result), "=m"(kept[0]), "=m"(kept[1]), "=m"(kept[2]), "=m"(kept[3]), "=&r"(carry)
                   : "m"(bytes), "m"(other) : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "cc", "memory");
  EXPECT_EQ(expectedDot(bytes, bytes, other, 32, 4, false), result);
  for (const Vector &vector : kept)
    EXPECT_EQ(other, vector);
  EXPECT_EQ(1, carry);
}

TEST_F(VectorDotsTest, OneRegisterAndTheStack) { checkSurroundings(); }

/// VEX-encoded instructions clear what is above their 32 bytes.
__attribute__((target("avx512f"))) void checkUpperQuarters() {
  alignas(64) uint8_t ones[64], result[64];
  std::memset(ones, 1, 64);
  __asm__ volatile("vmovdqu64 %1, %%zmm6\n\tvmovdqu64 %1, %%zmm7\n\t%{vex%} vpdpbusd %%ymm7, %%ymm7, %%ymm6\n\tvmovdqu64 %%zmm6, %0"
                   : "=m"(result) : "m"(ones) : "xmm6", "xmm7");
  for (unsigned i = 0; i < 64; i += 4) {
    uint32_t value;
    std::memcpy(&value, &result[i], 4);
    EXPECT_EQ(i < 32 ? 0x01010105u : 0u, value) << i;
  }
}

TEST_F(VectorDotsTest, UpperQuartersBecomeZero) {
  if (!__builtin_cpu_supports("avx512f"))
    GTEST_SKIP() << "no avx512f";
  checkUpperQuarters();
}

/// From here on instructions are replaced by those that the CPU has, where they can be: all of the above again.
TEST_F(VectorDotsTest, Replaced) {
  halftone_patch_emulated(true);
  for (int i = 0; i < 2; ++i) { // as they are replaced, and replaced
    checkMixedBytes();
    checkExtremes();
    checkUpperHalves();
    checkAddresses();
    checkSurroundings();
  }
}

/// The first byte of the `vpdpbusd` that it has executed.
uint8_t executedByte() {
  const uint8_t *code = nullptr;
  __asm__ volatile("leaq 1f(%%rip), %0\n1:\t%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm2" : "=&r"(code) : : "xmm0", "xmm1", "xmm2");
  return *code;
}

/// Of hundreds of millions none may stay a signal, but where AVX-512 without its VNNI leaves no other way.
TEST_F(VectorDotsTest, BecomesAJump) {
  halftone_patch_emulated(true);
  constexpr uint8_t vex = 0xc4, jump = 0xe9;
  const bool hasTwin = __builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512f");
  EXPECT_EQ(isEmulatedHere("avx_vnni") && hasTwin ? jump : vex, executedByte());
}

/// Threads meet instructions that are being replaced by each other.
TEST_F(VectorDotsTest, ReplacedByThreads) {
  halftone_patch_emulated(true);
  std::atomic<bool> go{false};
  const std::vector<uint8_t> bytes = mixedBytes(96, 1);
  Vector results[4];
  std::vector<std::thread> threads;
  for (Vector &result : results)
    threads.emplace_back([&] {
      while (!go) {
      }
      __asm__ volatile("vmovdqu (%1), %%ymm0\n\tvmovdqu 32(%1), %%ymm1\n\t"
                       ".rept 2000\n\t%{vex%} vpdpbusd 64(%1), %%ymm1, %%ymm0\n\t.endr\n\tvmovdqu %%ymm0, %0"
                       : "=m"(result) : "r"(bytes.data()) : "xmm0", "xmm1", "memory");
    });
  go = true;
  for (std::thread &thread : threads)
    thread.join();
  Vector expected = vectorOf({bytes.begin(), bytes.begin() + 32});
  for (unsigned i = 0; i < 2000; ++i)
    expected = expectedDot(expected, vectorOf({bytes.begin() + 32, bytes.begin() + 64}), vectorOf({bytes.begin() + 64, bytes.end()}),
                           32, 4, false);
  for (const Vector &result : results)
    EXPECT_EQ(expected, result);
}

} // namespace
