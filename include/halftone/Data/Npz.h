//===- Npz.h - NumPy's archives of arrays
//----------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_NPZ_H
#define HALFTONE_DATA_NPZ_H

#include "halftone/Data/Npy.h"
#include <memory>

struct zip;

namespace mlir::halftone {

/// An open .npz archive. Arrays are read one by one, whole.
class NpzReader {
public:
  static llvm::Expected<std::unique_ptr<NpzReader>> open(llvm::StringRef path);
  ~NpzReader();

  /// The arrays' names, in the archive's order, without ".npy".
  llvm::ArrayRef<std::string> names() const { return arrayNames; }

  /// The header alone.
  llvm::Expected<NpyHeader> readHeader(llvm::StringRef name) const;

  llvm::Expected<Tensor> read(llvm::StringRef name) const;

private:
  NpzReader(llvm::StringRef path, zip *archive)
      : path(path), archive(archive) {}

  std::string path;
  zip *archive;
  std::vector<std::string> arrayNames;
};

/// One array of an archive that is stored without compression, as numpy.savez
/// does: read in parts, in any order, with nothing of it kept in memory.
class NpzArray {
public:
  /// Null, without an error, if the array is compressed. Reads all of it once
  /// for the checksum.
  static llvm::Expected<std::unique_ptr<NpzArray>> open(llvm::StringRef path,
                                                        llvm::StringRef name);
  ~NpzArray();

  const NpyHeader &header() const { return arrayHeader; }

  /// Reads exactly data.size() bytes from byte \p offset of the data on.
  llvm::Error read(int64_t offset, llvm::MutableArrayRef<char> data);

private:
  class Impl;
  explicit NpzArray(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl;
  NpyHeader arrayHeader;
};

/// Reads all arrays.
llvm::Expected<std::vector<Tensor>> readNpz(llvm::StringRef path);

/// Writes the tensors under their names, uncompressed as numpy.savez does,
/// with a fixed time stamp: equal tensors give equal bytes. Atomic.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<Tensor> tensors);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_NPZ_H
