//===- Halftone.h - the halftone dialect ------------------------------------===//
#ifndef HALFTONE_DIALECT_HALFTONE_IR_HALFTONE_H
#define HALFTONE_DIALECT_HALFTONE_IR_HALFTONE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "halftone/Dialect/Halftone/IR/HalftoneDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneTypes.h.inc"
#define GET_OP_CLASSES
#include "halftone/Dialect/Halftone/IR/HalftoneOps.h.inc"

namespace mlir::halftone {
/// Names of the discardable attributes; their meaning stands in the dialect's description.
inline constexpr llvm::StringLiteral kNameAttr = "halftone.name";
inline constexpr llvm::StringLiteral kStepsAttr = "halftone.steps";
inline constexpr llvm::StringLiteral kDimsAttr = "halftone.dims";
inline constexpr llvm::StringLiteral kUnsignedAttr = "halftone.unsigned";
inline constexpr llvm::StringLiteral kRangeAttr = "halftone.range";
inline constexpr llvm::StringLiteral kPrecisionAttr = "halftone.precision";
inline constexpr llvm::StringLiteral kReasonAttr = "halftone.reason";
inline constexpr llvm::StringLiteral kStageAttr = "halftone.stage";
inline constexpr llvm::StringLiteral kVersionAttr = "halftone.version";
inline constexpr llvm::StringLiteral kSourceHashAttr = "halftone.source_hash";
inline constexpr llvm::StringLiteral kExternalBytesAttr = "halftone.external_bytes";
inline constexpr llvm::StringLiteral kPreprocessAttr = "halftone.preprocess";
} // namespace mlir::halftone

#endif // HALFTONE_DIALECT_HALFTONE_IR_HALFTONE_H
