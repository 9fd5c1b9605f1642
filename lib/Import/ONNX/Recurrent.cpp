//===- Recurrent.cpp - ONNX's LSTM, GRU and RNN -----------------------------===//
//
// Written out step by step. What the inputs give to the gates is one matrix product for all steps, with the biases; each step
// then multiplies the state before by the recurrent weights. Both are products like any other and become int8; what a step
// computes element by element is a composite of floats (RecurrentCells.h), so that the state is rounded only where a product reads it.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "MatrixProduct.h"
#include "Movement.h"
#include "Operators.h"
#include "Quantization.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/RecurrentCells.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// Each step of each direction is code of its own.
static constexpr int64_t kMaxSteps = 2048;

//===----------------------------------------------------------------------===//
// Reading the node
//===----------------------------------------------------------------------===//

namespace {
/// A network of one node.
struct Recurrent {
  int64_t gates; ///< 4: LSTM, 3: GRU, 1: RNN
  int64_t steps, batch, inputs, hidden, directions;
  bool batchFirst, reverse; ///< reverse: the first or only direction
  bool resetBehind;         ///< GRU: the reset gate acts behind the product
  SmallVector<std::string> functions; ///< of all directions

  /// The functions of one direction.
  SmallVector<StringRef> functionsOf(int64_t direction) const {
    size_t count = functions.size() / directions;
    return llvm::map_to_vector(ArrayRef(functions).slice(direction * count, count), [](const std::string &f) { return StringRef(f); });
  }
};
} // namespace

static LogicalResult readFunctions(Node &node, Recurrent &net) {
  static const std::string ofLstm[] = {"Sigmoid", "Tanh", "Tanh"};
  ArrayRef<std::string> ofDirection = net.gates == 1 ? ArrayRef(ofLstm).drop_front(2) : ArrayRef(ofLstm).drop_back(net.gates == 3);
  SmallVector<std::string> usual;
  for (int64_t d = 0; d < net.directions; ++d)
    llvm::append_range(usual, ofDirection);
  SmallVector<std::string> names = node.getStrings("activations", usual);
  if (names.size() > usual.size()) // RNN's default has two, whatever the directions
    names.truncate(usual.size());
  if (names.size() != usual.size())
    return node.unsupported("activations that do not fit the directions");
  for (const std::string &name : names) {
    net.functions.push_back(StringRef(name).lower());
    if (!isCellFunction(net.functions.back()))
      return node.unsupported("activation '" + name + "': Sigmoid, Tanh and Relu are known");
  }
  return success();
}

/// Whether input `i` is a constant f32 tensor of the shape.
static LogicalResult checkWeights(Node &node, unsigned i, ArrayRef<int64_t> shape) {
  if (!node.hasInput(i))
    return success();
  HostTensorRef constant = node.constant(i);
  if (!constant || !constant->element.isF32() || ArrayRef<int64_t>(constant->shape) != shape)
    return node.unsupported("weights or biases that are not constant f32 tensors of the sizes that the input and hidden_size ask for");
  return success();
}

/// Input `i`, an initial state, by its shape.
static LogicalResult checkState(Node &node, unsigned i, const Recurrent &net) {
  SmallVector<int64_t> shape = {net.directions, net.batch, net.hidden};
  if (net.batchFirst)
    std::swap(shape[0], shape[1]);
  if (node.hasInput(i) && (!node.input(i).element.isF32() || node.input(i).shape != shape))
    return node.unsupported("an initial state that does not fit the input and hidden_size");
  return success();
}

static LogicalResult checkInputs(Node &node, const Recurrent &net) {
  const int64_t rows = net.gates * net.hidden;
  if (failed(checkWeights(node, 1, {net.directions, rows, net.inputs})) || failed(checkWeights(node, 2, {net.directions, rows, net.hidden})) ||
      failed(checkWeights(node, 3, {net.directions, 2 * rows})) || failed(checkWeights(node, 7, {net.directions, 3 * net.hidden})) ||
      failed(checkState(node, 5, net)) || failed(checkState(node, 6, net)))
    return failure();
  if (node.hasInput(4) && (!isa<IntegerType>(node.input(4).element) || node.input(4).shape != ArrayRef<int64_t>{net.batch}))
    return node.unsupported("sequence_lens that are not integers, one for each sequence of the batch");
  return success();
}

