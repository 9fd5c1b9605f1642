//===- GroupQueryAttention.cpp - attention over a cache of keys and values ----===//
//
// onnxruntime's GroupQueryAttention appends S new keys and values to those of a cache, turns query and keys by their positions, and attends. Of a sequence with
// t = seqlens_k + 1 keys, the new ones included, p = t - S are in the cache before, and query s has the position p + s. A first prompt, where
// total_sequence_length is S, has p = 0. Otherwise p is a number of the file where seqlens_k is constant, else what the run gives for each sequence. Rows of
// the cache from t on are nobody's: here they are what they were before, or zeros.
//
//===----------------------------------------------------------------------===//
#include "Attention.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// Inputs by their place.
enum Input : unsigned {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLengths,
  kTotal,
  kCosines,
  kSines,
  kPositions,
  kBias,
  kSink,
  kKeyScale,
  kValueScale,
  kQueryNorm,
  kKeyNorm,
  kValidQueries
};

/// The lengths of the cache.
struct Cache {
  int64_t past = 0;             ///< rows of past_key
  int64_t added = 0;            ///< S
  int64_t total = 0;            ///< total_sequence_length
  std::optional<int64_t> known; ///< t of all sequences, where it is known
  bool isFirst = false;         ///< p = 0
  std::string lengths;          ///< t, batch x 1 of i64; "" where it is known
  std::string before;           ///< p, batch x 1 of i64; "" where `begin` has it

  int64_t rows() const { return std::max(past, total); }
  /// p, where it is known.
  std::optional<int64_t> begin() const { return isFirst ? 0 : known ? std::optional<int64_t>(*known - added) : std::nullopt; }
};

/// The expansion of one node.
class Group {
public:
  Group(Node &node, Expansion &expansion) : node(node), expansion(expansion), context(node.builder.getContext()) {}
  LogicalResult expand();

private:
  LogicalResult checkOptions();
  LogicalResult readQueryKeysValues();
  LogicalResult readLengths();
  LogicalResult normalize();
  LogicalResult turn();
  Heads append(const Heads &added, unsigned past, unsigned present);
  std::string mergeAtRunTime(const Heads &added, const std::string &past);
  LogicalResult addTerms();

  std::string integers(ArrayRef<int64_t> values) { return expansion.integers(context, values); }
  std::string range(int64_t count, int64_t begin = 0) { return integers(llvm::to_vector(llvm::seq(begin, begin + count))); }
  std::string slice(const std::string &x, int64_t axis, int64_t begin, int64_t end) {
    return expansion.apply("Slice", {x, integers(begin), integers(end), integers(axis)});
  }
  /// Zeros behind the rows of batch x heads x rows x size.
  std::string pad(const std::string &x, int64_t count) {
    return count ? expansion.apply("Pad", {x, integers({0, 0, 0, 0, 0, 0, count, 0})}) : x;
  }
  /// batch x 1 as batch x 1 x 1 x 1.
  std::string unsqueeze(const std::string &x) { return expansion.apply("Unsqueeze", {x, integers({2, 3})}); }

  Node &node;
  Expansion &expansion;
  MLIRContext *context;
  Attention attention;
  Cache cache;
};
} // namespace

LogicalResult Group::checkOptions() {
  for (StringRef name : {"sliding_window_cache", "qk_output"})
    if (int64_t value = node.getInt(name, 0))
      return node.unsupported("attribute '" + name + "' of " + Twine(value));
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (std::string kind = node.getString(name, "NONE"); kind != "NONE")
      return node.unsupported("attribute '" + name + "' of '" + kind + "', a cache of codes");
  (void)node.getInt("kv_cache_bit_width", 0); // of codes
  static constexpr std::pair<Input, StringLiteral> refused[] = {{kKeyScale, "k_scale"}, {kValueScale, "v_scale"}, {kValidQueries, "query_seqlens"}};
  for (auto [i, name] : refused)
    if (node.hasInput(i))
      return node.unsupported("input '" + name + "'");
  if (node.hasResult(3))
    return node.unsupported("the scores as a result");
  return success();
}

