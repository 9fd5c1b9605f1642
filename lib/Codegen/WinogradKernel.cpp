//===- WinogradKernel.cpp - 3x3 convolutions by fewer products --------------===//
//
//   forall part:                     an image's block of rows of tiles x panels of columns
//     inputs[place][tile][channel] = B^T d B                        i16
//     for panel of the part:
//       for two rows of places:
//         weights[place of the rows][channel / 2][column][2] = multiple of G g G^T    i16
//         for place of the rows: for tile:  sums[place][tile][column]: `vpmaddwd`, 2 channels at a time
//       for tile: y = A^T sums A, its multiple undone, bias, epilogue, store
//
// Of tiles that reach beyond the output, what they would read behind the input is its last row or column again, which none of their outputs
// depends on. Weights are transformed by two rows of places, which share sums, so that those stay close while they are used. Where several parts need the
// same inputs, these are transformed before, for all blocks, into a buffer of the arena.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "halftone/Codegen/WinogradLayout.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Parts of a convolution, at least, as far as there are panels for it.
static constexpr int64_t kLeastParts = 4;

namespace {

using Line = SmallVector<Value, 6>;

/// The transforms of one dimension (WinogradLayout.h), of F(2x2, 3x3) and F(4x4, 3x3). Places are in an order in which two that share sums
/// stand side by side: the first and the last, the second and the third, the fourth and the fifth.
class Transforms {
public:
  Transforms(ImplicitLocOpBuilder &b, int64_t side) : b(b), isLarge(side == 4) {}

  /// B^T d, of side + 2 inputs.
  Line input(ArrayRef<Value> d) const;
  /// The inputs' place (kSummed, kSummed), the only one that has more if 128 is added to each of them, without that.
  Value withoutOffset(Value value) const { return minus(value, constant(value.getType(), 128 * (isLarge ? 36 : 4))); }
  static constexpr int64_t kSummed = 2;
  /// G g, of 3 weights, and two of its values.
  Line weights(ArrayRef<Value> g) const;
  std::pair<Value, Value> weightPair(ArrayRef<Value> g, int64_t pair) const;
  int64_t pairs() const { return isLarge ? 3 : 2; }
  /// A^T m: side outputs.
  Line output(ArrayRef<Value> m) const;
  /// An output of which both dimensions have been transformed.
  Value finish(Value sum) const;

private:
  Value plus(Value x, Value y) const { return arith::AddIOp::create(b, x, y); }
  Value minus(Value x, Value y) const { return arith::SubIOp::create(b, x, y); }
  Value constant(Type type, int64_t value) const {
    auto vector = cast<VectorType>(type);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, b.getIntegerAttr(vector.getElementType(), value)));
  }
  Value shifted(Value x, int64_t bits = 1) const { return arith::ShLIOp::create(b, x, constant(x.getType(), bits)); }

  ImplicitLocOpBuilder &b;
  bool isLarge;
};

class WinogradEmitter {
public:
  WinogradEmitter(ContractOp op, const WinogradLayout &layout, const Isa &isa)
      : op(op), layout(layout), b(op.getLoc(), op), transforms(b, layout.side()), walk(b, op), epilogue(b, op, walk, isa) {}
  void emit();

private:
  struct Block {
    Value image, firstRow; ///< of tiles
    Value inputs;          ///< where they begin in the buffer
  };
  int64_t panelParts();
  int64_t blockInputs() const { return layout.places() * layout.inputStride(); }
  Block sharedBlock(Value image, Value number);
  void emitSharedInputs(Value images);
  void emitPanels(const Block &block, Bounds panels);
  void forEachTile(Bounds rows, function_ref<void(Value row, Value column, int64_t valid)> body);
  void emitInputs(const Block &block, Bounds rows);
  void emitInput(const Block &block, Value row, Value column, int64_t valid);
  void emitPanel(const Block &block, Value panel, int64_t valid);
  Bounds allRows() { return {indexConstant(b, 0), indexConstant(b, layout.blockRows)}; }
  void emitWeights(Value panel, int64_t pair);
  void emitProducts(const Block &block, Value pair);
  void emitProduct(const Block &block, Value place, Value held, Value tile, int64_t height);
  void emitOutput(const Block &block, Value panel, int64_t validColumns, Value row, Value column, int64_t valid);

