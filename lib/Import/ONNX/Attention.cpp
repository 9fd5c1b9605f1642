//===- Attention.cpp - attention as its products and softmax ------------------===//
//
// ONNX's Attention and onnxruntime's Attention, QAttention and MultiHeadAttention are softmax(scale query keys^T + terms) values for each
// head; they differ in what makes query, keys and values, and in how positions are masked. Written out, heads are
// batch x heads x length x size.
//
//===----------------------------------------------------------------------===//
#include "Attention.h"
#include "Operators.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

Heads importer::splitHeads(Expansion &expansion, MLIRContext *context, const std::string &name, int64_t heads, int64_t length, int64_t width) {
  const int64_t size = width / heads;
  std::string split = expansion.apply("Reshape", {name, expansion.integers(context, {0, 0, heads, size})});
  return {expansion.apply("Transpose", split, makeInts("perm", {0, 2, 1, 3})), heads, length, size};
}

/// An input by heads: of three dimensions, or of four that are heads already.
static FailureOr<Heads> readHeads(Node &node, Expansion &expansion, unsigned i, int64_t heads, const std::string &name) {
  const Tensor &x = node.input(i);
  if (!x.element.isF32() || x.rank() < 3 || x.rank() > 4 || ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front()))
    return node.unsupported("input " + Twine(i) + ", which is not batch x length x width or batch x heads x length x size of f32 with a fixed length");
  if (x.rank() == 4)
    return Heads{name, x.shape[1], x.shape[2], x.shape[3]};
  if (heads < 1 || x.shape[2] % heads)
    return node.unsupported(Twine(heads) + " heads of input " + Twine(i) + ", which has a width of " + Twine(x.shape[2]));
  return splitHeads(expansion, node.builder.getContext(), name, heads, x.shape[1], x.shape[2]);
}

/// What was before, input `past`, in front of it; all of it is result `present`.
static LogicalResult addPast(Node &node, Expansion &expansion, Heads &heads, unsigned past, unsigned present) {
  if (node.hasInput(past)) {
    const Tensor &before = node.input(past);
    if (before.rank() != 4 || before.shape[1] != heads.heads || ShapedType::isDynamic(before.shape[2]) || before.shape[3] != heads.size)
      return node.unsupported("input " + Twine(past) + ", which is not what came before of the same heads, of a fixed length");
    heads.name = expansion.apply("Concat", {expansion.input(past), heads.name}, makeInt("axis", 2));
    heads.length += before.shape[2];
  }
  if (node.hasResult(present))
    expansion.add("Identity", heads.name, expansion.output(present));
  return success();
}

