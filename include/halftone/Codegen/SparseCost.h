//===- SparseCost.h - what a sparse contraction costs -------------------------===//
//
//   cycles = layer + dots + lists + transpositions + epilogue + traffic
//
// A dot of the sparse kernel loads its activations, so it is dearer than a dense one. A list of quads ends in a branch that
// may be mispredicted, and its accumulators go to memory and, with several chunks, come back. That the lanes are positions
// costs two transpositions: of the activations before, of the accumulators behind.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_SPARSECOST_H
#define HALFTONE_CODEGEN_SPARSECOST_H

#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/SparseLayout.h"

namespace mlir::halftone {

/// A layer on the sparse kernel, with as many quads as `layout` has.
Cost predictSparseCycles(const CostTable &table, const ContractShape &shape, const SparseLayout &layout);

/// What a layout adds to the text of a shape (ContractShape::text), and back: cuts it off `text`; nothing if it has none.
std::string sparseText(const SparseLayout &layout);
std::optional<SparseLayout> parseSparse(StringRef &text, const DotKernel &kernel);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_SPARSECOST_H