/// Query, keys and values, of an input each or side by side in the first.
LogicalResult Group::readQueryKeysValues() {
  const int64_t heads = node.getInt("num_heads", 0), groups = node.getInt("kv_num_heads", 0);
  const Tensor &query = node.input(kQuery);
  if (!query.element.isF32() || query.rank() != 3 || ShapedType::isDynamicShape(ArrayRef<int64_t>(query.shape).drop_front()))
    return node.unsupported("a query that is not batch x length x width of f32 with a fixed length");
  if (heads < 1 || groups < 1 || heads % groups)
    return node.unsupported(Twine(heads) + " heads of the query and " + Twine(groups) + " of the keys");
  const bool isPacked = !node.hasInput(kKey) && !node.hasInput(kValue);
  const int64_t length = query.shape[1], parts = isPacked ? heads + 2 * groups : heads;
  if (query.shape[2] % parts)
    return node.unsupported("a width of " + Twine(query.shape[2]) + " for " + Twine(parts) + " heads");
  const int64_t size = query.shape[2] / parts;
  SmallVector<Heads, 3> read;
  int64_t begin = 0;
  for (unsigned i : {kQuery, kKey, kValue}) {
    const int64_t count = i == kQuery ? heads : groups, width = count * size;
    std::string name = expansion.input(isPacked ? kQuery : i);
    if (isPacked)
      name = slice(name, 2, begin, begin + width);
    else if (!node.hasInput(i) || node.input(i).rank() != 3 || node.input(i).shape[1] != length || node.input(i).shape[2] != width)
      return node.unsupported("keys or values that are not batch x " + Twine(length) + " x " + Twine(width));
    read.push_back(splitHeads(expansion, context, name, count, length, width));
    begin += width;
  }
  attention.query = read[0], attention.keys = read[1], attention.values = read[2];
  return success();
}

LogicalResult Group::readLengths() {
  cache.added = attention.query.length;
  for (unsigned i : {kPastKey, kPastValue}) {
    if (node.hasInput(i) != node.hasInput(kPastKey))
      return node.unsupported("past keys without values, or values without keys");
    if (!node.hasInput(i))
      continue;
    const Tensor &past = node.input(i);
    if (!past.element.isF32() || past.rank() != 4 || past.shape[1] != attention.keys.heads || ShapedType::isDynamic(past.shape[2]) ||
        past.shape[3] != attention.keys.size || (i == kPastValue && past.shape[2] != cache.past))
      return node.unsupported("a cache that is not batch x " + Twine(attention.keys.heads) + " x a fixed length x " + Twine(attention.keys.size) + " of f32");
    cache.past = past.shape[2];
  }
  if (!node.hasInput(kLengths) || !node.hasInput(kTotal))
    return node.unsupported("inputs 'seqlens_k' or 'total_sequence_length' that are absent");
  HostTensorRef total = node.constant(kTotal), lengths = node.constant(kLengths);
  if (!total || total->count() != 1)
    return node.unsupported("a total_sequence_length that is not constant (an input can be made so: --value)");
  cache.total = total->scalar();
  if (cache.total < cache.added || cache.total > cache.past + cache.added)
    return node.unsupported("a total_sequence_length of " + Twine(cache.total) + " for " + Twine(cache.past) + " positions in the cache and " +
                            Twine(cache.added) + " new ones");
  cache.isFirst = cache.total == cache.added;
  const Tensor &given = node.input(kLengths);
  if (!isa<IntegerType>(given.element) || given.rank() < 1 || given.rank() > 2 || (given.rank() == 2 && given.shape[1] != 1))
    return node.unsupported("seqlens_k that is not one integer for each sequence");
  if (lengths && llvm::all_equal(lengths->integers()) && lengths->count()) {
    cache.known = lengths->integers().front() + 1;
    if (!cache.isFirst && (*cache.known < cache.added || *cache.known > cache.total || *cache.begin() > cache.past))
      return node.unsupported("seqlens_k of " + Twine(*cache.known - 1) + " for a total_sequence_length of " + Twine(cache.total) + ", of which " +
                              Twine(cache.past) + " are in the cache before");
    return success();
  }
  cache.lengths = expansion.apply("Cast", expansion.input(kLengths), makeInt("to", onnx::TensorProto::INT64));
  if (given.rank() == 1)
    cache.lengths = expansion.apply("Unsqueeze", {cache.lengths, integers(1)});
  cache.lengths = expansion.apply("Add", {cache.lengths, integers(1)});
  if (cache.isFirst)
    return success();
  if (cache.added > 1 && node.input(kQuery).shape[0] != 1)
    return node.unsupported("several new positions for each of several sequences, whose lengths are no constants");
  cache.before = expansion.apply("Sub", {cache.lengths, integers(cache.added)});
  return success();
}