  Value load(Value memory, Value offset, int64_t lanes) {
    Type element = cast<MemRefType>(memory.getType()).getElementType();
    return vector::LoadOp::create(b, VectorType::get({lanes}, element), memory, offset);
  }
  Value loadWords(Value memory, Value offset, int64_t lanes, bool isUnsigned = false) {
    Value bytes = load(memory, offset, lanes);
    auto words = VectorType::get({lanes}, b.getI16Type());
    return isUnsigned ? arith::ExtUIOp::create(b, words, bytes).getResult() : arith::ExtSIOp::create(b, words, bytes).getResult();
  }

  ContractOp op;
  const WinogradLayout &layout;
  ImplicitLocOpBuilder b;
  Transforms transforms;
  OutputWalk walk;
  TileEpilogue epilogue;
  FlatBuffer packed;
  Value inputs, weights, sums;
};

} // namespace

void mlir::halftone::emitWinogradKernel(ContractOp op, const WinogradLayout &layout, const Isa &isa) {
  WinogradEmitter(op, layout, isa).emit();
}

//===----------------------------------------------------------------------===//
// One dimension
//===----------------------------------------------------------------------===//

Line Transforms::input(ArrayRef<Value> d) const {
  if (!isLarge)
    return {minus(d[0], d[2]), minus(d[1], d[3]), plus(d[1], d[2]), minus(d[2], d[1])};
  Value even = minus(d[4], d[2]), odd = minus(d[3], d[1]), oddTwice = shifted(odd);
  Value far = minus(shifted(d[2], 2), d[4]), near = minus(shifted(d[1], 2), d[3]);
  return {plus(shifted(minus(d[0], d[2]), 2), even), minus(minus(d[5], d[3]), shifted(odd, 2)), plus(far, near), minus(far, near),
          plus(even, oddTwice), minus(even, oddTwice)};
}

std::pair<Value, Value> Transforms::weightPair(ArrayRef<Value> g, int64_t pair) const {
  if (pair == 0)
    return isLarge ? std::pair(plus(shifted(g[0]), shifted(g[0], 2)), shifted(g[2], 3)) : std::pair(shifted(g[0]), shifted(g[2]));
  Value ends = plus(g[0], pair == 1 ? g[2] : shifted(g[2], 2)), middle = pair == 1 ? g[1] : shifted(g[1]);
  Value sum = plus(ends, middle), difference = minus(ends, middle);
  return isLarge && pair == 1 ? std::pair(shifted(sum, 2), shifted(difference, 2)) : std::pair(sum, difference);
}

Line Transforms::weights(ArrayRef<Value> g) const {
  Line line;
  for (int64_t pair = 0; pair < pairs(); ++pair) {
    auto [one, other] = weightPair(g, pair);
    line.append({one, other});
  }
  return line;
}

Line Transforms::output(ArrayRef<Value> m) const {
  Value sum = plus(m[2], m[3]), difference = minus(m[2], m[3]);
  if (!isLarge)
    return {plus(m[0], sum), minus(difference, m[1])};
  Value farSum = plus(m[4], m[5]), farDifference = minus(m[4], m[5]);
  return {plus(plus(m[0], sum), farSum), plus(difference, shifted(farDifference)), plus(sum, shifted(farSum, 2)),
          plus(plus(difference, shifted(farDifference, 3)), plus(m[1], shifted(m[1])))};
}

