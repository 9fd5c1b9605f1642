//===- EntryForm.h - what an operation of the entry form is -----------------===//
//
// The stages from calibration to integer see the entry form (docs/Pipeline.md) through one classification: which
// operation computes, which one only moves values, and where a moved value comes from.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_ANALYSIS_ENTRYFORM_H
#define HALFTONE_ANALYSIS_ENTRYFORM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"
#include <optional>
#include <string>

namespace mlir::halftone {

enum class OpKind {
  Initial,     ///< constants, empty tensors, fills: no activation
  Movement,    ///< reshape, slice, transpose, pad with a value that every range holds: the same values elsewhere
  Contraction, ///< convolution or matrix product of the kinds that have an integer form
  MaxPool,     ///< passes codes through
  AveragePool, ///< composite "avg_pool"
  Elementwise, ///< parallel linalg.generic of several tensors, or with constants that differ by element
  Unary,       ///< parallel linalg.generic or composite of one tensor, the same function for each element
  Concat,      ///< tensor.concat
  Table,       ///< composite "gather" of rows of a constant: an embedding
  Other        ///< everything else: stays float
};

OpKind classify(Operation *op);

/// Whether precision and casts concern an operation: it gives a tensor and is neither initial nor movement.
bool isCompute(Operation *op);

/// "contraction", "avg_pool", ...: the kind as diagnostics and recipes name it.
StringRef kindName(OpKind kind);

/// The source's node name in a location (the first name found), or "" if it has none.
std::string locationName(Location location);

/// The ranked f32 tensors (rank >= 1) that quantization speaks of.
bool isFloatTensor(Value value);

/// Whether a value is a constant tensor or scalar.
bool isConstant(Value value);

/// The value behind movements and max pools: it has the same range.
Value traceRoot(Value value);

/// Whether the sum of a structured operation starts at 0.0: another start would have to be a bias.
bool startsAtZero(linalg::LinalgOp op);

/// The activation operand of a contraction.
OpOperand &getActivationOperand(Operation *contraction);

/// The weight operand of a contraction.
OpOperand &getWeightOperand(Operation *contraction);

/// The contraction whose weights a value is, maybe behind casts and movement, or null.
Operation *findContraction(Value weights);

/// The dimensions of the weights that are output channels: one, or (group, channel) of a grouped convolution.
SmallVector<int64_t> getOutputChannelDims(Operation *contraction);

/// The dimensions of the weights that are input channels, in the input's order: one, two for a grouped convolution
/// (group, channel).
SmallVector<int64_t> getInputChannelDims(Operation *contraction);

/// Makes a constant f32 operand another one of its type, named after the old one's location, or `name` if it has none.
void replaceConstant(OpOperand &operand, ArrayRef<float> elements, StringRef name);

/// The entry function @main, or a diagnostic at the module.
FailureOr<func::FuncOp> getEntry(ModuleOp module);

/// The calibrated range on the operation or argument that defines a value.
std::optional<std::pair<float, float>> getRange(Value value);
void setRange(Value value, float low, float high);

/// Values of halftone.precision of contractions with quantized weights and float activations: rounded when it runs, and
/// never. The second also of tables.
inline constexpr llvm::StringLiteral kDynamicPrecision = "dynamic", kWeightsPrecision = "weights";

/// Sets halftone.precision of an operation, and as halftone.reason why it is float, or what of it is when its weights alone are codes.
void setPrecision(Operation *op, StringRef precision, StringRef reason = "");

/// Whether halftone.precision of an operation is "int8".
bool isInt8(Operation *op);

/// Whether halftone.precision of an operation is "dynamic".
bool isDynamic(Operation *op);

/// Whether an operation is a contraction whose weights become codes: int8, dynamic or weights.
bool hasQuantizedWeights(Operation *op);

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_ENTRYFORM_H
