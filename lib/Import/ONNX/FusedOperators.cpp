//===- FusedOperators.cpp - operators that do the work of several ------------===//
//
// What onnxruntime's optimizations write (domain com.microsoft, and layer normalizations in ONNX's own domain, whatever its opset) and
// what later opsets define as functions of other operators is written out again as these: layers are fused by Halftone's own passes, for the
// precision that each has.
//
//===----------------------------------------------------------------------===//
#include "Expansion.h"
#include "Operators.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// Contractions with an activation
//===----------------------------------------------------------------------===//

namespace {
/// An activation by its name, with the attributes that its parameters are, in their order.
struct Activation {
  StringLiteral type;
  SmallVector<StringLiteral, 2> attributes;
};
} // namespace

static const Activation *findActivation(StringRef type) {
  static const Activation rows[] = {{"HardSigmoid", {"alpha", "beta"}}, {"HardSwish", {}}, {"LeakyRelu", {"alpha"}},
                                    {"Relu", {}},                       {"Sigmoid", {}},   {"Tanh", {}}};
  auto found = llvm::find_if(rows, [&](const Activation &row) { return row.type == type; });
  return found == std::end(rows) ? nullptr : found;
}

static LogicalResult addActivation(Node &node, Expansion &expansion, StringRef type, ArrayRef<float> parameters, const std::string &x) {
  MLIRContext *context = node.builder.getContext();
  if (type.empty()) {
    expansion.add("Identity", x, expansion.output(0));
    return success();
  }
  if (type == "Clip" && parameters.size() == 2) {
    expansion.add("Clip", {x, expansion.number(context, parameters[0]), expansion.number(context, parameters[1])}, expansion.output(0));
    return success();
  }
  const Activation *row = findActivation(type);
  if (!row || (!parameters.empty() && parameters.size() < row->attributes.size()))
    return node.unsupported("activation '" + type + "' with " + Twine(parameters.size()) + " parameters");
  onnx::NodeProto &result = expansion.add(type, x, expansion.output(0));
  for (auto [name, value] : llvm::zip(row->attributes, parameters)) // none: the operator's own defaults
    *result.add_attribute() = makeFloat(name, value);
  return success();
}

