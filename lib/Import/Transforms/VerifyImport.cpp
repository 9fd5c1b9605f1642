//===- VerifyImport.cpp - what later stages take ----------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYIMPORT
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool isInterfaceType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type element = tensor ? tensor.getElementType() : Type();
  return element && (element.isF32() || element.isSignlessInteger(1) || element.isSignlessInteger(8) || element.isUnsignedInteger(8) ||
                     element.isSignlessInteger(32) || element.isSignlessInteger(64) || isa<quant::QuantizedType>(element));
}

/// One error for all inputs and outputs of other types.
static LogicalResult checkInterface(func::FuncOp entry) {
  std::string wrong;
  llvm::raw_string_ostream os(wrong);
  auto check = [&](Type type, StringAttr name, StringRef kind) {
    if (isInterfaceType(type))
      return;
    os << (wrong.empty() ? "" : ", ") << kind << " '" << (name ? name.getValue() : StringRef()) << "' (" << type << ")";
  };
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    check(type, entry.getArgAttrOfType<StringAttr>(i, kNameAttr), "input");
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes()))
    check(type, entry.getResultAttrOfType<StringAttr>(i, kNameAttr), "output");
  if (wrong.empty())
    return success();
  return emitError(UnknownLoc::get(entry.getContext())) << "inputs and outputs are ranked tensors of f32, i8, ui8, i32, i64 or i1; not so: " << wrong;
}

/// Whether an operation of the entry function's body is one that later stages know.
static bool isKnown(Operation *op) {
  return isa_and_nonnull<arith::ArithDialect, linalg::LinalgDialect, math::MathDialect, quant::QuantDialect, tensor::TensorDialect, HalftoneDialect>(
             op->getDialect()) ||
         isa<func::ReturnOp>(op);
}

/// One error for all kinds of operations that no later stage takes.
static LogicalResult checkOperations(func::FuncOp entry) {
  llvm::MapVector<OperationName, unsigned> unknown;
  Location first = entry.getLoc();
  for (Block &block : entry.getBody())
    for (Operation &op : block)
      if (!isKnown(&op) && unknown[op.getName()]++ == 0 && unknown.size() == 1)
        first = op.getLoc();
  if (unknown.empty())
    return success();
  InFlightDiagnostic error = emitError(first) << "operations that are not supported:";
  for (auto [name, count] : unknown)
    error << (name == unknown.front().first ? " " : ", ") << name.getStringRef() << " (" << count << ")";
  return error << "; a model is one block of linalg, tensor, arith and math on tensors: no state, no control flow, no buffers";
}

namespace {
struct VerifyImport : halftone::impl::VerifyImportBase<VerifyImport> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry.isPublic() && !entry.isExternal() && (failed(checkInterface(entry)) || failed(checkOperations(entry))))
        return signalPassFailure();
  }
};
} // namespace
