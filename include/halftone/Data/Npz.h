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

/// Reads all arrays.
llvm::Expected<std::vector<Tensor>> readNpz(llvm::StringRef path);

/// Writes the tensors under their names, uncompressed as numpy.savez does,
/// with a fixed time stamp: equal tensors give equal bytes. Atomic.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<Tensor> tensors);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_NPZ_H
