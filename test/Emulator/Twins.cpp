//===- Twins.cpp - what this CPU executes in place of an instruction --------===//
#include "Twins.h"
#include <cpuid.h>
#include <cstring>

using namespace mlir::halftone::emulator;

enum class Way { None, Evex, Words };
static Way way = Way::None;

/// Words where there is no AVX-512 at all: restoring 32 bytes of a register would clear the 32 above them.
static Way findWay() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned avx512vl = 1u << 31, avx512vnni = 1u << 11;
  if (!__builtin_cpu_supports("avx512f"))
    return __builtin_cpu_supports("avx2") ? Way::Words : Way::None;
  const bool hasEvex = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & avx512vl) && (c & avx512vnni) && __builtin_cpu_supports("avx512vl");
  return hasEvex ? Way::Evex : Way::None;
}

bool mlir::halftone::emulator::prepareTwins() {
  way = findWay();
  return way != Way::None;
}

bool mlir::halftone::emulator::hasTwin(const Instruction &instruction) {
  const Encoding &encoding = *instruction.encoding;
  if (way == Way::Words)
    return encoding.operation == Operation::ByteDot && !encoding.saturates;
  return way == Way::Evex && encoding.form == Form::Vectors;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Appends `value` in `bytes` bytes.
static void append(uint8_t *&next, int64_t value, unsigned bytes) {
  std::memcpy(next, &value, bytes);
  next += bytes;
}

static bool fitsWord(int64_t value) { return value == static_cast<int32_t>(value); }

/// The fourth bits of the register numbers of `reg`, and of what appendOperand appends, where a prefix has them (not inverted).
static unsigned extensionsOf(unsigned reg, const Instruction &instruction) {
  const unsigned base = !instruction.isMemory ? instruction.third : instruction.address.base >= 0 ? instruction.address.base : 0;
  const unsigned index = instruction.isMemory && instruction.address.index >= 0 ? instruction.address.index : 0;
  return (reg & 8) << 4 | (index & 8) << 3 | (base & 8) << 2;
}

/// ModRM of `reg` and the instruction's last operand, SIB, and a displacement of 4 bytes, which EVEX does not scale. `origin`: where the
/// instruction to be replaced ends.
static bool appendOperand(uint8_t *&next, unsigned reg, const Instruction &instruction, const uint8_t *origin) {
  const Address &address = instruction.address;
  reg = (reg & 7) << 3;
  if (!instruction.isMemory) {
    append(next, 0xc0 | reg | (instruction.third & 7), 1);
    return true;
  }
  if (address.nextInstruction) {
    append(next, reg | 5, 1);
    const int64_t distance = origin + address.displacement - (next + 4);
    append(next, distance, 4);
    return fitsWord(distance);
  }
  const bool hasBase = address.base >= 0;
  append(next, (hasBase ? 0x80 : 0) | reg | 4, 1);
  append(next, address.scale << 6 | ((address.index >= 0 ? address.index : 4) & 7) << 3 | (hasBase ? address.base & 7 : 5), 1);
  append(next, address.displacement, 4);
  return fitsWord(address.displacement);
}

//===----------------------------------------------------------------------===//
// Another prefix
//===----------------------------------------------------------------------===//

/// The instruction with EVEX in place of VEX. Fourth bits of register numbers are stored inverted; fifth ones are 0 here.
static uint8_t *writeEvex(uint8_t *next, const Instruction &instruction, const uint8_t *origin) {
  append(next, 0x62, 1);
  append(next, (~extensionsOf(instruction.first, instruction) & 0xf0) | 2, 1);
  append(next, (~instruction.second & 15) << 3 | 4 | instruction.encoding->prefix, 1);
  append(next, instruction.is256 ? 0x28 : 0x08, 1);
  append(next, instruction.encoding->opcode, 1);
  return appendOperand(next, instruction.first, instruction, origin) ? next : nullptr;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// What is free below the stack pointer begins behind the 128 bytes that functions without calls may use.
static constexpr int64_t kRedZone = 128, kVectorBytes = 32, kSavedBytes = 3 * kVectorBytes;
static constexpr int kStackPointer = 4;

namespace {

/// Appends instructions of AVX2, on vectors as wide as those of `original`. VEX.pp of all is 1 (66) or 2 (F3), the opcode map 0F.
class WordsWriter {
public:
  WordsWriter(uint8_t *next, const Instruction &original, const uint8_t *origin) : next(next), original(original), origin(origin) {
    chooseSpare();
  }
  uint8_t *run();

private:
  void chooseSpare();
  void vex(unsigned extensions, unsigned vvvv, unsigned prefix, bool is256, unsigned opcode);
  void binary(unsigned opcode, unsigned to, unsigned x, unsigned y);
  void shift(unsigned operation, unsigned to, unsigned from);
  void moveStack(int64_t distance);
  void moveSpare(unsigned opcode);
  bool loadThird(unsigned to);

  uint8_t *next;
  const Instruction &original;
  const uint8_t *origin;
  unsigned spare[3]; // registers that are no operand
};

// Opcodes, and for shifts of words by an immediate (71) the operation in ModRM.reg.
constexpr unsigned kMoveFrom = 0x6f, kMoveTo = 0x7f, kMultiplyPairs = 0xf5, kAdd = 0xfe, kShift = 0x71;
constexpr unsigned kRightLogical = 2, kRightArithmetic = 4, kLeft = 6;

} // namespace

void WordsWriter::chooseSpare() {
  const bool hasThird = !original.isMemory;
  unsigned count = 0;
  for (unsigned i = 0; count < 3; ++i)
    if (i != original.first && i != original.second && !(hasThird && i == original.third))
      spare[count++] = i;
}

void WordsWriter::vex(unsigned extensions, unsigned vvvv, unsigned prefix, bool is256, unsigned opcode) {
  append(next, 0xc4, 1);
  append(next, (~extensions & 0xe0) | 1, 1);
  append(next, (~vvvv & 15) << 3 | is256 << 2 | prefix, 1);
  append(next, opcode, 1);
}

void WordsWriter::binary(unsigned opcode, unsigned to, unsigned x, unsigned y) {
  vex((to & 8) << 4 | (y & 8) << 2, x, 1, original.is256, opcode);
  append(next, 0xc0 | (to & 7) << 3 | (y & 7), 1);
}

/// Each word by 8 bits.
void WordsWriter::shift(unsigned operation, unsigned to, unsigned from) {
  vex((from & 8) << 2, to, 1, original.is256, kShift);
  append(next, 0xc0 | operation << 3 | (from & 7), 1);
  append(next, 8, 1);
}

/// lea, which leaves the flags alone.
void WordsWriter::moveStack(int64_t distance) {
  append(next, 0x24a48d48, 4);
  append(next, distance, 4);
}

/// All spare registers to the stack or from it, whole.
void WordsWriter::moveSpare(unsigned opcode) {
  for (unsigned i = 0; i < 3; ++i) {
    vex((spare[i] & 8) << 4, 0, 2, true, opcode);
    append(next, 0x44 | (spare[i] & 7) << 3, 1);
    append(next, 0x24, 1);
    append(next, i * kVectorBytes, 1);
  }
}

bool WordsWriter::loadThird(unsigned to) {
  Instruction moved = original;
  if (moved.isMemory && moved.address.base == kStackPointer)
    moved.address.displacement += kRedZone + kSavedBytes;
  vex(extensionsOf(to, moved), 0, 2, original.is256, kMoveFrom);
  return appendOperand(next, to, moved, origin);
}

/// Bytes of even and of odd place, extended to words, are multiplied and added in pairs: at most 2 * 255 * 128 each, hence exactly.
/// An operand may be the sum, too: it is written last.
uint8_t *WordsWriter::run() {
  const auto [sum, x, y] = spare;
  moveStack(-(kRedZone + kSavedBytes));
  moveSpare(kMoveTo);
  if (!loadThird(y))
    return nullptr;
  shift(kLeft, sum, original.second);
  shift(kRightLogical, sum, sum);
  shift(kLeft, x, y);
  shift(kRightArithmetic, x, x);
  binary(kMultiplyPairs, sum, sum, x);
  shift(kRightLogical, x, original.second);
  shift(kRightArithmetic, y, y);
  binary(kMultiplyPairs, x, x, y);
  binary(kAdd, sum, sum, x);
  binary(kAdd, original.first, original.first, sum);
  moveSpare(kMoveFrom);
  moveStack(kRedZone + kSavedBytes);
  return next;
}

uint8_t *mlir::halftone::emulator::writeTwin(uint8_t *next, const Instruction &instruction, const uint8_t *code) {
  const uint8_t *origin = code + instruction.length;
  return way == Way::Evex ? writeEvex(next, instruction, origin) : WordsWriter(next, instruction, origin).run();
}
