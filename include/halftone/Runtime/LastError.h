//===- LastError.h - The message of the last failing call -----------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C API returns a status and keeps the message for its thread; this is the
// one way to set it.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_LASTERROR_H
#define HALFTONE_RUNTIME_LASTERROR_H

#include "halftone-c/Runtime.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// Keeps `message` for halftone_last_error on this thread; returns `status`.
HalftoneStatus fail(HalftoneStatus status, std::string message);

/// Fails with HALFTONE_INVALID_ARGUMENT when there are problems: `headline`
/// and then one line for each. Returns HALFTONE_OK when there are none.
HalftoneStatus failIfAny(const std::vector<std::string> &problems,
                         const std::string &headline);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_LASTERROR_H
