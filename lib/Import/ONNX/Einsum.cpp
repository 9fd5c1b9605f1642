//===- Einsum.cpp - ONNX's Einsum -------------------------------------------===//
//
// Two factors are one matrix product, or a batch of them: dimensions are transposed and joined by where their letters stand. More
// are multiplied one after the other. What only one factor sums is summed before. One tensor is transposed.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "MatrixProduct.h"
#include "Movement.h"
#include "Operators.h"
#include "Reduction.h"
#include "Shape.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

/// A tensor with a letter for each dimension.
struct Factor {
  Tensor tensor;
  std::string letters;

  int64_t sizeOf(char c) const { return tensor.shape[letters.find(c)]; }
  bool has(char c) const { return llvm::is_contained(letters, c); }
};

/// The letters of a product by what becomes of them.
struct Roles {
  std::string batch, left, right, summed;
};
} // namespace

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kEllipsis = "...", kEllipsisLetters = "0123456789";

static bool isDistinct(StringRef letters) {
  return llvm::all_of(letters, [&](char c) { return llvm::isAlnum(c) && letters.count(c) == 1; });
}

/// The dimensions for which the dots of a term of a tensor of that rank stand; -1 if the term does not fit it.
static int64_t countDots(StringRef term, int64_t rank) {
  if (!term.contains(kEllipsis))
    return static_cast<int64_t>(term.size()) == rank ? 0 : -1;
  return rank - static_cast<int64_t>(term.size() - kEllipsis.size());
}

/// The term with digits for its dots, the last of `most` of them.
static std::string writeDots(StringRef term, int64_t count, int64_t most) {
  auto [before, behind] = term.split(kEllipsis);
  return term.contains(kEllipsis) ? (before + kEllipsisLetters.take_front(most).take_back(count) + behind).str() : term.str();
}

/// The equation, with a letter for each dimension; without an arrow the output has the dots and the letters that occur once, in the alphabet's order.
static FailureOr<Equation> readEquation(Node &node) {
  std::string text = node.getString("equation", "");
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != node.numInputs() || llvm::any_of(left, llvm::isDigit) || llvm::any_of(right, llvm::isDigit))
    return node.unsupported("an equation of another number of inputs");
  std::string output = right.str();
  if (!StringRef(text).contains("->")) {
    output = left.contains(kEllipsis) ? kEllipsis.str() : "";
    for (char c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(c) && left.count(c) == 1)
        output += c;
  }
  if (left.contains(kEllipsis) && !StringRef(output).contains(kEllipsis))
    return node.unsupported("an equation that sums the dimensions of '...'");
  int64_t most = 0;
  for (auto [i, term] : llvm::enumerate(terms)) {
    const int64_t dots = countDots(term, node.input(i).rank());
    if (dots < 0 || dots > static_cast<int64_t>(kEllipsisLetters.size()) || !node.input(i).element.isF32())
      return node.unsupported("an equation that does not fit the inputs, or inputs that are not f32");
    most = std::max(most, dots);
  }
  Equation equation;
  for (auto [i, term] : llvm::enumerate(terms))
    equation.inputs.push_back(writeDots(term, countDots(term, node.input(i).rank()), most));
  equation.output = writeDots(output, most, most);
  if (!isDistinct(equation.output) || !llvm::all_of(equation.inputs, isDistinct))
    return node.unsupported("an equation with a letter twice in one tensor");
  return equation;
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> placesOf(StringRef letters, StringRef in) {
  return llvm::map_to_vector(letters, [&](char c) { return static_cast<int64_t>(in.find(c)); });
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::all_of(llvm::enumerate(permutation), [](auto entry) { return static_cast<int64_t>(entry.index()) == entry.value(); });
}

/// The tensor with its dimensions in the order of `to`; constants on the host.
static Tensor reorder(Node &node, const Factor &x, StringRef to) {
  SmallVector<int64_t> permutation = placesOf(to, x.letters);
  if (isIdentity(permutation))
    return x.tensor;
  if (x.tensor.constant)
    return toTensor(x.tensor.constant->transposed(permutation));
  return toTensor(transpose(node, x.tensor.value, permutation));
}

static Tensor reshaped(Node &node, const Tensor &x, ArrayRef<int64_t> shape) {
  return x.constant ? toTensor(x.constant->reshaped(shape)) : toTensor(reshape(node, x.value, shape));
}

/// Without the letters.
static std::string withoutLetters(StringRef letters, StringRef dropped) {
  std::string rest;
  llvm::copy_if(letters, std::back_inserter(rest), [&](char c) { return !dropped.contains(c); });
  return rest;
}

