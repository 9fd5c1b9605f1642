//===- QuantizedOperators.cpp - operators on codes as casts around float ones -===//
//
// What ONNX defines as an operator on codes with scales as inputs (QLinearConv, QLinearMatMul, and com.microsoft's QLinear*) is
// the same as DequantizeLinear of its operands, the float operator, and QuantizeLinear of its result: one sandwich of the
// quantized form. A constant operand of a sum or product stays codes: the operator is defined on codes and ratios of scales (rule A11), and
// in floats what lies half-way between two codes, such as every second result of erf(x) + 1, would be rounded otherwise.
// Movement and maxima of codes that a QuantizeLinear made are those of the numbers that the codes stand for.
//
//===----------------------------------------------------------------------===//
#include "Expansion.h"
#include "Quantization.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// The rows
//===----------------------------------------------------------------------===//

namespace {
/// Where an operand with scale and zero point stands among the inputs, and along which axis its scales may differ.
struct Triple {
  int first;
  int axis = 1;
};

/// One operator on codes.
struct QuantizedOperator {
  StringLiteral domain, type, floatType;
  SmallVector<Triple, 3> operands; ///< in the order of the float operator's inputs
  int result;                      ///< where the result's scale stands
  int bias = -1;                   ///< where an i32 bias stands, whose scale is the product of the operands' and of alpha
  int plain = -1;                  ///< an input that the float operator reads first, as it is
};
} // namespace

static ArrayRef<QuantizedOperator> quantizedOperators() {
  static const QuantizedOperator rows[] = {
      {"", "QLinearConv", "Conv", {{0}, {3, 0}}, 6, 8},
      {"", "QLinearMatMul", "MatMul", {{0, -2}, {3, -1}}, 6},
      {kMicrosoft, "QGemm", "Gemm", {{0}, {3, -1}}, 7, 6},
      {kMicrosoft, "QLinearAdd", "Add", {{0}, {3}}, 6},
      {kMicrosoft, "QLinearAveragePool", "AveragePool", {{0}}, 3},
      {kMicrosoft, "QLinearConv", "Conv", {{0}, {3, 0}}, 6, 8},
      {kMicrosoft, "QLinearGlobalAveragePool", "GlobalAveragePool", {{0}}, 3},
      {kMicrosoft, "QLinearLeakyRelu", "LeakyRelu", {{0}}, 3},
      {kMicrosoft, "QLinearMul", "Mul", {{0}, {3}}, 6},
      {kMicrosoft, "QLinearReduceMean", "ReduceMean", {{0}}, 3},
      {kMicrosoft, "QLinearSigmoid", "Sigmoid", {{0}}, 3},
      {kMicrosoft, "QLinearSoftmax", "Softmax", {{0}}, 3},
      {kMicrosoft, "QLinearWhere", "Where", {{1}, {4}}, 7, -1, 0},
  };
  return rows;
}

//===----------------------------------------------------------------------===//
// Operators with scales
//===----------------------------------------------------------------------===//

static bool isConstant(const TensorMap &tensors, const std::string &name) {
  auto found = tensors.find(name);
  return found != tensors.end() && found->second.constant && found->second.constant->count() > 0;
}

static const onnx::AttributeProto *findAttribute(const onnx::NodeProto &proto, StringRef name) {
  auto found = llvm::find_if(proto.attribute(), [&](const onnx::AttributeProto &attribute) { return attribute.name() == name; });
  return found == proto.attribute().end() ? nullptr : &*found;
}

static bool isSet(const onnx::NodeProto &proto, StringRef name) {
  const onnx::AttributeProto *attribute = findAttribute(proto, name);
  return attribute && attribute->i();
}

/// The axis of an operand's scales: a transposed factor of Gemm has its columns first.
static int findAxis(const onnx::NodeProto &proto, const Triple &operand) { return operand.axis == -1 && isSet(proto, "transB") ? 0 : operand.axis; }

