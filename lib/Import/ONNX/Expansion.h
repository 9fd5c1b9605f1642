//===- Expansion.h - ONNX nodes that stand for one --------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_EXPANSION_H
#define HALFTONE_LIB_IMPORT_ONNX_EXPANSION_H

#include "Node.h"
#include <onnx/onnx_pb.h>

namespace mlir::halftone::importer {

/// The domain of the operators that onnxruntime's tools write.
inline constexpr StringLiteral kMicrosoft = "com.microsoft";

/// The domain of ONNX's operators for classical machine learning.
inline constexpr StringLiteral kClassical = "ai.onnx.ml";

/// The opset by whose definitions fused operators are written out.
inline constexpr int64_t kFusedOpset = 22;

onnx::AttributeProto makeInt(StringRef name, int64_t value);
onnx::AttributeProto makeInts(StringRef name, ArrayRef<int64_t> values);
onnx::AttributeProto makeFloat(StringRef name, float value);
onnx::AttributeProto makeString(StringRef name, StringRef value);

/// The nodes that stand for one, under its name.
class Expansion {
public:
  Expansion(const onnx::NodeProto &original, TensorMap &tensors) : original(original), tensors(tensors) {}

  /// A node for one that there is already.
  onnx::NodeProto &add(StringRef type, ArrayRef<std::string> inputs, const std::string &output, ArrayRef<onnx::AttributeProto> attributes = {});
  /// The same with a new name for the output, which is returned.
  std::string apply(StringRef type, ArrayRef<std::string> inputs, ArrayRef<onnx::AttributeProto> attributes = {});
  /// The name of a new constant.
  std::string constant(HostTensor tensor);
  std::string number(MLIRContext *context, float value);
  std::string integers(MLIRContext *context, ArrayRef<int64_t> values);

  /// The name of what `name` stands for; itself if it is absent.
  std::string dequantize(const std::string &name, const std::string &scale, const std::string &zero, int axis);
  void quantize(const std::string &name, const std::string &scale, const std::string &zero, const std::string &output);
  /// The i32 bias of operands with these scales, whose product is multiplied by `factor`, in floats.
  std::string dequantizeBias(const std::string &bias, const std::string &a, const std::string &b, float factor);
  /// The product of codes in floats, an exact one of integers times both scales, plus the bias if there is one.
  struct Codes {
    std::string codes, scale, zero;
  };
  void multiplyCodes(const Codes &a, const Codes &b, const std::string &bias, const std::string &output);

  /// A name that no tensor of the model has.
  std::string fresh(StringRef what) { return original.output(0) + "\x01" + what.str() + std::to_string(count++); }
  /// The input, or "" beyond the list.
  std::string input(int i) const { return i < original.input_size() ? original.input(i) : ""; }
  /// The output, or "" beyond the list.
  std::string output(int i) const { return i < original.output_size() ? original.output(i) : ""; }
  void copyAttributes(onnx::NodeProto &node, ArrayRef<StringRef> except = {}) const;

  std::vector<onnx::NodeProto> nodes;
  std::string part; ///< of the original: behind its name in that of nodes, so that contractions can be told apart

private:
  const onnx::NodeProto &original;
  TensorMap &tensors;
  unsigned count = 0;
};

/// Whether the node does the work of several operators of ONNX: those that onnxruntime's optimizations write (domain com.microsoft, and
/// normalizations in ONNX's own), attention, rotary embeddings and gates of later opsets, and what pipelines of scikit-learn have around a network.
bool isFused(const onnx::NodeProto &proto, int64_t opset);

/// Writes such a node, whose inputs are known, as these operators, by their definitions of `kFusedOpset`; or the node gets the reason why not.
void expandFused(Node &node, const onnx::NodeProto &proto, Expansion &expansion);

/// One fused operator.
using Expander = LogicalResult (*)(Node &node, Expansion &expansion);

// Attention.cpp
LogicalResult expandAttention(Node &node, Expansion &expansion);
LogicalResult expandPackedAttention(Node &node, Expansion &expansion);
LogicalResult expandMultiHeadAttention(Node &node, Expansion &expansion);

// GroupQueryAttention.cpp
LogicalResult expandGroupQueryAttention(Node &node, Expansion &expansion);

// RotaryEmbedding.cpp
LogicalResult expandRotaryEmbedding(Node &node, Expansion &expansion);

// FusedOperators.cpp
/// x / sqrt(mean(x^2) + epsilon) * scale, the mean over the axes.
void addRmsNormalization(Expansion &expansion, MLIRContext *context, const std::string &x, const std::string &axes, float epsilon, const std::string &scale,
                         const std::string &output);

// BlockWeights.cpp
LogicalResult expandMatMulNBits(Node &node, Expansion &expansion);
LogicalResult expandGatherBlockQuantized(Node &node, Expansion &expansion);

// Classical.cpp
LogicalResult expandScaler(Node &node, Expansion &expansion);
LogicalResult expandNormalizer(Node &node, Expansion &expansion);
LogicalResult expandArrayFeatureExtractor(Node &node, Expansion &expansion);
LogicalResult expandLinearRegressor(Node &node, Expansion &expansion);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_EXPANSION_H
