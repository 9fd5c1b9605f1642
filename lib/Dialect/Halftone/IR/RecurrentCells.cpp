//===- RecurrentCells.cpp - steps of recurrent networks ---------------------===//
//
// Each body is one elementwise operation over slices of the gates' rows.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/RecurrentCells.h"
#include "CompositeBody.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

bool mlir::halftone::isCellFunction(StringRef name) {
  return llvm::StringSwitch<bool>(name).Cases({"sigmoid", "tanh", "relu"}, true).Default(false);
}

static Value constant(OpBuilder &b, Location loc, float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

static Value apply(OpBuilder &b, Location loc, StringRef function, Value x) {
  if (function == "relu")
    return arith::MaximumFOp::create(b, loc, x, constant(b, loc, 0));
  return buildUnaryElement(b, loc, function, x, b.getDictionaryAttr({}));
}

static DictionaryAttr getParameters(Builder &builder, CellFunctions functions) {
  return builder.getDictionaryAttr(builder.getNamedAttr("functions", builder.getStrArrayAttr(functions)));
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// Columns `gate * width` and on of the rows, as many as `width`.
static Value sliceGate(OpBuilder &b, Location loc, Value rows, int64_t gate, int64_t width) {
  auto type = cast<RankedTensorType>(rows.getType());
  if (type.getDimSize(type.getRank() - 1) == width)
    return rows;
  const int64_t rank = type.getRank();
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1)), sizes = tensor::getMixedSizes(b, loc, rows);
  offsets.back() = b.getIndexAttr(gate * width);
  sizes.back() = b.getIndexAttr(width);
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = width;
  return tensor::ExtractSliceOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), rows, offsets, sizes, strides);
}

namespace {
/// The slices that a cell reads, in order; a slice of rank 1 (peepholes) is the same for each row.
class CellBody {
public:
  CellBody(OpBuilder &b, Location loc, Value state) : b(b), loc(loc), state(state) {
    width = cast<RankedTensorType>(state.getType()).getShape().back();
  }

  /// Adds a gate of the rows; returns its place among the scalars.
  unsigned read(Value rows, int64_t gate = 0) {
    slices.push_back(sliceGate(b, loc, rows, gate, width));
    return slices.size() - 1;
  }

  Value build(function_ref<Value(OpBuilder &, Location, ValueRange)> element) {
    AffineMap identity = b.getMultiDimIdentityMap(2);
    auto maps = llvm::map_to_vector(slices, [&](Value slice) {
      return cast<RankedTensorType>(slice.getType()).getRank() == 1 ? identity.getSliceMap(1, 1) : identity;
    });
    return buildElementwise(b, loc, slices, maps, tensor::getMixedSizes(b, loc, state), b.getF32Type(), element);
  }

private:
  OpBuilder &b;
  Location loc;
  Value state;
  int64_t width;
  SmallVector<Value> slices;
};

/// Where a gate's parts stand among the scalars of a body.
struct Gate {
  unsigned x, r;
  std::optional<unsigned> peephole;

  /// f(x + r + peephole . cell)
  Value emit(OpBuilder &b, Location l, StringRef function, ValueRange e, Value cell = {}) const {
    Value sum = arith::AddFOp::create(b, l, e[x], e[r]);
    if (peephole)
      sum = arith::AddFOp::create(b, l, sum, arith::MulFOp::create(b, l, e[*peephole], cell));
    return apply(b, l, function, sum);
  }
};
} // namespace

/// Gate `gate` of an LSTM; `peephole` is its place among the peepholes, of which a body may have none (inputs of 3).
static Gate readGate(CellBody &body, ValueRange inputs, int64_t gate, std::optional<int64_t> peephole) {
  Gate parts{body.read(inputs[0], gate), body.read(inputs[1], gate), std::nullopt};
  if (peephole && inputs.size() > 3)
    parts.peephole = body.read(inputs[3], *peephole);
  return parts;
}