void importer::repeatHeads(Expansion &expansion, MLIRContext *context, Heads &heads, int64_t times) {
  if (times == 1)
    return;
  std::string single = expansion.apply("Unsqueeze", {heads.name, expansion.integers(context, 2)});
  std::string repeated = expansion.apply("Expand", {single, expansion.integers(context, {1, 1, times, 1, 1})});
  heads.heads *= times;
  heads.name = expansion.apply("Reshape", {repeated, expansion.integers(context, {0, heads.heads, heads.length, heads.size})});
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

std::string importer::makeTerm(Expansion &expansion, MLIRContext *context, const std::string &isKept, float otherwise) {
  return expansion.apply("Where", {isKept, expansion.number(context, 0), expansion.number(context, otherwise)});
}

bool Window::hides() const {
  return llvm::any_of(llvm::seq(rows), [&](int64_t row) { return !sees(row, 0) || !sees(row, columns - 1); });
}

std::string Window::add(Expansion &expansion, Type element, double seen, double hidden) const {
  std::vector<double> numbers;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      numbers.push_back(sees(row, column) ? seen : hidden);
  if (isa<FloatType>(element))
    return expansion.constant(HostTensor::fromNumbers(element, {rows, columns}, numbers));
  return expansion.constant(HostTensor::fromIntegers(element, {rows, columns}, std::vector<int64_t>(numbers.begin(), numbers.end())));
}

/// Whether every query sees a key within the window that a constant mask does not hide: truth values, or terms of which -inf hides; null: no mask.
static bool seesInEveryRow(const HostTensor *mask, const Window &window) {
  const std::vector<double> values = mask ? mask->numbers() : std::vector<double>{1};
  const int64_t rank = mask ? mask->shape.size() : 0, columns = rank ? mask->shape.back() : 1, rows = rank > 1 ? mask->shape[rank - 2] : 1;
  if ((rows != 1 && rows != window.rows) || (columns != 1 && columns != window.columns) || values.empty())
    return false;
  auto isKept = [&](int64_t place) { return mask && mask->isFloat() ? values[place] > -std::numeric_limits<double>::infinity() : values[place] != 0; };
  for (int64_t outer = 0, e = values.size() / (rows * columns); outer < e; ++outer)
    for (int64_t row = 0; row < window.rows; ++row)
      if (llvm::none_of(llvm::seq<int64_t>(window.columns), [&](int64_t column) {
            return window.sees(row, column) && isKept((outer * rows + (rows == 1 ? 0 : row)) * columns + (columns == 1 ? 0 : column));
          }))
        return false;
  return true;
}

void importer::addWindow(Expansion &expansion, MLIRContext *context, Attention &attention, const Window &window) {
  if (window.hides())
    attention.terms.push_back(window.add(expansion, Float32Type::get(context), 0, kLowest));
}

/// The term of a mask of onnxruntime's, input `i` if it is there: lengths of the batch's sequences, or what is 0 where a key is not seen, for each
/// sequence, each of its queries, or with a dimension for all heads between. The name of its truth values, "" without a mask.
static FailureOr<std::string> addMask(Node &node, Expansion &expansion, unsigned i, float filter, Attention &attention) {
  if (!node.hasInput(i))
    return std::string();
  MLIRContext *context = node.builder.getContext();
  const Tensor &mask = node.input(i);
  const int64_t columns = attention.keys.length;
  std::string isKept;
  if (mask.rank() == 1) {
    if (mask.shape != ArrayRef<int64_t>(node.input(0).shape).take_front())
      return node.unsupported("a mask of beginnings and ends");
    std::string places = expansion.integers(context, llvm::to_vector(llvm::seq<int64_t>(columns)));
    std::string lengths = expansion.apply("Cast", expansion.input(i), makeInt("to", onnx::TensorProto::INT64));
    lengths = expansion.apply("Unsqueeze", {lengths, expansion.integers(context, {1, 2, 3})});
    isKept = expansion.apply("Less", {places, lengths});
  } else if (mask.rank() >= 2 && mask.rank() <= 4 && mask.shape.back() == columns) {
    isKept = expansion.apply("Cast", expansion.input(i), makeInt("to", onnx::TensorProto::BOOL));
    if (mask.rank() < 4)
      isKept = expansion.apply("Unsqueeze", {isKept, mask.rank() == 2 ? expansion.integers(context, {1, 2}) : expansion.integers(context, 1)});
  } else {
    return node.unsupported("a mask that is not of " + Twine(columns) + " positions");
  }
  attention.terms.push_back(makeTerm(expansion, context, isKept, filter));
  return isKept;
}

//===----------------------------------------------------------------------===//
// The products
//===----------------------------------------------------------------------===//

std::string importer::attend(Expansion &expansion, MLIRContext *context, const Attention &attention) {
  const float scale = attention.scale != 0 ? attention.scale : float(1 / std::sqrt(double(attention.query.size)));
  std::string keys = expansion.apply("Transpose", attention.keys.name, makeInts("perm", {0, 1, 3, 2}));
  expansion.part = "scores";
  std::string scores = expansion.apply("MatMul", {attention.query.name, keys});
  scores = expansion.apply("Mul", {scores, expansion.number(context, scale)});
  if (attention.cap > 0) {
    std::string cap = expansion.number(context, attention.cap);
    scores = expansion.apply("Mul", {expansion.apply("Tanh", expansion.apply("Div", {scores, cap})), cap});
  }
  for (const std::string &term : attention.terms)
    scores = expansion.apply("Add", {scores, term});
  std::string shares = expansion.apply("Softmax", scores, makeInt("axis", -1));
  if (!attention.kept.empty())
    shares = expansion.apply("Where", {attention.kept, shares, expansion.number(context, 0)});
  expansion.part = "output";
  std::string result = expansion.apply("MatMul", {shares, attention.values.name});
  if (attention.sink.empty())
    return result;
  // Of sum e^s + e^sink the keys have sum e^s: the share of sigmoid(log(sum e^s) - sink).
  std::string sum = expansion.apply("ReduceLogSumExp", {scores, expansion.integers(context, -1)}, makeInt("keepdims", 1));
  return expansion.apply("Mul", {result, expansion.apply("Sigmoid", expansion.apply("Sub", {sum, attention.sink}))});
}

void importer::joinHeads(Expansion &expansion, MLIRContext *context, const std::string &heads, int64_t width) {
  std::string joined = expansion.apply("Transpose", heads, makeInts("perm", {0, 2, 1, 3}));
  expansion.add("Reshape", {joined, expansion.integers(context, {0, 0, width})}, expansion.output(0));
}

/// Whether query, keys and values belong together.
static LogicalResult checkHeads(Node &node, const Attention &attention) {
  const Heads &query = attention.query, &keys = attention.keys, &values = attention.values;
  if (keys.heads == values.heads && keys.length == values.length && keys.size == query.size && keys.heads > 0 && query.heads % keys.heads == 0)
    return success();
  return node.unsupported("query, keys and values whose heads do not fit each other");
}

//===----------------------------------------------------------------------===//
// ONNX's Attention
//===----------------------------------------------------------------------===//

/// The mask, input 3, and the lengths of the sequences, input 6. A query that sees no key at all gives zeros: unless every one is known to see some, what is
/// not seen gets nothing.
static LogicalResult addConditions(Node &node, Expansion &expansion, const Window &window, Attention &attention) {
  MLIRContext *context = node.builder.getContext();
  SmallVector<std::string> conditions;
  HostTensorRef constant = node.constant(3);
  if (node.hasInput(3)) {
    const Tensor &mask = node.input(3);
    if (mask.rank() == 0 || (mask.shape.back() != window.columns && mask.shape.back() != 1) || !(mask.element.isF32() || mask.element.isInteger(1)))
      return node.unsupported("a mask that is not of " + Twine(window.columns) + " positions, of f32 or truth values");
    const std::string term = expansion.input(3);
    attention.terms.push_back(mask.element.isF32() ? term : makeTerm(expansion, context, term, kLowest));
    const float hides = -std::numeric_limits<float>::infinity();
    conditions.push_back(mask.element.isF32() ? expansion.apply("Greater", {term, expansion.number(context, hides)}) : term);
  }
  FailureOr<std::string> isWithin = addMask(node, expansion, 6, kLowest, attention);
  if (failed(isWithin))
    return failure();
  const bool isKnown = (constant || !node.hasInput(3)) && isWithin->empty();
  if (isKnown && seesInEveryRow(constant.get(), window))
    return success();
  if (!isWithin->empty())
    conditions.push_back(*isWithin);
  if (window.hides())
    conditions.push_back(window.add(expansion, IntegerType::get(context, 1), 1, 0));
  attention.kept = conditions.front();
  for (const std::string &condition : ArrayRef(conditions).drop_front())
    attention.kept = expansion.apply("And", {attention.kept, condition});
  return success();
}

/// Q, K, V, mask, past keys, past values, lengths of the sequences. The softmax is in f32 whatever `softmax_precision` says.
LogicalResult importer::expandAttention(Node &node, Expansion &expansion) {
  MLIRContext *context = node.builder.getContext();
  const int64_t queryHeads = node.getInt("q_num_heads", 0), keyHeads = node.getInt("kv_num_heads", queryHeads);
  const bool isCausal = node.getInt("is_causal", 0), isFlat = node.input(0).rank() == 3;
  const int64_t left = node.getInt("left_window_size", -1), right = node.getInt("right_window_size", -1);
  (void)node.getInt("softmax_precision", 1), (void)node.getInt("qk_matmul_output_mode", 0);
  if (node.hasResult(3))
    return node.unsupported("the scores as a result");
  FailureOr<Heads> query = readHeads(node, expansion, 0, queryHeads, expansion.input(0)), keys = readHeads(node, expansion, 1, keyHeads, expansion.input(1)),
                   values = readHeads(node, expansion, 2, keyHeads, expansion.input(2));
  if (failed(query) || failed(keys) || failed(values))
    return failure();
  Attention attention{*query, *keys, *values, node.getFloat("scale", 0), node.getFloat("softcap", 0)};
  if (failed(addPast(node, expansion, attention.keys, 4, 1)) || failed(addPast(node, expansion, attention.values, 5, 2)) || failed(checkHeads(node, attention)))
    return failure();
  const int64_t offset = attention.keys.length - keys->length;
  for (Heads *heads : {&attention.keys, &attention.values})
    repeatHeads(expansion, context, *heads, query->heads / heads->heads);
  if (node.hasInput(6) && (isCausal || left >= 0 || right >= 0))
    return node.unsupported("a causal mask or a window, of sequences whose lengths are an input");
  auto bound = [](int64_t size) { return size < 0 ? std::optional<int64_t>() : size; };
  const Window window{attention.query.length, attention.keys.length, offset, bound(left), isCausal ? 0 : bound(right)};
  addWindow(expansion, context, attention, window);
  if (failed(addConditions(node, expansion, window, attention)))
    return failure();
  std::string result = attend(expansion, context, attention);
  if (isFlat)
    joinHeads(expansion, context, result, query->heads * values->size);
  else
    expansion.add("Identity", result, expansion.output(0));
  return success();
}

//===----------------------------------------------------------------------===//
// onnxruntime's attentions
//===----------------------------------------------------------------------===//

/// What both have beside query, keys and values.
static LogicalResult finish(Node &node, Expansion &expansion, Attention &attention, unsigned mask, std::optional<unsigned> bias, int64_t offset) {
  MLIRContext *context = node.builder.getContext();
  const bool isCausal = node.getInt("unidirectional", 0);
  const float filter = node.getFloat("mask_filter_value", -10000);
  attention.scale = node.getFloat("scale", 0);
  addWindow(expansion, context, attention,
            {attention.query.length, attention.keys.length, offset, std::nullopt, isCausal ? std::optional<int64_t>(0) : std::nullopt});
  if (failed(checkHeads(node, attention)) || failed(addMask(node, expansion, mask, filter, attention)))
    return failure();
  if (attention.query.heads != attention.keys.heads)
    return node.unsupported("keys with fewer heads than the query");
  if (bias && node.hasInput(*bias))
    attention.terms.push_back(expansion.input(*bias));
  joinHeads(expansion, context, attend(expansion, context, attention), attention.query.heads * attention.values.size);
  return success();
}

/// Columns `begin` to `begin + size` of a constant that has `columns`, or one for all.
static std::string sliceColumns(Expansion &expansion, const HostTensor &whole, int64_t columns, int64_t begin, int64_t size, StringRef part) {
  if (whole.count() == 1 && columns != 1)
    return expansion.constant(whole);
  SmallVector<int64_t> shape(whole.shape), strides = rowMajorStrides(shape);
  shape.back() = size;
  HostTensor slice = whole.gathered(shape, stridedIndices<int64_t>(shape, strides, begin));
  slice.name = whole.name.empty() ? "" : whole.name + "/" + part.str();
  return expansion.constant(std::move(slice));
}

static constexpr StringLiteral kParts[] = {"query", "key", "value"};

/// Attention (input, weights, bias, mask, past, scores' bias, its length) and QAttention (codes and weights in codes, bias, their scales, mask, their zero
/// points, past): query, keys and values are products of one input with columns of one constant.
LogicalResult importer::expandPackedAttention(Node &node, Expansion &expansion) {
  MLIRContext *context = node.builder.getContext();
  const bool hasCodes = node.type() == "QAttention";
  const unsigned mask = hasCodes ? 5 : 3, past = hasCodes ? 8 : 4;
  const int64_t heads = node.getInt("num_heads", 0);
  if (node.hasInput(past) || node.hasResult(1) || node.getInt("do_rotary", 0) || node.getInt("past_present_share_buffer", 0))
    return node.unsupported("what came before the sequence, or rotary embeddings");
  const Tensor &x = node.input(0);
  HostTensorRef weights = node.constant(1), bias = node.constant(2);
  HostTensorRef scale = hasCodes ? node.constant(4) : nullptr, zero = hasCodes ? node.constant(7) : nullptr;
  if (!weights || weights->shape.size() != 2 || (node.hasInput(2) && !bias) || (hasCodes && (!scale || (node.hasInput(7) && !zero))))
    return node.unsupported("weights, a bias or scales of weights that are not constant");
  if (x.rank() != 3 || ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front()) || x.shape[2] != weights->shape[0])
    return node.unsupported("an input that is not batch x length x width with a fixed length, as the weights have rows");
  const int64_t columns = weights->shape[1];
  SmallVector<int64_t> widths = node.getInts("qkv_hidden_sizes", {columns / 3, columns / 3, columns / 3});
  auto fits = [&](const HostTensorRef &row) {
    return !row || row->count() == 1 || (row->shape.size() == 1 && row->shape[0] == columns);
  };
  if (heads < 1 || widths.size() != 3 || llvm::any_of(widths, [&](int64_t width) { return width < 1 || width % heads; }) ||
      widths[0] + widths[1] + widths[2] != columns || !fits(bias) || !fits(scale) || !fits(zero))
    return node.unsupported("weights that are not " + Twine(heads) + " heads of query, keys and values, or a bias or scales that do not fit them");
  SmallVector<Heads, 3> parts;
  int64_t begin = 0;
  for (auto [width, part] : llvm::zip_equal(widths, kParts)) {
    expansion.part = part.str();
    auto slice = [&, width = width, part = StringRef(part)](const HostTensorRef &whole) {
      return whole ? sliceColumns(expansion, *whole, columns, begin, width, part) : std::string();
    };
    std::string b = slice(weights), shift = slice(bias), product;
    if (hasCodes) {
      product = expansion.fresh(part);
      expansion.multiplyCodes({expansion.input(0), expansion.input(3), expansion.input(6)}, {b, slice(scale), slice(zero)}, shift, product);
    } else {
      product = expansion.apply("MatMul", {expansion.input(0), b});
      if (!shift.empty())
        product = expansion.apply("Add", {product, shift});
    }
    parts.push_back(splitHeads(expansion, context, product, heads, x.shape[1], width));
    begin += width;
  }
  Attention attention{parts[0], parts[1], parts[2]};
  return finish(node, expansion, attention, mask, hasCodes ? std::nullopt : std::optional<unsigned>(5), /*offset=*/0);
}

