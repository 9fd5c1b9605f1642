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
    {"Max", 6, kAllInputs, buildArithmetic, evaluateBinary},
    {"Mean", 6, kAllInputs, buildArithmetic},
    {"Min", 6, kAllInputs, buildArithmetic, evaluateBinary},
    {"Mul", 7, 2, buildArithmetic, evaluateBinary},
    {"Neg", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Pow", 7, 2, buildPow},
    {"Sqrt", 6, 1, buildSqrt, evaluateUnary},
    {"Sub", 7, 2, buildArithmetic, evaluateBinary},
    {"Sum", 6, kAllInputs, buildArithmetic, evaluateBinary},
    // Activations
    {"Clip", 6, 1, buildClip},
    {"Gelu", 20, 1, buildGelu},
    {"HardSigmoid", 6, 1, buildHardSigmoid},
    {"HardSwish", 14, 1, buildHardSwish},
    {"LeakyRelu", 6, 1, buildLeakyRelu},
    {"Relu", 6, 1, buildUnaryArithmetic, evaluateUnary},
    {"Sigmoid", 6, 1, buildSigmoid},
    {"LogSoftmax", 1, 1, buildSoftmax},
    {"Softmax", 1, 1, buildSoftmax},
    {"Tanh", 6, 1, buildTanh},
    {"PRelu", 7, 2, buildPRelu},
    // Functions of one number
    {"Acos", 7, 1, buildFunction},
    {"Acosh", 9, 1, buildFunction},
    {"Asin", 7, 1, buildFunction},
    {"Asinh", 9, 1, buildFunction},
    {"Atan", 7, 1, buildFunction},
    {"Atanh", 9, 1, buildFunction},
    {"Celu", 12, 1, buildFunction},
    {"Cos", 7, 1, buildFunction},
    {"Cosh", 9, 1, buildFunction},
    {"Elu", 6, 1, buildFunction},
    {"Log", 6, 1, buildFunction},
    {"Mish", 18, 1, buildFunction},
    {"Reciprocal", 6, 1, buildFunction},
    {"Round", 11, 1, buildFunction},
    {"Selu", 6, 1, buildFunction},
    {"Sign", 9, 1, buildFunction},
    {"Sin", 7, 1, buildFunction},
    {"Sinh", 9, 1, buildFunction},
    {"Softplus", 1, 1, buildFunction},
    {"Softsign", 1, 1, buildFunction},
    {"Tan", 7, 1, buildFunction},
    {"ThresholdedRelu", 10, 1, buildFunction},
    // Comparisons and logic
    {"And", 7, 2, buildLogic},
    {"Equal", 11, 2, buildComparison, evaluateBinary},
    {"Greater", 9, 2, buildComparison, evaluateBinary},
    {"GreaterOrEqual", 12, 2, buildComparison},
    {"IsInf", 10, 1, buildIsSpecial},
    {"IsNaN", 9, 1, buildIsSpecial},
    {"Less", 9, 2, buildComparison, evaluateBinary},
    {"LessOrEqual", 12, 2, buildComparison},
    {"Not", 1, 1, buildLogic, evaluateUnary},
    {"Or", 7, 2, buildLogic},
    {"Trilu", 14, 1, buildTrilu},
    {"Where", 9, 3, buildWhere, evaluateWhere},
    {"Xor", 7, 2, buildLogic},
    // Contractions, pools, normalization, reductions
    {"ArgMax", 11, 1, buildArgument},
    {"ArgMin", 11, 1, buildArgument},
    {"AveragePool", 7, 1, buildAveragePool},
    {"BatchNormalization", 7, 5, buildBatchNormalization},
    {"Conv", 1, 2, buildConv},
    {"ConvInteger", 10, 2, buildConvInteger},
    {"ConvTranspose", 1, 2, buildConvTranspose},
    {"Gemm", 7, 2, buildGemm},
    {"GlobalAveragePool", 1, 1, buildGlobalAveragePool},
    {"GlobalMaxPool", 1, 1, buildGlobalMaxPool},
    {"GRU", 1, 3, buildRecurrent},
    {"GroupNormalization", 18, 3, buildGroupNormalization},
    {"InstanceNormalization", 6, 3, buildGroupNormalization},
    {"LayerNormalization", 17, 2, buildLayerNormalization},
    {"LSTM", 1, 3, buildRecurrent},
    {"LRN", 1, 1, buildLRN},
    {"MatMul", 1, 2, buildMatMul},
    {"MatMulInteger", 10, 2, buildMatMulInteger},
    {"MaxPool", 1, 1, buildMaxPool},
    {"RNN", 1, 3, buildRecurrent},
    {"ReduceL1", 1, 1, buildReduce},
    {"ReduceL2", 1, 1, buildReduce},
    {"ReduceLogSum", 1, 1, buildReduce},
    {"ReduceLogSumExp", 1, 1, buildReduce},
    {"ReduceMax", 1, 1, buildReduce, evaluateReduce},
    {"ReduceMean", 1, 1, buildReduce},
    {"ReduceMin", 1, 1, buildReduce, evaluateReduce},
    {"ReduceProd", 1, 1, buildReduce, evaluateReduce},
    {"ReduceSum", 1, 1, buildReduce, evaluateReduce},
    {"ReduceSumSquare", 1, 1, buildReduce},
    // Casts of codes
    {"DequantizeLinear", 10, 2, buildDequantizeLinear, evaluateDequantizeLinear},
    {"DynamicQuantizeLinear", 11, 1, buildDynamicQuantizeLinear},
    {"QuantizeLinear", 10, 2, buildQuantizeLinear, evaluateQuantizeLinear},
    // Shapes and movement
    {"Cast", 6, 1, buildCast, evaluateCast},
    {"Concat", 4, kAllInputs, buildConcat, evaluateConcat},
    {"Constant", 1, 0, buildConstant},
    {"ConstantOfShape", 9, 1, buildConstantOfShape, evaluateConstantOfShape},
    {"DepthToSpace", 1, 1, buildDepthToSpace},
    {"Dropout", 7, 1, buildDropout},
    {"Expand", 8, 2, buildExpand, evaluateExpand},
    {"Flatten", 1, 1, buildReshape, evaluateReshape},
    {"Gather", 1, 2, buildGather, evaluateGather},
    {"If", 1, 1, nullptr}, // the importer takes the branch
    {"Identity", 1, 1, buildIdentity},
    {"Pad", 2, 1, buildPad},
    {"Reshape", 5, 2, buildReshape, evaluateReshape},
    {"Resize", 10, 1, buildResize},
    {"Shape", 1, 1, buildShape},
    {"Size", 1, 1, buildSize},
    {"Slice", 1, 1, buildSlice, evaluateSlice},
    {"SpaceToDepth", 1, 1, buildSpaceToDepth},
    {"Split", 2, 1, buildSplit},
    {"Squeeze", 1, 1, buildReshape, evaluateReshape},
    {"Tile", 6, 2, buildTile},
    {"Transpose", 1, 1, buildTranspose, evaluateTranspose},
    {"Unsqueeze", 1, 1, buildReshape, evaluateReshape},
    {"Upsample", 9, 2, buildResize},
    // On constants only
    {"Mod", 10, 2, nullptr, evaluateBinary},
    {"Range", 11, 3, nullptr, evaluateRange},
};

const Operator *importer::findOperator(StringRef type) {
  const Operator *row = llvm::find_if(kOperators, [&](const Operator &entry) { return entry.type == type; });
  return row == std::end(kOperators) ? nullptr : row;
}