/// X, W, bias, and what is added in front of the activation.
static LogicalResult expandFusedConv(Node &node, Expansion &expansion) {
  const std::string activation = node.getString("activation", "");
  SmallVector<float> parameters;
  if (const onnx::AttributeProto *attribute = node.getAttribute("activation_params"))
    parameters.assign(attribute->floats().begin(), attribute->floats().end());
  for (StringRef name : {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"})
    (void)node.getAttribute(name); // for Conv
  std::string x = expansion.apply("Conv", {expansion.input(0), expansion.input(1), expansion.input(2)});
  expansion.copyAttributes(expansion.nodes.back(), {"activation", "activation_params"});
  if (node.hasInput(3))
    x = expansion.apply("Add", {x, expansion.input(3)});
  return addActivation(node, expansion, activation, parameters, x);
}

static LogicalResult expandFusedGemm(Node &node, Expansion &expansion) {
  const std::string activation = node.getString("activation", "");
  SmallVector<float> parameters;
  for (StringRef name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (const onnx::AttributeProto *attribute = node.getAttribute(name))
      parameters.push_back(attribute->f());
  for (StringRef name : {"alpha", "beta", "transA", "transB"})
    (void)node.getAttribute(name); // for Gemm
  std::string x = expansion.apply("Gemm", {expansion.input(0), expansion.input(1), expansion.input(2)});
  expansion.copyAttributes(expansion.nodes.back(), {"activation", "activation_alpha", "activation_beta", "activation_gamma"});
  return addActivation(node, expansion, activation, parameters, x);
}

/// A factor of FusedMatMul as MatMul takes it; a vector has nothing to transpose.
static std::string transposeFactor(Node &node, Expansion &expansion, unsigned i, bool matrix, bool batch) {
  const int64_t rank = node.input(i).rank();
  if (rank < 2 || !(matrix || batch))
    return expansion.input(i);
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (batch) // the first dimension goes behind the others of the batch
    std::rotate(permutation.begin(), permutation.begin() + 1, permutation.end() - 1);
  if (matrix)
    std::swap(permutation[rank - 2], permutation[rank - 1]);
  return expansion.apply("Transpose", expansion.input(i), makeInts("perm", permutation));
}

/// alpha times the product of both factors, each transposed or not.
static LogicalResult expandFusedMatMul(Node &node, Expansion &expansion) {
  const float alpha = node.getFloat("alpha", 1);
  const bool transA = node.getInt("transA", 0), transB = node.getInt("transB", 0);
  const bool batchA = node.getInt("transBatchA", 0), batchB = node.getInt("transBatchB", 0);
  std::string a = transposeFactor(node, expansion, 0, transA, batchA), b = transposeFactor(node, expansion, 1, transB, batchB);
  if (alpha == 1) {
    expansion.add("MatMul", {a, b}, expansion.output(0));
    return success();
  }
  std::string product = expansion.apply("MatMul", {a, b});
  expansion.add("Mul", {product, expansion.number(node.builder.getContext(), alpha)}, expansion.output(0));
  return success();
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Gelu, BiasGelu and FastGelu, which approximates by the hyperbolic tangent; of an input plus a bias if there is one.
static LogicalResult expandGelu(Node &node, Expansion &expansion) {
  std::string x = expansion.input(0);
  if (node.hasInput(1))
    x = expansion.apply("Add", {x, expansion.input(1)});
  expansion.add("Gelu", x, expansion.output(0), makeString("approximate", node.type() == "FastGelu" ? "tanh" : "none"));
  return success();
}

/// QuickGelu, Swish and SwiGLU: x sigmoid(alpha x), times a second input if there is one.
static LogicalResult expandSwish(Node &node, Expansion &expansion) {
  const float alpha = node.getFloat("alpha", node.type() == "QuickGelu" ? 1.702f : 1.0f);
  std::string x = expansion.input(0), gate = x;
  if (alpha != 1)
    gate = expansion.apply("Mul", {x, expansion.number(node.builder.getContext(), alpha)});
  gate = expansion.apply("Sigmoid", gate);
  if (node.hasInput(1))
    x = expansion.apply("Mul", {x, gate}), gate = expansion.input(1);
  expansion.add("Mul", {x, gate}, expansion.output(0));
  return success();
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

void importer::addRmsNormalization(Expansion &expansion, MLIRContext *context, const std::string &x, const std::string &axes, float epsilon,
                                   const std::string &scale, const std::string &output) {
  std::string mean = expansion.apply("ReduceMean", {expansion.apply("Mul", {x, x}), axes}, makeInt("keepdims", 1));
  std::string root = expansion.apply("Sqrt", expansion.apply("Add", {mean, expansion.number(context, epsilon)}));
  std::string normalized = expansion.apply("Div", {x, root});
  expansion.add("Mul", {normalized, scale}, output);
}

/// The same over the dimensions from `axis` on, result 0.
static LogicalResult normalizeFrom(Node &node, Expansion &expansion, const std::string &x, int64_t rank, int64_t axis, float epsilon,
                                   const std::string &scale) {
  MLIRContext *context = node.builder.getContext();
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis >= rank)
    return node.unsupported("an axis outside the input's dimensions");
  std::string axes = expansion.integers(context, llvm::to_vector(llvm::seq<int64_t>(axis, rank)));
  addRmsNormalization(expansion, context, x, axes, epsilon, scale, expansion.output(0));
  return success();
}

static LogicalResult expandLayerNormalization(Node &node, Expansion &expansion) {
  for (StringRef name : {"axis", "epsilon", "stash_type"})
    (void)node.getAttribute(name); // for LayerNormalization of opset 17
  onnx::NodeProto &result = expansion.add("LayerNormalization", {expansion.input(0), expansion.input(1), expansion.input(2)}, expansion.output(0));
  for (int i : {1, 2})
    result.add_output(expansion.output(i));
  expansion.copyAttributes(result);
  return success();
}

/// SimplifiedLayerNormalization and RMSNormalization.
static LogicalResult expandRmsNormalization(Node &node, Expansion &expansion) {
  if (node.hasResult(1) || node.getInt("stash_type", 1) != 1)
    return node.unsupported("statistics as a result, or in another precision than f32");
  return normalizeFrom(node, expansion, expansion.input(0), node.input(0).rank(), node.getInt("axis", -1), node.getFloat("epsilon", 1e-5f),
                       expansion.input(1));
}

/// SkipLayerNormalization (input, skip, scale, shift, bias) and SkipSimplifiedLayerNormalization (input, skip, scale, bias): of the sum of input,
/// skip and bias, which is result 3.
static LogicalResult expandSkipNormalization(Node &node, Expansion &expansion) {
  const bool isSimplified = node.type() == "SkipSimplifiedLayerNormalization";
  const unsigned bias = isSimplified ? 3 : 4;
  const float epsilon = node.getFloat("epsilon", 1e-12f);
  if (node.hasResult(1) || node.hasResult(2))
    return node.unsupported("statistics as a result");
  std::string sum = expansion.input(0);
  SmallVector<std::string> terms = {expansion.input(1)};
  if (node.hasInput(bias))
    terms.push_back(expansion.input(bias));
  for (auto [i, term] : llvm::enumerate(terms)) {
    bool isLast = i + 1 == terms.size();
    std::string next = isLast && node.hasResult(3) ? expansion.output(3) : expansion.fresh("sum");
    sum = expansion.add("Add", {sum, term}, next).output(0);
  }
  if (isSimplified)
    return normalizeFrom(node, expansion, sum, node.input(0).rank(), -1, epsilon, expansion.input(2));
  expansion.add("LayerNormalization", {sum, expansion.input(2), expansion.input(3)}, expansion.output(0), makeFloat("epsilon", epsilon));
  return success();
}

/// The rows of words, positions and segments, added and normalized; result 1 counts the words of a mask, result 2 is the sum.
static LogicalResult expandEmbedding(Node &node, Expansion &expansion) {
  MLIRContext *context = node.builder.getContext();
  const float epsilon = node.getFloat("epsilon", 1e-12f);
  (void)node.getInt("mask_index_type", 0);
  const Tensor &words = node.input(0);
  if (words.rank() != 2 || ShapedType::isDynamic(words.shape[1]))
    return node.unsupported("words that are not a batch of sequences of a fixed length");
  std::string positions = expansion.input(8);
  if (!node.hasInput(8))
    positions = expansion.integers(context, llvm::to_vector(llvm::seq<int64_t>(words.shape[1])));
  auto rows = [&](unsigned table, const std::string &indices) {
    return expansion.apply("Gather", {expansion.input(table), indices}, makeInt("axis", 0));
  };
  std::string word = rows(2, expansion.input(0)), position = rows(3, positions);
  const bool hasSegments = node.hasInput(1) && node.hasInput(4);
  auto nameOfSum = [&](bool isLast) { return isLast && node.hasResult(2) ? expansion.output(2) : expansion.fresh("sum"); };
  std::string sum = expansion.add("Add", {word, position}, nameOfSum(!hasSegments)).output(0);
  if (hasSegments)
    sum = expansion.add("Add", {sum, rows(4, expansion.input(1))}, nameOfSum(true)).output(0);
  if (node.hasResult(1) && !node.hasInput(7))
    return node.unsupported("a count of words without a mask");
  if (node.hasResult(1))
    expansion.add("ReduceSum", {expansion.input(7), expansion.integers(context, 1)}, expansion.output(1), makeInt("keepdims", 0));
  expansion.add("LayerNormalization", {sum, expansion.input(5), expansion.input(6)}, expansion.output(0), makeFloat("epsilon", epsilon));
  return success();
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct FusedOperator {
  StringLiteral domain, type;
  unsigned inputs; ///< how many must be there
  Expander expand;
  int64_t before = std::numeric_limits<int64_t>::max(); ///< the opset that has a definition of its own
};
} // namespace

static constexpr FusedOperator kFusedOperators[] = {
    {"", "Attention", 3, expandAttention},
    {"", "LayerNormalization", 2, expandLayerNormalization, 17},
    {"", "RMSNormalization", 2, expandRmsNormalization},
    {"", "RotaryEmbedding", 3, expandRotaryEmbedding},
    {"", "SimplifiedLayerNormalization", 2, expandRmsNormalization},
    {"", "SwiGLU", 2, expandSwish},
    {"", "Swish", 1, expandSwish},
    {kClassical, "ArrayFeatureExtractor", 2, expandArrayFeatureExtractor},
    {kClassical, "LinearRegressor", 1, expandLinearRegressor},
    {kClassical, "Normalizer", 1, expandNormalizer},
    {kClassical, "Scaler", 1, expandScaler},
    {kMicrosoft, "Attention", 2, expandPackedAttention},
    {kMicrosoft, "BiasGelu", 2, expandGelu},
    {kMicrosoft, "EmbedLayerNormalization", 1, expandEmbedding},
    {kMicrosoft, "FastGelu", 1, expandGelu},
    {kMicrosoft, "FusedConv", 2, expandFusedConv},
    {kMicrosoft, "FusedGemm", 2, expandFusedGemm},
    {kMicrosoft, "FusedMatMul", 2, expandFusedMatMul},
    {kMicrosoft, "GatherBlockQuantized", 3, expandGatherBlockQuantized},
    {kMicrosoft, "Gelu", 1, expandGelu},
    {kMicrosoft, "GroupQueryAttention", 1, expandGroupQueryAttention},
    {kMicrosoft, "LayerNormalization", 2, expandLayerNormalization},
    {kMicrosoft, "MatMulNBits", 3, expandMatMulNBits},
    {kMicrosoft, "MultiHeadAttention", 3, expandMultiHeadAttention},
    {kMicrosoft, "QAttention", 5, expandPackedAttention},
    {kMicrosoft, "QuickGelu", 1, expandSwish},
    {kMicrosoft, "RotaryEmbedding", 4, expandRotaryEmbedding},
    {kMicrosoft, "SimplifiedLayerNormalization", 2, expandRmsNormalization},
    {kMicrosoft, "SkipLayerNormalization", 3, expandSkipNormalization},
    {kMicrosoft, "SkipSimplifiedLayerNormalization", 3, expandSkipNormalization},
    {kMicrosoft, "TransposeMatMul", 2, expandFusedMatMul},
};

static const FusedOperator *findFused(const onnx::NodeProto &proto, int64_t opset) {
  StringRef domain = proto.domain() == "ai.onnx" ? "" : StringRef(proto.domain());
  auto found = llvm::find_if(kFusedOperators, [&](const FusedOperator &row) {
    return row.domain == domain && row.type == proto.op_type() && opset < row.before;
  });
  return found == std::end(kFusedOperators) ? nullptr : found;
}

bool importer::isFused(const onnx::NodeProto &proto, int64_t opset) { return findFused(proto, opset); }

void importer::expandFused(Node &node, const onnx::NodeProto &proto, Expansion &expansion) {
  const FusedOperator &row = *findFused(proto, node.opset);
  for (unsigned i = 0; i < row.inputs; ++i)
    if (!node.hasInput(i))
      return (void)node.unsupported("input " + Twine(i) + " is absent");
  if (failed(row.expand(node, expansion)))
    return;
  if (std::string unread = node.unreadAttribute(); !unread.empty())
    (void)node.unsupported("attribute '" + unread + "'");
}
