//===- SparseCost.h - what a sparse contraction costs -------------------------===//
//
//   cycles = layer + dots + lists + transpositions + epilogue + traffic
//   dots           = quads * (vectors of positions * sparse_dot_cycles + tiles * sparse_quad_cycles)
//   lists          = tiles * chunks * columns * sparse_list_cycles
//                    + vectors of positions * columns * (chunks - 1) * sparse_sum_cycles
//   transpositions = vectors of positions * reduction * lanes / 256 * sweeps * sparse_block_cycles
//   epilogue       = vectors of positions * columns * (sparse_output_cycles + operands * sparse_operand_cycles)
//
// In the dots, a last vector that is shorter than the others (SparseLayout::lastLanes) counts half.
//
// A dot of the sparse kernel loads its activations, so it is dearer than a dense one where two columns do not share them; what they
// share is part of the fitted number. A list of quads, of which each column
// is one half, ends in a branch that may be mispredicted, and with several chunks its accumulators go to memory and come
// back. That the lanes are positions costs two transpositions: of the activations before (by each strip again, if there are
// several chunks), of the results behind.
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
