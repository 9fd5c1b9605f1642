//===- Node.h - one ONNX node while it is imported --------------------------===//
//
// A handler of the registry gets a Node: typed access to inputs and attributes, a builder, and the place for results.
// It either sets all results that the model uses and succeeds, or says why not by `unsupported`.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_NODE_H
#define HALFTONE_LIB_IMPORT_ONNX_NODE_H

#include "HostTensor.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace onnx {
class AttributeProto;
class NodeProto;
} // namespace onnx

namespace mlir::halftone::importer {

/// A tensor of the graph: an SSA value, or known on the host until an operation needs it, or both.
struct Tensor {
  Type element;               ///< ONNX's element type: u8 is ui8 here and i8 in the SSA value
  SmallVector<int64_t> shape; ///< the leading dimension may be ShapedType::kDynamic
  Value value;
  HostTensorRef constant;
  Value codes = {}; ///< of what QuantizeLinear made: the same with the type of its scale

  int64_t rank() const { return shape.size(); }
  bool isFloat() const { return isa<FloatType>(element); }
  bool isDynamic() const { return ShapedType::isDynamicShape(shape); }
};

/// A tensor that is an SSA value, or known on the host.
Tensor toTensor(Value value);
Tensor toTensor(HostTensor tensor);

/// The signless type that stores elements of the type: i8 for ui8, the next of 8 or 32 bits for i4 and i16, f32 for floats of 4 and 8 bits.
Type storageType(Type element);

/// The tensors of a graph by name.
using TensorMap = llvm::StringMap<Tensor>;

class Node {
public:
  Node(const onnx::NodeProto &proto, int64_t opset, TensorMap &tensors, OpBuilder &builder, Location loc)
      : builder(builder), loc(loc), opset(opset), proto(proto), tensors(tensors) {}

  OpBuilder &builder;
  Location loc;
  int64_t opset;

  StringRef type() const;

  // Inputs. An absent input is one beyond the list, or an empty name.
  unsigned numInputs() const;
  bool hasInput(unsigned i) const;
  const Tensor &input(unsigned i) const;
  /// The input as it is known on the host; null if it is absent or not known.
  HostTensorRef constant(unsigned i) const;
  /// The input as an SSA value, made at its first use if it is constant.
  Value operand(unsigned i);
  /// A constant; f64 becomes f32, in which a run computes.
  Value materialize(const HostTensor &tensor);
  /// Makes f32 of the inputs that are known on the host in f64, before what a run computes gets its types by them.
  void narrowDoubles();
  /// The sizes of the shape; a dynamic one is that of dimension 0 of `like`, or of the model if `like` is null.
  SmallVector<OpFoldResult> mixedSizes(ArrayRef<int64_t> shape, Value like);

  // Attributes. One that is present but never asked for makes the node unsupported.
  bool hasAttribute(StringRef name) const;
  int64_t getInt(StringRef name, int64_t otherwise) const;
  float getFloat(StringRef name, float otherwise) const;
  std::string getString(StringRef name, StringRef otherwise) const;
  SmallVector<std::string> getStrings(StringRef name, ArrayRef<std::string> otherwise) const;
  SmallVector<int64_t> getInts(StringRef name, ArrayRef<int64_t> otherwise = {}) const;
  const onnx::AttributeProto *getAttribute(StringRef name) const;
  std::string unreadAttribute() const;

  // Results.
  unsigned numResults() const;
  /// Whether the model names the result.
  bool hasResult(unsigned i) const;
  /// The name, which no other value of the graph has; empty if there is none.
  StringRef resultName(unsigned i) const;
  /// `element` is needed where it is not the value's element type (ui8).
  void setResult(Value value, Type element = {}, unsigned i = 0);
  void setResult(HostTensor tensor, unsigned i = 0);
  void setResult(const Tensor &tensor, unsigned i = 0);

  /// Records why the node can't be imported; the first reason counts.
  LogicalResult unsupported(const Twine &why) const;
  const std::string &reason() const { return why; }

private:
  const onnx::NodeProto &proto;
  TensorMap &tensors;
  mutable llvm::StringSet<> readAttributes;
  mutable std::string why;
};

using Handler = LogicalResult (*)(Node &);
using ConstantEvaluator = std::optional<HostTensor> (*)(Node &);

/// For `Operator::inputs`: at least one, and none left out.
inline constexpr unsigned kAllInputs = ~0u;

/// A row of the registry. `build` is null for an operator that is known on constants only. With all inputs constant,
/// `evaluate` comes first and may decline.
struct Operator {
  StringLiteral type;
  int64_t since;   ///< the first opset whose definition the handlers follow
  unsigned inputs; ///< how many inputs must be there
  Handler build;
  ConstantEvaluator evaluate = nullptr;
};

/// The row for an operator of ONNX's own domain; null if there is none.
const Operator *findOperator(StringRef type);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_NODE_H
