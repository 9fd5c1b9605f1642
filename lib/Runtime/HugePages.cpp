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

/// Whether a layer reads its constants from end to end with little to do
/// between: once, or, as lists of a sparse kernel, for each tile of positions.
static bool streamsConstants(const HalftoneLayerInfo &layer) {
  constexpr int64_t kFewUses = 16;
  constexpr char kSparse[] = "sparse_";
  if (layer.constantBytes <= 0)
    return false;
  return layer.multiplyAccumulates / layer.constantBytes <= kFewUses ||
         strncmp(layer.kernel, kSparse, strlen(kSparse)) == 0;
}

static bool streamsConstants(const HalftoneModule &module) {
  constexpr int64_t kWorthwhile = 4 << 20;
  int64_t streamed = 0;
  for (int32_t i = 0; i < module.numLayers; ++i) {
    const HalftoneLayerInfo &layer = *halftone_module_layer(&module, i);
    if (streamsConstants(layer))
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

/// Replaces [begin, begin + bytes), whole huge pages, by memory of the process
/// with the same contents; whether it could. Behind the first `readable` bytes
/// nothing is.
static bool replacePages(uintptr_t begin, size_t bytes, size_t readable) {
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
    memcpy(copy, target, std::min(bytes, readable));
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

/// A part of a file that is constants, neither written to nor run, and worth a
/// huge page.
static bool isConstant(const ElfW(Phdr) &segment) {
  return segment.p_type == PT_LOAD && segment.p_memsz >= kHugePage &&
         (segment.p_flags & (PF_R | PF_W | PF_X)) == PF_R;
}

static uintptr_t roundUp(uintptr_t address) {
  return (address + kHugePage - 1) & ~(kHugePage - 1);
}

/// In pieces, so that little is there twice. The library owns the addresses up
/// to `limit`: the last page may end there.
static void moveSegment(uintptr_t begin, uintptr_t end, uintptr_t limit) {
  constexpr uintptr_t kPiece = 16 * kHugePage;
  const uintptr_t last =
      roundUp(end) <= limit ? roundUp(end) : end & ~(kHugePage - 1);
  for (uintptr_t at = roundUp(begin); at < last; at += kPiece)
    if (!replacePages(at, std::min(kPiece, last - at), end - at))
      return;
}

/// Where the segment behind segment `index` begins, rounded down to any size of
/// small pages; 0 if there is none.
static uintptr_t nextSegment(const dl_phdr_info &library, int index) {
  constexpr uintptr_t kMostSmallPage = 64 << 10;
  for (int i = index + 1; i < library.dlpi_phnum; ++i)
    if (library.dlpi_phdr[i].p_type == PT_LOAD)
      return (library.dlpi_addr + library.dlpi_phdr[i].p_vaddr) &
             ~(kMostSmallPage - 1);
  return 0;
}

/// Called for each library of the process; `wanted` is the one to move.
static int moveIfWanted(dl_phdr_info *library, size_t, void *wanted) {
  if (library->dlpi_addr != static_cast<const link_map *>(wanted)->l_addr)
    return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = library->dlpi_phdr[i];
    const uintptr_t begin = library->dlpi_addr + segment.p_vaddr,
                    end = begin + segment.p_memsz;
    if (isConstant(segment))
      moveSegment(begin, end, std::max(end, nextSegment(*library, i)));
  }
  return 1;
}

void mlir::halftone::useHugePages(const HalftoneModule &module) {
  if (isRefused() || !streamsConstants(module) || !systemHasHugePages())
    return;
  link_map *library = nullptr;
  if (dlinfo(module.handle, RTLD_DI_LINKMAP, &library) == 0)
    dl_iterate_phdr(moveIfWanted, library);
}
