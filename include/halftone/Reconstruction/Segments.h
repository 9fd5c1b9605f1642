//===- Segments.h - a network cut in front of its layers ----------------------===//
//
// Layers can be reconstructed one after the other, each for what it reads once those before it are done, without running the
// network from its start again: the values in front of the layers, the borders, are kept for all samples, and the operations
// between them are functions of their own.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_SEGMENTS_H
#define HALFTONE_RECONSTRUCTION_SEGMENTS_H

#include "halftone/Reconstruction/Patches.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace mlir::halftone {

/// A layer in the program's order. Borders are numbers of SegmentPlan::borders.
struct LayerStep {
  ContractionInput layer;
  Patches patches;
  quant::UniformQuantizedType inputType;
  unsigned input = 0;
  std::optional<unsigned> residual; ///< What is added to the layer's output, if it is there before the layer.
  SmallVector<unsigned> next;       ///< Borders between this layer and the next.
};

/// How a function is cut: the same for the same structure, whatever the weights are.
struct SegmentPlan {
  /// Layers are int8 contractions that read a value with a range, in windows that Patches knows.
  static SegmentPlan of(func::FuncOp entry);

  SmallVector<Value> borders;                  ///< First the function's arguments.
  std::vector<quant::UniformQuantizedType> types; ///< Of each border; null where it stays float.
  SmallVector<unsigned> first;                 ///< Borders in front of the first layer that are no arguments.
  std::vector<LayerStep> steps;
};

/// The operations that make the values `wanted` out of borders, as a module whose @main takes the borders of `inputs`, in their
/// order. Weights with codes (halftone.weight_codes) are what these stand for. Nothing, after a diagnostic, if a border's shape
/// is dynamic in more than the batch.
FailureOr<OwningOpRef<ModuleOp>> extractSegment(ModuleOp module, const SegmentPlan &plan, ArrayRef<Value> wanted,
                                                SmallVectorImpl<unsigned> &inputs);

/// The name of an argument of a segment.
std::string segmentInputName(unsigned index);

/// The borders that extractSegment would take.
SmallVector<unsigned> findSegmentInputs(const SegmentPlan &plan, ArrayRef<Value> wanted);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_SEGMENTS_H
