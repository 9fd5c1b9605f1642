//===- TemporaryFile.cpp - A file that goes away again --------------------===//
#include "TemporaryFile.h"
#include "Command.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"

using namespace mlir::halftone;

llvm::Expected<TemporaryFile> TemporaryFile::create(llvm::StringRef extension) {
  llvm::SmallString<128> path;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("halftone", extension, path))
    return userError("cannot make a temporary file: " + code.message());
  llvm::sys::RemoveFileOnSignal(path);
  return TemporaryFile(path);
}
