//===- Version.cpp - Which Halftone, which commit, which LLVM -------------===//
#include "VersionControl.h" // Written at build time.
#include "halftone/Driver/Driver.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"

std::string mlir::halftone::versionText() {
  std::string text = "Halftone " HALFTONE_VERSION;
#ifdef HALFTONE_REVISION
  text += " (commit " +
          llvm::StringRef(HALFTONE_REVISION).take_front(12).str() + ")";
#endif
  return text + ", LLVM " LLVM_VERSION_STRING;
}
