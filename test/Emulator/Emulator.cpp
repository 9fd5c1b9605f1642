//===- Emulator.cpp - executes illegal instructions for tests ---------------===//
#include "Emulator.h"
#include "Instruction.h"
#include "Patches.h"
#include "SignalFrame.h"
#include "Tiles.h"
#include "VectorDots.h"
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

using namespace mlir::halftone::emulator;

/// Static, because a first use in a signal handler must not allocate memory.
__attribute__((tls_model("initial-exec"))) static thread_local Tiles tiles;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// One line, then the end of the process.
[[noreturn]] __attribute__((format(printf, 1, 2))) static void stop(const char *format, ...) {
  char line[512] = "halftone emulator: ";
  size_t size = std::strlen(line);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line + size, sizeof line - size - 1, format, arguments);
  va_end(arguments);
  std::strcat(line, "\n");
  (void)!write(STDERR_FILENO, line, std::strlen(line));
  std::abort();
}

[[noreturn]] static void stopAtUnknown(const uint8_t *code) {
  char bytes[3 * 8 + 1] = "";
  for (int i = 0; i < 8; ++i)
    std::snprintf(bytes + 3 * i, 4, " %02x", code[i]);
  Dl_info place;
  const bool isKnown = dladdr(code, &place) && place.dli_fname;
  stop("illegal instruction%s in %s: neither this CPU nor the emulator has it", bytes, isKnown ? place.dli_fname : "unknown code");
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

static void dotVectors(const Instruction &instruction, SignalFrame &frame) {
  const unsigned bytes = instruction.is256 ? 32 : 16, lanes = bytes / 4;
  alignas(32) int32_t sums[8];
  alignas(32) int16_t first[16], second[16];
  // Memory first: where it cannot be read, nothing has changed.
  if (instruction.isMemory)
    std::memcpy(second, frame.locate(instruction), bytes);
  else
    frame.readVector(instruction.third, bytes, second);
  frame.readVector(instruction.first, bytes, sums);
  frame.readVector(instruction.second, bytes, first);
  if (instruction.encoding->operation == Operation::WordDot)
    wordDot(sums, first, second, lanes, instruction.encoding->saturates);
  else
    byteDot(sums, reinterpret_cast<uint8_t *>(first), reinterpret_cast<int8_t *>(second), lanes, instruction.encoding->saturates);
  frame.writeVector(instruction.first, bytes, sums);
}

/// The distance of rows in memory: the index register, or 0 without one.
static int64_t rowDistance(const Instruction &instruction, const SignalFrame &frame) {
  const Address &address = instruction.address;
  return address.index < 0 ? 0 : static_cast<int64_t>(frame.general(address.index) << address.scale);
}

/// Returns null, or why a CPU faults.
static const char *execute(const Instruction &instruction, SignalFrame &frame) {
  const Encoding &encoding = *instruction.encoding;
  switch (encoding.operation) {
  case Operation::LoadConfig: {
    TileConfig config;
    std::memcpy(&config, frame.locate(instruction), sizeof config);
    return tiles.configure(config);
  }
  case Operation::StoreConfig: std::memcpy(frame.locate(instruction), &tiles.configuration(), sizeof(TileConfig)); return nullptr;
  case Operation::Release: tiles.release(); return nullptr;
  case Operation::Zero: return tiles.zero(instruction.first);
  case Operation::LoadTile: return tiles.load(instruction.first, frame.locate(instruction), rowDistance(instruction, frame));
  case Operation::StoreTile: return tiles.store(instruction.first, frame.locate(instruction), rowDistance(instruction, frame));
  case Operation::TileDot:
    return tiles.dot(instruction.first, instruction.third, instruction.second, encoding.firstSigned, encoding.secondSigned);
  case Operation::ByteDot:
  case Operation::WordDot: dotVectors(instruction, frame); return nullptr;
  }
  return "unknown operation";
}

/// Whether `code` begins with an instruction that this CPU lacks and the emulator has.
static bool decodeEmulated(const uint8_t *code, Instruction &instruction) {
  return decode(code, instruction) && isEmulated(instruction.encoding->feature);
}

/// Executes all instructions that follow one another, for each would be a signal of its own; or patches one.
static void onIllegalInstruction(int, siginfo_t *, void *context) {
  SignalFrame frame(*static_cast<ucontext_t *>(context));
  Instruction instruction;
  if (!decodeEmulated(frame.code(), instruction)) {
    if (!isPatched(frame.code()))
      stopAtUnknown(frame.code());
    return;
  }
  if (patch(frame.code(), instruction))
    return;
  if (const char *lack = frame.check())
    stop("%s: %s", instruction.encoding->name, lack);
  do {
    if (const char *fault = execute(instruction, frame))
      stop("%s would fault: %s", instruction.encoding->name, fault);
    frame.skip(instruction.length);
  } while (decodeEmulated(frame.code(), instruction));
}

//===----------------------------------------------------------------------===//
// The handler's place
//===----------------------------------------------------------------------===//

using SetAction = int(int, const struct sigaction *, struct sigaction *);

static SetAction *realSetAction() {
  static auto *function = reinterpret_cast<SetAction *>(dlsym(RTLD_NEXT, "sigaction"));
  return function;
}

/// Programs that print a stack trace for fatal signals (LLVM's tools) leave SIGILL to the emulator, which ends by SIGABRT.
extern "C" __attribute__((visibility("default"))) int sigaction(int signal, const struct sigaction *action,
                                                                  struct sigaction *old) noexcept {
  if (signal != SIGILL || emulatedFeatures().empty())
    return realSetAction()(signal, action, old);
  if (old)
    *old = {};
  return 0;
}

__attribute__((constructor)) static void install() {
  if (emulatedFeatures().empty())
    return;
  preparePatches();
  struct sigaction action = {};
  action.sa_sigaction = onIllegalInstruction;
  action.sa_flags = SA_SIGINFO;
  realSetAction()(SIGILL, &action, nullptr);
}

void halftone_patch_emulated(int enable) { enablePatches(enable); }
