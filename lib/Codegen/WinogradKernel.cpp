//===- WinogradKernel.cpp - 3x3 convolutions by fewer products --------------===//
//
//   forall part:                     an image's block of rows of tiles x panels of columns
//     inputs[place][tile][channel] = B^T d B                        i16
//     for panel:
//       weights[place][channel / 2][column][2] = 2 G g (2 G)^T      i16
//       for place: for tile:         sums[place][tile][column]: `vpmaddwd`, 2 channels at a time
//       for tile: y = A^T sums A / 4, epilogue, store
//
// The bias, times 4, is added at place (1, 1), which A has once in each of the four outputs. Of an odd number of rows or columns the
// last tiles are half: what they would read behind the input is its last row or column again, which none of their outputs depends on.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "halftone/Codegen/WinogradLayout.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <array>

using namespace mlir;
using namespace mlir::halftone;

/// Parts of a convolution, at least, as far as there are panels for it.
static constexpr int64_t kLeastParts = 4;

namespace {

using Four = std::array<Value, 4>;

class WinogradEmitter {
public:
  WinogradEmitter(ContractOp op, const WinogradLayout &layout, const Isa &isa)
      : op(op), layout(layout), b(op.getLoc(), op), walk(b, op), epilogue(b, op, walk, isa) {}
  void emit();

private:
  struct Block {
    Value image, firstRow; ///< of tiles
  };
  void emitPart(const Block &block, Bounds panels);
  void emitInputs(const Block &block);
  void emitInput(const Block &block, Value row, Value column, bool isHalf);
  void emitPanel(const Block &block, Value panel, int64_t valid);
  void emitWeights(Value panel);
  void emitProducts();
  void emitProduct(Value place, Value tile, int64_t height);
  void emitOutputs(const Block &block, Value panel, int64_t valid);
  void emitOutput(const Block &block, Value panel, int64_t valid, Value row, Value column, bool isHalf);