/// Each head of query and keys over the root of its mean square, where there are weights for it.
LogicalResult Group::normalize() {
  const float otherwise = node.getFloat("qk_norm_epsilon", 1e-6f);
  const float epsilons[] = {node.getFloat("q_norm_epsilon", otherwise), node.getFloat("k_norm_epsilon", otherwise)};
  const Input weights[] = {kQueryNorm, kKeyNorm};
  if (node.hasInput(kQueryNorm) != node.hasInput(kKeyNorm))
    return node.unsupported("one of the inputs 'q_norm_weight' and 'k_norm_weight' without the other");
  if (!node.hasInput(kQueryNorm))
    return success();
  Heads *const both[] = {&attention.query, &attention.keys};
  for (auto [heads, i, epsilon] : llvm::zip_equal(both, weights, epsilons)) {
    if (node.input(i).shape != ArrayRef(heads->size))
      return node.unsupported("weights of a norm that are not " + Twine(heads->size) + " numbers");
    std::string result = expansion.fresh("normalized");
    addRmsNormalization(expansion, context, heads->name, integers(-1), epsilon, expansion.input(i), result);
    heads->name = result;
  }
  return success();
}

/// Query and keys by the angles of their positions: those that are given, of a first prompt those from the first one on, else p + s.
LogicalResult Group::turn() {
  const bool areNeighbours = node.getInt("rotary_interleaved", 0), turns = node.getInt("do_rotary", 0);
  if (!turns)
    return success();
  if (!node.hasInput(kCosines) || !node.hasInput(kSines))
    return node.unsupported("do_rotary without cos_cache and sin_cache");
  const Tensor &angles = node.input(kCosines);
  const int64_t turned = angles.rank() == 2 ? 2 * angles.shape[1] : 0, size = attention.query.size, added = cache.added;
  if (turned < 1 || turned > size || ArrayRef<int64_t>(node.input(kSines).shape) != ArrayRef<int64_t>(angles.shape))
    return node.unsupported("cos_cache and sin_cache that are not of the same positions x angles, for heads of " + Twine(size));
  const std::optional<int64_t> begin = cache.begin();
  if (!node.hasInput(kPositions) && begin && *begin + added > angles.shape[0])
    return node.unsupported("a cos_cache of " + Twine(angles.shape[0]) + " positions, where there are " + Twine(*begin + added));
  std::string places; // what has a batch gets a dimension for heads
  const bool hasBatch = (node.hasInput(kPositions) && !cache.isFirst) || !begin;
  if (node.hasInput(kPositions)) {
    const Tensor &given = node.input(kPositions);
    if (given.rank() != 2 || given.shape[1] != added)
      return node.unsupported("position_ids that are not batch x " + Twine(added));
    places = expansion.input(kPositions);
    if (cache.isFirst) {
      std::string first = expansion.apply("Slice", {places, integers({0, 0}), integers({1, 1})});
      places = expansion.apply("Add", {expansion.apply("Reshape", {first, integers(1)}), range(added)});
    }
  } else {
    places = begin ? range(added, *begin) : expansion.apply("Add", {cache.before, range(added)});
  }
  auto anglesOf = [&](unsigned i) {
    std::string rows = expansion.apply("Gather", {expansion.input(i), places}, makeInt("axis", 0));
    return hasBatch ? expansion.apply("Unsqueeze", {rows, integers(1)}) : rows;
  };
  std::string cosine = anglesOf(kCosines), sine = anglesOf(kSines);
  for (Heads *heads : {&attention.query, &attention.keys})
    heads->name = turnPairs(expansion, context, heads->name, size, turned, areNeighbours, cosine, sine);
  return success();
}

/// New rows behind what was before at the place that the run gives, batch x heads x rows x size.
std::string Group::mergeAtRunTime(const Heads &added, const std::string &past) {
  const int64_t rows = cache.rows();
  if (cache.added == 1) { // each sequence has its own place
    std::string whole = pad(past, rows - cache.past), column = expansion.apply("Unsqueeze", {range(rows), integers(1)});
    std::string isNew = expansion.apply("Equal", {column, unsqueeze(cache.before)});
    return expansion.apply("Where", {isNew, added.name, whole});
  }
  SmallVector<int64_t> others; // of what is not new: from the cache, or the zeros behind all
  for (int64_t place = 0; place < rows; ++place)
    others.push_back(place < cache.past ? place : cache.past + cache.added);
  std::string both = pad(expansion.apply("Concat", {past, added.name}, makeInt("axis", 2)), 1);
  std::string distance = expansion.apply("Sub", {range(rows), expansion.apply("Reshape", {cache.before, integers(1)})});
  std::string isNew = expansion.apply("And", {expansion.apply("GreaterOrEqual", {distance, integers(0)}),
                                              expansion.apply("Less", {distance, integers(cache.added)})});
  std::string index = expansion.apply("Where", {isNew, expansion.apply("Add", {distance, integers(cache.past)}), integers(others)});
  return expansion.apply("Gather", {both, index}, makeInt("axis", 2));
}

