//===- Einsum.cpp - ONNX's Einsum -------------------------------------------===//
//
// Two factors are one matrix product, or a batch of them: dimensions are transposed and joined by where their letters stand. One
// tensor is transposed.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "MatrixProduct.h"
#include "Movement.h"
#include "Operators.h"
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

/// The letters of a product by what becomes of them.
struct Roles {
  std::string batch, left, right, summed;
};
} // namespace

static bool isDistinct(StringRef letters) {
  return llvm::all_of(letters, [&](char c) { return llvm::isAlpha(c) && letters.count(c) == 1; });
}

/// The equation; without an arrow the output has the letters that occur once, in the alphabet's order.
static FailureOr<Equation> readEquation(Node &node) {
  std::string text = node.getString("equation", "");
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  Equation equation;
  for (StringRef part : llvm::split(left, ","))
    equation.inputs.push_back(part.str());
  equation.output = right.str();
  if (!StringRef(text).contains("->"))
    for (char c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(c) && left.count(c) == 1)
        equation.output += c;
  if (equation.inputs.size() != node.numInputs() || !isDistinct(equation.output) || !llvm::all_of(equation.inputs, isDistinct))
    return node.unsupported("an equation with '...', or with a letter twice in one tensor");
  for (unsigned i = 0; i < node.numInputs(); ++i)
    if (static_cast<int64_t>(equation.inputs[i].size()) != node.input(i).rank() || !node.input(i).element.isF32())
      return node.unsupported("an equation that does not fit the inputs, or inputs that are not f32");
  return equation;
}

static SmallVector<int64_t> placesOf(StringRef letters, StringRef in) {
  return llvm::map_to_vector(letters, [&](char c) { return static_cast<int64_t>(in.find(c)); });
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::all_of(llvm::enumerate(permutation), [](auto entry) { return static_cast<int64_t>(entry.index()) == entry.value(); });
}

/// The tensor with its dimensions in the order of `to`; constants on the host.
static Tensor reorder(Node &node, const Tensor &x, StringRef from, StringRef to) {
  SmallVector<int64_t> permutation = placesOf(to, from);
  if (isIdentity(permutation))
    return x;
  if (x.constant)
    return toTensor(x.constant->transposed(permutation));
  return toTensor(transpose(node, x.value, permutation));
}

static FailureOr<Roles> findRoles(Node &node, const Equation &equation) {
  StringRef a = equation.inputs[0], b = equation.inputs[1], y = equation.output;
  Roles roles;
  for (char c : y)
    (a.contains(c) && b.contains(c) ? roles.batch : a.contains(c) ? roles.left : roles.right) += c;
  for (char c : a)
    if (!y.contains(c))
      roles.summed += c;
  bool sumsInOne = !llvm::all_of(roles.summed, [&](char c) { return b.contains(c); }) ||
                   !llvm::all_of(b, [&](char c) { return y.contains(c) || a.contains(c); });
  if (sumsInOne || !llvm::all_of(y, [&](char c) { return a.contains(c) || b.contains(c); }))
    return node.unsupported("an equation that sums a dimension of one factor only, or makes one");
  for (char c : a)
    if (b.contains(c) && node.input(0).shape[a.find(c)] != node.input(1).shape[b.find(c)])
      return node.unsupported("factors that differ in the size of '" + Twine(c) + "'");
  return roles;
}

static int64_t productOf(ArrayRef<int64_t> sizes) {
  return ShapedType::isDynamicShape(sizes) ? ShapedType::kDynamic : ShapedType::getNumElements(sizes);
}

LogicalResult onnx_operators::buildEinsum(Node &node) {
  FailureOr<Equation> equation = readEquation(node);
  if (failed(equation))
    return failure();
  if (node.numInputs() > 2 || (node.numInputs() == 1 && equation->inputs[0].size() != equation->output.size()))
    return node.unsupported("more than two factors, or a sum over one");
  if (llvm::any_of(llvm::seq(node.numInputs()), [&](unsigned i) { return node.input(i).isDynamic(); }))
    return node.unsupported("a dynamic dimension");
  if (node.numInputs() == 1) {
    node.setResult(reorder(node, node.input(0), equation->inputs[0], equation->output));
    return success();
  }
  FailureOr<Roles> roles = findRoles(node, *equation);
  if (failed(roles))
    return failure();
  std::string aOrder = roles->batch + roles->left + roles->summed, bOrder = roles->batch + roles->summed + roles->right;
  Tensor a = reorder(node, node.input(0), equation->inputs[0], aOrder), b = reorder(node, node.input(1), equation->inputs[1], bOrder);
  const size_t batch = roles->batch.size(), left = roles->left.size(), summed = roles->summed.size();
  ArrayRef<int64_t> aShape = a.shape, bShape = b.shape;
  const int64_t rows = productOf(aShape.slice(batch, left)), depth = productOf(aShape.drop_front(batch + left)),
                columns = productOf(bShape.drop_front(batch + summed)), count = productOf(aShape.take_front(batch));
  auto matrices = [&](const Tensor &x, int64_t high, int64_t wide) {
    SmallVector<int64_t> shape = batch ? SmallVector<int64_t>{count, high, wide} : SmallVector<int64_t>{high, wide};
    return x.constant ? node.materialize(x.constant->reshaped(shape)) : reshape(node, x.value, shape);
  };
  Value product = batch ? multiplyBatch(node, matrices(a, rows, depth), matrices(b, depth, columns))
                        : multiply(node, matrices(a, rows, depth), matrices(b, depth, columns));
  SmallVector<int64_t> shape(aShape.take_front(batch + left));
  shape.append(bShape.begin() + batch + summed, bShape.end());
  std::string order = roles->batch + roles->left + roles->right;
  node.setResult(reorder(node, toTensor(reshape(node, product, shape)), order, equation->output));
  return success();
}