static SmallVector<Value> withPeepholes(Value x, Value r, Value c, Value peepholes) {
  SmallVector<Value> inputs = {x, r, c};
  if (peepholes)
    inputs.push_back(peepholes);
  return inputs;
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

Value mlir::halftone::buildLstmState(OpBuilder &builder, Location loc, Value x, Value r, Value c, Value peepholes, CellFunctions functions) {
  return makeComposite(builder, loc, "lstm_state", withPeepholes(x, r, c, peepholes), getParameters(builder, functions),
                       [&](OpBuilder &b, ValueRange inputs) {
                         CellBody body(b, loc, inputs[2]);
                         Gate i = readGate(body, inputs, 0, 0), f = readGate(body, inputs, 2, 2), g = readGate(body, inputs, 3, std::nullopt);
                         unsigned cell = body.read(inputs[2]);
                         return body.build([&](OpBuilder &n, Location l, ValueRange e) -> Value {
                           Value kept = arith::MulFOp::create(n, l, f.emit(n, l, functions[0], e, e[cell]), e[cell]);
                           Value added = arith::MulFOp::create(n, l, i.emit(n, l, functions[0], e, e[cell]), g.emit(n, l, functions[1], e));
                           return arith::AddFOp::create(n, l, kept, added);
                         });
                       });
}

Value mlir::halftone::buildLstmOutput(OpBuilder &builder, Location loc, Value x, Value r, Value c, Value peepholes, CellFunctions functions) {
  return makeComposite(builder, loc, "lstm_output", withPeepholes(x, r, c, peepholes), getParameters(builder, functions),
                       [&](OpBuilder &b, ValueRange inputs) {
                         CellBody body(b, loc, inputs[2]);
                         Gate o = readGate(body, inputs, 1, 1);
                         unsigned cell = body.read(inputs[2]);
                         return body.build([&](OpBuilder &n, Location l, ValueRange e) -> Value {
                           return arith::MulFOp::create(n, l, o.emit(n, l, functions[0], e, e[cell]), apply(n, l, functions[2], e[cell]));
                         });
                       });
}

Value mlir::halftone::buildGruReset(OpBuilder &builder, Location loc, Value x, Value r, Value h, CellFunctions functions) {
  return makeComposite(builder, loc, "gru_reset", {x, r, h}, getParameters(builder, functions), [&](OpBuilder &b, ValueRange inputs) {
    CellBody body(b, loc, inputs[2]);
    Gate reset = readGate(body, inputs, 1, std::nullopt);
    unsigned state = body.read(inputs[2]);
    return body.build([&](OpBuilder &n, Location l, ValueRange e) -> Value {
      return arith::MulFOp::create(n, l, reset.emit(n, l, functions[0], e), e[state]);
    });
  });
}

Value mlir::halftone::buildGruState(OpBuilder &builder, Location loc, Value x, Value r, Value hidden, Value h, CellFunctions functions) {
  SmallVector<Value> operands = {x, r, h};
  if (hidden)
    operands.push_back(hidden);
  return makeComposite(builder, loc, "gru_state", operands, getParameters(builder, functions), [&](OpBuilder &b, ValueRange inputs) {
    CellBody body(b, loc, inputs[2]);
    bool resetBehind = inputs.size() == 3;
    Gate update = readGate(body, inputs, 0, std::nullopt), reset{};
    if (resetBehind)
      reset = readGate(body, inputs, 1, std::nullopt);
    unsigned added = body.read(inputs[0], 2), product = resetBehind ? body.read(inputs[1], 2) : body.read(inputs[3]);
    unsigned state = body.read(inputs[2]);
    return body.build([&](OpBuilder &n, Location l, ValueRange e) -> Value {
      Value z = update.emit(n, l, functions[0], e), inner = e[product];
      if (resetBehind)
        inner = arith::MulFOp::create(n, l, reset.emit(n, l, functions[0], e), inner);
      Value candidate = apply(n, l, functions[1], arith::AddFOp::create(n, l, e[added], inner));
      Value rest = arith::SubFOp::create(n, l, constant(n, l, 1), z);
      return arith::AddFOp::create(n, l, arith::MulFOp::create(n, l, rest, candidate), arith::MulFOp::create(n, l, z, e[state]));
    });
  });
}

Value mlir::halftone::buildRnnState(OpBuilder &builder, Location loc, Value x, Value r, CellFunctions functions) {
  return makeComposite(builder, loc, "rnn_state", {x, r}, getParameters(builder, functions), [&](OpBuilder &b, ValueRange inputs) {
    CellBody body(b, loc, inputs[0]);
    Gate state = readGate(body, inputs, 0, std::nullopt);
    return body.build([&](OpBuilder &n, Location l, ValueRange e) { return state.emit(n, l, functions[0], e); });
  });
}

Value mlir::halftone::rebuildCell(OpBuilder &builder, CompositeOp op) {
  auto named = op.getParameters().getAs<ArrayAttr>("functions");
  if (!named)
    return {};
  auto functions = llvm::map_to_vector(named.getAsValueRange<StringAttr>(), [](StringRef name) { return name; });
  SmallVector<Value> inputs(op.getInputs());
  Value last = inputs.size() > 3 ? inputs[3] : Value();
  StringRef name = op.getName();
  if (name == "rnn_state")
    return buildRnnState(builder, op.getLoc(), inputs[0], inputs[1], functions);
  if (name == "lstm_state")
    return buildLstmState(builder, op.getLoc(), inputs[0], inputs[1], inputs[2], last, functions);
  if (name == "lstm_output")
    return buildLstmOutput(builder, op.getLoc(), inputs[0], inputs[1], inputs[2], last, functions);
  if (name == "gru_reset")
    return buildGruReset(builder, op.getLoc(), inputs[0], inputs[1], inputs[2], functions);
  if (name == "gru_state")
    return buildGruState(builder, op.getLoc(), inputs[0], inputs[1], last, inputs[2], functions);
  return {};
}
