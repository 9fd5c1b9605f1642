//===- ConstantPool.cpp - one constant for equal contents -------------------===//
#include "halftone/Support/ConstantPool.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::halftone;

static uint64_t hashOf(ArrayRef<char> bytes) { return llvm::xxh3_64bits(StringRef(bytes.data(), bytes.size())); }

DenseResourceElementsAttr ConstantPool::find(ShapedType type, ArrayRef<char> bytes, uint64_t hash) const {
  auto sameHash = known.find(hash);
  if (sameHash == known.end())
    return {};
  auto equal = llvm::find_if(sameHash->second, [&](DenseResourceElementsAttr other) {
    return other.getType() == type && other.getRawHandle().getBlob()->getData() == bytes;
  });
  return equal == sameHash->second.end() ? DenseResourceElementsAttr() : *equal;
}

DenseResourceElementsAttr ConstantPool::unique(DenseResourceElementsAttr elements) {
  AsmResourceBlob *blob = elements.getRawHandle().getBlob();
  if (!blob) // the bytes were left out
    return elements;
  const uint64_t hash = hashOf(blob->getData());
  if (DenseResourceElementsAttr equal = find(elements.getType(), blob->getData(), hash))
    return equal;
  known[hash].push_back(elements);
  return elements;
}

DenseResourceElementsAttr ConstantPool::make(RankedTensorType type, ArrayRef<char> bytes, StringRef name) {
  constexpr size_t kAlignment = 64;
  const uint64_t hash = hashOf(bytes);
  if (DenseResourceElementsAttr equal = find(type, bytes, hash))
    return equal;
  auto made = DenseResourceElementsAttr::get(type, name, HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, kAlignment));
  known[hash].push_back(made);
  return made;
}

DenseResourceElementsAttr SharedConstants::make(RankedTensorType type, ArrayRef<char> bytes, StringRef name) {
  std::lock_guard<std::mutex> lock(mutex);
  return pool.make(type, bytes, name);
}
