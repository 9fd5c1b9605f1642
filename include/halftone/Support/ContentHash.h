//===- ContentHash.h - what a model is known by -----------------------------===//
#ifndef HALFTONE_SUPPORT_CONTENTHASH_H
#define HALFTONE_SUPPORT_CONTENTHASH_H

#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace mlir::halftone {

/// The 128-bit hash of a source model's bytes, in hexadecimal: what statistics and artefacts say that they are of.
std::string hashContent(llvm::ArrayRef<uint8_t> bytes);

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_CONTENTHASH_H