/// Whether some sequence may end before the last step.
static bool hasShortSequences(Node &node, const Recurrent &net) {
  HostTensorRef lengths = node.constant(4);
  return node.hasInput(4) && (!lengths || llvm::any_of(lengths->integers(), [&](int64_t length) { return length < net.steps; }));
}

static FailureOr<Recurrent> readRecurrent(Node &node) {
  const Tensor &x = node.input(0);
  if (!x.element.isF32() || x.rank() != 3 || x.isDynamic())
    return node.unsupported("an input that is not f32 of rank 3, or with a dynamic dimension: give its sizes with --dim");
  if (!node.constant(2) || node.constant(2)->shape.size() != 3)
    return node.unsupported("recurrent weights that are not constant");
  Recurrent net;
  net.gates = node.type() == "LSTM" ? 4 : node.type() == "GRU" ? 3 : 1;
  net.batchFirst = node.getInt("layout", 0);
  net.steps = x.shape[net.batchFirst ? 1 : 0];
  net.batch = x.shape[net.batchFirst ? 0 : 1];
  net.inputs = x.shape[2];
  std::string direction = node.getString("direction", "forward");
  net.directions = direction == "bidirectional" ? 2 : 1;
  net.reverse = direction == "reverse";
  net.hidden = node.getInt("hidden_size", node.constant(2)->shape[2]);
  net.resetBehind = net.gates == 3 && node.getInt("linear_before_reset", 0);
  (void)node.getInt("output_sequence", 0); // before opset 7: which outputs there are says the same
  if (net.gates == 4 && node.getInt("input_forget", 0))
    return node.unsupported("input_forget");
  if (node.hasAttribute("clip"))
    return node.unsupported("clip");
  if (net.steps * net.directions > kMaxSteps)
    return node.unsupported("a sequence of " + Twine(net.steps) + " steps, each of which is written out: at most " +
                            Twine(kMaxSteps / net.directions));
  if (failed(readFunctions(node, net)) || failed(checkInputs(node, net)))
    return failure();
  return net;
}

//===----------------------------------------------------------------------===//
// One direction
//===----------------------------------------------------------------------===//

namespace {
class Direction {
public:
  Direction(Node &node, const Recurrent &net, int64_t index)
      : node(node), b(node.builder), net(net), index(index), rows(net.gates * net.hidden), functions(net.functionsOf(index)) {}

  /// The states of all steps, in the order of the sequence; `x` is (steps batch) x inputs, the states are batch x hidden.
  SmallVector<Value> run(Value x, Value h, Value c);

  Value lastState, lastCell;

private:
  /// Rows [first, first + count) of weights (directions x rows x columns) of this direction, transposed.
  Tensor weights(unsigned input, int64_t first, int64_t count);
  Value multiplyBy(Value x, const Tensor &weights);
  /// `size` numbers of a constant (directions x n) of this direction from `first` on; zeros if it is absent.
  std::vector<double> numbers(unsigned input, int64_t first, int64_t size);
  Value vector(ArrayRef<double> numbers);
  Value addBias(Value product, ArrayRef<double> bias);
  Value buildInputs(Value x);
  /// What the state gives to gates [0, count): batch x (count hidden).
  Value buildRecurrent(Value h, int64_t count);
  void step(Value x);
  /// Names what each step makes (kStepsAttr).
  void name(Value value, StringRef role);
  /// What step `t` gives to the sequences that have it, and `before` to those that have ended (or, backwards, not begun); null: zeros.
  Value choose(int64_t t, Value value, Value before);

  Node &node;
  OpBuilder &b;
  const Recurrent &net;
  int64_t index, rows;
  SmallVector<StringRef> functions;
  std::optional<Tensor> recurrent, hiddenGate; ///< constants, made once
  Value peepholes;                             ///< as these
};
} // namespace

Tensor Direction::weights(unsigned input, int64_t first, int64_t count) {
  const HostTensor &all = *node.constant(input);
  const int64_t columns = all.shape[2], begin = index * rows + first;
  HostTensor part = all.gathered({columns, count}, stridedIndices<int64_t>({columns, count}, {1, columns}, begin * columns));
  if (all.scales && static_cast<int64_t>(all.scales->scales.size()) == net.directions * rows) {
    auto scales = std::make_shared<HostScales>(*all.scales);
    scales->scales = ArrayRef(all.scales->scales).slice(begin, count);
    part.scales = scales;
  }
  Tensor result = toTensor(std::move(part));
  result.value = node.materialize(*result.constant);
  return result;
}

