//===- TemporaryFile.cpp - A file that goes away again --------------------===//
#include "TemporaryFile.h"
#include "halftone/Data/AtomicFile.h"

using namespace mlir::halftone;

llvm::Expected<TemporaryFile> TemporaryFile::create(llvm::StringRef extension) {
  llvm::Expected<std::string> path = makeTemporaryFile(extension);
  if (!path)
    return path.takeError();
  return TemporaryFile(*path);
}
