//===- Composites.cpp - makes halftone.composite operations -----------------===//
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "CompositeBody.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Pieces of bodies
//===----------------------------------------------------------------------===//

Value mlir::halftone::makeComposite(OpBuilder &builder, Location loc, StringRef name, ValueRange inputs, DictionaryAttr parameters,
                                    function_ref<Value(OpBuilder &, ValueRange)> build) {
  OperationState state(loc, CompositeOp::getOperationName());
  Region *region = state.addRegion();
  Block &block = region->emplaceBlock();
  for (Value input : inputs)
    block.addArgument(input.getType(), loc);
  OpBuilder body(builder.getContext()); // the region has no parent yet that could give the context
  body.setInsertionPointToStart(&block);
  Value result = build(body, block.getArguments());
  YieldOp::create(body, loc, result);
  state.addOperands(inputs);
  state.addTypes(result.getType());
  state.addAttribute("name", builder.getStringAttr(name));
  state.addAttribute("parameters", parameters);
  return builder.create(state)->getResult(0);
}

static Value constant(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

static Value elementwise(OpBuilder &builder, Location loc, ValueRange inputs, ArrayRef<AffineMap> maps,
                         ArrayRef<OpFoldResult> sizes, ElementBuilder build) {
  Type element = cast<RankedTensorType>(inputs[0].getType()).getElementType();
  return buildElementwise(builder, loc, inputs, maps, sizes, element, build);
}

/// A reduction along `axis`, which starts at the scalar `start`, of `inputs[0]` and of others that have not that axis.
static Value reduce(OpBuilder &builder, Location loc, ValueRange inputs, int64_t axis, Value start, ElementBuilder build) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, inputs[0]);
  int64_t rank = sizes.size();
  sizes.erase(sizes.begin() + axis);
  Value init = tensor::EmptyOp::create(builder, loc, sizes, start.getType());
  init = linalg::FillOp::create(builder, loc, start, init).getResult(0);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps(inputs.size() + 1, identity.dropResult(axis)); // the others', and the result's
  maps[0] = identity;
  return linalg::GenericOp::create(builder, loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
                                     linalg::YieldOp::create(nested, nestedLoc, build(nested, nestedLoc, arguments));
                                   })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Elementwise composites
//===----------------------------------------------------------------------===//

static Value clampToUnit(OpBuilder &b, Location loc, Value x) {
  Value above = arith::MaximumFOp::create(b, loc, x, constant(b, loc, 0));
  return arith::MinimumFOp::create(b, loc, above, constant(b, loc, 1));
}

static Value sigmoid(OpBuilder &b, Location loc, Value x) {
  Value one = constant(b, loc, 1);
  Value power = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x));
  return arith::DivFOp::create(b, loc, one, arith::AddFOp::create(b, loc, one, power));
}

/// `clamp(alpha x + beta, 0, 1)`.
static Value hardSigmoid(OpBuilder &b, Location loc, Value x, float alpha, float beta) {
  Value scaled = arith::MulFOp::create(b, loc, x, constant(b, loc, alpha));
  return clampToUnit(b, loc, arith::AddFOp::create(b, loc, scaled, constant(b, loc, beta)));
}

/// `x/2 (1 + erf(x / sqrt 2))`, or with tanh(sqrt(2/pi) (x + 0.044715 x^3)) in place of the error function.
static Value gelu(OpBuilder &b, Location loc, Value x, bool withTanh) {
  Value inner;
  if (withTanh) {
    Value cube = arith::MulFOp::create(b, loc, x, arith::MulFOp::create(b, loc, x, x));
    Value term = arith::MulFOp::create(b, loc, cube, constant(b, loc, 0.044715f));
    Value sum = arith::AddFOp::create(b, loc, x, term);
    inner = math::TanhOp::create(b, loc, arith::MulFOp::create(b, loc, sum, constant(b, loc, 0.7978845608f)));
  } else {
    inner = math::ErfOp::create(b, loc, arith::MulFOp::create(b, loc, x, constant(b, loc, 0.7071067812f)));
  }
  Value half = arith::MulFOp::create(b, loc, x, constant(b, loc, 0.5f));
  return arith::MulFOp::create(b, loc, half, arith::AddFOp::create(b, loc, inner, constant(b, loc, 1)));
}

