//===- ContractChoice.h - dots or tiles, all weights or those that are not zero -===//
//
// One function decides which kernel a contraction of bytes gets, for code generation (PackWeights.cpp) and for what
// `halftone prune --predict` says of weights that are not there yet. No choice changes a bit of an output.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_CONTRACTCHOICE_H
#define HALFTONE_CODEGEN_CONTRACTCHOICE_H

#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/WinogradLayout.h"

namespace mlir::halftone {

/// Predictions err by some percent, and no layer may become slower: what is not the usual choice has to take less than this
/// share of its time.
inline constexpr double kLeastGain = 0.93;

/// What the choices for the contractions of a network depend on.
struct ContractChooser {
  const Isa &isa;
  const CostTable &table;
  int64_t coldBytes; ///< all weights of the network, as bytes

  /// The shape with the weights of the network.
  ContractShape shapeOf(ContractOp op, const DotKernel &kernel) const;
  /// The kernel that computes everything: `dots`, or the target's tiles where these are predicted to be faster.
  const DotKernel &denseKernel(ContractOp op, const DotKernel &dots) const;
};

/// The kernels of a contraction with all weights, and with those that are not zero.
struct ContractChoice {
  const DotKernel *dense; ///< dots or tiles
  std::optional<WinogradLayout> winograd; ///< instead, where that is faster
  double denseCycles;                     ///< of the faster one
  std::optional<SparseLayout> layout; ///< the fastest; nothing for a contraction that sparse kernels cannot compute
  double sparseCycles = 0;

  bool takesSparse() const { return layout && sparseCycles < kLeastGain * denseCycles; }
};

/// `winograd` are those of Winograd's kernels that can compute the contraction; `count` sets the quads of a layout, by the weights or by what
/// is expected of them.
ContractChoice chooseKernel(const ContractChooser &chooser, ContractOp op, const DotKernel &dots, ArrayRef<WinogradLayout> winograd,
                          function_ref<void(SparseLayout &)> count);

/// The kernel with all weights that a contraction of bytes of that shape, which has `chosen`, could have had instead: dots or tiles.
/// Of sparse weights the one that denseKernel() takes, as far as the shape tells; null if there is none.
const DotKernel *otherKernel(const Isa &isa, const CostTable &table, const ContractShape &shape, const DotKernel &chosen, bool isSparse);

/// Bytes of all weights of the contractions under `root`.
int64_t countWeightBytes(Operation *root);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_CONTRACTCHOICE_H
