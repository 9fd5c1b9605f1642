//===- Passes.h - weights that become zero ----------------------------------===//
#ifndef HALFTONE_PRUNING_PASSES_H
#define HALFTONE_PRUNING_PASSES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::halftone {

/// What becomes zero together.
enum class PruningPattern { Unstructured, Blocks, NOfM };

/// Where the share of zeros is met: in each layer, or over all of them.
enum class PruningScope { Layer, Global };

/// The scopes as the values of an option.
inline llvm::cl::ValuesClass pruningScopeValues() {
  return llvm::cl::values(clEnumValN(PruningScope::Layer, "layer", "in each layer"),
                          clEnumValN(PruningScope::Global, "global", "over all layers: each has its own"));
}

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Pruning/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_PASSES_H