/// What Gemm multiplies the product by; QGemm's bias is in steps of the multiplied product.
static float findAlpha(const onnx::NodeProto &proto) {
  const onnx::AttributeProto *alpha = findAttribute(proto, "alpha");
  return alpha ? alpha->f() : 1;
}

/// Permutations from channels that are last to channels behind the batch, and back, of an input's rank; empty if it is not known.
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>> findMoves(const TensorMap &tensors, const std::string &name) {
  auto found = tensors.find(name);
  const int64_t rank = found == tensors.end() ? 0 : found->second.rank();
  if (rank < 3)
    return {};
  SmallVector<int64_t> first = llvm::to_vector(llvm::seq<int64_t>(rank)), last = first;
  std::rotate(first.begin() + 1, first.end() - 1, first.end());
  std::rotate(last.begin() + 1, last.begin() + 2, last.end());
  return {first, last};
}

static std::vector<onnx::NodeProto> expandOperator(const onnx::NodeProto &proto, const QuantizedOperator &row, TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  const bool channelsLast = isSet(proto, "channels_last");
  const auto [toFirst, toLast] = channelsLast ? findMoves(tensors, proto.input(0)) : std::pair<SmallVector<int64_t>, SmallVector<int64_t>>();
  if (channelsLast && toFirst.empty())
    return {};
  SmallVector<std::string> inputs;
  if (row.plain >= 0)
    inputs.push_back(expansion.input(row.plain));
  bool keepsCodes = row.floatType == "Add" || row.floatType == "Mul";
  for (const Triple &operand : row.operands) {
    inputs.push_back(expansion.dequantize(expansion.input(operand.first), expansion.input(operand.first + 1),
                                          expansion.input(operand.first + 2), findAxis(proto, operand)));
    if (keepsCodes)
      *expansion.nodes.back().add_attribute() = makeInt(kKeepCodes, 1);
  }
  if (channelsLast)
    inputs.front() = expansion.apply("Transpose", inputs.front(), makeInts("perm", toFirst));
  std::string bias = row.bias < 0 ? "" : expansion.input(row.bias);
  if (!bias.empty()) {
    std::string a = expansion.input(row.operands[0].first + 1), b = expansion.input(row.operands[1].first + 1);
    if (!isConstant(tensors, a) || !isConstant(tensors, b))
      return {};
    inputs.push_back(expansion.dequantizeBias(bias, a, b, findAlpha(proto)));
  }
  std::string scale = expansion.input(row.result), real = scale.empty() ? proto.output(0) : expansion.fresh("result");
  std::string result = channelsLast ? expansion.fresh("moved") : real;
  expansion.copyAttributes(expansion.add(row.floatType, inputs, result), {"channels_last", "opset"});
  if (channelsLast)
    expansion.add("Transpose", result, real, makeInts("perm", toLast));
  if (!scale.empty())
    expansion.quantize(real, scale, expansion.input(row.result + 1), proto.output(0));
  return std::move(expansion.nodes);
}

/// com.microsoft.NhwcMaxPool: of codes whose channels are last.
static std::vector<onnx::NodeProto> expandMaxPool(const onnx::NodeProto &proto, TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  const auto [toFirst, toLast] = findMoves(tensors, expansion.input(0));
  if (toFirst.empty())
    return {};
  std::string pool = expansion.apply("MaxPool", expansion.apply("Transpose", expansion.input(0), makeInts("perm", toFirst)));
  expansion.copyAttributes(expansion.nodes.back());
  expansion.add("Transpose", pool, proto.output(0), makeInts("perm", toLast));
  return std::move(expansion.nodes);
}

/// com.microsoft.QLinearConcat: scale and zero point of the result, then three inputs for each operand.
static std::vector<onnx::NodeProto> expandConcat(const onnx::NodeProto &proto, TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  SmallVector<std::string> inputs;
  for (int i = 2; i + 2 < proto.input_size(); i += 3)
    inputs.push_back(expansion.dequantize(proto.input(i), proto.input(i + 1), proto.input(i + 2), 1));
  std::string real = expansion.fresh("result");
  expansion.copyAttributes(expansion.add("Concat", inputs, real));
  expansion.quantize(real, expansion.input(0), expansion.input(1), proto.output(0));
  return std::move(expansion.nodes);
}

