//===- SignalFrame.cpp - the registers of an interrupted thread -------------===//
#include "SignalFrame.h"
#include <asm/sigcontext.h>
#include <cpuid.h>
#include <cstring>

using namespace mlir::halftone::emulator;

/// Components of the state: the low 16 bytes of vectors, 16 bytes above of 0 to 15, 32 bytes above those.
enum : unsigned { kSse = 1, kAvx = 2, kZmmHigh = 6 };
static constexpr unsigned kVectors = 16;
// Offsets: 16 bytes of each vector; the header behind the 512 bytes of FXSAVE, which begins with the components that are not
// in their initial state, and which of them are stored without gaps.
static constexpr unsigned kXmmOffset = 160, kSoftwareOffset = 464, kHeaderOffset = 512, kCompactOffset = 520;

/// Offsets of components differ from CPU to CPU; 0 where it has none.
static unsigned offsetOf(unsigned component) {
  unsigned size = 0, offset = 0, flags = 0, none = 0;
  return __get_cpuid_count(13, component, &size, &offset, &flags, &none) && size ? offset : 0;
}

static const unsigned kAvxOffset = offsetOf(kAvx), kZmmHighOffset = offsetOf(kZmmHigh);

const char *SignalFrame::check() const {
  _fpx_sw_bytes software;
  uint64_t compact;
  std::memcpy(&software, state() + kSoftwareOffset, sizeof software);
  if (software.magic1 != FP_XSTATE_MAGIC1 || !(software.xfeatures >> kAvx & 1))
    return "the signal frame has no vectors of 32 bytes";
  std::memcpy(&compact, state() + kCompactOffset, sizeof compact);
  return compact ? "the signal frame is compacted" : nullptr;
}

uint64_t SignalFrame::general(unsigned number) const {
  static constexpr int kNames[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                   REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return context.uc_mcontext.gregs[kNames[number]];
}

uint8_t *SignalFrame::locate(const Instruction &instruction) const {
  const Address &address = instruction.address;
  uint64_t place = address.displacement;
  if (address.nextInstruction)
    place += context.uc_mcontext.gregs[REG_RIP] + instruction.length;
  if (address.base >= 0)
    place += general(address.base);
  // The index of tiles is the distance of rows.
  if (address.index >= 0 && instruction.encoding->form != Form::TileAndMemory)
    place += general(address.index) << address.scale;
  return reinterpret_cast<uint8_t *>(place);
}

bool SignalFrame::isUsed(unsigned component) const {
  uint64_t used;
  std::memcpy(&used, state() + kHeaderOffset, sizeof used);
  return used >> component & 1;
}

/// The bytes of a component, which holds zeros if it was in its initial state.
uint8_t *SignalFrame::enter(unsigned component, unsigned offset, unsigned size) {
  if (!isUsed(component)) {
    uint64_t used;
    std::memcpy(&used, state() + kHeaderOffset, sizeof used);
    used |= uint64_t(1) << component;
    std::memcpy(state() + kHeaderOffset, &used, sizeof used);
    std::memset(state() + offset, 0, size);
  }
  return state() + offset;
}

void SignalFrame::readVector(unsigned number, unsigned bytes, void *value) const {
  std::memset(value, 0, bytes);
  if (isUsed(kSse))
    std::memcpy(value, state() + kXmmOffset + 16 * number, 16);
  if (bytes == 32 && isUsed(kAvx))
    std::memcpy(static_cast<uint8_t *>(value) + 16, state() + kAvxOffset + 16 * number, 16);
}

void SignalFrame::writeVector(unsigned number, unsigned bytes, const void *value) {
  std::memcpy(enter(kSse, kXmmOffset, 16 * kVectors) + 16 * number, value, 16);
  uint8_t *high = enter(kAvx, kAvxOffset, 16 * kVectors) + 16 * number;
  if (bytes == 32)
    std::memcpy(high, static_cast<const uint8_t *>(value) + 16, 16);
  else
    std::memset(high, 0, 16);
  if (kZmmHighOffset && isUsed(kZmmHigh))
    std::memset(state() + kZmmHighOffset + 32 * number, 0, 32);
}