static Value leakyRelu(OpBuilder &b, Location loc, Value x, float alpha) {
  Value negative = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, constant(b, loc, 0));
  Value scaled = arith::MulFOp::create(b, loc, x, constant(b, loc, alpha));
  return arith::SelectOp::create(b, loc, negative, scaled, x);
}

static std::optional<float> getFloat(DictionaryAttr parameters, StringRef name) {
  if (auto value = parameters.getAs<FloatAttr>(name))
    return value.getValue().convertToDouble();
  return std::nullopt;
}

Value mlir::halftone::buildUnaryElement(OpBuilder &b, Location loc, StringRef name, Value x, DictionaryAttr parameters) {
  std::optional<float> alpha = getFloat(parameters, "alpha"), beta = getFloat(parameters, "beta");
  auto approximate = parameters.getAs<StringAttr>("approximate");
  if (name == "sigmoid")
    return sigmoid(b, loc, x);
  if (name == "tanh")
    return math::TanhOp::create(b, loc, x);
  if (name == "exp")
    return math::ExpOp::create(b, loc, x);
  if (name == "sqrt")
    return math::SqrtOp::create(b, loc, x);
  if (name == "silu")
    return arith::MulFOp::create(b, loc, x, sigmoid(b, loc, x));
  if (name == "gelu")
    return gelu(b, loc, x, approximate && approximate.getValue() == "tanh");
  if (name == "hard_swish")
    return arith::MulFOp::create(b, loc, x, hardSigmoid(b, loc, x, 1.0f / 6, 0.5f));
  if (name == "hard_sigmoid" && alpha && beta)
    return hardSigmoid(b, loc, x, *alpha, *beta);
  if (name == "leaky_relu" && alpha)
    return leakyRelu(b, loc, x, *alpha);
  return {};
}

static bool isUnary(StringRef name, DictionaryAttr parameters) {
  return llvm::StringSwitch<bool>(name)
      .Cases({"sigmoid", "tanh", "exp", "sqrt", "silu", "gelu", "hard_swish"}, true)
      .Case("hard_sigmoid", getFloat(parameters, "alpha") && getFloat(parameters, "beta"))
      .Case("leaky_relu", getFloat(parameters, "alpha").has_value())
      .Default(false);
}

Value mlir::halftone::buildUnary(OpBuilder &builder, Location loc, StringRef name, Value x, DictionaryAttr parameters) {
  if (!parameters)
    parameters = builder.getDictionaryAttr({});
  if (!isUnary(name, parameters))
    return {};
  return makeComposite(builder, loc, name, x, parameters, [&](OpBuilder &b, ValueRange arguments) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, arguments[0]);
    AffineMap identity = b.getMultiDimIdentityMap(sizes.size());
    return elementwise(b, loc, arguments, identity, sizes, [&](OpBuilder &nested, Location nestedLoc, ValueRange e) {
      return buildUnaryElement(nested, nestedLoc, name, e[0], parameters);
    });
  });
}

//===----------------------------------------------------------------------===//
// Average pooling
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> getArray(DictionaryAttr parameters, StringRef name) {
  auto array = parameters.getAs<DenseI64ArrayAttr>(name);
  return array ? SmallVector<int64_t>(array.asArrayRef()) : SmallVector<int64_t>();
}

static bool getBool(DictionaryAttr parameters, StringRef name) {
  auto value = parameters.getAs<BoolAttr>(name);
  return value && value.getValue();
}