  Value load(Value memory, Value offset, int64_t lanes) {
    Type element = cast<MemRefType>(memory.getType()).getElementType();
    return vector::LoadOp::create(b, VectorType::get({lanes}, element), memory, offset);
  }
  Value loadWords(Value memory, Value offset, int64_t lanes) {
    return arith::ExtSIOp::create(b, VectorType::get({lanes}, b.getI16Type()), load(memory, offset, lanes));
  }
  Value plus(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value minus(Value x, Value y) { return arith::SubIOp::create(b, x, y); }

  ContractOp op;
  const WinogradLayout &layout;
  ImplicitLocOpBuilder b;
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
// Parts
//===----------------------------------------------------------------------===//

void WinogradEmitter::emit() {
  packed = flatten(b, op.getWeights());
  auto scratch = [&](int64_t elements, Type type) {
    return memref::AllocaOp::create(b, MemRefType::get({elements}, type), b.getI64IntegerAttr(64));
  };
  inputs = scratch(WinogradLayout::kPlaces * layout.inputStride(), b.getI16Type());
  weights = scratch(WinogradLayout::kPlaces * layout.weightStride(), b.getI16Type());
  sums = scratch(WinogradLayout::kPlaces * layout.sumStride(), b.getI32Type());

  const int64_t wanted = std::min(layout.panels(), std::max<int64_t>(1, kLeastParts / layout.blocks()));
  const int64_t partPanels = llvm::divideCeil(layout.panels(), wanted), panelParts = llvm::divideCeil(layout.panels(), partPanels);
  Value images = b.createOrFold<arith::DivUIOp>(walk.emitLineCount(b), indexConstant(b, layout.rows));
  Value perImage = indexConstant(b, layout.blocks() * panelParts), perBlock = indexConstant(b, panelParts);
  // Always a function of its own: its scratch is on the stack.
  emitParts(b, mul(b, images, layout.blocks() * panelParts), [&](Value part) {
    Value image = b.createOrFold<arith::DivUIOp>(part, perImage), rest = b.createOrFold<arith::RemUIOp>(part, perImage);
    Value block = b.createOrFold<arith::DivUIOp>(rest, perBlock), panelPart = b.createOrFold<arith::RemUIOp>(rest, perBlock);
    emitPart({image, mul(b, block, layout.blockRows)}, pieceBounds(b, panelPart, partPanels, indexConstant(b, layout.panels())));
  }, /*always=*/true);
}

void WinogradEmitter::emitPart(const Block &block, Bounds panels) {
  emitInputs(block);
  const int64_t full = layout.columns / layout.panelColumns(), rest = layout.columns % layout.panelColumns();
  Value border = indexConstant(b, full);
  emitLoop(b, {panels.begin, minimum(b, panels.end, border)}, 1,
           [&](Value panel) { emitPanel(block, panel, layout.panelColumns()); });
  // A panel that is not full is the last one: a loop of one turn in the part that has it.
  if (rest)
    emitLoop(b, {maximum(b, panels.begin, border), panels.end}, 1, [&](Value panel) { emitPanel(block, panel, rest); });
}

void WinogradEmitter::emitPanel(const Block &block, Value panel, int64_t valid) {
  emitWeights(panel);
  emitProducts();
  emitOutputs(block, panel, valid);
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

void WinogradEmitter::emitInputs(const Block &block) {
  Value zero = indexConstant(b, 0), whole = indexConstant(b, layout.width / 2);
  emitLoop(b, {zero, indexConstant(b, layout.blockRows)}, 1, [&](Value row) {
    emitLoop(b, {zero, whole}, 1, [&](Value column) { emitInput(block, row, column, /*isHalf=*/false); });
    if (layout.width % 2)
      emitInput(block, row, whole, /*isHalf=*/true);
  });
}

/// The tile at (row, column) of the block, all channels.
void WinogradEmitter::emitInput(const Block &block, Value row, Value column, bool isHalf) {
  const Advance &advance = walk.input.advance;
  Value first = mul(b, add(b, block.firstRow, row), 2);
  Value origin = add(b, mul(b, block.image, advance.image), mul(b, column, 2 * advance.column));
  std::array<Value, 4> rows;
  for (int64_t i = 0; i < 4; ++i) {
    Value y = add(b, first, i);
    if (i == 3 && layout.rows % 2)
      y = minimum(b, y, indexConstant(b, layout.rows + 1));
    rows[i] = add(b, origin, mul(b, y, advance.row));
  }
  Value tile = add(b, mul(b, row, layout.tileColumns()), column);
  Value out = mul(b, tile, layout.channels);
  // Rows of B^T.
  auto transform = [&](const Four &d) {
    return Four{minus(d[0], d[2]), plus(d[1], d[2]), minus(d[2], d[1]), minus(d[1], d[3])};
  };
  auto emitChannels = [&](Value channel, int64_t lanes) {
    std::array<Four, 4> lines;
    for (int64_t i = 0; i < 4; ++i) {
      Four d;
      for (int64_t j = 0; j < 4; ++j)
        d[j] = loadWords(walk.input.flat.memory, add(b, add(b, rows[i], channel), (isHalf ? std::min<int64_t>(j, 2) : j) * advance.column), lanes);
      lines[i] = transform(d);
    }
    for (int64_t j = 0; j < 4; ++j)
      for (auto [i, value] : llvm::enumerate(transform({lines[0][j], lines[1][j], lines[2][j], lines[3][j]})))
        vector::StoreOp::create(b, value, inputs, add(b, add(b, out, channel), (static_cast<int64_t>(i) * 4 + j) * layout.inputStride()));
  };
  int64_t done = llvm::alignDown(layout.channels, WinogradLayout::kInputLanes);
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, done)}, WinogradLayout::kInputLanes,
           [&](Value channel) { emitChannels(channel, WinogradLayout::kInputLanes); });
  for (int64_t lanes = WinogradLayout::kInputLanes / 2; lanes > 1; lanes /= 2)
    if (layout.channels & lanes) {
      emitChannels(indexConstant(b, done), lanes);
      done += lanes;
    }
}

void WinogradEmitter::emitWeights(Value panel) {
  const int64_t lanes = WinogradLayout::kInputLanes, vectors = layout.panelVectors(), pair = layout.panelColumns() * 2;
  Value first = add(b, mul(b, panel, layout.panelBytes()), layout.startBytes());
  // Rows of 2 G.
  auto transform = [&](const std::array<Value, 3> &g) {
    Value ends = plus(g[0], g[2]);
    return Four{plus(g[0], g[0]), plus(ends, g[1]), minus(ends, g[1]), plus(g[2], g[2])};
  };
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, layout.channels / 2)}, 1, [&](Value channels) {
    Value in = add(b, first, mul(b, channels, WinogradLayout::kTaps * pair)), out = mul(b, channels, pair);
    for (int64_t vector = 0; vector < vectors; ++vector) {
      auto at = [&](int64_t tap) { return loadWords(packed.memory, add(b, in, tap * pair + vector * lanes), lanes); };
      std::array<Four, 3> lines; // of columns of taps
      for (int64_t j = 0; j < 3; ++j)
        lines[j] = transform({at(j), at(3 + j), at(6 + j)});
      for (int64_t i = 0; i < 4; ++i)
        for (auto [j, value] : llvm::enumerate(transform({lines[0][i], lines[1][i], lines[2][i]})))
          vector::StoreOp::create(b, value, weights,
                                  add(b, out, (i * 4 + static_cast<int64_t>(j)) * layout.weightStride() + vector * lanes));
    }
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void WinogradEmitter::emitProducts() {
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, WinogradLayout::kPlaces)}, 1, [&](Value place) {
    emitEvenTiles(b, layout.blockTiles(), layout.kernel->rows[layout.panelVectors()],
                  [&](int64_t height, Value tile) { emitProduct(place, tile, height); });
  });
}

