//===- SparsityPrediction.h - What zeros would gain, before there are any -===//
#ifndef HALFTONE_LIB_DRIVER_SPARSITYPREDICTION_H
#define HALFTONE_LIB_DRIVER_SPARSITYPREDICTION_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace mlir::halftone {

/// What a prediction is for.
struct SparsityQuestion {
  std::string target; ///< As of --target-cpu; one.
  std::string table;  ///< A file of costs, or empty for the target's own.
  double sparsity;    ///< Share of blocks that are zero.
  std::vector<std::string> exclude; ///< As of --exclude and --ends: which layers
  bool ends;                        ///< are left alone.
};

/// Prints for each contraction of a module of the stage import, as it would be
/// in int8 on one thread, what the dense and the sparse kernel are predicted to
/// take, and from which sparsity on the sparse one is faster.
llvm::Error predictSparsity(ModuleOp module, const SparsityQuestion &question,
                            llvm::raw_ostream &os);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SPARSITYPREDICTION_H