DictionaryAttr AvgPool::getParameters(Builder &builder) const {
  return builder.getDictionaryAttr({
      builder.getNamedAttr("kernel", builder.getDenseI64ArrayAttr(kernel)),
      builder.getNamedAttr("strides", builder.getDenseI64ArrayAttr(strides)),
      builder.getNamedAttr("dilations", builder.getDenseI64ArrayAttr(dilations)),
      builder.getNamedAttr("pads", builder.getDenseI64ArrayAttr(pads)),
      builder.getNamedAttr("overhang", builder.getDenseI64ArrayAttr(overhang)),
      builder.getNamedAttr("count_include_pad", builder.getBoolAttr(countIncludePad)),
      builder.getNamedAttr("channels_last", builder.getBoolAttr(channelsLast)),
  });
}

AvgPool AvgPool::fromParameters(DictionaryAttr parameters) {
  AvgPool pool;
  pool.kernel = getArray(parameters, "kernel");
  pool.strides = getArray(parameters, "strides");
  pool.dilations = getArray(parameters, "dilations");
  pool.pads = getArray(parameters, "pads");
  pool.overhang = getArray(parameters, "overhang");
  pool.countIncludePad = getBool(parameters, "count_include_pad");
  pool.channelsLast = getBool(parameters, "channels_last");
  return pool;
}

/// How many counted positions each window has along spatial dimension `d`.
static SmallVector<int64_t> countWindow(const AvgPool &pool, int64_t d, int64_t extent, int64_t outExtent) {
  int64_t low = pool.countIncludePad ? -pool.pads[d] : 0;
  int64_t high = pool.countIncludePad ? extent + pool.pads[d + 2] : extent;
  SmallVector<int64_t> counts(outExtent, 0);
  for (int64_t o = 0; o < outExtent; ++o)
    for (int64_t k = 0; k < pool.kernel[d]; ++k) {
      int64_t position = o * pool.strides[d] - pool.pads[d] + k * pool.dilations[d];
      counts[o] += position >= low && position < high;
    }
  return counts;
}

/// The sum over each window of `x`.
static Value buildSumPool(OpBuilder &b, Location loc, Value x, const AvgPool &pool) {
  int64_t first = pool.channelsLast ? 1 : 2;
  SmallVector<OpFoldResult> low(4, b.getIndexAttr(0)), high(4, b.getIndexAttr(0));
  SmallVector<int64_t> padded(cast<RankedTensorType>(x.getType()).getShape());
  for (int64_t d = 0; d < 2; ++d) {
    low[first + d] = b.getIndexAttr(pool.pads[d]);
    high[first + d] = b.getIndexAttr(pool.pads[d + 2] + pool.overhang[d]);
    padded[first + d] += pool.pads[d] + pool.pads[d + 2] + pool.overhang[d];
  }
  bool pads = llvm::any_of(pool.pads, [](int64_t p) { return p > 0; }) || pool.overhang[0] || pool.overhang[1];
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  Value zero = constant(b, loc, 0);
  if (pads)
    x = tensor::PadOp::create(b, loc, RankedTensorType::get(padded, b.getF32Type()), x, low, high, zero);
  for (int64_t d = 0; d < 2; ++d) {
    int64_t reach = pool.dilations[d] * (pool.kernel[d] - 1) + 1;
    sizes[first + d] = b.getIndexAttr((padded[first + d] - reach) / pool.strides[d] + 1);
  }
  Value window = tensor::EmptyOp::create(b, loc, pool.kernel, b.getF32Type());
  Value init = tensor::EmptyOp::create(b, loc, sizes, b.getF32Type());
  init = linalg::FillOp::create(b, loc, zero, init).getResult(0);
  auto strides = b.getI64TensorAttr(pool.strides), dilations = b.getI64TensorAttr(pool.dilations);
  if (pool.channelsLast)
    return linalg::PoolingNhwcSumOp::create(b, loc, init.getType(), ValueRange{x, window}, init, strides, dilations)
        .getResult(0);
  return linalg::PoolingNchwSumOp::create(b, loc, init.getType(), ValueRange{x, window}, init, strides, dilations)
      .getResult(0);
}