Value Direction::multiplyBy(Value x, const Tensor &weights) {
  Value product = multiply(node, x, weights.value);
  tagWeights(product, weights, 1);
  return product;
}

std::vector<double> Direction::numbers(unsigned input, int64_t first, int64_t size) {
  HostTensorRef all = node.constant(input);
  if (!all)
    return std::vector<double>(size, 0);
  std::vector<double> values = all->numbers();
  auto begin = values.begin() + index * all->shape[1] + first;
  return {begin, begin + size};
}

Value Direction::vector(ArrayRef<double> numbers) {
  return node.materialize(HostTensor::fromNumbers(b.getF32Type(), static_cast<int64_t>(numbers.size()), numbers));
}

Value Direction::addBias(Value product, ArrayRef<double> bias) {
  Tensor constant = toTensor(HostTensor::fromNumbers(b.getF32Type(), static_cast<int64_t>(bias.size()), bias));
  return buildBroadcast(node, {toTensor(product), constant}, b.getF32Type(), [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::AddFOp::create(n, l, e[0], e[1]);
  });
}

/// The biases of input and state are added here, but of a GRU that resets behind the product the hidden gate's for the state.
Value Direction::buildInputs(Value x) {
  Value product = multiplyBy(x, weights(1, 0, rows));
  if (!node.hasInput(3))
    return product;
  std::vector<double> ofInput = numbers(3, 0, rows), ofState = numbers(3, rows, rows);
  for (int64_t i = 0; i < (net.resetBehind ? 2 * net.hidden : rows); ++i)
    ofInput[i] += ofState[i];
  return addBias(product, ofInput);
}

Value Direction::buildRecurrent(Value h, int64_t count) {
  if (!recurrent)
    recurrent = weights(2, 0, count * net.hidden);
  Value product = multiplyBy(h, *recurrent);
  name(product, "product");
  if (!net.resetBehind || !node.hasInput(3))
    return product;
  std::vector<double> bias(rows, 0), hiddenBias = numbers(3, rows + 2 * net.hidden, net.hidden);
  llvm::copy(hiddenBias, bias.begin() + 2 * net.hidden);
  Value sum = addBias(product, bias);
  name(sum, "sum");
  return sum;
}

/// From the state and cell before, `lastState` and `lastCell`, to the next.
void Direction::step(Value x) {
  if (net.gates == 4) {
    Value r = buildRecurrent(lastState, 4);
    lastCell = buildLstmState(b, node.loc, x, r, lastCell, peepholes, functions);
    lastState = buildLstmOutput(b, node.loc, x, r, lastCell, peepholes, functions);
  } else if (net.gates == 3) {
    Value r = buildRecurrent(lastState, net.resetBehind ? 3 : 2), product;
    if (!net.resetBehind) {
      if (!hiddenGate)
        hiddenGate = weights(2, 2 * net.hidden, net.hidden);
      Value reset = buildGruReset(b, node.loc, x, r, lastState, functions);
      name(reset, "reset");
      product = multiplyBy(reset, *hiddenGate);
      name(product, "hidden");
    }
    lastState = buildGruState(b, node.loc, x, r, product, lastState, functions);
  } else {
    lastState = buildRnnState(b, node.loc, x, buildRecurrent(lastState, 1), functions);
  }
}

void Direction::name(Value value, StringRef role) {
  const unsigned first = node.hasResult(0) ? 0 : node.hasResult(1) ? 1 : 2; // a node has one
  value.getDefiningOp()->setAttr(kStepsAttr, b.getStringAttr(node.resultName(first) + ":" + Twine(index) + ":" + role));
}

Value Direction::choose(int64_t t, Value value, Value before) {
  Tensor lengths = toTensor(reshape(node, node.operand(4), {net.batch, 1}));
  SmallVector<Tensor> tensors = {lengths, toTensor(value)};
  if (before)
    tensors.push_back(toTensor(before));
  return buildBroadcast(node, tensors, b.getF32Type(), [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value isPart = arith::CmpIOp::create(n, l, arith::CmpIPredicate::sgt, e[0], scalarConstant(n, l, lengths.element, t));
    return arith::SelectOp::create(n, l, isPart, e[1], before ? e[2] : scalarConstant(n, l, n.getF32Type(), 0));
  });
}

