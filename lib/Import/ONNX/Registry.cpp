//===- Registry.cpp - the operators that are imported -----------------------===//
//
// One table of ONNX's own domain: operator, first opset whose definition is followed, number of inputs that must be
// there, handler for values, evaluator for constants. An operator of an older opset than its row, or without a row, is reported as unsupported.
//
//===----------------------------------------------------------------------===//
#include "Operators.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;
using namespace mlir::halftone::importer::onnx_operators;

static constexpr Operator kOperators[] = {
    // Arithmetic
    {"Abs", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Add", 7, 2, buildArithmetic, evaluateBinary},
    {"Ceil", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Div", 7, 2, buildArithmetic, evaluateBinary},
    {"Erf", 9, 1, buildUnaryArithmetic},
    {"Exp", 6, 1, buildExp},
    {"Floor", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Max", 8, kAllInputs, buildArithmetic, evaluateBinary},
    {"Min", 8, kAllInputs, buildArithmetic, evaluateBinary},
    {"Mul", 7, 2, buildArithmetic, evaluateBinary},
    {"Neg", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Pow", 7, 2, buildPow},
    {"Sqrt", 6, 1, buildSqrt, evaluateUnary},
    {"Sub", 7, 2, buildArithmetic, evaluateBinary},
    {"Sum", 8, kAllInputs, buildArithmetic, evaluateBinary},
    // Activations
    {"Clip", 11, 1, buildClip},
    {"Gelu", 20, 1, buildGelu},
    {"HardSigmoid", 6, 1, buildHardSigmoid},
    {"HardSwish", 14, 1, buildHardSwish},
    {"LeakyRelu", 6, 1, buildLeakyRelu},
    {"Relu", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Sigmoid", 6, 1, buildSigmoid},
    {"Softmax", 1, 1, buildSoftmax},
    {"Tanh", 6, 1, buildTanh},
    // Contractions, pools, normalization, reductions
    {"AveragePool", 7, 1, buildAveragePool},
    {"BatchNormalization", 9, 5, buildBatchNormalization},
    {"Conv", 1, 2, buildConv},
    {"ConvTranspose", 1, 2, buildConvTranspose},
    {"Gemm", 7, 2, buildGemm},
    {"GlobalAveragePool", 1, 1, buildGlobalAveragePool},
    {"GlobalMaxPool", 1, 1, buildGlobalMaxPool},
    {"MatMul", 1, 2, buildMatMul},
    {"MaxPool", 1, 1, buildMaxPool},
    {"ReduceMax", 11, 1, buildReduce, evaluateReduce},
    {"ReduceMean", 11, 1, buildReduce},
    {"ReduceMin", 11, 1, buildReduce, evaluateReduce},
    {"ReduceSum", 11, 1, buildReduce, evaluateReduce},
    // Shapes and movement
    {"Cast", 6, 1, buildCast, evaluateCast},
    {"Concat", 4, kAllInputs, buildConcat, evaluateConcat},
    {"Constant", 1, 0, buildConstant},
    {"DepthToSpace", 1, 1, buildDepthToSpace},
    {"Dropout", 7, 1, buildDropout},
    {"Expand", 8, 2, buildExpand, evaluateExpand},
    {"Flatten", 1, 1, buildReshape, evaluateReshape},
    {"Gather", 11, 2, buildGather, evaluateGather},
    {"Identity", 1, 1, buildIdentity},
    {"Pad", 11, 2, buildPad},
    {"Reshape", 5, 2, buildReshape, evaluateReshape},
    {"Resize", 11, 1, buildResize},
    {"Shape", 1, 1, buildShape},
    {"Slice", 10, 3, buildSlice, evaluateSlice},
    {"SpaceToDepth", 1, 1, buildSpaceToDepth},
    {"Split", 13, 1, buildSplit},
    {"Squeeze", 1, 1, buildReshape, evaluateReshape},
    {"Transpose", 1, 1, buildTranspose, evaluateTranspose},
    {"Unsqueeze", 1, 1, buildReshape, evaluateReshape},
    // On constants only
    {"ConstantOfShape", 9, 1, nullptr, evaluateConstantOfShape},
    {"Equal", 11, 2, nullptr, evaluateBinary},
    {"Greater", 9, 2, nullptr, evaluateBinary},
    {"Less", 9, 2, nullptr, evaluateBinary},
    {"Mod", 10, 2, nullptr, evaluateBinary},
    {"Not", 1, 1, nullptr, evaluateUnary},
    {"Range", 11, 3, nullptr, evaluateRange},
    {"ReduceProd", 11, 1, nullptr, evaluateReduce},
    {"Where", 9, 3, nullptr, evaluateWhere},
};

const Operator *importer::findOperator(StringRef type) {
  const Operator *row = llvm::find_if(kOperators, [&](const Operator &entry) { return entry.type == type; });
  return row == std::end(kOperators) ? nullptr : row;
}
