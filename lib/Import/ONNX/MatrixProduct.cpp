//===- MatrixProduct.cpp - ONNX's Gemm, MatMul and MatMulInteger ------------===//
//
// Both become linalg.matmul (linalg.batch_matmul) with K x N on the right; constant factors are transposed and scaled
// here. A bias is a following generic. MatMulInteger is a product of signed bytes where its right factor is constant: what the
// left zero point subtracts is a multiple of each column's sum. Else the factors are i32, without their zero points.
//
//===----------------------------------------------------------------------===//
#include "MatrixProduct.h"
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Quantization.h"
#include "Shape.h"
#include "Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

static Tensor transposeMatrix(Node &node, const Tensor &matrix) {
  if (matrix.constant)
    return toTensor(matrix.constant->transposed({1, 0}));
  return toTensor(transpose(node, matrix.value, {1, 0}));
}

static Tensor scale(Node &node, const Tensor &tensor, float factor) {
  if (factor == 1)
    return tensor;
  if (tensor.constant) {
    std::vector<double> numbers = tensor.constant->numbers();
    for (double &number : numbers)
      number *= factor;
    HostTensor scaled = HostTensor::fromNumbers(tensor.element, tensor.shape, numbers);
    scaled.name = tensor.constant->name;
    if (tensor.constant->scales && factor != 0) {
      HostScales scales = *tensor.constant->scales;
      for (float &scale : scales.scales)
        scale *= std::abs(factor);
      scaled.scales = std::make_shared<HostScales>(std::move(scales));
    }
    return toTensor(std::move(scaled));
  }
  return toTensor(buildBroadcast(node, tensor, tensor.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::MulFOp::create(b, l, e[0], scalarConstant(b, l, tensor.element, factor));
  }));
}

/// The matrix product; its sums are f32, or i32 of integers.
Value importer::multiply(Node &node, Value a, Value b) {
  Type element = typeOf(a).getElementType(), sum = isa<FloatType>(element) ? element : Type(node.builder.getI32Type());
  Value zero = scalarConstant(node.builder, node.loc, sum, 0);
  Value init = makeFilled(node, {typeOf(a).getDimSize(0), typeOf(b).getDimSize(1)}, a, zero);
  return linalg::MatmulOp::create(node.builder, node.loc, init.getType(), ValueRange{a, b}, init).getResult(0);
}

LogicalResult onnx_operators::buildGemm(Node &node) {
  Tensor a = node.input(0), b = node.input(1);
  bool transposeA = node.getInt("transA", 0), transposeB = node.getInt("transB", 0);
  float alpha = node.getFloat("alpha", 1), beta = node.getFloat("beta", 1);
  if (!a.element.isF32() || !b.element.isF32())
    return node.unsupported("it is not f32");
  if (a.rank() != 2 || b.rank() != 2 || (transposeA && a.isDynamic()) || b.isDynamic())
    return node.unsupported("its factors are not two matrices with a dynamic dimension in the result's rows only");
  a = transposeA ? transposeMatrix(node, a) : a;
  b = transposeB ? transposeMatrix(node, b) : b;
  if (a.shape[1] != b.shape[0])
    return node.unsupported("its factors do not fit: " + Twine(a.shape[1]) + " columns, " + Twine(b.shape[0]) + " rows");
  b = scale(node, b, alpha);
  Value result = multiply(node, materialize(node, a), materialize(node, b));
  tagWeights(result, b, 1);
  if (node.hasInput(2) && beta != 0) {
    Tensor c = scale(node, node.input(2), beta);
    result = buildBroadcast(node, {toTensor(result), c}, a.element, [](OpBuilder &b, Location l, ValueRange e) -> Value {
      return arith::AddFOp::create(b, l, e[0], e[1]);
    });
  }
  node.setResult(result);
  return success();
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

/// Joins all dimensions before the last `keep` into one.
static Value collapseLeading(Node &node, Value x, int64_t keep) {
  int64_t rank = typeOf(x).getRank(), leading = rank - keep;
  if (leading == 1)
    return x;
  SmallVector<ReassociationIndices> groups;
  if (leading > 0)
    groups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(0, leading)));
  for (int64_t d = leading; d < rank; ++d)
    groups.push_back({d});
  return tensor::CollapseShapeOp::create(node.builder, node.loc, x, groups);
}

