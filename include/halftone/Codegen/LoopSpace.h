//===- LoopSpace.h - a structured operation as loops and strides ------------===//
//
// A linalg operation whose maps are linear reads and writes each buffer at `base + sum over loops of index * stride`.
// In that form loops of one element vanish, parallel loops may be ordered by the output's strides, and two neighbours
// become one loop where every buffer walks them as one run.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_LOOPSPACE_H
#define HALFTONE_CODEGEN_LOOPSPACE_H

#include "halftone/Codegen/VectorEmission.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::halftone {

/// One loop: its extent and the operand dimension that holds it if it is dynamic.
struct Loop {
  int64_t extent;
  bool reduction;
  Value sizedBy;         ///< for a dynamic extent: a memref and its dimension
  int64_t sizedDim = 0;
  int64_t factor = 1;    ///< times this, after joining
  bool isDynamic() const { return ShapedType::isDynamic(extent); }
};

/// One operand: a buffer with its stride for each loop, or a scalar that stands for all.
struct LoopOperand {
  Value value;
  int64_t base = 0;
  SmallVector<int64_t> strides; ///< one for each loop
  bool isScalar() const { return !isa<MemRefType>(value.getType()); }
};

struct LoopSpace {
  SmallVector<Loop> loops;         ///< parallel loops first
  SmallVector<LoopOperand> inputs;
  LoopOperand output;

  size_t numParallel() const;
  /// Orders parallel loops by the output's strides, drops loops of one element and joins neighbours.
  void simplify();

  /// The space of `op`, or nothing if a map is not linear or a stride not static.
  static std::optional<LoopSpace> of(linalg::LinalgOp op);
  /// The space of an elementwise operation on buffers of one shape.
  static std::optional<LoopSpace> elementwise(ArrayRef<Value> inputs, Value output);

private:
  void eraseLoop(size_t index);
  bool joinsNext(size_t index) const;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_LOOPSPACE_H
