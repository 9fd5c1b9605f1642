//===- Registry.cpp - the operators that are imported -----------------------===//
//
// One table of ONNX's own domain: operator, first opset whose definition is followed, handler for values, evaluator for
// constants. An operator of an older opset than its row, or without a row, is reported as unsupported.
//
//===----------------------------------------------------------------------===//
#include "Operators.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;
using namespace mlir::halftone::importer::onnx_operators;

static constexpr Operator kOperators[] = {
    // Arithmetic
    {"Abs", 6, buildUnaryArithmetic, evaluateUnary},
    {"Add", 7, buildArithmetic, evaluateBinary},
    {"Ceil", 6, buildUnaryArithmetic, evaluateUnary},
    {"Div", 7, buildArithmetic, evaluateBinary},
    {"Erf", 9, buildUnaryArithmetic},
    {"Exp", 6, buildExp},
    {"Floor", 6, buildUnaryArithmetic, evaluateUnary},
    {"Max", 8, buildArithmetic, evaluateBinary},
    {"Min", 8, buildArithmetic, evaluateBinary},
    {"Mul", 7, buildArithmetic, evaluateBinary},
    {"Neg", 6, buildUnaryArithmetic, evaluateUnary},
    {"Pow", 7, buildPow},
    {"Sqrt", 6, buildSqrt, evaluateUnary},
    {"Sub", 7, buildArithmetic, evaluateBinary},
    {"Sum", 8, buildArithmetic, evaluateBinary},
    // Activations
    {"Clip", 11, buildClip},
    {"Gelu", 20, buildGelu},
    {"HardSigmoid", 6, buildHardSigmoid},
    {"HardSwish", 14, buildHardSwish},
    {"LeakyRelu", 6, buildLeakyRelu},
    {"Relu", 6, buildUnaryArithmetic, evaluateUnary},
    {"Sigmoid", 6, buildSigmoid},
    {"Softmax", 13, buildSoftmax},
    {"Tanh", 6, buildTanh},
    // Contractions, pools, normalization, reductions
    {"AveragePool", 7, buildAveragePool},
    {"BatchNormalization", 9, buildBatchNormalization},
    {"Conv", 1, buildConv},
    {"Gemm", 7, buildGemm},
    {"GlobalAveragePool", 1, buildGlobalAveragePool},
    {"GlobalMaxPool", 1, buildGlobalMaxPool},
    {"MatMul", 9, buildMatMul},
    {"MaxPool", 8, buildMaxPool},
    {"ReduceMax", 11, buildReduce, evaluateReduce},
    {"ReduceMean", 11, buildReduce},
    {"ReduceMin", 11, buildReduce, evaluateReduce},
    {"ReduceSum", 11, buildReduce, evaluateReduce},
    // Shapes and movement
    {"Cast", 6, buildCast, evaluateCast},
    {"Concat", 4, buildConcat, evaluateConcat},
    {"Constant", 9, buildConstant},
    {"Dropout", 7, buildDropout},
    {"Expand", 8, buildExpand, evaluateExpand},
    {"Flatten", 9, buildReshape, evaluateReshape},
    {"Gather", 11, buildGather, evaluateGather},
    {"Identity", 1, buildIdentity},
    {"Pad", 11, buildPad},
    {"Reshape", 5, buildReshape, evaluateReshape},
    {"Resize", 11, buildResize},
    {"Shape", 1, buildShape},
    {"Slice", 10, buildSlice, evaluateSlice},
    {"Split", 13, buildSplit},
    {"Squeeze", 1, buildReshape, evaluateReshape},
    {"Transpose", 1, buildTranspose, evaluateTranspose},
    {"Unsqueeze", 1, buildReshape, evaluateReshape},
    // On constants only
    {"ConstantOfShape", 9, nullptr, evaluateConstantOfShape},
    {"Equal", 11, nullptr, evaluateBinary},
    {"Greater", 9, nullptr, evaluateBinary},
    {"Less", 9, nullptr, evaluateBinary},
    {"Mod", 10, nullptr, evaluateBinary},
    {"Not", 1, nullptr, evaluateUnary},
    {"Range", 11, nullptr, evaluateRange},
    {"ReduceProd", 11, nullptr, evaluateReduce},
    {"Where", 9, nullptr, evaluateWhere},
};

const Operator *importer::findOperator(StringRef type) {
  const Operator *row = llvm::find_if(kOperators, [&](const Operator &entry) { return entry.type == type; });
  return row == std::end(kOperators) ? nullptr : row;
}
