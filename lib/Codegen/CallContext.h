//===- CallContext.h - what a call of `run` and its layers get -------------===//
#ifndef HALFTONE_LIB_CODEGEN_CALLCONTEXT_H
#define HALFTONE_LIB_CODEGEN_CALLCONTEXT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::halftone {

/// What one call of `run` got, as values of the function being built.
struct CallState {
  Value inputs, outputs, batch, workspace;
};

/// The call's values as a struct on the stack, and back.
Value storeContext(OpBuilder &builder, Location loc, const CallState &state);
CallState loadContext(OpBuilder &builder, Location loc, Value context);

/// Place `index` of an array of pointers, and the pointer there.
Value pointerSlot(OpBuilder &builder, Location loc, Value array, unsigned index);
Value loadPointer(OpBuilder &builder, Location loc, Value array, unsigned index);

/// A memref over a pointer to its first element. The strides of `type` are static, and its sizes but for the first one, which is `leading` then.
Value pointerToMemref(OpBuilder &builder, Location loc, Value pointer, MemRefType type, Value leading = {});

/// A pointer to the first element of a memref, whose offset is static.
Value memrefToPointer(OpBuilder &builder, Location loc, Value memref);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CODEGEN_CALLCONTEXT_H
