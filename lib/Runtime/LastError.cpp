//===- LastError.cpp - The message of the last failing call ---------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/LastError.h"

using namespace mlir::halftone;

static thread_local std::string lastError;

HalftoneStatus mlir::halftone::fail(HalftoneStatus status,
                                    std::string message) {
  lastError = std::move(message);
  return status;
}

HalftoneStatus
mlir::halftone::failIfAny(const std::vector<std::string> &problems,
                          const std::string &headline) {
  if (problems.empty())
    return HALFTONE_OK;
  std::string message = headline;
  for (const std::string &problem : problems)
    message += "\n  " + problem;
  return fail(HALFTONE_INVALID_ARGUMENT, std::move(message));
}

const char *halftone_last_error(void) { return lastError.c_str(); }
