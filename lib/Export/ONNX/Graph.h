//===- Graph.h - an ONNX graph while it is made -----------------------------===//
//
// Nodes have one output, which is named like the node; names are made unique here. A tensor is known by its name alone.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_EXPORT_ONNX_GRAPH_H
#define HALFTONE_LIB_EXPORT_ONNX_GRAPH_H

#include "halftone/Export/ONNX.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <variant>

namespace onnx {
class NodeProto;
class ValueInfoProto;
} // namespace onnx

namespace mlir::halftone::exporter {

/// An element type of ONNX, as TensorProto.DataType numbers them; 0 for a type that it has not. ui8 is uint8.
int32_t onnxType(Type element);

/// TensorProto.DataType of 4-bit integers, which the schema of Debian's libonnx does not name yet.
inline constexpr int32_t kInt4 = 22;

/// An attribute of a node.
struct NodeAttribute {
  StringRef name;
  std::variant<int64_t, float, std::string, SmallVector<int64_t>> value;
};

/// A constant tensor: row-major bytes, little endian, bool as one byte each.
struct ConstantTensor {
  int32_t type; ///< as TensorProto.DataType
  SmallVector<int64_t> shape;
  std::string bytes;
};

class Graph {
public:
  explicit Graph(StringRef name);
  ~Graph();

  /// Declares an input or an output. A dynamic size has the name in `symbols`.
  void addInput(StringRef name, Type element, ArrayRef<int64_t> shape, ArrayRef<std::string> symbols);
  void addOutput(StringRef name, Type element, ArrayRef<int64_t> shape, ArrayRef<std::string> symbols);
  /// Keeps a name from being given to anything else.
  void reserve(StringRef name) { names.insert(name); }

  /// Adds a node named after `hint` (after its type, if that is empty) and returns its output. "" as an input is one that
  /// is left out.
  std::string addNode(StringRef type, ArrayRef<std::string> inputs, StringRef hint, ArrayRef<NodeAttribute> attributes = {});
  /// A tensor with another shape of the same elements; ShapedType::kDynamic in at most one place. Nothing is added where
  /// `shape` is the one that it has, or had before another reshape.
  std::string addReshape(const std::string &input, ArrayRef<int64_t> from, ArrayRef<int64_t> shape, StringRef hint);
  std::string addConstant(ConstantTensor tensor, StringRef hint);
  std::string addIntegers(ArrayRef<int64_t> values, StringRef hint);
  std::string addScalar(float value, StringRef hint);

  /// The node that makes a tensor, or null.
  onnx::NodeProto *findProducer(StringRef name);
  /// Makes `output` the tensor `name`: by another name, or by a copy where it has one that must stay.
  void setOutput(StringRef output, const std::string &name);
  /// Says that a node needs that version of ONNX's operators.
  void require(int64_t opset) { version = std::max(version, opset); }

  /// Removes what no output needs, and gives the model away.
  std::unique_ptr<onnx::ModelProto> finish();

private:
  std::string makeUnique(StringRef hint, StringRef type);
  void removeUnused();

  std::unique_ptr<onnx::ModelProto> model;
  llvm::StringSet<> names;
  llvm::StringMap<int64_t> producers; ///< the index of the node that makes a tensor
  /// A reshaped tensor's source with its shape.
  llvm::StringMap<std::pair<std::string, SmallVector<int64_t>>> reshaped;
  llvm::StringMap<std::string> smallConstants; ///< by their contents
  llvm::StringMap<std::string> renamed;        ///< tensors that have become outputs
  int64_t version;
};

} // namespace mlir::halftone::exporter

#endif // HALFTONE_LIB_EXPORT_ONNX_GRAPH_H
