//===- RotaryEmbedding.cpp - pairs of elements turned by their position -------===//
//
// ONNX's RotaryEmbedding and onnxruntime's turn pairs (a, b) of a head's elements by the angle of their position, (a cos - b sin, a sin + b cos); attentions of
// groups do so, too.
//
//===----------------------------------------------------------------------===//
#include "Attention.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

std::string importer::turnPairs(Expansion &expansion, MLIRContext *context, const std::string &x, int64_t size, int64_t turned, bool areNeighbours,
                                const std::string &cosine, const std::string &sine) {
  auto integers = [&](ArrayRef<int64_t> values) { return expansion.integers(context, values); };
  auto slice = [&](int64_t begin, int64_t end, int64_t step) {
    return expansion.apply("Slice", {x, integers(begin), integers(end), integers(3), integers(step)});
  };
  auto combine = [&](StringRef type, const std::string &a, const std::string &b, const std::string &c, const std::string &d) {
    return expansion.apply(type, {expansion.apply("Mul", {a, b}), expansion.apply("Mul", {c, d})});
  };
  std::string first = areNeighbours ? slice(0, turned, 2) : slice(0, turned / 2, 1);
  std::string second = areNeighbours ? slice(1, turned, 2) : slice(turned / 2, turned, 1);
  std::string real = combine("Sub", first, cosine, second, sine), imaginary = combine("Add", first, sine, second, cosine), pairs;
  if (areNeighbours) {
    real = expansion.apply("Unsqueeze", {real, integers(4)}), imaginary = expansion.apply("Unsqueeze", {imaginary, integers(4)});
    pairs = expansion.apply("Reshape", {expansion.apply("Concat", {real, imaginary}, makeInt("axis", 4)), integers({0, 0, 0, turned})});
  } else {
    pairs = expansion.apply("Concat", {real, imaginary}, makeInt("axis", 3));
  }
  if (turned < size)
    pairs = expansion.apply("Concat", {pairs, slice(turned, size, 1)}, makeInt("axis", 3));
  return pairs;
}

/// Pairs of a head's elements, its halves or neighbours, turned by the angles of their position: ONNX's (x, cosines, sines, positions) and onnxruntime's
/// (x, positions, cosines, sines).
LogicalResult importer::expandRotaryEmbedding(Node &node, Expansion &expansion) {
  MLIRContext *context = node.builder.getContext();
  const bool isMicrosoft = node.hasInput(3) && !node.input(1).isFloat();
  const unsigned cosines = isMicrosoft ? 2 : 1, sines = cosines + 1, positions = isMicrosoft ? 1 : 3;
  const bool isInterleaved = node.getInt("interleaved", 0);
  int64_t heads = node.getInt("num_heads", 0), turned = node.getInt("rotary_embedding_dim", 0);
  if (node.getInt("is_packed_batching", 0) || node.getFloat("scale", 1) != 1)
    return node.unsupported("packed batches, or a scale");
  const Tensor &x = node.input(0), &angles = node.input(cosines);
  if (!x.element.isF32() || x.rank() < 3 || x.rank() > 4 || angles.rank() < 2 || ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front()))
    return node.unsupported("an input that is not batch x length x width or batch x heads x length x size of f32 with a fixed length");
  const bool isFlat = x.rank() == 3;
  const int64_t length = x.shape[isFlat ? 1 : 2];
  if (isFlat && heads == 0)
    heads = x.shape[2] / std::max<int64_t>(2 * angles.shape.back(), 1);
  const int64_t size = isFlat ? x.shape[2] / std::max<int64_t>(heads, 1) : x.shape[3];
  turned = turned ? turned : size;
  if (turned > size || turned % 2 || angles.shape.back() != turned / 2 || (isFlat && size * heads != x.shape[2]))
    return node.unsupported("heads of " + Twine(size) + ", of which " + Twine(turned) + " are turned by " + Twine(angles.shape.back()) + " angles");
  auto integers = [&](ArrayRef<int64_t> values) { return expansion.integers(context, values); };
  // Angles of a position stand for all heads.
  std::string places = expansion.input(positions);
  if (!places.empty() && node.input(positions).rank() == 1) // where the sequence begins
    places = expansion.apply("Add", {places, integers(llvm::to_vector(llvm::seq<int64_t>(length)))});
  auto anglesOf = [&](unsigned i) {
    std::string rows = places.empty() ? expansion.input(i) : expansion.apply("Gather", {expansion.input(i), places}, makeInt("axis", 0));
    return expansion.apply("Unsqueeze", {rows, integers(isFlat ? -2 : -3)});
  };
  std::string cosine = anglesOf(cosines), sine = anglesOf(sines);
  std::string split = isFlat ? expansion.apply("Reshape", {expansion.input(0), integers({0, 0, heads, size})}) : expansion.input(0);
  std::string pairs = turnPairs(expansion, context, split, size, turned, isInterleaved, cosine, sine);
  if (isFlat)
    expansion.add("Reshape", {pairs, integers({0, 0, heads * size})}, expansion.output(0));
  else
    expansion.add("Identity", pairs, expansion.output(0));
  return success();
}