/// Divides window sums by their counts: by one number if all are equal, else by a constant of the spatial shape. A window of
/// padding alone counts nothing, and its sum is 0: over 1 it stays 0.
static Value divideByCount(OpBuilder &b, Location loc, Value sums, RankedTensorType inputType, const AvgPool &pool) {
  int64_t first = pool.channelsLast ? 1 : 2;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(sums.getType()).getShape().slice(first, 2);
  SmallVector<int64_t> rows = countWindow(pool, 0, inputType.getDimSize(first), shape[0]);
  SmallVector<int64_t> columns = countWindow(pool, 1, inputType.getDimSize(first + 1), shape[1]);
  SmallVector<float> counts;
  for (int64_t row : rows)
    for (int64_t column : columns)
      counts.push_back(std::max<int64_t>(row * column, 1));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, sums);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  if (llvm::all_equal(counts))
    return elementwise(b, loc, sums, identity, sizes, [&](OpBuilder &nested, Location nestedLoc, ValueRange e) -> Value {
      return arith::DivFOp::create(nested, nestedLoc, e[0], constant(nested, nestedLoc, counts[0]));
    });
  auto type = RankedTensorType::get(shape, b.getF32Type());
  Value divisor = arith::ConstantOp::create(b, loc, makeConstant(type, ArrayRef<float>(counts), "avg_pool_counts"));
  return elementwise(b, loc, {sums, divisor}, {identity, identity.getSliceMap(first, 2)}, sizes,
                     [&](OpBuilder &nested, Location nestedLoc, ValueRange e) -> Value {
                       return arith::DivFOp::create(nested, nestedLoc, e[0], e[1]);
                     });
}

Value mlir::halftone::buildAvgPool(OpBuilder &builder, Location loc, Value x, const AvgPool &pool) {
  return makeComposite(builder, loc, "avg_pool", x, pool.getParameters(builder), [&](OpBuilder &b, ValueRange inputs) {
    Value sums = buildSumPool(b, loc, inputs[0], pool);
    return divideByCount(b, loc, sums, cast<RankedTensorType>(x.getType()), pool);
  });
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// `{multiplier, offset}` of a batch normalization: `scale / sqrt(variance + epsilon)`, `bias - mean multiplier`.
static std::pair<Value, Value> foldStatistics(OpBuilder &b, Location loc, ValueRange statistics, float epsilon) {
  Value scale = statistics[0], bias = statistics[1], mean = statistics[2], variance = statistics[3];
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, scale);
  AffineMap map = b.getMultiDimIdentityMap(1);
  Value multiplier =
      elementwise(b, loc, {scale, variance}, {map, map}, sizes, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
        Value sum = arith::AddFOp::create(n, l, e[1], constant(n, l, epsilon));
        return arith::DivFOp::create(n, l, e[0], math::SqrtOp::create(n, l, sum));
      });
  Value offset = elementwise(b, loc, {bias, mean, multiplier}, {map, map, map}, sizes,
                             [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                               return arith::SubFOp::create(n, l, e[0], arith::MulFOp::create(n, l, e[1], e[2]));
                             });
  return {multiplier, offset};
}

Value mlir::halftone::buildBatchNorm(OpBuilder &builder, Location loc, Value x, Value scale, Value bias, Value mean,
                                     Value variance, float epsilon, int64_t axis) {
  DictionaryAttr parameters =
      builder.getDictionaryAttr({builder.getNamedAttr("epsilon", builder.getF32FloatAttr(epsilon)),
                                 builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis))});
  return makeComposite(builder, loc, "batch_norm", {x, scale, bias, mean, variance}, parameters,
                       [&](OpBuilder &b, ValueRange inputs) {
                         auto [multiplier, offset] = foldStatistics(b, loc, inputs.drop_front(), epsilon);
                         SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, inputs[0]);
                         AffineMap identity = b.getMultiDimIdentityMap(sizes.size());
                         AffineMap channel = identity.getSliceMap(axis, 1);
                         return elementwise(b, loc, {inputs[0], multiplier, offset}, {identity, channel, channel},
                                            sizes, [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                              Value product = arith::MulFOp::create(n, l, e[0], e[1]);
                                              return arith::AddFOp::create(n, l, product, e[2]);
                                            });
                       });
}

