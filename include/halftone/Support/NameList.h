//===- NameList.h - The first few of many names ----------------------------===//
#ifndef HALFTONE_SUPPORT_NAMELIST_H
#define HALFTONE_SUPPORT_NAMELIST_H

#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace mlir::halftone {

/// "a, b, c" of up to three names, of more "a, b and 397 more".
std::string listNames(llvm::ArrayRef<std::string> names);

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_NAMELIST_H
