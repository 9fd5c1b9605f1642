//===- Exporter.h - values of a module as tensors of an ONNX graph ----------===//
//
// The module computes in NHWC and ONNX in NCHW. So a value may be in the graph with its dimensions in another order, and
// even in several. Transposes of the module are another order of the same tensor; a node is made only where some
// operator needs an order that is not there yet. Most transposes cancel that way.
//
// Constants, dequantized constants and paddings wait until somebody reads them: a constant is permuted here, and the
// padding of a convolution is an attribute.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_EXPORT_ONNX_EXPORTER_H
#define HALFTONE_LIB_EXPORT_ONNX_EXPORTER_H

#include "Graph.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <map>

namespace mlir::halftone::exporter {

/// A value as it is in the graph: dimension i of the tensor is dimension order[i] of the value.
struct Tensor {
  std::string name;
  SmallVector<int64_t> order;
  bool isUnsigned = false; ///< i8 elements that the graph has as uint8
};

/// What it takes to write the bias of a contraction as integers: the scales of its factors.
struct ProductScales {
  float input;
  std::vector<float> weights; ///< one for each output channel
};

/// 0, 1, ..., rank - 1.
SmallVector<int64_t> identityOrder(int64_t rank);
inline SmallVector<int64_t> identityOrder(Value value) {
  return identityOrder(cast<RankedTensorType>(value.getType()).getRank());
}
/// Where each dimension of the value is in the tensor.
SmallVector<int64_t> inverse(ArrayRef<int64_t> order);
/// The values at the places that `order` names.
SmallVector<int64_t> permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> order);
inline ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

class Exporter {
public:
  Exporter(ModuleOp module, const ExportOptions &options) : options(options), graph(graphName(module)) {}

  /// Exports the entry function; failure after the error.
  LogicalResult run(func::FuncOp entry);
  /// Exports the operations of a block but its terminator.
  void exportBlock(Block &block);

  //===--- Values ---------------------------------------------------------===//

  /// Says what a value is in the graph; more than one order may be said.
  void bind(Value value, std::string name, ArrayRef<int64_t> order, bool isUnsigned = false);
  void bind(Value value, const Tensor &tensor) { bind(value, tensor.name, tensor.order, tensor.isUnsigned); }
  bool isBound(Value value) const { return tensors.contains(value); }
  /// The value in the order in which it came about.
  Tensor read(Value value, StringRef hint);
  /// The value in that order, permuted by a node if it must be.
  std::string read(Value value, ArrayRef<int64_t> order, StringRef hint);
  /// The same with another shape of the same elements, in the permuted order.
  std::string read(Value value, ArrayRef<int64_t> order, ArrayRef<int64_t> shape, StringRef hint);

  /// Records why an operation can't be exported.
  LogicalResult unsupported(Operation *op, const Twine &why);

  const ExportOptions &options;
  Graph graph;
  llvm::StringMap<ProductScales> productScales; ///< of contractions of codes, by their tensor

private:
  static std::string graphName(ModuleOp module);
  void exportOp(Operation *op);
  /// Makes the tensor of a value that waits to be read, in that order and shape; "" if it does not wait.
  std::string makeWaiting(Value value, ArrayRef<int64_t> order, ArrayRef<int64_t> shape, StringRef hint);
  void declareInterface(func::FuncOp entry);
  LogicalResult reportProblems(func::FuncOp entry) const;

  DenseMap<Value, SmallVector<Tensor, 1>> tensors;
  /// Operations by what they are and why they can't be exported.
  std::map<std::pair<std::string, std::string>, std::vector<Location>> problems;
};

//===----------------------------------------------------------------------===//
// Operator families
//===----------------------------------------------------------------------===//

// Each exports one operation and binds its results, or says why not.