Value mlir::halftone::rebuildFunction(OpBuilder &builder, CompositeOp op, Value x) {
  if (op.getName() != "batch_norm")
    return op.getInputs().size() == 1 ? buildUnary(builder, op.getLoc(), op.getName(), x, op.getParameters()) : Value();
  ValueRange inputs = op.getInputs();
  if (op.getParameters().getAs<IntegerAttr>("axis").getInt() != 1)
    return {};
  return buildBatchNorm(builder, op.getLoc(), x, inputs[1], inputs[2], inputs[3], inputs[4],
                        op.getParameters().getAs<FloatAttr>("epsilon").getValueAsDouble(), /*axis=*/1);
}

Value mlir::halftone::buildSoftmax(OpBuilder &builder, Location loc, Value x, int64_t axis) {
  DictionaryAttr parameters =
      builder.getDictionaryAttr(builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)));
  return makeComposite(builder, loc, "softmax", x, parameters, [&](OpBuilder &b, ValueRange inputs) {
    Value body = inputs[0];
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, body);
    AffineMap identity = b.getMultiDimIdentityMap(sizes.size()), reduced = identity.dropResult(axis);
    Value maximum = reduce(b, loc, body, axis, constant(b, loc, -std::numeric_limits<float>::infinity()),
                           [](OpBuilder &n, Location l, ValueRange e) -> Value {
                             return arith::MaximumFOp::create(n, l, e[0], e[1]);
                           });
    Value power = elementwise(b, loc, {body, maximum}, {identity, reduced}, sizes,
                              [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                return math::ExpOp::create(n, l, arith::SubFOp::create(n, l, e[0], e[1]));
                              });
    Value sum = reduce(b, loc, power, axis, constant(b, loc, 0), [](OpBuilder &n, Location l, ValueRange e) -> Value {
      return arith::AddFOp::create(n, l, e[0], e[1]);
    });
    return elementwise(b, loc, {power, sum}, {identity, reduced}, sizes,
                       [](OpBuilder &n, Location l, ValueRange e) -> Value {
                         return arith::DivFOp::create(n, l, e[0], e[1]);
                       });
  });
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

DictionaryAttr ResizeNearest::getParameters(Builder &builder) const {
  return builder.getDictionaryAttr({builder.getNamedAttr("rows", builder.getDenseI64ArrayAttr(rows)),
                                    builder.getNamedAttr("columns", builder.getDenseI64ArrayAttr(columns)),
                                    builder.getNamedAttr("channels_last", builder.getBoolAttr(channelsLast))});
}

ResizeNearest ResizeNearest::fromParameters(DictionaryAttr parameters) {
  return {getArray(parameters, "rows"), getArray(parameters, "columns"), getBool(parameters, "channels_last")};
}

/// The factor by which `indices` repeat each of `extent` positions in order; 0 if they do something else.
static int64_t findRepeat(ArrayRef<int64_t> indices, int64_t extent) {
  int64_t factor = extent ? static_cast<int64_t>(indices.size()) / extent : 0;
  if (factor < 1 || factor * extent != static_cast<int64_t>(indices.size()))
    return 0;
  for (auto [i, index] : llvm::enumerate(indices))
    if (index != static_cast<int64_t>(i) / factor)
      return 0;
  return factor;
}