/// Splits dimension 0 of `x` into `leading` sizes; a dynamic one is that of `like`.
static Value expandLeading(Node &node, Value x, ArrayRef<int64_t> leading, Value like) {
  if (leading.size() == 1)
    return x;
  SmallVector<int64_t> shape(leading);
  SmallVector<ReassociationIndices> groups = {llvm::to_vector<2>(llvm::seq<int64_t>(0, leading.size()))};
  for (int64_t d = 1; d < typeOf(x).getRank(); ++d) {
    groups.push_back({static_cast<int64_t>(shape.size())});
    shape.push_back(typeOf(x).getDimSize(d));
  }
  auto type = RankedTensorType::get(shape, typeOf(x).getElementType());
  return tensor::ExpandShapeOp::create(node.builder, node.loc, type, x, groups, node.mixedSizes(shape, like));
}

/// Repeats `x` so that its leading dimensions become `leading`.
static Value broadcastLeading(Node &node, const Tensor &x, ArrayRef<int64_t> leading) {
  SmallVector<int64_t> shape(leading);
  shape.append(x.shape.end() - 2, x.shape.end());
  if (ArrayRef<int64_t>(shape) == ArrayRef<int64_t>(x.shape))
    return materialize(node, x);
  return buildRepeated(node, x, shape);
}

Value importer::multiplyBatch(Node &node, Value a, Value b) {
  Value zero = scalarConstant(node.builder, node.loc, node.builder.getF32Type(), 0);
  Value init = makeFilled(node, {typeOf(a).getDimSize(0), typeOf(a).getDimSize(1), typeOf(b).getDimSize(2)}, a, zero);
  return linalg::BatchMatmulOp::create(node.builder, node.loc, init.getType(), ValueRange{a, b}, init).getResult(0);
}

Value importer::multiplyBatched(Node &node, const Tensor &a, const Tensor &b, ArrayRef<int64_t> leading) {
  Value left = broadcastLeading(node, a, leading), right = broadcastLeading(node, b, leading);
  Value leftBatch = collapseLeading(node, left, 2), rightBatch = collapseLeading(node, right, 2);
  return expandLeading(node, multiplyBatch(node, leftBatch, rightBatch), leading, left);
}

/// Whether the factors are matrices, or batches of them, that fit.
static LogicalResult checkFactors(Node &node, const Tensor &a, const Tensor &b) {
  if (a.rank() < 2 || b.rank() < 2)
    return node.unsupported("a factor of rank " + Twine(std::min(a.rank(), b.rank())));
  ArrayRef<int64_t> aShape = a.shape, bShape = b.shape;
  if (aShape.back() != bShape[b.rank() - 2])
    return node.unsupported("its factors do not fit: " + Twine(aShape.back()) + " columns, " +
                            Twine(bShape[b.rank() - 2]) + " rows");
  return success();
}

Value importer::multiplyRows(Node &node, Value a, const Tensor &b) {
  Value product = multiply(node, collapseLeading(node, a, 1), materialize(node, b));
  tagWeights(product, b, 1);
  return expandLeading(node, product, typeOf(a).getShape().drop_back(), a);
}

/// A constant right factor without its leading dimensions if these are 1 and the left one has as many: weights, whatever the batch.
static Tensor dropLeadingOnes(const Tensor &a, const Tensor &b) {
  ArrayRef<int64_t> shape = b.shape;
  if (!b.constant || b.rank() > a.rank() || !llvm::all_of(shape.drop_back(2), [](int64_t size) { return size == 1; }))
    return b;
  return toTensor(b.constant->reshaped(shape.take_back(2)));
}

/// Whether all products of a batch have the same left factor, and the right one is not constant, which would be weights where it is.
static bool hasSharedLeft(const Tensor &a, const Tensor &b) {
  auto isOne = [](int64_t size) { return size == 1; };
  return a.isFloat() && !b.constant && a.rank() <= b.rank() && llvm::all_of(ArrayRef<int64_t>(a.shape).drop_back(2), isOne) &&
         !llvm::all_of(ArrayRef<int64_t>(b.shape).drop_back(2), isOne);
}

/// Exchanges the last two dimensions.
static Value transposeLast(Node &node, Value x) {
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, typeOf(x).getRank()));
  std::swap(permutation.end()[-1], permutation.end()[-2]);
  return transpose(node, x, permutation);
}

/// a b = (b^T a^T)^T: the shared factor is on the right, where weights are, and is not repeated for the batch.
static Value multiplyShared(Node &node, const Tensor &a, const Tensor &b) {
  Value left = reshape(node, materialize(node, a), ArrayRef<int64_t>(a.shape).take_back(2));
  return transposeLast(node, multiplyRows(node, transposeLast(node, materialize(node, b)), toTensor(transposeLast(node, left))));
}

