//===- Quantization.h - quantized tensors while they are imported -----------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_QUANTIZATION_H
#define HALFTONE_LIB_IMPORT_ONNX_QUANTIZATION_H

#include "Node.h"
#include <onnx/onnx_pb.h>

namespace mlir::halftone::importer {

/// Set on a DequantizeLinear of a constant that is to stay codes, because what reads it is defined on codes.
inline constexpr StringLiteral kKeepCodes = "halftone.keep_codes";

/// Says on a contraction which scales its weights have in the source, or why they have none that it could use; nothing if
/// the source does not quantize them. `axis` is the dimension of the weights that is output channels.
void tagWeights(Value contraction, const Tensor &weights, int64_t axis);

/// Says on a gather of rows which scales its table has in the source, one or one for each row; nothing if the source has no codes for it.
void tagTable(Value gather, const Tensor &table);

/// Scales of codes, which without their zero points lie from `least` to `greatest`; says why they are none of bytes, if so.
std::shared_ptr<const HostScales> describeScales(HostScales scales, int64_t least, int64_t greatest);

/// The scales of integers that Cast makes floats.
std::shared_ptr<const HostScales> scalesOfIntegers();

/// The scales of `x` multiplied or divided by the constant `factor`, or shifted by it as by a zero point; null if they were written by no Cast, or differ along
/// several axes. Both tensors have the shape of `x` in the end.
std::shared_ptr<const HostScales> moveWrittenScales(StringRef type, const HostTensor &x, const HostTensor &factor);

/// The code of `x` in the element type, stored as that is: saturate(roundeven(x / scale) + zero); `zero` may be null.
Value emitQuantize(OpBuilder &b, Location l, Type element, Value x, Value scale, Value zero);

/// The integer scalar in i32.
Value emitWide(OpBuilder &b, Location l, Type element, Value x);

/// Constant weights as signed bytes, and what is still to be subtracted from them: one number, or one for each index of an axis; none if they are
/// the weights.
struct SignedWeights {
  HostTensor bytes;
  std::vector<int64_t> zeros;
};

/// Input 1 and its zero point, input `zero`; nothing if one of them is not constant. Several zero points differ along dimension `axis`.
std::optional<SignedWeights> readSignedWeights(Node &node, unsigned zero, int64_t axis);

/// Exact sums of (a - za)(w - zw) in i32, given what their parts are: `product` is the sum of a w, a and w signed bytes, `weightSums` the sums of w;
/// `inputSums` those of a over `count` elements, which are read if the weights have `zeros`, a tensor that broadcasts to the product as all of these do.
struct IntegerProduct {
  Value product;
  HostTensor weightSums;
  std::optional<HostTensor> zeros;
  Value inputSums;
  int64_t count;
};

/// `zero`, za in the element type of the model's input, may be missing. Null after `node.unsupported`.
Value subtractZeros(Node &node, IntegerProduct parts, Type input, const std::optional<Tensor> &zero);

/// The integers without their zero points, which broadcast to them, in i32; null after `node.unsupported`.
Value subtractZero(Node &node, const Tensor &x, const std::optional<Tensor> &zero);

/// The tensor of 8-bit codes as signed ones: those of ui8 are 128 lower.
Value toSigned(Node &node, const Tensor &codes);

/// The names of the scale and the zero point by the name of the tensor that QuantizeLinear made with them.
using CastNames = llvm::StringMap<std::pair<std::string, std::string>>;

/// The ONNX nodes in whose place `proto` stands: operators on codes (QLinearConv, com.microsoft.QLinearAdd, MaxPool of
/// codes, ...) are DequantizeLinear, the float operator, QuantizeLinear. Empty if it stands for itself. Scales that the
/// expansion needs are added to `tensors`.
std::vector<onnx::NodeProto> expandQuantized(const onnx::NodeProto &proto, const CastNames &casts, TensorMap &tensors);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_QUANTIZATION_H
