//===- CodeTensors.h - quantized tensors seen as i8
//-------------------------===//
//
// While the stage runs, an integer operation reads `quant.scast` of a quantized
// value and its result is cast back, so that each rewrite is local. Two casts
// that meet fold; at the end none is left.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_INTEGER_CODETENSORS_H
#define HALFTONE_LIB_INTEGER_CODETENSORS_H

#include "Requantization.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::halftone {

/// A value that stands for a quantized tensor of one scale:
/// `halftone.dequantize` of `quantized`.
struct Dequantized {
  Value quantized;
  CodeFormat format;
};

/// What `value` dequantizes; nothing if it is something else or has a scale per
/// channel.
std::optional<Dequantized> matchDequantized(Value value);

/// The i8 codes of a quantized tensor.
Value codesOf(OpBuilder &builder, Location loc, Value quantized);

/// The quantized tensor of element type `element` with the given i8 codes.
Value quantizedFrom(OpBuilder &builder, Location loc, Value codes,
                    Type element);

/// `dequantize` of the quantized tensor with these codes: what replaces an f32
/// value by an integer computation.
Value dequantizedFrom(OpBuilder &builder, Location loc, Value codes,
                      Type element);

/// The sizes of a value, found without keeping a float computation alive where
/// it can be.
OpFoldResult sizeOf(OpBuilder &builder, Location loc, Value value,
                    int64_t dimension);
SmallVector<OpFoldResult> sizesOf(OpBuilder &builder, Location loc,
                                  Value value);

/// Whether `sizeOf` finds the size without reading it from `value` itself.
bool isSizeKnown(Value value, int64_t dimension);

/// A tensor of `sizes` filled with the integer `value`.
Value createFilled(OpBuilder &builder, Location loc,
                   ArrayRef<OpFoldResult> sizes, IntegerType element,
                   int64_t value);

/// An elementwise generic with the identity map on its result; `body` gets the
/// scalars of the inputs.
Value createElementwise(
    OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
    Type element, ValueRange inputs, ArrayRef<AffineMap> maps,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body);

/// Whether the generic computes each element of its one result from elements of
/// its inputs: all loops parallel, the identity on the result, no index, the
/// old content of the result unused.
bool isElementwise(linalg::GenericOp op);

/// The f32 number that `value` is everywhere: a scalar constant, a splat
/// constant, or a region argument bound to one.
std::optional<float> matchNumber(Value value);

/// Erases the pure operations that nothing uses.
void eraseUnused(RewriterBase &rewriter, Operation *root);

/// Records why an operation stays float.
void setReason(Operation *op, const Twine &reason);

/// Rewrites each operation that `match(op, reason)` finds something in, and
/// records the reason of one that should have had it; how many were rewritten.
template <typename Ops, typename Matcher, typename Rewriter>
int64_t rewriteMatches(Operation *root, const Ops &operations, Matcher match,
                       Rewriter rewrite) {
  IRRewriter rewriter(root->getContext());
  int64_t count = 0;
  for (auto op : operations) {
    std::string reason;
    if (auto found = match(op, reason)) {
      rewrite(rewriter, *found);
      ++count;
    } else if (!reason.empty()) {
      setReason(op, reason);
    }
  }
  eraseUnused(rewriter, root);
  return count;
}

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_CODETENSORS_H
