//===- Passes.h - the precision stage ---------------------------------------===//
#ifndef HALFTONE_PRECISION_PASSES_H
#define HALFTONE_PRECISION_PASSES_H

#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::halftone {

/// On an instrumented @main: an array of {key, kind, precision, reason, scale, zero_point} in the order of the results
/// that the probes added.
inline constexpr llvm::StringLiteral kProbesAttr = "halftone.probes";

/// What a contraction with constant weights reads.
enum class Activations {
  Automatic, ///< Int8, or Dynamic where the statistics say that it is better (halftone-choose-activations)
  Int8,      ///< codes of calibrated ranges
  Dynamic,   ///< codes of the range found when it runs
  Float      ///< floats: only the weights are quantized
};

/// The same as the values of an option.
inline llvm::cl::ValuesClass activationsValues() {
  return llvm::cl::values(
      clEnumValN(Activations::Automatic, "auto", "int8, or dynamic for layers that lose much less by it on the samples"),
      clEnumValN(Activations::Int8, "int8", "codes of calibrated ranges"),
      clEnumValN(Activations::Dynamic, "dynamic", "codes of the range that each row or image has when it runs; needs no samples"),
      clEnumValN(Activations::Float, "float", "floats: only the weights are quantized; needs no samples"));
}

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Precision/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_PRECISION_PASSES_H