Value Transforms::finish(Value sum) const {
  constexpr int32_t inverseOf9 = 954437177; // modulo 2^32
  if (isLarge)
    sum = arith::MulIOp::create(b, sum, constant(sum.getType(), inverseOf9));
  return arith::ShRSIOp::create(b, sum, constant(sum.getType(), isLarge ? 6 : 2));
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// In how many parts the panels of a block are shared out.
int64_t WinogradEmitter::panelParts() {
  const int64_t images = cast<ShapedType>(op.getOutput().getType()).getDimSize(0);
  const int64_t blocks = layout.blocks() * (ShapedType::isDynamic(images) ? 1 : images);
  return std::clamp<int64_t>(kLeastParts / blocks, 1, layout.panels());
}

void WinogradEmitter::emit() {
  packed = flatten(b, op.getWeights());
  auto scratch = [&](int64_t elements, Type type) -> Value {
    return memref::AllocaOp::create(b, MemRefType::get({elements}, type), b.getI64IntegerAttr(64));
  };
  const int64_t partPanels = llvm::divideCeil(layout.panels(), isWithinPart(b) ? 1 : panelParts());
  const int64_t parts = llvm::divideCeil(layout.panels(), partPanels);
  Value images = b.createOrFold<arith::DivUIOp>(walk.emitLineCount(b), indexConstant(b, layout.rows));
  if (parts > 1)
    emitSharedInputs(images);
  else
    inputs = scratch(blockInputs(), b.getI16Type());
  weights = scratch(layout.heldPlaces() * layout.weightStride(), b.getI16Type());
  sums = scratch(layout.places() * layout.sumStride(), b.getI32Type());

  Value perImage = indexConstant(b, layout.blocks() * parts), perBlock = indexConstant(b, parts);
  // Always a function of its own: its scratch is on the stack.
  emitParts(b, mul(b, images, layout.blocks() * parts), [&](Value part) {
    Value image = b.createOrFold<arith::DivUIOp>(part, perImage), rest = b.createOrFold<arith::RemUIOp>(part, perImage);
    Value number = b.createOrFold<arith::DivUIOp>(rest, perBlock), panelPart = b.createOrFold<arith::RemUIOp>(rest, perBlock);
    Block block = sharedBlock(image, number);
    if (parts == 1) {
      block.inputs = indexConstant(b, 0);
      emitInputs(block, allRows());
    }
    emitPanels(block, pieceBounds(b, panelPart, partPanels, indexConstant(b, layout.panels())));
  }, /*always=*/true);
}

/// A block of an image, whose inputs stand among those of all blocks.
WinogradEmitter::Block WinogradEmitter::sharedBlock(Value image, Value number) {
  return {image, mul(b, number, layout.blockRows), mul(b, add(b, mul(b, image, layout.blocks()), number), blockInputs())};
}

/// The inputs of all blocks, a row of tiles at a time.
void WinogradEmitter::emitSharedInputs(Value images) {
  const int64_t extent = cast<ShapedType>(op.getOutput().getType()).getDimSize(0);
  auto type = MemRefType::get({extent, layout.blocks() * blockInputs()}, b.getI16Type());
  SmallVector<Value> extents;
  if (ShapedType::isDynamic(extent))
    extents.push_back(memref::DimOp::create(b, op.getOutput(), 0));
  inputs = flatten(b, memref::AllocOp::create(b, type, extents)).memory;
  Value rows = indexConstant(b, layout.tileRows()), blockRows = indexConstant(b, layout.blockRows);
  emitParts(b, mul(b, images, layout.tileRows()), [&](Value part) {
    Value image = b.createOrFold<arith::DivUIOp>(part, rows), row = b.createOrFold<arith::RemUIOp>(part, rows);
    Value number = b.createOrFold<arith::DivUIOp>(row, blockRows), first = b.createOrFold<arith::RemUIOp>(row, blockRows);
    emitInputs(sharedBlock(image, number), {first, add(b, first, 1)});
  }, /*always=*/true);
}

void WinogradEmitter::emitPanels(const Block &block, Bounds panels) {
  const int64_t full = layout.columns / layout.panelColumns(), rest = layout.columns % layout.panelColumns();
  Value border = indexConstant(b, full);
  emitLoop(b, {panels.begin, minimum(b, panels.end, border)}, 1,
           [&](Value panel) { emitPanel(block, panel, layout.panelColumns()); });
  // A panel that is not full is the last one: a loop of one turn in the part that has it.
  if (rest)
    emitLoop(b, {maximum(b, panels.begin, border), panels.end}, 1, [&](Value panel) { emitPanel(block, panel, rest); });
}

void WinogradEmitter::emitPanel(const Block &block, Value panel, int64_t valid) {
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, transforms.pairs())}, 1, [&](Value pair) {
    SmallVector<int64_t> others = llvm::to_vector(llvm::seq<int64_t>(1, transforms.pairs()));
    auto byPair = scf::IndexSwitchOp::create(b, TypeRange(), pair, others, others.size());
    auto emitCase = [&](Region &region, int64_t number) {
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&region);
      emitWeights(panel, number);
      scf::YieldOp::create(b);
    };
    emitCase(byPair.getDefaultRegion(), 0);
    for (auto [number, region] : llvm::zip_equal(others, byPair.getCaseRegions()))
      emitCase(region, number);
    emitProducts(block, pair);
  });
  forEachTile(allRows(), [&](Value row, Value column, int64_t validPositions) { emitOutput(block, panel, valid, row, column, validPositions); });
}