SmallVector<Value> Direction::run(Value x, Value h, Value c) {
  const bool someEnd = hasShortSequences(node, net);
  bool reverse = net.reverse || index == 1;
  if (node.hasInput(7))
    peepholes = vector(numbers(7, 0, 3 * net.hidden));
  Value all = buildInputs(x);
  lastState = h;
  lastCell = c;
  SmallVector<Value> states(net.steps);
  for (int64_t i = 0; i < net.steps; ++i) {
    const int64_t t = reverse ? net.steps - 1 - i : i;
    Value state = lastState, cell = lastCell;
    step(extract(node, all, {{t * net.batch, 0}, {net.batch, rows}, {1, 1}}));
    name(lastState, "state");
    if (lastCell)
      name(lastCell, "cell");
    states[t] = lastState;
    if (someEnd) {
      states[t] = choose(t, lastState, {});
      name(states[t], "output");
      lastState = choose(t, lastState, state);
      lastCell = lastCell ? choose(t, lastCell, cell) : Value();
      name(lastState, "kept state");
      if (lastCell)
        name(lastCell, "kept cell");
    }
  }
  return states;
}

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

/// The initial state of a direction, of input `i`: batch x hidden, zeros if it is absent.
static Value readState(Node &node, const Recurrent &net, unsigned i, int64_t direction) {
  if (!node.hasInput(i)) {
    SmallVector<double> zeros(net.batch * net.hidden, 0);
    return node.materialize(HostTensor::fromNumbers(node.builder.getF32Type(), {net.batch, net.hidden}, zeros));
  }
  const int64_t axis = net.batchFirst;
  SliceRange range{SmallVector<int64_t>(3, 0), node.input(i).shape, SmallVector<int64_t>(3, 1)};
  range.starts[axis] = direction;
  range.sizes[axis] = 1;
  return extract(node, node.operand(i), range, axis);
}

static Value join(Node &node, ArrayRef<Value> values, int64_t axis) {
  return values.size() == 1 ? values.front() : tensor::ConcatOp::create(node.builder, node.loc, axis, values).getResult();
}

/// The last states of all directions: directions x batch x hidden, or with the batch first.
static void setLast(Node &node, const Recurrent &net, ArrayRef<Value> states, unsigned i) {
  const int64_t axis = net.batchFirst;
  SmallVector<int64_t> shape = {net.batch, net.hidden};
  shape.insert(shape.begin() + axis, 1);
  auto wide = llvm::map_to_vector(states, [&](Value state) { return reshape(node, state, shape); });
  node.setResult(join(node, wide, axis), {}, i);
}

/// The states of all steps: steps x directions x batch x hidden, or batch x steps x directions x hidden.
static void setStates(Node &node, const Recurrent &net, ArrayRef<SmallVector<Value>> states) {
  auto ofDirection = llvm::map_to_vector(states, [&](const SmallVector<Value> &steps) {
    return reshape(node, join(node, steps, 0), {net.steps, 1, net.batch, net.hidden});
  });
  Value all = join(node, ofDirection, 1);
  node.setResult(net.batchFirst ? transpose(node, all, {2, 0, 1, 3}) : all);
}

LogicalResult onnx_operators::buildRecurrent(Node &node) {
  FailureOr<Recurrent> net = readRecurrent(node);
  if (failed(net))
    return failure();
  Value x = node.operand(0);
  if (net->batchFirst)
    x = transpose(node, x, {1, 0, 2});
  x = reshape(node, x, {net->steps * net->batch, net->inputs});
  SmallVector<SmallVector<Value>> states;
  SmallVector<Value> lastStates, lastCells;
  for (int64_t d = 0; d < net->directions; ++d) {
    Direction direction(node, *net, d);
    states.push_back(direction.run(x, readState(node, *net, 5, d), net->gates == 4 ? readState(node, *net, 6, d) : Value()));
    lastStates.push_back(direction.lastState);
    lastCells.push_back(direction.lastCell);
  }
  if (node.hasResult(0))
    setStates(node, *net, states);
  if (node.hasResult(1))
    setLast(node, *net, lastStates, 1);
  if (node.hasResult(2) && net->gates == 4)
    setLast(node, *net, lastCells, 2);
  return success();
}
