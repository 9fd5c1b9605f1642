//===- Patches.cpp - instructions that become jumps to their twins ----------===//
//
// Other threads may be executing the instruction while it is replaced. Its first byte becomes one that is illegal by itself, then
// the others the distance, then the first one the jump; between the steps every core is made to fetch its instructions again
// (membarrier; Intel 64 manual, volume 3, section 9.1.3). A thread that meets the illegal byte waits for the lock and tries again.
//
//===----------------------------------------------------------------------===//
#include "Patches.h"
#include "Twins.h"
#include <atomic>
#include <cstring>
#include <initializer_list>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace mlir::halftone::emulator;

static constexpr uint8_t kJump = 0xe9, kIllegal = 0x06;
static constexpr unsigned kJumpBytes = 5;
/// Memory for jumps is taken in blocks within half the reach of a jump, so that operands relative to the code stay in reach, too.
static constexpr int64_t kBlockBytes = 1 << 20, kReach = int64_t(1) << 30;
static constexpr unsigned kMostBlocks = 64;

namespace {

struct Block {
  uint8_t *begin;
  int64_t used;
};

/// Held for a few system calls; taken in signal handlers, hence no mutex.
class Lock {
public:
  Lock() {
    while (flag.test_and_set(std::memory_order_acquire))
      __builtin_ia32_pause();
  }
  ~Lock() { flag.clear(std::memory_order_release); }

private:
  static std::atomic_flag flag;
};
std::atomic_flag Lock::flag = ATOMIC_FLAG_INIT;

} // namespace

static bool canPatch = false;
static std::atomic<bool> isEnabled{true};
static Block blocks[kMostBlocks];
static unsigned numBlocks = 0;

void mlir::halftone::emulator::preparePatches() {
  canPatch = prepareTwins() && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0;
}

void mlir::halftone::emulator::enablePatches(bool enable) { isEnabled = enable; }

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static bool isNear(const uint8_t *code, const uint8_t *place) {
  const int64_t distance = place - code;
  return distance < kReach && distance > -kReach;
}

static Block *addBlock(const uint8_t *code) {
  constexpr int64_t step = int64_t(1) << 24;
  const int64_t page = reinterpret_cast<int64_t>(code) & -kBlockBytes;
  for (int64_t distance = step; numBlocks < kMostBlocks && distance < kReach; distance += step)
    for (int64_t wanted : {page - distance, page + distance}) {
      void *memory = mmap(reinterpret_cast<void *>(wanted), kBlockBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
      if (memory == MAP_FAILED)
        continue;
      blocks[numBlocks] = {static_cast<uint8_t *>(memory), 0};
      return &blocks[numBlocks++];
    }
  return nullptr;
}

/// A block within reach of `code` that has room for a twin and a jump.
static Block *findBlock(const uint8_t *code) {
  for (unsigned i = 0; i < numBlocks; ++i)
    if (isNear(code, blocks[i].begin) && blocks[i].used + kMostTwinBytes + kJumpBytes <= kBlockBytes)
      return &blocks[i];
  return addBlock(code);
}

//===----------------------------------------------------------------------===//
// Jumps
//===----------------------------------------------------------------------===//

static void refetchEverywhere() { syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0); }

static void writeByte(uint8_t *place, uint8_t value) { __atomic_store_n(place, value, __ATOMIC_RELEASE); }

static bool makeWritable(uint8_t *code) {
  const int64_t page = sysconf(_SC_PAGESIZE), begin = reinterpret_cast<int64_t>(code) & -page;
  const size_t size = reinterpret_cast<int64_t>(code) + kJumpBytes - begin;
  return mprotect(reinterpret_cast<void *>(begin), size, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

static void writeJump(uint8_t *code, const uint8_t *target) {
  const int64_t distance = target - (code + kJumpBytes);
  writeByte(code, kIllegal);
  refetchEverywhere();
  std::memcpy(code + 1, &distance, 4);
  refetchEverywhere();
  writeByte(code, kJump);
  refetchEverywhere();
}

/// The twin of `instruction`, which stands at `code`, and the jump back, at `next`. Returns its end, or null if something is out of reach.
static uint8_t *writeTwinAndReturn(uint8_t *next, const Instruction &instruction, const uint8_t *code) {
  next = writeTwin(next, instruction, code);
  if (!next)
    return nullptr;
  const int64_t distance = code + instruction.length - (next + kJumpBytes);
  *next = kJump;
  std::memcpy(next + 1, &distance, 4);
  return next + kJumpBytes;
}

bool mlir::halftone::emulator::patch(uint8_t *code, const Instruction &instruction) {
  if (!canPatch || !isEnabled || !hasTwin(instruction))
    return false;
  Lock lock;
  if (*code == kJump)
    return true;
  Block *block = findBlock(code);
  if (!block || !makeWritable(code))
    return false;
  uint8_t *twin = block->begin + block->used, *end = writeTwinAndReturn(twin, instruction, code);
  if (!end)
    return false;
  block->used = end - block->begin;
  writeJump(code, twin);
  return true;
}

bool mlir::halftone::emulator::isPatched(const uint8_t *code) {
  Lock lock; // The jump is complete behind it.
  return *code == kJump;
}
