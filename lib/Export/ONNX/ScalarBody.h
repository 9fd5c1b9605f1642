//===- ScalarBody.h - scalar operations of a region as nodes over tensors ---===//
//
// Each scalar of a linalg.generic's region becomes a tensor over the loops, in one order of the loops for all. A scalar that
// does not depend on a loop has one element there, or no dimension if it leads: ONNX broadcasts it.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_EXPORT_ONNX_SCALARBODY_H
#define HALFTONE_LIB_EXPORT_ONNX_SCALARBODY_H

#include "Exporter.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::halftone::exporter {

/// A scalar as a tensor.
struct Scalar {
  std::string name;
  llvm::SmallBitVector loops; ///< that it depends on
  bool isUnsigned = false;    ///< i8 that the graph has as uint8
};

class ScalarBody {
public:
  /// `loops`: dimension i of the tensors is loop loops[i] of the operation.
  ScalarBody(Exporter &exporter, linalg::GenericOp op, SmallVector<int64_t> loops)
      : exporter(exporter), op(op), loops(std::move(loops)), hint(hintOf(op)) {}

  /// Emits an operation of the region, or says why not.
  LogicalResult emit(Operation &scalar);
  /// A value of the region, or from outside of it, as a tensor.
  FailureOr<Scalar> read(Value value);
  /// The scalar repeated along the loops that it does not depend on.
  FailureOr<Scalar> expand(Scalar scalar);

  /// The order in which the operation's operands are there already.
  static SmallVector<int64_t> chooseLoops(Exporter &exporter, linalg::GenericOp op);

  const SmallVector<int64_t> &order() const { return loops; }

private:
  FailureOr<Scalar> readOperand(OpOperand &operand);
  FailureOr<SmallVector<Scalar>> readAll(ValueRange values);
  Scalar makeNode(StringRef type, ArrayRef<Scalar> inputs, ArrayRef<NodeAttribute> attributes = {});
  Scalar asSigned(Scalar scalar, bool isUnsigned);

  bool takeBias(Operation &scalar);
  FailureOr<Scalar> emitClamp(Operation &scalar, float bound, Value x);
  FailureOr<Scalar> emitComparison(Operation &scalar);
  /// By comparison with 0: the sign of -0 does not count.
  FailureOr<Scalar> emitCopySign(Operation &scalar);
  FailureOr<Scalar> emitCast(Operation &scalar);
  FailureOr<Scalar> emitNamed(Operation &scalar);
  FailureOr<Scalar> emitAny(Operation &scalar);
  LogicalResult unsupported(const Twine &why) { return exporter.unsupported(op, why); }

  Exporter &exporter;
  linalg::GenericOp op;
  SmallVector<int64_t> loops;
  std::string hint;
  DenseMap<Value, Scalar> scalars;
};

} // namespace mlir::halftone::exporter

#endif // HALFTONE_LIB_EXPORT_ONNX_SCALARBODY_H