/// The products of `height` tiles at one place.
void WinogradEmitter::emitProduct(Value place, Value tile, int64_t height) {
  const int64_t lanes = layout.kernel->lanes, vectors = layout.panelVectors(), pair = layout.panelColumns() * 2;
  auto words = VectorType::get({2 * lanes}, b.getI16Type()), longs = VectorType::get({lanes}, b.getI32Type());
  Value activations = add(b, mul(b, place, layout.inputStride()), mul(b, tile, layout.channels)), panelWeights = mul(b, place, layout.weightStride());
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
        auto product = LLVM::CallIntrinsicOp::create(b, longs, b.getStringAttr("llvm.x86.avx2.pmadd.wd"), ValueRange{input, columns[vector]});
        sum = plus(sum, product.getResults());
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

void WinogradEmitter::emitOutputs(const Block &block, Value panel, int64_t valid) {
  Value zero = indexConstant(b, 0), whole = indexConstant(b, layout.width / 2);
  emitLoop(b, {zero, indexConstant(b, layout.blockRows)}, 1, [&](Value row) {
    emitLoop(b, {zero, whole}, 1, [&](Value column) { emitOutput(block, panel, valid, row, column, /*isHalf=*/false); });
    if (layout.width % 2)
      emitOutput(block, panel, valid, row, whole, /*isHalf=*/true);
  });
}

void WinogradEmitter::emitOutput(const Block &block, Value panel, int64_t valid, Value row, Value column, bool isHalf) {
  const int64_t lanes = layout.kernel->lanes, vectors = layout.panelVectors();
  auto longs = VectorType::get({lanes}, b.getI32Type());
  Value two = arith::ConstantOp::create(b, DenseElementsAttr::get(longs, int32_t(2)));
  Value tile = mul(b, add(b, mul(b, row, layout.tileColumns()), column), layout.panelColumns());
  // Rows of A^T.
  auto transform = [&](const Four &m) {
    return std::array<Value, 2>{plus(plus(m[0], m[1]), m[2]), minus(minus(m[1], m[2]), m[3])};
  };
  Value biases = mul(b, panel, layout.panelBytes());
  SmallVector<Value> outputs[2]; // of each row, position by position
  for (int64_t i = 0; i < 2; ++i)
    outputs[i].resize(2 * vectors);
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value bytes = load(packed.memory, add(b, biases, vector * lanes * 4), lanes * 4);
    Value bias = arith::ShLIOp::create(b, vector::BitCastOp::create(b, longs, bytes), two);
    Four lines[2];
    for (int64_t j = 0; j < 4; ++j) {
      Four m;
      for (int64_t i = 0; i < 4; ++i)
        m[i] = load(sums, add(b, tile, (i * 4 + j) * layout.sumStride() + vector * lanes), lanes);
      if (j == 1)
        m[1] = plus(m[1], bias);
      for (auto [i, value] : llvm::enumerate(transform(m)))
        lines[i][j] = value;
    }
    for (int64_t i = 0; i < 2; ++i)
      for (auto [j, value] : llvm::enumerate(transform(lines[i])))
        outputs[i][static_cast<int64_t>(j) * vectors + vector] = arith::ShRSIOp::create(b, value, two);
  }
  const TileColumns columns = {mul(b, panel, layout.panelColumns()), lanes, vectors, valid};
  Value firstLine = mul(b, add(b, block.firstRow, row), 2), image = mul(b, block.image, layout.rows), position = mul(b, column, 2);
  const int64_t height = isHalf ? 1 : 2;
  auto store = [&](Value line, ArrayRef<Value> accumulators) {
    epilogue.enterLine(add(b, image, line));
    epilogue.emit(height, position, columns, accumulators.take_front(height * vectors));
  };
  store(firstLine, outputs[0]);
  Value second = add(b, firstLine, 1);
  if (layout.rows % 2 == 0)
    return store(second, outputs[1]);
  // The last tiles have no second row.
  emitLoop(b, {second, minimum(b, add(b, second, 1), indexConstant(b, layout.rows))}, 1, [&](Value line) { store(line, outputs[1]); });
}
