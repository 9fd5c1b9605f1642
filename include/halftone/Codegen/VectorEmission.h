//===- VectorEmission.h - scalar regions and flat memory, as vectors --------===//
//
// What the kernel generators share: a buffer seen as one run of elements with linear offsets, loads and stores of any
// number of lanes without masks, and a scalar region emitted on vectors.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_VECTOREMISSION_H
#define HALFTONE_CODEGEN_VECTOREMISSION_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::halftone {

/// A memref as a rank-1 memref that begins at its first element, and its strides in elements.
struct FlatBuffer {
  Value memory;
  SmallVector<int64_t> strides;
  Type element;
};

/// The strides of `type`; nothing if one is not static.
std::optional<SmallVector<int64_t>> staticStrides(MemRefType type);

/// The buffer that a view is of, or the value itself.
Value rootOf(Value buffer);

/// Vector kernels may read, not write, so many bytes behind a buffer.
inline constexpr int64_t kSlackBytes = 64;

/// Emits the flat view of `memory`, whose strides are static.
FlatBuffer flatten(ImplicitLocOpBuilder &b, Value memory);

/// The bits that an element takes in memory: whole bytes, for masks, too (LowerToLLVM.cpp).
int64_t storedBits(Type type);

/// `type` for one lane, else a vector of `lanes`.
Type laneType(Type type, int64_t lanes);

/// `value` in all lanes; itself for one lane.
Value splat(ImplicitLocOpBuilder &b, Value value, int64_t lanes);

/// The elements at `offset`, `offset + stride`, ...: one load for stride 1, a broadcast for stride 0, else one load for
/// each lane. The lanes from `valid` on have no meaning, and their memory is not touched.
Value loadLanes(ImplicitLocOpBuilder &b, const FlatBuffer &buffer, Value offset, int64_t stride, int64_t lanes,
                int64_t valid);

/// Stores the first `valid` lanes of `value` at `offset`, in as few power-of-two pieces as it takes.
void storeLanes(ImplicitLocOpBuilder &b, Value value, const FlatBuffer &buffer, Value offset, int64_t lanes,
                int64_t valid);

/// `words` vectors of all rows' elements, one after the other, from a vector of `words` elements (a power of two) for each row. There are at
/// least so many rows.
SmallVector<Value> transposeRows(ImplicitLocOpBuilder &b, SmallVector<Value> rows, int64_t words);

/// Whether vectors can compute a body: each operation is a constant or works element by element.
bool canVectorize(Block &body);

/// Emits the block's operations for `lanes` lanes with `arguments` (laneType of the block's) and returns what becomes of
/// the `wanted` values. Scalars defined above the block are broadcast. Rounding to i32 is one conversion. What becomes of the first
/// value of a `known` pair is the second.
SmallVector<Value> emitBody(ImplicitLocOpBuilder &b, Block &block, ValueRange arguments, int64_t lanes, ValueRange wanted,
                            ArrayRef<std::pair<Value, Value>> known = {});

/// Index arithmetic that folds constants.
Value indexConstant(ImplicitLocOpBuilder &b, int64_t value);
Value add(ImplicitLocOpBuilder &b, Value x, Value y);
Value add(ImplicitLocOpBuilder &b, Value x, int64_t y);
Value mul(ImplicitLocOpBuilder &b, Value x, int64_t y);
Value minimum(ImplicitLocOpBuilder &b, Value x, Value y);
Value maximum(ImplicitLocOpBuilder &b, Value x, Value y);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_VECTOREMISSION_H
