//===- TemporaryFile.h - A file that goes away again ----------------------===//
#ifndef HALFTONE_LIB_DRIVER_TEMPORARYFILE_H
#define HALFTONE_LIB_DRIVER_TEMPORARYFILE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FileUtilities.h"
#include <memory>

namespace mlir::halftone {

/// A file in the system's folder for temporary files, removed with the object
/// and on signals.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(llvm::StringRef extension);
  llvm::StringRef path() const { return name; }

private:
  explicit TemporaryFile(llvm::StringRef path)
      : name(path), remover(std::make_unique<llvm::FileRemover>(path)) {}

  std::string name;
  std::unique_ptr<llvm::FileRemover> remover;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TEMPORARYFILE_H