//===----------------------------------------------------------------------===//
// Operators with an integer product
//===----------------------------------------------------------------------===//

/// com.microsoft.MatMulIntegerToFloat (A, B, A's scale, B's scale, zero points, bias) and DynamicQuantizeMatMul (A in floats, B, its
/// scale, its zero point, bias): an integer product, converted, times both scales, plus the bias.
static std::vector<onnx::NodeProto> expandProduct(const onnx::NodeProto &proto, TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  bool dynamic = proto.op_type() == "DynamicQuantizeMatMul";
  std::string a = expansion.input(0), aScale = expansion.input(2), aZero = expansion.input(4), bScale = expansion.input(3),
              bZero = expansion.input(5), bias = expansion.input(6);
  if (dynamic) {
    a = expansion.fresh("codes"), aScale = expansion.fresh("scale"), aZero = expansion.fresh("zero");
    onnx::NodeProto &node = expansion.add("DynamicQuantizeLinear", {expansion.input(0)}, a);
    node.add_output(aScale);
    node.add_output(aZero);
    bScale = expansion.input(2), bZero = expansion.input(3), bias = expansion.input(4);
  }
  expansion.multiplyCodes({a, aScale, aZero}, {expansion.input(1), bScale, bZero}, bias, proto.output(0));
  return std::move(expansion.nodes);
}

//===----------------------------------------------------------------------===//
// A recurrent network
//===----------------------------------------------------------------------===//

/// Weights of com.microsoft.DynamicQuantizeLSTM, directions x columns x rows of codes, as LSTM has them: directions x rows x columns of f32.
/// Scale and zero point are one for each direction, or for each of its rows; nothing if they fit in neither way.
static std::optional<HostTensor> dequantizeRecurrent(const HostTensor &codes, const HostTensor &scale, const HostTensor &zero) {
  if (codes.shape.size() != 3 || codes.count() == 0)
    return std::nullopt;
  const int64_t directions = codes.shape[0], perDirection = codes.count() / directions, rows = codes.shape[2];
  const bool byRow = scale.count() == directions * rows;
  if ((!byRow && scale.count() != directions) || zero.count() != scale.count())
    return std::nullopt;
  std::vector<double> values = codes.numbers(), scales = scale.numbers(), zeros = zero.numbers();
  double least = 0, greatest = 0;
  HostScales ofRows{std::vector<float>(directions * rows), /*axis=*/1, /*dynamic=*/true, {}};
  for (auto [i, value] : llvm::enumerate(values)) {
    const int64_t direction = i / perDirection, row = direction * rows + i % rows, at = byRow ? row : direction;
    value -= zeros[at];
    least = std::min(least, value);
    greatest = std::max(greatest, value);
    value *= scales[at];
    ofRows.scales[row] = scales[at];
  }
  HostTensor real = HostTensor::fromNumbers(scale.element, codes.shape, values).transposed({0, 2, 1});
  real.scales = describeScales(std::move(ofRows), least, greatest);
  return real;
}

/// com.microsoft.DynamicQuantizeLSTM: an LSTM whose weights are codes, with scales and zero points behind LSTM's own inputs. It rounds what its
/// products read, too, by ranges that it finds when it runs: of a whole tensor, where Halftone finds one for each row.
static std::vector<onnx::NodeProto> expandRecurrent(const onnx::NodeProto &proto, TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  SmallVector<std::string> inputs;
  for (int i = 0; i < 8; ++i)
    inputs.push_back(expansion.input(i));
  for (int weights : {1, 2}) {
    const std::string codes = inputs[weights], scale = expansion.input(6 + 2 * weights), zero = expansion.input(7 + 2 * weights);
    if (!isConstant(tensors, codes) || !isConstant(tensors, scale) || !isConstant(tensors, zero))
      return {};
    auto real = dequantizeRecurrent(*tensors[codes].constant, *tensors[scale].constant, *tensors[zero].constant);
    if (!real)
      return {};
    real->name = codes;
    inputs[weights] = expansion.constant(std::move(*real));
  }
  onnx::NodeProto &node = expansion.add("LSTM", inputs, proto.output(0));
  for (int i = 1; i < proto.output_size(); ++i)
    node.add_output(proto.output(i));
  expansion.copyAttributes(node);
  return std::move(expansion.nodes);
}