/// Leaves out dimensions of size 1 that are longer in others, which repeats this factor, and sums those that are read nowhere else.
static void simplify(Node &node, Factor &factor, ArrayRef<Factor> all, StringRef output) {
  std::string ones, own;
  for (char c : factor.letters) {
    bool isElsewhere = output.contains(c), isLonger = false;
    for (const Factor &other : all)
      if (&other != &factor && other.has(c))
        isElsewhere = true, isLonger |= other.sizeOf(c) != 1;
    if (factor.sizeOf(c) == 1 && isLonger)
      ones += c;
    else if (!isElsewhere)
      own += c;
  }
  if (!own.empty())
    factor.tensor = toTensor(buildReduction(node, "ReduceSum", materialize(node, factor.tensor), placesOf(own, factor.letters)));
  factor.letters = withoutLetters(factor.letters, own);
  if (ones.empty())
    return;
  const std::string rest = withoutLetters(factor.letters, ones);
  SmallVector<int64_t> shape = llvm::map_to_vector(rest, [&](char c) { return factor.sizeOf(c); });
  factor = {reshaped(node, factor.tensor, shape), rest};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// What becomes of the letters if those of `kept` stay, in its order.
static Roles findRoles(const Factor &a, const Factor &b, StringRef kept) {
  Roles roles;
  for (char c : kept)
    if (a.has(c) || b.has(c))
      (a.has(c) && b.has(c) ? roles.batch : a.has(c) ? roles.left : roles.right) += c;
  for (char c : a.letters)
    if (!kept.contains(c))
      roles.summed += c;
  return roles;
}

/// The product of two factors; its dynamic dimension leads as it does in them.
static FailureOr<Factor> multiplyFactors(Node &node, const Factor &first, const Factor &second, StringRef kept) {
  const bool turned = second.tensor.isDynamic() && !first.tensor.isDynamic();
  const Factor &x = turned ? second : first, &y = turned ? first : second;
  for (char c : x.letters)
    if (y.has(c) && x.sizeOf(c) != y.sizeOf(c))
      return node.unsupported("factors that differ in the size of '" + Twine(c) + "'");
  const Roles roles = findRoles(x, y, kept);
  const std::string aOrder = roles.batch + roles.left + roles.summed, bOrder = roles.batch + roles.summed + roles.right;
  for (const auto &[factor, order] : {std::pair(&x, &aOrder), std::pair(&y, &bOrder)})
    if (factor->tensor.isDynamic() && factor->letters[0] != order->front())
      return node.unsupported("a dynamic dimension that does not lead");
  Tensor a = reorder(node, x, aOrder), b = reorder(node, y, bOrder);
  const size_t batch = roles.batch.size(), left = roles.left.size(), summed = roles.summed.size();
  ArrayRef<int64_t> aShape = a.shape, bShape = b.shape;
  const int64_t depth = ShapedType::getNumElements(aShape.drop_front(batch + left)), columns = ShapedType::getNumElements(bShape.drop_front(batch + summed));
  SmallVector<int64_t> leftShape(aShape.take_front(batch)), rightShape(bShape.take_front(batch));
  if (batch || !left)
    leftShape.push_back(ShapedType::getNumElements(aShape.slice(batch, left)));
  else
    leftShape.assign(aShape.begin(), aShape.begin() + left);
  leftShape.push_back(depth);
  rightShape.append({depth, columns});
  Tensor lhs = reshaped(node, a, leftShape), rhs = reshaped(node, b, rightShape);
  Value product = batch ? multiplyBatched(node, lhs, rhs, aShape.take_front(batch)) : multiplyRows(node, materialize(node, lhs), rhs);
  SmallVector<int64_t> shape(aShape.take_front(batch + left));
  shape.append(bShape.begin() + batch + summed, bShape.end());
  return Factor{toTensor(reshape(node, product, shape)), roles.batch + roles.left + roles.right};
}

/// Whether a dynamic dimension leads wherever it is, and no other one is dynamic.
static bool leads(const Factor &factor, StringRef output) {
  return !factor.tensor.isDynamic() || (!output.empty() && factor.letters[0] == output[0] && ShapedType::isDynamic(factor.tensor.shape[0]));
}

LogicalResult onnx_operators::buildEinsum(Node &node) {
  FailureOr<Equation> equation = readEquation(node);
  if (failed(equation))
    return failure();
  const std::string &output = equation->output;
  SmallVector<Factor> factors;
  for (auto [i, letters] : llvm::enumerate(equation->inputs))
    factors.push_back({node.input(i), letters});
  if (!llvm::all_of(output, [&](char c) { return llvm::any_of(factors, [&](const Factor &factor) { return factor.has(c); }); }))
    return node.unsupported("an equation that makes a dimension");
  if (!llvm::all_of(factors, [&](const Factor &factor) { return leads(factor, output); }))
    return node.unsupported("a dynamic dimension that does not lead");
  for (Factor &factor : factors)
    simplify(node, factor, factors, output);
  Factor product = factors.front();
  for (auto [i, factor] : llvm::enumerate(ArrayRef(factors).drop_front())) {
    std::string kept = output;
    for (const Factor &later : ArrayRef(factors).drop_front(i + 2))
      for (char c : later.letters)
        if (!StringRef(kept).contains(c))
          kept += c;
    FailureOr<Factor> next = multiplyFactors(node, product, factor, kept);
    if (failed(next))
      return failure();
    product = *next;
  }
  node.setResult(reorder(node, product, output));
  return success();
}