/// Repeats each row and column: a broadcast into (.., h, factor, w, factor, ..) and a collapse.
static Value repeat(OpBuilder &b, Location loc, Value x, int64_t first, int64_t rowFactor, int64_t columnFactor) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  sizes.insert(sizes.begin() + first + 2, b.getIndexAttr(columnFactor));
  sizes.insert(sizes.begin() + first + 1, b.getIndexAttr(rowFactor));
  AffineMap map = b.getMultiDimIdentityMap(6).dropResult(first + 3).dropResult(first + 1);
  Value wide = elementwise(b, loc, x, map, sizes, [](OpBuilder &, Location, ValueRange e) { return e[0]; });
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0; d < 6; ++d) {
    bool factor = d == first + 1 || d == first + 3;
    factor ? groups.back().push_back(d) : groups.push_back({d});
  }
  return tensor::CollapseShapeOp::create(b, loc, wide, groups);
}

static Value makeIndexConstant(OpBuilder &b, Location loc, ArrayRef<int64_t> indices) {
  auto type = RankedTensorType::get(indices.size(), b.getI64Type());
  return arith::ConstantOp::create(b, loc, makeConstant(type, indices, "resize_indices"));
}

/// Reads x at (rows[i], columns[j]) for each output position.
static Value gather(OpBuilder &b, Location loc, Value x, int64_t first, const ResizeNearest &resize) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  sizes[first] = b.getIndexAttr(resize.rows.size());
  sizes[first + 1] = b.getIndexAttr(resize.columns.size());
  Value rows = makeIndexConstant(b, loc, resize.rows), columns = makeIndexConstant(b, loc, resize.columns);
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  Value init = tensor::EmptyOp::create(b, loc, sizes, element);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<AffineMap> maps = {identity.getSliceMap(first, 1), identity.getSliceMap(first + 1, 1), identity};
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  auto build = [&](OpBuilder &n, Location l, ValueRange e) {
    SmallVector<Value> position;
    for (int64_t d = 0; d < 4; ++d)
      position.push_back(d == first || d == first + 1
                             ? arith::IndexCastOp::create(n, l, n.getIndexType(), e[d - first]).getResult()
                             : linalg::IndexOp::create(n, l, d).getResult());
    linalg::YieldOp::create(n, l, tensor::ExtractOp::create(n, l, x, position).getResult());
  };
  return linalg::GenericOp::create(b, loc, init.getType(), ValueRange{rows, columns}, init, maps, iterators, build)
      .getResult(0);
}

Value mlir::halftone::buildResizeNearest(OpBuilder &builder, Location loc, Value x, const ResizeNearest &resize) {
  return makeComposite(builder, loc, "resize", x, resize.getParameters(builder), [&](OpBuilder &b, ValueRange inputs) {
    auto type = cast<RankedTensorType>(x.getType());
    int64_t first = resize.channelsLast ? 1 : 2;
    int64_t rowFactor = findRepeat(resize.rows, type.getDimSize(first));
    int64_t columnFactor = findRepeat(resize.columns, type.getDimSize(first + 1));
    if (rowFactor && columnFactor)
      return repeat(b, loc, inputs[0], first, rowFactor, columnFactor);
    return gather(b, loc, inputs[0], first, resize);
  });
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

static Value integer(OpBuilder &builder, Location loc, Type type, int64_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, value));
}

/// The index within 0 .. size - 1 that a number stands for.
static Value clampIndex(OpBuilder &b, Location loc, Value number, int64_t size) {
  Type type = number.getType();
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, number, integer(b, loc, type, 0));
  Value wrapped = arith::AddIOp::create(b, loc, number, integer(b, loc, type, size));
  Value row = arith::SelectOp::create(b, loc, negative, wrapped, number);
  row = arith::MaxSIOp::create(b, loc, row, integer(b, loc, type, 0));
  row = arith::MinSIOp::create(b, loc, row, integer(b, loc, type, size - 1));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
}