/// The product of factors of one element type.
static LogicalResult setProduct(Node &node, const Tensor &a, const Tensor &right) {
  const Tensor b = dropLeadingOnes(a, right);
  ArrayRef<int64_t> aShape = a.shape, bShape = b.shape;
  if (b.rank() == 2) {
    node.setResult(multiplyRows(node, materialize(node, a), b));
    return success();
  }
  if (hasSharedLeft(a, b)) {
    node.setResult(multiplyShared(node, a, b));
    return success();
  }
  auto leading = broadcastShapes(aShape.drop_back(2), bShape.drop_back(2));
  if (!leading)
    return node.unsupported("leading dimensions that do not broadcast");
  if (ShapedType::isDynamicShape(ArrayRef<int64_t>(*leading).drop_front()))
    return node.unsupported("the dynamic dimension is broadcast to one that does not lead");
  node.setResult(multiplyBatched(node, a, b, *leading));
  return success();
}

LogicalResult onnx_operators::buildMatMul(Node &node) {
  const Tensor a = node.input(0), b = node.input(1);
  if (!a.element.isF32() || !b.element.isF32())
    return node.unsupported("it is not f32");
  return failed(checkFactors(node, a, b)) ? failure() : setProduct(node, a, b);
}

//===----------------------------------------------------------------------===//
// MatMulInteger
//===----------------------------------------------------------------------===//

/// The sum of each column.
static HostTensor sumColumns(Node &node, const HostTensor &matrix) {
  std::vector<int64_t> elements = matrix.integers(), sums(matrix.shape[1], 0);
  for (auto [i, element] : llvm::enumerate(elements))
    sums[i % sums.size()] += element;
  return HostTensor::fromIntegers(node.builder.getI32Type(), matrix.shape[1], sums);
}

/// The product with constant signed bytes. What zero points of weights subtract is a multiple of each row's sum, its product with ones.
static LogicalResult multiplyBytes(Node &node, const Tensor &a, const SignedWeights &weights) {
  const int64_t count = weights.bytes.shape[0];
  Value left = toSigned(node, a), rows = collapseLeading(node, left, 1);
  IntegerProduct parts{multiply(node, rows, node.materialize(weights.bytes)), sumColumns(node, weights.bytes), std::nullopt, Value(), count};
  if (!weights.zeros.empty()) {
    parts.zeros = HostTensor::fromIntegers(node.builder.getI32Type(), int64_t(weights.zeros.size()), weights.zeros);
    std::vector<int64_t> ones(count, 1);
    parts.inputSums = multiply(node, rows, node.materialize(HostTensor::fromIntegers(node.builder.getI8Type(), {count, 1}, ones)));
  }
  std::optional<Tensor> zero;
  if (node.hasInput(2))
    zero = node.input(2);
  Value result = subtractZeros(node, std::move(parts), a.element, zero);
  if (!result)
    return failure();
  node.setResult(expandLeading(node, result, ArrayRef<int64_t>(a.shape).drop_back(), left));
  return success();
}

/// A zero point for each row as a column, others as they are.
static Tensor alongRows(Node &node, Tensor zero) {
  if (zero.rank() != 1 || zero.shape[0] == 1)
    return zero;
  if (zero.constant)
    return toTensor(zero.constant->reshaped({zero.shape[0], 1}));
  Tensor column = toTensor(reshape(node, zero.value, {zero.shape[0], 1}));
  column.element = zero.element;
  return column;
}

LogicalResult onnx_operators::buildMatMulInteger(Node &node) {
  const Tensor a = node.input(0), b = node.input(1);
  if (a.element.getIntOrFloatBitWidth() != 8 || b.element.getIntOrFloatBitWidth() != 8)
    return node.unsupported("factors that are not of 8 bits");
  if (failed(checkFactors(node, a, b)))
    return failure();
  bool oneZero = !node.hasInput(2) || ShapedType::getNumElements(node.input(2).shape) == 1;
  if (std::optional<SignedWeights> weights = b.rank() == 2 && oneZero ? readSignedWeights(node, 3, 1) : std::nullopt)
    return multiplyBytes(node, a, *weights);
  std::optional<Tensor> left, right;
  if (node.hasInput(2))
    left = alongRows(node, node.input(2));
  if (node.hasInput(3))
    right = node.input(3);
  Value wideA = subtractZero(node, a, left), wideB = subtractZero(node, b, right);
  return wideA && wideB ? setProduct(node, toTensor(wideA), toTensor(wideB)) : failure();
}
