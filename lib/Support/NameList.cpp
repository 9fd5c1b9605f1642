//===- NameList.cpp - The first few of many names --------------------------===//
#include "halftone/Support/NameList.h"
#include "llvm/ADT/StringExtras.h"

std::string mlir::halftone::listNames(llvm::ArrayRef<std::string> names) {
  constexpr size_t kAll = 3, kShown = 2;
  if (names.size() <= kAll)
    return llvm::join(names, ", ");
  return llvm::join(names.take_front(kShown), ", ") + " and " + std::to_string(names.size() - kShown) + " more";
}