/// Calls `body` for the tiles of some rows of a block, with how many columns of outputs each has.
void WinogradEmitter::forEachTile(Bounds rows, function_ref<void(Value, Value, int64_t)> body) {
  const int64_t side = layout.side(), rest = layout.width % side;
  Value zero = indexConstant(b, 0), whole = indexConstant(b, layout.width / side);
  emitLoop(b, rows, 1, [&](Value row) {
    emitLoop(b, {zero, whole}, 1, [&](Value column) { body(row, column, side); });
    if (rest)
      body(row, whole, rest);
  });
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

void WinogradEmitter::emitInputs(const Block &block, Bounds rows) {
  forEachTile(rows, [&](Value row, Value column, int64_t valid) { emitInput(block, row, column, valid); });
}

/// The tile at (row, column) of the block, all channels.
void WinogradEmitter::emitInput(const Block &block, Value row, Value column, int64_t valid) {
  const Advance &advance = walk.input.advance;
  const int64_t side = layout.side(), span = layout.span();
  Value first = mul(b, add(b, block.firstRow, row), side);
  Value origin = add(b, mul(b, block.image, advance.image), mul(b, column, side * advance.column));
  SmallVector<Value> rows;
  for (int64_t i = 0; i < span; ++i) {
    Value y = add(b, first, i);
    if (layout.rows % side && i >= layout.rows % side + 2)
      y = minimum(b, y, indexConstant(b, layout.rows + 1));
    rows.push_back(add(b, origin, mul(b, y, advance.row)));
  }
  Value tile = add(b, mul(b, row, layout.tileColumns()), column);
  Value out = add(b, block.inputs, mul(b, tile, layout.channels));
  const bool isUnsigned = op.getPackingAttr().contains("unsigned");
  auto emitChannels = [&](Value channel, int64_t lanes) {
    SmallVector<Line> lines; // of rows of inputs
    for (int64_t i = 0; i < span; ++i) {
      Line d;
      for (int64_t j = 0; j < span; ++j)
        d.push_back(loadWords(walk.input.flat.memory, add(b, add(b, rows[i], channel), std::min(j, valid + 1) * advance.column), lanes, isUnsigned));
      lines.push_back(transforms.input(d));
    }
    for (int64_t j = 0; j < span; ++j) {
      Line column = llvm::map_to_vector<6>(lines, [&](const Line &line) { return line[j]; });
      for (auto [i, value] : llvm::enumerate(transforms.input(column))) {
        if (isUnsigned && i == Transforms::kSummed && j == Transforms::kSummed)
          value = transforms.withoutOffset(value);
        vector::StoreOp::create(b, value, inputs, add(b, add(b, out, channel), (static_cast<int64_t>(i) * span + j) * layout.inputStride()));
      }
    }
  };
  int64_t done = llvm::alignDown(layout.channels, layout.inputLanes());
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, done)}, layout.inputLanes(), [&](Value channel) { emitChannels(channel, layout.inputLanes()); });
  for (int64_t lanes = layout.inputLanes() / 2; lanes > 1; lanes /= 2)
    if (layout.channels & lanes) {
      emitChannels(indexConstant(b, done), lanes);
      done += lanes;
    }
}

/// The weights of two rows of places.
void WinogradEmitter::emitWeights(Value panel, int64_t pair) {
  const int64_t lanes = layout.inputLanes(), vectors = layout.panelVectors(), bytes = layout.panelColumns() * 2;
  Value first = add(b, mul(b, panel, layout.panelBytes()), layout.startBytes());
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, layout.channels / 2)}, 1, [&](Value channels) {
    Value in = add(b, first, mul(b, channels, WinogradLayout::kTaps * bytes)), out = mul(b, channels, bytes);
    for (int64_t vector = 0; vector < vectors; ++vector) {
      auto at = [&](int64_t tap) { return loadWords(packed.memory, add(b, in, tap * bytes + vector * lanes), lanes); };
      Line lines[2];
      for (int64_t j = 0; j < 3; ++j) {
        auto [one, other] = transforms.weightPair({at(j), at(3 + j), at(6 + j)}, pair);
        lines[0].push_back(one);
        lines[1].push_back(other);
      }
      int64_t place = 0;
      for (const Line &line : lines)
        for (Value value : transforms.weights(line))
          vector::StoreOp::create(b, value, weights, add(b, out, place++ * layout.weightStride() + vector * lanes));
    }
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The products of two rows of places.
void WinogradEmitter::emitProducts(const Block &block, Value pair) {
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, layout.heldPlaces())}, 1, [&](Value held) {
    Value place = add(b, mul(b, pair, layout.heldPlaces()), held);
    emitEvenTiles(b, layout.blockTiles(), layout.kernel->rows[layout.panelVectors()],
                  [&](int64_t height, Value tile) { emitProduct(block, place, held, tile, height); });
  });
}

