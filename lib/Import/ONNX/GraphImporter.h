//===- GraphImporter.h - from an ONNX graph to a module ---------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
#define HALFTONE_LIB_IMPORT_ONNX_GRAPHIMPORTER_H

#include "Node.h"
#include "Quantization.h"
#include "Reader.h"
#include "halftone/Import/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include <map>
#include <set>

namespace mlir::halftone::importer {

class GraphImporter {
public:
  GraphImporter(const ModelFile &file, MLIRContext *context, const ImportOptions &options)
      : file(file), graph(file.model.graph()), options(options), builder(context),
        loc(UnknownLoc::get(context)) {}

  /// Imports everything; null after an error. `operators` gets a row for every node.
  OwningOpRef<ModuleOp> run(std::vector<OnnxOperator> &operators);

  /// Reports the operators that are not supported, in one error.
  LogicalResult reportUnsupported(ArrayRef<OnnxOperator> operators) const;

private:
  LogicalResult checkOpset();
  LogicalResult checkDimNames();
  LogicalResult checkValueNames();
  LogicalResult selectOutputs();
  void readInitializers(const onnx::GraphProto &nodes);
  void collectLeading();
  LogicalResult reportMissing() const;
  void remarkOnes() const;
  LogicalResult setValue(const onnx::ValueInfoProto &input, Type element, ArrayRef<int64_t> shape, double value);
  void remarkPrecision(llvm::StringRef precision, llvm::function_ref<bool(int64_t)> hasPrecision);
  LogicalResult addInputs(func::FuncOp function);
  FailureOr<SmallVector<int64_t>> readInputShape(const onnx::ValueInfoProto &input, SmallVector<Attribute> &symbols);
  FailureOr<int64_t> readSymbol(StringRef input, StringRef symbol, int64_t axis, Attribute &dim);
  std::string importNode(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators);
  std::string refuse(const onnx::NodeProto &proto, const std::string &reason);
  std::optional<std::string> findUnknownInput(const onnx::NodeProto &proto) const;
  std::optional<std::string> importFused(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators);
  std::string importExpanded(const onnx::NodeProto &proto, ArrayRef<onnx::NodeProto> nodes, std::vector<OnnxOperator> &operators);
  /// The call of a function of the model: why it is not supported, or ""; nothing if the node is none.
  std::optional<std::string> importCall(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators);
  std::string importBranch(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators);
  std::optional<SmallVector<Tensor>> importIteration(const onnx::GraphProto &body, ArrayRef<Tensor> inputs, std::vector<OnnxOperator> &operators,
                                                     std::string &reason);
  std::string importScan(const onnx::NodeProto &proto, Node &node, std::vector<OnnxOperator> &operators);
  std::string importLoop(const onnx::NodeProto &proto, Node &node, std::vector<OnnxOperator> &operators);
  std::string describePart() const;
  bool importNodes(const onnx::GraphProto &nodes, std::vector<OnnxOperator> &operators);
  LogicalResult addOutputs(func::FuncOp function);

  const ModelFile &file;
  const onnx::GraphProto &graph;
  const ImportOptions &options;
  OpBuilder builder;
  Location loc;
  int64_t opset = 0;
  TensorMap tensors;
  llvm::StringMap<std::string> unknown; ///< tensors without a value; the reason, or "" after an unsupported node
  CastNames casts;                      ///< of what QuantizeLinear made
  SmallVector<std::string> outputs;     ///< the model's, or those of the options
  std::optional<llvm::StringSet<>> reached; ///< tensors that outputs of the options need
  std::set<std::string> frontier;           ///< what a run computes in front of unsupported nodes
  std::set<const onnx::FunctionProto *> called; ///< functions of the model that are being written out
  std::string dynamicSymbol;            ///< the dimension that is dynamic, by its first name; empty if none is
  DimRange dynamicRange;
  std::set<std::string> leadingOnes;    ///< dimensions that lead somewhere and have no size given
  llvm::MapVector<std::string, std::vector<std::string>, std::map<std::string, unsigned>> setToOne; ///< leading dimensions without a size, with their inputs
  std::vector<std::pair<std::string, std::string>> missing; ///< inputs, and their dimensions that need a size
  std::map<std::string, int64_t> domains;                   ///< opsets by domain
};

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
