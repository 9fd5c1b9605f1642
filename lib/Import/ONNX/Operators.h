//===- Operators.h - the handlers of the registry ---------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_OPERATORS_H
#define HALFTONE_LIB_IMPORT_ONNX_OPERATORS_H

#include "Node.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::halftone::importer {

/// The type for a TensorProto.DataType; null for one that is not supported (ui8 is uint8).
Type elementType(MLIRContext *context, int64_t onnxType);

/// Whether a TensorProto.DataType is f16 or bf16: such numbers are f32 from the reader on.
bool isHalfPrecision(int64_t onnxType);

/// The type in which a run computes elements of the type: f32 for f64, which only what is known on the host is computed in.
Type runtimeType(Type element);

/// The types of `elementType`, and those that only codes have: integers of 4 and 16 bits.
Type storedType(MLIRContext *context, int64_t onnxType);

namespace onnx_operators {

// Elementwise.cpp
LogicalResult buildArithmetic(Node &node);
LogicalResult buildMod(Node &node);
LogicalResult buildPow(Node &node);
LogicalResult buildUnaryArithmetic(Node &node);
LogicalResult buildClip(Node &node);
LogicalResult buildSigmoid(Node &node);
LogicalResult buildTanh(Node &node);
LogicalResult buildExp(Node &node);
LogicalResult buildSqrt(Node &node);
LogicalResult buildGelu(Node &node);
LogicalResult buildHardSwish(Node &node);
LogicalResult buildHardSigmoid(Node &node);
LogicalResult buildLeakyRelu(Node &node);
LogicalResult buildBitCast(Node &node);
LogicalResult buildCast(Node &node);

// Functions.cpp
LogicalResult buildFunction(Node &node);
LogicalResult buildPRelu(Node &node);
LogicalResult buildShrink(Node &node);

// Logic.cpp
LogicalResult buildComparison(Node &node);
LogicalResult buildIsSpecial(Node &node);
LogicalResult buildLogic(Node &node);
LogicalResult buildTrilu(Node &node);
LogicalResult buildEyeLike(Node &node);
LogicalResult buildWhere(Node &node);

// Col2Im.cpp
LogicalResult buildCol2Im(Node &node);

// Convolution.cpp
LogicalResult buildConv(Node &node);
LogicalResult buildConvInteger(Node &node);

// ConvTranspose.cpp
LogicalResult buildConvTranspose(Node &node);

// MatrixProduct.cpp
LogicalResult buildGemm(Node &node);
LogicalResult buildMatMul(Node &node);
LogicalResult buildMatMulInteger(Node &node);

// Einsum.cpp
LogicalResult buildEinsum(Node &node);

// Fourier.cpp
LogicalResult buildDFT(Node &node);
LogicalResult buildSTFT(Node &node);
std::optional<HostTensor> evaluateWindow(Node &node);

// GridSample.cpp
LogicalResult buildGridSample(Node &node);

// Indices.cpp
LogicalResult buildGatherElements(Node &node);
LogicalResult buildGatherND(Node &node);
LogicalResult buildOneHot(Node &node);
LogicalResult buildScatterND(Node &node);
std::optional<HostTensor> evaluateScatterND(Node &node);

// Recurrent.cpp
LogicalResult buildRecurrent(Node &node);

// Scatter.cpp
LogicalResult buildReverseSequence(Node &node);
LogicalResult buildScatterElements(Node &node);
std::optional<HostTensor> evaluateScatterElements(Node &node);

// TopK.cpp
LogicalResult buildTopK(Node &node);

// Pooling.cpp
LogicalResult buildMaxPool(Node &node);
LogicalResult buildAveragePool(Node &node);
LogicalResult buildGlobalAveragePool(Node &node);
LogicalResult buildGlobalMaxPool(Node &node);
LogicalResult buildLpPool(Node &node);
LogicalResult buildGlobalLpPool(Node &node);

// Quantization.cpp
LogicalResult buildDequantizeLinear(Node &node);
LogicalResult buildDynamicQuantizeLinear(Node &node);
LogicalResult buildQuantizeLinear(Node &node);
std::optional<HostTensor> evaluateDequantizeLinear(Node &node);
std::optional<HostTensor> evaluateQuantizeLinear(Node &node);

// Reduction.cpp
LogicalResult buildReduce(Node &node);
LogicalResult buildArgument(Node &node);
LogicalResult buildHardmax(Node &node);
LogicalResult buildCumulative(Node &node);

// Normalization.cpp
LogicalResult buildBatchNormalization(Node &node);
LogicalResult buildLayerNormalization(Node &node);
LogicalResult buildGroupNormalization(Node &node);
LogicalResult buildLpNormalization(Node &node);
LogicalResult buildLRN(Node &node);
LogicalResult buildMeanVarianceNormalization(Node &node);
LogicalResult buildSoftmax(Node &node);

// Shape.cpp
LogicalResult buildReshape(Node &node);
LogicalResult buildShape(Node &node);
LogicalResult buildSize(Node &node);
LogicalResult buildIdentity(Node &node);
LogicalResult buildDropout(Node &node);

// Movement.cpp
LogicalResult buildTranspose(Node &node);
LogicalResult buildDepthToSpace(Node &node);
LogicalResult buildSpaceToDepth(Node &node);
LogicalResult buildConcat(Node &node);
LogicalResult buildSlice(Node &node);
LogicalResult buildSplit(Node &node);
LogicalResult buildGather(Node &node);
LogicalResult buildPad(Node &node);
LogicalResult buildExpand(Node &node);
LogicalResult buildConstantOfShape(Node &node);
LogicalResult buildTile(Node &node);
LogicalResult buildResize(Node &node);

// Evaluation.cpp: on constant inputs
LogicalResult buildConstant(Node &node);
std::optional<HostTensor> evaluateBinary(Node &node);
std::optional<HostTensor> evaluateUnary(Node &node);
std::optional<HostTensor> evaluatePow(Node &node);
std::optional<HostTensor> evaluateCast(Node &node);
std::optional<HostTensor> evaluateReshape(Node &node);
std::optional<HostTensor> evaluateTranspose(Node &node);
std::optional<HostTensor> evaluateConcat(Node &node);
std::optional<HostTensor> evaluateSlice(Node &node);
std::optional<HostTensor> evaluateGather(Node &node);
std::optional<HostTensor> evaluateGatherElements(Node &node);
std::optional<HostTensor> evaluateExpand(Node &node);
/// The value of ConstantOfShape, of one element; nothing if it is something else.
std::optional<HostTensor> readFilling(Node &node);
std::optional<HostTensor> evaluateConstantOfShape(Node &node);
std::optional<HostTensor> evaluateRange(Node &node);
std::optional<HostTensor> evaluateNonZero(Node &node);
std::optional<HostTensor> evaluateWhere(Node &node);
std::optional<HostTensor> evaluateReduce(Node &node);

} // namespace onnx_operators
} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_OPERATORS_H