/// New keys or values behind those of input `past`; the whole cache is result `present`. The rows that may be seen.
Heads Group::append(const Heads &added, unsigned past, unsigned present) {
  const std::optional<int64_t> begin = cache.begin();
  const int64_t rows = cache.rows(), seen = begin ? *begin + cache.added : cache.total;
  std::string whole = added.name, before = expansion.input(past);
  if (!begin) {
    whole = mergeAtRunTime(added, before);
  } else if (cache.past || rows > seen) {
    SmallVector<std::string> parts;
    if (*begin)
      parts.push_back(*begin == cache.past ? before : slice(before, 2, 0, *begin));
    parts.push_back(added.name);
    if (cache.past > seen)
      parts.push_back(slice(before, 2, seen, cache.past));
    if (parts.size() > 1)
      whole = expansion.apply("Concat", parts, makeInt("axis", 2));
    whole = pad(whole, rows - std::max(cache.past, seen));
  }
  if (node.hasResult(present))
    expansion.add("Identity", whole, expansion.output(present));
  if (seen < rows)
    whole = begin == 0 ? added.name : slice(whole, 2, 0, seen);
  return {whole, added.heads, seen, added.size};
}

/// What hides keys, and what is added to scores.
LogicalResult Group::addTerms() {
  const int64_t window = node.getInt("local_window_size", -1), columns = attention.keys.length, rows = cache.added;
  const bool isCausal = node.getInt("causal", 1);
  if (!isCausal && window > 0)
    return node.unsupported("local_window_size of " + Twine(window) + " without causal");
  std::string isKept;
  if (isCausal && cache.begin()) {
    addWindow(expansion, context, attention, {rows, columns, *cache.begin(), window > 0 ? std::optional(window - 1) : std::nullopt, 0});
  } else if (isCausal) {
    SmallVector<int64_t> distances;
    for (int64_t row = 0; row < rows; ++row)
      llvm::append_range(distances, llvm::seq(-row, columns - row));
    std::string fixed = expansion.constant(HostTensor::fromIntegers(IntegerType::get(context, 64), {rows, columns}, distances));
    std::string distance = expansion.apply("Sub", {fixed, unsqueeze(cache.before)});
    isKept = expansion.apply("LessOrEqual", {distance, integers(0)});
    if (window > 0)
      isKept = expansion.apply("And", {isKept, expansion.apply("Greater", {distance, integers(-window)})});
  } else if (!cache.known) {
    isKept = expansion.apply("Less", {range(columns), unsqueeze(cache.lengths)});
  } else if (*cache.known < columns) {
    isKept = expansion.apply("Less", {range(columns), integers(*cache.known)});
  }
  if (!isKept.empty())
    attention.terms.push_back(makeTerm(expansion, context, isKept, kLowest));
  if (node.hasInput(kBias)) {
    const Tensor &bias = node.input(kBias);
    if (!bias.element.isF32() || bias.rank() != 4 || bias.shape[2] != rows || bias.shape[3] != cache.total)
      return node.unsupported("an attention_bias that is not batch x heads x " + Twine(rows) + " x " + Twine(cache.total) + " of f32");
    std::string term = expansion.input(kBias);
    attention.terms.push_back(columns < cache.total ? slice(term, 3, 0, columns) : term);
  }
  if (node.hasInput(kSink)) {
    if (node.input(kSink).shape != ArrayRef(attention.query.heads))
      return node.unsupported("a head_sink that is not " + Twine(attention.query.heads) + " numbers");
    attention.sink = expansion.apply("Unsqueeze", {expansion.input(kSink), integers({1, 2})});
  }
  if (node.getInt("smooth_softmax", 0) == 1 && attention.sink.empty())
    attention.sink = expansion.number(context, 0);
  return success();
}

LogicalResult Group::expand() {
  if (failed(checkOptions()) || failed(readQueryKeysValues()) || failed(readLengths()) || failed(normalize()) || failed(turn()))
    return failure();
  attention.keys = append(attention.keys, kPastKey, 1);
  attention.values = append(attention.values, kPastValue, 2);
  attention.scale = node.getFloat("scale", 0), attention.cap = node.getFloat("softcap", 0);
  if (failed(addTerms()))
    return failure();
  for (Heads *heads : {&attention.keys, &attention.values})
    repeatHeads(expansion, context, *heads, attention.query.heads / heads->heads);
  joinHeads(expansion, context, attend(expansion, context, attention), attention.query.heads * attention.values.size);
  return success();
}

LogicalResult importer::expandGroupQueryAttention(Node &node, Expansion &expansion) { return Group(node, expansion).expand(); }
