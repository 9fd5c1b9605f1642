//===- ArtefactNote.h - What a model file says before it is mapped --------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the ELF note of a compiled model from the file's bytes. Nothing of the
// file is mapped as code, and no offset in it is trusted: a truncated or
// garbage file gives a message.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_ARTEFACTNOTE_H
#define HALFTONE_RUNTIME_ARTEFACTNOTE_H

#include "halftone-c/Runtime.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// The descriptor of a note `.note.halftone`.
struct ArtefactNote {
  uint32_t abiVersion = 0;
  std::string cpuFeatures;
};

/// Reads the notes of the file at `path`: one, or one for each variant.
/// Records a message for halftone_last_error when the status is not
/// HALFTONE_OK.
HalftoneStatus readArtefactNotes(const std::string &path,
                                 std::vector<ArtefactNote> &notes);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_ARTEFACTNOTE_H