Value mlir::halftone::buildGather(OpBuilder &builder, Location loc, Value x, Value indices, int64_t axis) {
  DictionaryAttr parameters = builder.getDictionaryAttr(builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)));
  return makeComposite(builder, loc, "gather", {x, indices}, parameters, [&](OpBuilder &b, ValueRange inputs) {
    auto type = cast<RankedTensorType>(x.getType());
    int64_t rank = cast<RankedTensorType>(indices.getType()).getRank();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, inputs[0]), listed = tensor::getMixedSizes(b, loc, inputs[1]);
    sizes.erase(sizes.begin() + axis);
    sizes.insert(sizes.begin() + axis, listed.begin(), listed.end());
    AffineMap map = b.getMultiDimIdentityMap(sizes.size()).getSliceMap(axis, rank);
    return buildElementwise(b, loc, inputs[1], map, sizes, type.getElementType(), [&](OpBuilder &n, Location l, ValueRange e) -> Value {
      SmallVector<Value> position;
      for (int64_t d = 0; d < type.getRank(); ++d)
        position.push_back(d == axis ? clampIndex(n, l, e[0], type.getDimSize(axis))
                                     : linalg::IndexOp::create(n, l, d < axis ? d : d + rank - 1).getResult());
      return tensor::ExtractOp::create(n, l, inputs[0], position);
    });
  });
}

/// Along `axis`, the least or greatest index at which `x` equals `extreme`.
static Value findIndex(OpBuilder &b, Location loc, Value x, Value extreme, int64_t axis, bool last) {
  const int64_t worst = last ? 0 : cast<RankedTensorType>(x.getType()).getDimSize(axis) - 1; // what a row of NaN has
  return reduce(b, loc, {x, extreme}, axis, integer(b, loc, b.getI64Type(), worst), [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value index = arith::IndexCastOp::create(n, l, n.getI64Type(), linalg::IndexOp::create(n, l, axis));
    Value better = last ? arith::MaxSIOp::create(n, l, e[2], index).getResult() : arith::MinSIOp::create(n, l, e[2], index);
    Value equal = isa<FloatType>(e[0].getType()) ? arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, e[0], e[1]).getResult()
                                                 : arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, e[0], e[1]);
    return arith::SelectOp::create(n, l, equal, better, e[2]);
  });
}

/// What any element is at least as good as.
static Value worst(OpBuilder &b, Location loc, Type element, bool greatest) {
  const float infinity = std::numeric_limits<float>::infinity();
  if (isa<FloatType>(element))
    return constant(b, loc, greatest ? -infinity : infinity);
  const unsigned bits = element.getIntOrFloatBitWidth();
  const APInt value = greatest ? APInt::getSignedMinValue(bits) : APInt::getSignedMaxValue(bits);
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, value));
}

/// The greater or the lesser of two.
static Value better(OpBuilder &b, Location loc, Value x, Value y, bool greatest) {
  if (isa<FloatType>(x.getType()))
    return greatest ? arith::MaximumFOp::create(b, loc, x, y).getResult() : arith::MinimumFOp::create(b, loc, x, y).getResult();
  return greatest ? arith::MaxSIOp::create(b, loc, x, y).getResult() : arith::MinSIOp::create(b, loc, x, y).getResult();
}

Value mlir::halftone::buildArgument(OpBuilder &builder, Location loc, Value x, int64_t axis, ArgumentRule rule) {
  DictionaryAttr parameters = builder.getDictionaryAttr({builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)),
                                                         builder.getNamedAttr("last", builder.getBoolAttr(rule.last))});
  StringRef name = rule.greatest ? "arg_max" : "arg_min";
  return makeComposite(builder, loc, name, x, parameters, [&](OpBuilder &b, ValueRange inputs) {
    Value extreme = reduce(b, loc, inputs[0], axis, worst(b, loc, getElementTypeOrSelf(x.getType()), rule.greatest),
                           [&](OpBuilder &n, Location l, ValueRange e) -> Value { return better(n, l, e[0], e[1], rule.greatest); });
    return findIndex(b, loc, inputs[0], extreme, axis, rule.last);
  });
}