// Elementwise.cpp
LogicalResult exportElementwise(Exporter &exporter, linalg::GenericOp op);
// Reduction.cpp
LogicalResult exportReduction(Exporter &exporter, linalg::GenericOp op);
// Contraction.cpp
LogicalResult exportContraction(Exporter &exporter, linalg::LinalgOp op);
// Pooling.cpp
LogicalResult exportMaxPool(Exporter &exporter, linalg::LinalgOp op);
LogicalResult exportAveragePool(Exporter &exporter, CompositeOp op);
// Composite.cpp
LogicalResult exportComposite(Exporter &exporter, CompositeOp op);
// Movement.cpp
LogicalResult exportTranspose(Exporter &exporter, linalg::TransposeOp op);
LogicalResult exportCollapse(Exporter &exporter, tensor::CollapseShapeOp op);
LogicalResult exportExpand(Exporter &exporter, tensor::ExpandShapeOp op);
LogicalResult exportSlice(Exporter &exporter, tensor::ExtractSliceOp op);
LogicalResult exportConcat(Exporter &exporter, tensor::ConcatOp op);
// Casts.cpp
LogicalResult exportQuantize(Exporter &exporter, QuantizeOp op);
LogicalResult exportDequantize(Exporter &exporter, DequantizeOp op);

//===----------------------------------------------------------------------===//
// What the families share
//===----------------------------------------------------------------------===//

/// Adds the bias of a contraction to its node, where the tensor is made by one that has none and takes it; else false.
/// `bias` has an element for each output channel. Contraction.cpp.
bool addBias(Exporter &exporter, StringRef product, ArrayRef<float> bias);

/// A padding that a window may take for its own: what is padded, and how much in height and width (top, left, bottom,
/// right). The value itself, without any, for one that is not padded so. Movement.cpp.
struct PaddedInput {
  Value source;
  SmallVector<int64_t, 4> pads = {0, 0, 0, 0};
};
PaddedInput findPadding(Value value, ArrayRef<int64_t> spatialDims, double fill);
/// A Pad node for a padding that no window takes.
std::string makePad(Exporter &exporter, tensor::PadOp op, ArrayRef<int64_t> order, StringRef hint);

/// The codes and scales of a dequantized constant. Casts.cpp.
struct Codes {
  std::vector<int8_t> codes;
  std::vector<float> scales;      ///< one, or one for each index of `axis`
  std::vector<int8_t> zeroPoints; ///< as many
  int64_t axis = -1;
  bool narrow = false; ///< all are 4-bit integers
};
/// Nothing for a value that is not a dequantized constant.
std::optional<Codes> findCodes(Value value);
/// A constant of the codes in that order and shape, and its DequantizeLinear.
std::string makeDequantized(Exporter &exporter, Value value, const Codes &codes, ArrayRef<int64_t> order,
                            ArrayRef<int64_t> shape, StringRef hint);

/// The dequantized values of `codes`, which have another shape than the operation's own. Casts.cpp.
FailureOr<Tensor> dequantizeAs(Exporter &exporter, DequantizeOp op, Value codes, ArrayRef<int64_t> order);

/// A constant as ONNX has it, in that order and shape; nothing for a type that it has not. Constants.cpp.
std::optional<ConstantTensor> makeConstantTensor(Attribute attribute, ArrayRef<int64_t> order, ArrayRef<int64_t> shape);
/// A constant of one dimension.
ConstantTensor makeVector(ArrayRef<float> values);
ConstantTensor makeVector(ArrayRef<int8_t> values);
ConstantTensor makeVector(ArrayRef<uint8_t> values);
ConstantTensor makeVector(ArrayRef<int32_t> values);

/// The elements of an attribute such as strides.
inline SmallVector<int64_t> getInts(DenseIntElementsAttr attribute) {
  return SmallVector<int64_t>(attribute.getValues<int64_t>());
}

/// N x C x H x W of what is N x H x W x C.
inline constexpr int64_t kChannelsFirst[] = {0, 3, 1, 2};

/// The name that results of an operation are given: that of the source's node.
std::string hintOf(Operation *op);

} // namespace mlir::halftone::exporter

#endif // HALFTONE_LIB_EXPORT_ONNX_EXPORTER_H
