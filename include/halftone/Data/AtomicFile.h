//===- AtomicFile.h - Writes a file whole or not at all
//--------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_ATOMICFILE_H
#define HALFTONE_DATA_ATOMICFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::halftone {

/// Writes \p path through \p write: into a file beside it, which then takes its
/// place. On any failure (of \p write too), and on an interrupt, the old file
/// stays and nothing else is left. A path that is a device is written to
/// directly; a symbolic link stays a link. The error names the path.
llvm::Error
writeFileAtomically(llvm::StringRef path,
                    llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

/// The error of a path that the system does not let us write. Of a temporary
/// file it names TMPDIR.
llvm::Error cannotWrite(llvm::StringRef path, std::error_code code);

/// An empty file in the system's folder for temporary files, which is removed
/// on signals, and else is the caller's to remove.
llvm::Expected<std::string> makeTemporaryFile(llvm::StringRef extension);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_ATOMICFILE_H
