//===- SignalFrame.h - the registers of an interrupted thread ---------------===//
//
// Linux saves them on the stack before it calls a signal handler, and takes them from there when it returns: general
// registers by name, vectors as XSAVE lays them out (Intel 64 manual, volume 1, section 13.4).
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_SIGNALFRAME_H
#define HALFTONE_TEST_EMULATOR_SIGNALFRAME_H

#include "Instruction.h"
#include <ucontext.h>

namespace mlir::halftone::emulator {

class SignalFrame {
public:
  explicit SignalFrame(ucontext_t &context) : context(context) {}

  /// What the frame lacks, or null.
  const char *check() const;

  uint8_t *code() const { return reinterpret_cast<uint8_t *>(context.uc_mcontext.gregs[REG_RIP]); }
  void skip(unsigned bytes) { context.uc_mcontext.gregs[REG_RIP] += bytes; }

  /// A general register, by its number in instructions.
  uint64_t general(unsigned number) const;
  /// Where an operand in memory begins.
  uint8_t *locate(const Instruction &instruction) const;

  /// The low 16 or 32 bytes of vector register `number`.
  void readVector(unsigned number, unsigned bytes, void *value) const;
  /// Writes them and, as VEX-encoded instructions do, zeros above.
  void writeVector(unsigned number, unsigned bytes, const void *value);

private:
  uint8_t *state() const { return reinterpret_cast<uint8_t *>(context.uc_mcontext.fpregs); }
  uint8_t *enter(unsigned component, unsigned offset, unsigned size);
  bool isUsed(unsigned component) const;

  ucontext_t &context;
};

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_SIGNALFRAME_H