//===----------------------------------------------------------------------===//
// Operators that pass codes on
//===----------------------------------------------------------------------===//

/// Whether the operator gives values of its first input (of all, for Concat) without computing.
static bool passesOn(StringRef type) {
  return llvm::StringSwitch<bool>(type)
      .Cases({"Concat", "DepthToSpace", "Expand", "Flatten", "Identity", "MaxPool", "Reshape"}, true)
      .Cases({"Resize", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"}, true)
      .Default(false);
}

/// The scale and zero point that all codes of the node have; null if it reads others.
static const std::pair<std::string, std::string> *findCommonCast(const onnx::NodeProto &proto, const CastNames &casts) {
  const std::pair<std::string, std::string> *common = nullptr;
  int count = proto.op_type() == "Concat" ? proto.input_size() : 1;
  for (int i = 0; i < count && i < proto.input_size(); ++i) {
    auto found = casts.find(proto.input(i));
    if (found == casts.end() || (common && *common != found->second))
      return nullptr;
    common = &found->second;
  }
  return common;
}

static std::vector<onnx::NodeProto> expandPassing(const onnx::NodeProto &proto, const std::pair<std::string, std::string> &cast,
                                                  TensorMap &tensors) {
  Expansion expansion(proto, tensors);
  SmallVector<std::string> inputs(proto.input().begin(), proto.input().end());
  int count = proto.op_type() == "Concat" ? proto.input_size() : 1;
  for (int i = 0; i < count; ++i)
    inputs[i] = expansion.dequantize(inputs[i], cast.first, cast.second, 1);
  SmallVector<std::string> reals;
  for (const std::string &output : proto.output())
    reals.push_back(output.empty() ? "" : expansion.fresh("result"));
  onnx::NodeProto &node = expansion.add(proto.op_type(), inputs, reals.front());
  for (const std::string &real : ArrayRef(reals).drop_front())
    node.add_output(real);
  expansion.copyAttributes(node);
  for (auto [i, real] : llvm::enumerate(reals))
    if (!real.empty())
      expansion.quantize(real, cast.first, cast.second, proto.output(i));
  return std::move(expansion.nodes);
}

std::vector<onnx::NodeProto> importer::expandQuantized(const onnx::NodeProto &proto, const CastNames &casts, TensorMap &tensors) {
  StringRef domain = proto.domain() == "ai.onnx" ? "" : StringRef(proto.domain()), type = proto.op_type();
  if (proto.output_size() == 0)
    return {};
  if (domain == kMicrosoft && type == "NhwcMaxPool")
    return expandMaxPool(proto, tensors);
  if (domain == kMicrosoft && type == "QLinearConcat")
    return expandConcat(proto, tensors);
  if (domain == kMicrosoft && (type == "MatMulIntegerToFloat" || type == "DynamicQuantizeMatMul"))
    return expandProduct(proto, tensors);
  if (domain == kMicrosoft && type == "DynamicQuantizeLSTM")
    return expandRecurrent(proto, tensors);
  for (const QuantizedOperator &row : quantizedOperators())
    if (row.domain == domain && row.type == type)
      return expandOperator(proto, row, tensors);
  if (domain == kMicrosoft && (type == "QuantizeLinear" || type == "DequantizeLinear")) {
    onnx::NodeProto node = proto;
    node.clear_domain();
    return {node};
  }
  const std::pair<std::string, std::string> *common = domain.empty() && passesOn(type) ? findCommonCast(proto, casts) : nullptr;
  return common ? expandPassing(proto, *common, tensors) : std::vector<onnx::NodeProto>();
}
