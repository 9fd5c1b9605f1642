//===- ProblemList.h - Mistakes, reported together
//-------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A user with five mistakes in a data set sees five lines, not one and a rerun.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_PROBLEMLIST_H
#define HALFTONE_DATA_PROBLEMLIST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// An error with a message for the user.
llvm::Error makeError(const llvm::Twine &message);

/// Collects problems and makes one error of them.
class ProblemList {
public:
  void add(const llvm::Twine &problem) { problems.push_back(problem.str()); }

  /// Adds the error's message, if it is one. True if there was none.
  bool addIfError(llvm::Error error);

  bool empty() const { return problems.empty(); }

  /// Success if there are no problems; else the headline and a line for each,
  /// the first \p limit in full and the others as a count.
  llvm::Error take(const llvm::Twine &headline, size_t limit = 20);

private:
  std::vector<std::string> problems;
};

/// "3, 8, 9 and 12 more": the first few of many indices.
std::string listSome(llvm::ArrayRef<int64_t> indices, size_t limit = 8);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_PROBLEMLIST_H
