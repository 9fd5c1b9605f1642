//===- OpReport.h - Which operations became int8, which stay float --------===//
#ifndef HALFTONE_LIB_DRIVER_OPREPORT_H
#define HALFTONE_LIB_DRIVER_OPREPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::halftone {

/// One operation that computes.
struct OpRow {
  std::string name; ///< The source's node name, or "".
  std::string kind; ///< "contraction", "avg_pool", "softmax", ...
  bool int8 = false;
  std::string reason; ///< Why it stays float.
  int64_t macs = 0;   ///< Multiply-accumulates of one run at batch 1.
};

/// Rows of one name, kind and reason as one, in the order of the first, with their number: the steps of a recurrent network say the same.
std::vector<std::pair<OpRow, int64_t>> countEqual(llvm::ArrayRef<OpRow> rows);

/// How operations that stay float are listed: a line for each, equal lines as one with their number, or a line for each reason.
enum class FloatList { Each, Reasons };

/// What the precision stage decided, in the order of the program.
class OpReport {
public:
  /// Reads `halftone.precision` of @main's operations; without that attribute
  /// an operation is float.
  static OpReport of(ModuleOp module);

  llvm::ArrayRef<OpRow> rows() const { return all; }
  int64_t macs() const;
  int64_t integerMacs() const;

  /// The rows as a JSON text, for the artefact.
  std::string toJSON() const;

  /// Counts by kind, with each kind's share of the multiply-accumulates.
  void printTable(llvm::raw_ostream &os) const;

  /// "x % of n multiply-accumulates run in integers", how many contractions find ranges when they run, then what stays float.
  void printSummary(llvm::raw_ostream &os, FloatList list) const;

private:
  std::vector<OpRow> all;
  int64_t ownRanges = 0; ///< Contractions that find the ranges of their rows or images when they run.
};

/// Gives every quantizable value a stand-in range and selects precision: what
/// would become int8 if there were data. The module is good for a report only.
LogicalResult assumeCalibrated(ModuleOp module);

/// Bytes of all f32 constants of @main, weights and biases; equal ones count once.
int64_t floatConstantBytes(ModuleOp module);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_OPREPORT_H