/// Query, keys, values, their bias, mask, scores' bias, past keys, past values.
LogicalResult importer::expandMultiHeadAttention(Node &node, Expansion &expansion) {
  const int64_t heads = node.getInt("num_heads", 0);
  HostTensorRef bias = node.constant(3);
  if (node.hasInput(8) || node.hasInput(9) || node.hasResult(3) || (node.hasInput(3) && !bias))
    return node.unsupported("a bias that is not constant, a shared cache, or the scores as a result");
  SmallVector<Heads, 3> parts;
  int64_t begin = 0;
  for (auto [i, part] : llvm::enumerate(kParts)) {
    const Tensor &x = node.input(i);
    std::string name = expansion.input(i);
    expansion.part = part.str();
    if (bias) {
      const int64_t width = x.rank() == 3 ? x.shape.back() : ShapedType::kDynamic;
      if (x.rank() != 3 || bias->shape.size() != 1 || ShapedType::isDynamic(width) || begin + width > bias->shape[0])
        return node.unsupported("a bias that does not fit query, keys and values of three dimensions");
      name = expansion.apply("Add", {name, sliceColumns(expansion, *bias, bias->shape[0], begin, width, part)});
      begin += width;
    }
    FailureOr<Heads> split = readHeads(node, expansion, i, heads, name);
    if (failed(split))
      return failure();
    parts.push_back(*split);
  }
  Attention attention{parts[0], parts[1], parts[2]};
  if (node.input(0).rank() != 3)
    return node.unsupported("a query that is not batch x length x width");
  if (failed(addPast(node, expansion, attention.keys, 6, 1)) || failed(addPast(node, expansion, attention.values, 7, 2)))
    return failure();
  return finish(node, expansion, attention, /*mask=*/4, /*bias=*/5, attention.keys.length - parts[1].length);
}
