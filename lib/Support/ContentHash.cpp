//===- ContentHash.cpp - what a model is known by ---------------------------===//
#include "halftone/Support/ContentHash.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

std::string mlir::halftone::hashContent(llvm::ArrayRef<uint8_t> bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return llvm::formatv("{0:x-16}{1:x-16}", hash.high64, hash.low64).str();
}
