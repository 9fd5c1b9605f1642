//===- MergeConstants.cpp - one constant for equal contents -----------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Support/ContentHash.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_MERGECONSTANTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The bytes of a resource; nothing where they are left out.
static std::optional<ArrayRef<uint8_t>> bytesOf(DenseResourceElementsAttr elements) {
  AsmResourceBlob *blob = elements.getRawHandle().getBlob();
  if (!blob)
    return std::nullopt;
  ArrayRef<char> data = blob->getData();
  return ArrayRef(reinterpret_cast<const uint8_t *>(data.data()), data.size());
}

namespace {

struct MergeConstants : halftone::impl::MergeConstantsBase<MergeConstants> {
  void runOnOperation() override {
    llvm::StringMap<SmallVector<DenseResourceElementsAttr, 1>> known; // by the hash of their contents
    getOperation().walk([&](arith::ConstantOp op) {
      auto elements = dyn_cast<DenseResourceElementsAttr>(op.getValue());
      std::optional<ArrayRef<uint8_t>> bytes = elements ? bytesOf(elements) : std::nullopt;
      if (!bytes)
        return;
      auto &equal = known[hashContent(*bytes)];
      auto first = llvm::find_if(equal, [&](DenseResourceElementsAttr other) { return other.getType() == elements.getType(); });
      if (first == equal.end())
        return equal.push_back(elements);
      if (*first == elements)
        return;
      op.setValueAttr(*first);
      ++numMerged;
    });
  }
};

} // namespace
