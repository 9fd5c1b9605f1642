//===- ProductEmitter.h - one product of two activations, in parts ----------===//
#ifndef HALFTONE_CODEGEN_PRODUCTEMITTER_H
#define HALFTONE_CODEGEN_PRODUCTEMITTER_H

#include "halftone/Codegen/PanelPacking.h"
#include "halftone/Codegen/ProductKernel.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::halftone {

/// A buffer with its stride for each loop of the product.
struct WalkedFactor {
  Value buffer;
  SmallVector<int64_t> strides;
  bool isLocal = false; ///< holds the rows that are being computed, of one matrix
};

/// Packs the right factor of a matrix and computes rows of it, with the epilogue behind.
class ProductEmitter {
public:
  /// Emits at `b`, for as long as it is used.
  ProductEmitter(ImplicitLocOpBuilder &b, linalg::GenericOp product, const Isa &isa, const CostTable &costs);

  /// Whether operands lie in memory as the kernel needs them; nothing else may be called if not.
  bool match();
  /// The batch dimensions of the product, and where they are the only thing that may be dynamic, their number.
  Value emitCount();
  SmallVector<Value> emitIndices(Value index);
  int64_t rows() const { return extents[batch]; }
  int64_t columns() const { return extents[batch + 1]; }
  int64_t batchDims() const { return batch; }

  /// Makes the scratch; outside of all loops.
  void emitScratch();
  void emitPacking(ArrayRef<Value> indices);
  void emitRows(ArrayRef<Value> indices, Value first, int64_t count);

  /// The buffer that the result goes to, and that the left factor is read from: another one, of rows of `stride` elements.
  void setLocalResult(Value buffer, int64_t stride);
  void setLocalLeft(Value buffer, int64_t stride);
  Value result() const { return output.buffer; }

private:
  bool matchFactors();
  bool matchResult();
  bool matchBytes();
  void chooseLayout();
  WalkedFactor localOf(Value buffer, int64_t stride, int64_t inner) const;
  Value emitView(const WalkedFactor &walked, ArrayRef<Value> indices, Value first, ArrayRef<int64_t> loops, ArrayRef<int64_t> shape);
  int64_t extent(int64_t loop) const { return extents[batch + loop]; }

  enum : int64_t { Rows, Columns, Reduction }; ///< loops behind those of the batch

  ImplicitLocOpBuilder &b;
  linalg::GenericOp product, last;
  const DotKernel &kernel;
  const Isa &isa;
  const CostTable &costs;
  const int64_t batch;
  SmallVector<int64_t> extents;
  WalkedFactor left, right, output;
  SmallVector<WalkedFactor> operands; ///< of the epilogue, without the sums
  SmallVector<Value> scalars;         ///< of the epilogue, for each of its inputs; null for a buffer
  PackedBytes bytes;
  PackedLayout layout;
  Value scratch;
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PRODUCTEMITTER_H
