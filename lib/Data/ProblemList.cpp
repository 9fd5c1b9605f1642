//===- ProblemList.cpp - Mistakes, reported together
//-----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/ProblemList.h"
#include <algorithm>

using namespace mlir::halftone;

llvm::Error mlir::halftone::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

bool ProblemList::addIfError(llvm::Error error) {
  bool isSuccess = true;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    isSuccess = false;
    add(info.message());
  });
  return isSuccess;
}

llvm::Error ProblemList::take(const llvm::Twine &headline, size_t limit) {
  if (problems.empty())
    return llvm::Error::success();
  std::string message = headline.str();
  size_t shown = std::min(limit, problems.size());
  for (size_t i = 0; i < shown; ++i)
    message += "\n  " + problems[i];
  if (shown < problems.size())
    message += "\n  and " + std::to_string(problems.size() - shown) + " more";
  problems.clear();
  return makeError(message);
}

std::string mlir::halftone::listSome(llvm::ArrayRef<int64_t> indices,
                                     size_t limit) {
  std::string text;
  size_t shown = std::min(limit, indices.size());
  for (size_t i = 0; i < shown; ++i)
    text += (i ? ", " : "") + std::to_string(indices[i]);
  if (shown < indices.size())
    text += " and " + std::to_string(indices.size() - shown) + " more";
  return text;
}