/// The products of `height` tiles at one place, whose weights are the scratch's number `held`.
void WinogradEmitter::emitProduct(const Block &block, Value place, Value held, Value tile, int64_t height) {
  const int64_t lanes = layout.kernel->lanes, vectors = layout.panelVectors(), pair = layout.panelColumns() * 2;
  auto words = VectorType::get({2 * lanes}, b.getI16Type()), longs = VectorType::get({lanes}, b.getI32Type());
  StringRef multiply = lanes == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
  Value activations = add(b, block.inputs, add(b, mul(b, place, layout.inputStride()), mul(b, tile, layout.channels)));
  Value panelWeights = mul(b, held, layout.weightStride());
  Value out = add(b, mul(b, place, layout.sumStride()), mul(b, tile, layout.panelColumns()));
  SmallVector<Value> zeros(height * vectors, arith::ConstantOp::create(b, b.getZeroAttr(longs)));
  SmallVector<Value> products = emitCarryingLoop(b, indexConstant(b, layout.channels / 2), zeros, [&](Value channels, SmallVector<Value> carried) {
    SmallVector<Value> columns;
    for (int64_t vector = 0; vector < vectors; ++vector)
      columns.push_back(load(weights, add(b, add(b, panelWeights, mul(b, channels, pair)), vector * 2 * lanes), 2 * lanes));
    for (int64_t r = 0; r < height; ++r) {
      Value two = load(inputs, add(b, add(b, activations, mul(b, channels, 2)), r * layout.channels), 2);
      Value one = vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), two);
      Value input = vector::BitCastOp::create(b, words, vector::BroadcastOp::create(b, longs, one));
      for (int64_t vector = 0; vector < vectors; ++vector) {
        Value &sum = carried[r * vectors + vector];
        // Where there are dots of words, LLVM makes one of the two.
        auto product = LLVM::CallIntrinsicOp::create(b, longs, b.getStringAttr(multiply), ValueRange{input, columns[vector]});
        sum = arith::AddIOp::create(b, sum, product.getResults());
      }
    }
    return carried;
  });
  for (int64_t i = 0; i < height * vectors; ++i)
    vector::StoreOp::create(b, products[i], sums, add(b, out, i * lanes));
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// The tile at (row, column) of the block, `valid` columns of it.
void WinogradEmitter::emitOutput(const Block &block, Value panel, int64_t validColumns, Value row, Value column, int64_t valid) {
  const int64_t lanes = layout.kernel->lanes, vectors = layout.panelVectors(), side = layout.side(), span = layout.span();
  auto longs = VectorType::get({lanes}, b.getI32Type());
  Value tile = mul(b, add(b, mul(b, row, layout.tileColumns()), column), layout.panelColumns());
  Value biases = mul(b, panel, layout.panelBytes());
  SmallVector<SmallVector<Value>> outputs(side, SmallVector<Value>(side * vectors)); // of each row, position by position
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value bias = vector::BitCastOp::create(b, longs, load(packed.memory, add(b, biases, vector * lanes * 4), lanes * 4));
    SmallVector<Line> lines; // of columns of places
    for (int64_t j = 0; j < span; ++j) {
      Line m;
      for (int64_t i = 0; i < span; ++i)
        m.push_back(load(sums, add(b, tile, (i * span + j) * layout.sumStride() + vector * lanes), lanes));
      lines.push_back(transforms.output(m));
    }
    for (int64_t i = 0; i < side; ++i) {
      Line line = llvm::map_to_vector<6>(lines, [&](const Line &outputs) { return outputs[i]; });
      for (auto [j, value] : llvm::enumerate(transforms.output(line)))
        outputs[i][static_cast<int64_t>(j) * vectors + vector] = arith::AddIOp::create(b, transforms.finish(value), bias);
    }
  }
  const TileColumns columns = {mul(b, panel, layout.panelColumns()), lanes, vectors, validColumns};
  Value firstLine = mul(b, add(b, block.firstRow, row), side), image = mul(b, block.image, layout.rows), position = mul(b, column, side);
  for (int64_t i = 0; i < side; ++i) {
    Value line = add(b, firstLine, i);
    auto store = [&](Value) {
      epilogue.enterLine(add(b, image, line));
      epilogue.emit(valid, position, columns, ArrayRef<Value>(outputs[i]).take_front(valid * vectors));
    };
    // The last tiles may have fewer rows.
    if (layout.rows % side == 0 || i < layout.rows % side)
      store(line);
    else
      emitLoop(b, {line, minimum(b, add(b, line, 1), indexConstant(b, layout.rows))}, 1, store);
  }
}
