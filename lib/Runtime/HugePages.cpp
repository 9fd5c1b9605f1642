//===- HugePages.cpp - Constants that are read once a run, on huge pages --===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/HugePages.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

using namespace mlir::halftone;

static constexpr uintptr_t kHugePage = 2 << 20;

/// Whether the layers read much that they use a few times only.
static bool streamsConstants(const HalftoneModule &module) {
  constexpr int64_t kFewUses = 16, kWorthwhile = 4 << 20;
  int64_t streamed = 0;
  for (int32_t i = 0; i < module.numLayers; ++i) {
    const HalftoneLayerInfo &layer = *halftone_module_layer(&module, i);
    if (layer.constantBytes > 0 &&
        layer.multiplyAccumulates / layer.constantBytes <= kFewUses)
      streamed += layer.constantBytes;
  }
  return streamed >= kWorthwhile;
}

static bool systemHasHugePages() {
  FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
  if (!file)
    return false;
  char text[64] = "";
  bool isRead = fgets(text, sizeof(text), file);
  fclose(file);
  return isRead && !strstr(text, "[never]");
}

static bool isRefused() {
  const char *value = getenv("HALFTONE_HUGE_PAGES");
  return value && strcmp(value, "0") == 0;
}

/// Replaces [begin, begin + bytes), whole huge pages that are read only, by
/// memory of the process with the same contents; whether it could.
static bool replacePages(uintptr_t begin, size_t bytes) {
  const size_t reserved = bytes + kHugePage;
  void *memory = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  const auto first = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t aligned = (first + kHugePage - 1) & ~(kHugePage - 1);
  auto *copy = reinterpret_cast<void *>(aligned);
  auto *target = reinterpret_cast<void *>(begin);
  bool isMoved = madvise(copy, bytes, MADV_HUGEPAGE) == 0;
  if (isMoved) {
    memcpy(copy, target, bytes);
    isMoved = mprotect(copy, bytes, PROT_READ) == 0 &&
              mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                     target) == target;
  }
  // What is left on both sides, or all of it.
  if (!isMoved)
    munmap(memory, reserved);
  else if (aligned > first)
    munmap(memory, aligned - first);
  const uintptr_t end = first + reserved, used = aligned + bytes;
  if (isMoved && end > used)
    munmap(reinterpret_cast<void *>(used), end - used);
  return isMoved;
}

/// A part of a file that is constants: neither written to nor run.
static bool isConstant(const ElfW(Phdr) &segment) {
  return segment.p_type == PT_LOAD &&
         (segment.p_flags & (PF_R | PF_W | PF_X)) == PF_R;
}

/// In pieces, so that little is there twice.
static void moveSegment(uintptr_t begin, uintptr_t end) {
  constexpr uintptr_t kPiece = 16 * kHugePage;
  end &= ~(kHugePage - 1);
  for (uintptr_t at = (begin + kHugePage - 1) & ~(kHugePage - 1); at < end;
       at += kPiece)
    if (!replacePages(at, std::min(kPiece, end - at)))
      return;
}

/// Called for each library of the process; `wanted` is the one to move.
static int moveIfWanted(dl_phdr_info *library, size_t, void *wanted) {
  if (library->dlpi_addr != static_cast<const link_map *>(wanted)->l_addr)
    return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = library->dlpi_phdr[i];
    const uintptr_t begin = library->dlpi_addr + segment.p_vaddr;
    if (isConstant(segment))
      moveSegment(begin, begin + segment.p_memsz);
  }
  return 1;
}

void mlir::halftone::useHugePages(const HalftoneModule &module) {
  if (isRefused() || !streamsConstants(module) || !systemHasHugePages())
    return;
  link_map *library = nullptr;
  if (dlinfo(module.library, RTLD_DI_LINKMAP, &library) == 0)
    dl_iterate_phdr(moveIfWanted, library);
}
