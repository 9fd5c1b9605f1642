//===- AtomicFile.cpp - Writes a file whole or not at all
//------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/AtomicFile.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace mlir::halftone;
namespace fs = llvm::sys::fs;

static constexpr llvm::StringLiteral kTemporaryName = "halftone";

static std::string temporaryFolder() {
  llvm::SmallString<128> folder;
  llvm::sys::path::system_temp_directory(/*erasedOnReboot=*/true, folder);
  return folder.str().str();
}

/// What went wrong with a temporary file, and what says where it is.
static llvm::Error temporaryFileError(const llvm::Twine &what) {
  return makeError(what + "; temporary files go to '" + temporaryFolder() + "': set TMPDIR to a folder with room");
}

llvm::Error mlir::halftone::cannotWrite(llvm::StringRef path, std::error_code code) {
  const std::string what = ("cannot write '" + path + "': " + code.message()).str();
  const bool isTemporary =
      llvm::sys::path::parent_path(path) == temporaryFolder() && llvm::sys::path::filename(path).starts_with(kTemporaryName);
  return isTemporary ? temporaryFileError(what) : makeError(what);
}

llvm::Expected<std::string> mlir::halftone::makeTemporaryFile(llvm::StringRef extension) {
  llvm::SmallString<128> path;
  if (std::error_code code = fs::createTemporaryFile(kTemporaryName, extension, path))
    return temporaryFileError("cannot make a temporary file: " + code.message());
  llvm::sys::RemoveFileOnSignal(path);
  return path.str().str();
}

/// Writes to an open file and reports what the system refused (a full disk).
static llvm::Error
writeToDescriptor(llvm::StringRef path, int descriptor,
                  llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write) {
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/false);
  llvm::Error error = write(stream);
  stream.flush();
  std::error_code code = stream.error();
  stream.clear_error();
  if (error || !code)
    return error;
  return cannotWrite(path, code);
}

static llvm::Error
writeToDevice(llvm::StringRef path,
              llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write) {
  int descriptor = -1;
  if (std::error_code code =
          fs::openFileForWrite(path, descriptor, fs::CD_OpenExisting))
    return cannotWrite(path, code);
  llvm::Error error = writeToDescriptor(path, descriptor, write);
  fs::file_t file = fs::convertFDToNativeFile(descriptor);
  fs::closeFile(file);
  return error;
}

llvm::Error mlir::halftone::writeFileAtomically(
    llvm::StringRef path,
    llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write) {
  llvm::SmallString<256> target(path);
  if (fs::exists(path)) {
    if (fs::is_directory(path))
      return cannotWrite(path, std::make_error_code(std::errc::is_a_directory));
    if (!fs::is_regular_file(path))
      return writeToDevice(path, write);
    if (std::error_code code = fs::real_path(path, target))
      return cannotWrite(path, code);
    if (std::error_code code = fs::access(target, fs::AccessMode::Write))
      return cannotWrite(path, code);
  }

  llvm::Expected<fs::TempFile> temporary =
      fs::TempFile::create(target + ".%%%%%%.tmp");
  if (!temporary)
    return cannotWrite(path, llvm::errorToErrorCode(temporary.takeError()));
  if (llvm::Error error = writeToDescriptor(path, temporary->FD, write))
    return llvm::joinErrors(std::move(error), temporary->discard());
  if (llvm::Error error = temporary->keep(target))
    return cannotWrite(path, llvm::errorToErrorCode(std::move(error)));
  return llvm::Error::success();
}
