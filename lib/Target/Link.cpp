//===- Link.cpp - objects to shared libraries, files to their places --------===//
#include "Emit.h"
#include "halftone/Data/AtomicFile.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace mlir::halftone;

/// lld keeps global state: one link at a time, and none after one that broke it.
static std::mutex lldMutex;
static bool lldUsable = true;

/// Constants of so many bytes may be moved to huge pages when they are loaded (HugePages.h): they begin on one then, and another segment
/// ends no huge page of theirs. That takes addresses, but no bytes of the file.
static constexpr uint64_t kManyBytes = 4 << 20;

static uint64_t totalBytes(ArrayRef<std::string> paths) {
  uint64_t total = 0;
  for (const std::string &path : paths) {
    uint64_t size = 0;
    if (!llvm::sys::fs::file_size(path, size))
      total += size;
  }
  return total;
}

llvm::Error mlir::halftone::linkShared(ArrayRef<std::string> objects, const CpuTarget &target, StringRef soname,
                                       StringRef path) {
  std::lock_guard<std::mutex> lock(lldMutex);
  if (!lldUsable)
    return llvm::createStringError("the linker failed earlier in this process and cannot run again");
  std::string name = soname.str(), output = path.str();
  const char *emulation = llvm::Triple(target.triple).isAArch64() ? "aarch64linux" : "elf_x86_64";
  SmallVector<const char *> arguments = {"ld.lld",      "-m",      emulation,    "-shared",          "-z",
                                         "defs",        "-z",      "noexecstack", "-nostdlib",       "--build-id=none",
                                         "--threads=1", "-soname", name.c_str(), "--hash-style=gnu", "--no-mmap-output-file",
                                         "-o",          output.c_str()};
  if (totalBytes(objects) >= kManyBytes)
    arguments.append({"-z", "max-page-size=2097152"});
  for (const std::string &object : objects)
    arguments.push_back(object.c_str());
  std::string messages;
  llvm::raw_string_ostream os(messages);
  lld::Result result = lld::lldMain(arguments, os, os, {{lld::Gnu, &lld::elf::link}});
  lldUsable = result.canRunAgain;
  if (result.retCode != 0)
    return llvm::createStringError("linking failed:\n" + messages);
  return llvm::Error::success();
}

llvm::Error mlir::halftone::writeAtomically(StringRef path, std::function<llvm::Error(StringRef)> write) {
  SmallString<128> temporary;
  if (std::error_code error = llvm::sys::fs::createUniqueFile(path + ".%%%%%%%%.tmp", temporary))
    return cannotWrite(path, error);
  llvm::sys::RemoveFileOnSignal(temporary);
  llvm::Error failure = write(temporary);
  if (!failure)
    if (std::error_code error = llvm::sys::fs::rename(temporary, path))
      failure = cannotWrite(path, error);
  if (failure)
    llvm::sys::fs::remove(temporary);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  return failure;
}
