//===- Npy.h - NumPy's array files
//-----------------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format is NumPy's own: docs of numpy.lib.format, versions 1 to 3. Arrays
// are little-endian and in C order; others are refused with the way out.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_NPY_H
#define HALFTONE_DATA_NPY_H

#include "halftone/Data/Tensor.h"
#include "llvm/Support/Error.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>

namespace mlir::halftone {

/// What the header of an .npy file says. Elements of float16 are read as F32.
struct NpyHeader {
  ElementType type = ElementType::F32;
  Shape shape;
  bool isHalf = false;
  int64_t dataOffset = 0; // Bytes of the header.

  /// As they are read.
  int64_t tensorBytes() const {
    return *countElements(shape) * elementBytes(type);
  }

  /// As they are stored.
  int64_t dataBytes() const {
    return *countElements(shape) * (isHalf ? 2 : elementBytes(type));
  }
};

/// The least prefix of a file that says how long its header is.
constexpr size_t kNpyPreambleBytes = 12;

/// The header's bytes, from the file's first kNpyPreambleBytes (or all of
/// it, when it is shorter).
llvm::Expected<size_t> npyHeaderBytes(llvm::StringRef prefix);

/// Parses a header that is complete in \p prefix. Errors say what follows
/// "<file> ".
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef prefix);

/// Reads elements of the header's type from byte \p offset of them, by \p read,
/// which reads what is stored.
llvm::Error readElements(
    const NpyHeader &header, int64_t offset, llvm::MutableArrayRef<char> data,
    llvm::function_ref<llvm::Error(int64_t, llvm::MutableArrayRef<char>)> read);

/// The header of an array, version 1.0, padded as NumPy does.
std::string formatNpyHeader(ElementType type, llvm::ArrayRef<int64_t> shape);

/// An open .npy file that is read in parts.
class NpyFile {
public:
  static llvm::Expected<std::unique_ptr<NpyFile>> open(llvm::StringRef path);
  ~NpyFile();

  const NpyHeader &header() const { return parsed; }

  /// Reads data.size() bytes from byte \p offset of the array.
  llvm::Error read(int64_t offset, llvm::MutableArrayRef<char> data) const;

private:
  NpyFile(llvm::StringRef path, llvm::sys::fs::file_t file)
      : path(path), file(file) {}
  llvm::Error readHeader(uint64_t fileBytes);
  llvm::Error readAt(uint64_t offset, llvm::MutableArrayRef<char> data) const;

  std::string path;
  llvm::sys::fs::file_t file;
  NpyHeader parsed;
};

/// Reads a whole file; the tensor is named \p name.
llvm::Expected<Tensor> readNpy(llvm::StringRef path, llvm::StringRef name);

/// Writes a whole file, atomically.
llvm::Error writeNpy(llvm::StringRef path, const Tensor &tensor);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_NPY_H
