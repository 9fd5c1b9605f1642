//===- OuterProductKernel.cpp - sums of products without packed operands ----===//
//
//   forall part:                          outer parallel loops x blocks of rows, by shape only
//     for panel of columns:
//       for tile of rows:
//         accumulators = 0 or the output
//         for reductions:                 in their order: one chain of fma for each output (rule A16)
//           load the panel's vectors; for row: broadcast a scalar, one fma for each vector
//         store
//
// For gradients of weights: a row is an input channel, a column an output channel, the reductions are images and
// positions. Both operands are activations as they lie in memory; packing them would cost more than it saves. The vectors
// of a narrow last panel are loaded whole where memory behind them may be read; their surplus lanes are never stored.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/OuterProductKernel.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

/// Parts at least, if the rows allow it: enough for the threads of a large machine to share.
static constexpr int64_t kLeastParts = 16;
/// Multiply-accumulates of one part: less is not worth handing to a thread.
static constexpr int64_t kLeastWork = int64_t(1) << 17;

//===----------------------------------------------------------------------===//
// Match
//===----------------------------------------------------------------------===//

/// Whether the region yields fma(one input, the other, accumulator).
static bool isProductSum(Block &block) {
  auto fma = block.getTerminator()->getOperand(0).getDefiningOp<math::FmaOp>();
  if (!fma || block.getNumArguments() != 3 || std::distance(block.begin(), block.end()) != 2 || !fma.getType().isF32())
    return false;
  Value x = block.getArgument(0), y = block.getArgument(1);
  bool inputs = (fma.getA() == x && fma.getB() == y) || (fma.getA() == y && fma.getB() == x);
  return inputs && fma.getC() == block.getArgument(2);
}

std::optional<OuterProduct> mlir::halftone::matchOuterProduct(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !isProductSum(*op.getBlock()))
    return std::nullopt;
  std::optional<LoopSpace> space = LoopSpace::of(op);
  if (!space || space->numParallel() < 2 || space->numParallel() == space->loops.size() ||
      llvm::any_of(space->loops, [](const Loop &loop) { return loop.isDynamic(); }))
    return std::nullopt;
  OuterProduct product = {*space, 0, 1, 0, space->numParallel() - 1};
  if (space->inputs[0].isScalar() || space->inputs[1].isScalar() || space->output.strides[product.columns] != 1)
    return std::nullopt;
  if (space->inputs[0].strides[product.columns] == 1)
    std::swap(product.scalar, product.vector);
  if (space->inputs[product.vector].strides[product.columns] != 1 ||
      space->inputs[product.scalar].strides[product.columns] != 0)
    return std::nullopt;
  // The longest loop that reads one vector for many scalars.
  int64_t longest = 0;
  for (size_t i = 0; i < product.columns; ++i)
    if (space->inputs[product.vector].strides[i] == 0 && space->loops[i].extent > longest) {
      longest = space->loops[i].extent;
      product.rows = i;
    }
  return longest ? std::optional<OuterProduct>(product) : std::nullopt;
}

linalg::FillOp mlir::halftone::findZeroFill(linalg::LinalgOp op) {
  Value output = op.getDpsInits()[0];
  if (!output.getDefiningOp<memref::AllocOp>() && !isa<BlockArgument>(output))
    return {};
  linalg::FillOp found;
  for (Operation *user : output.getUsers()) {
    Operation *inBlock = op->getBlock()->findAncestorOpInBlock(*user);
    if (inBlock == op.getOperation() || (inBlock && op->isBeforeInBlock(inBlock)))
      continue;
    auto fill = dyn_cast<linalg::FillOp>(user);
    if (!fill || found || !isZero(fill.getInputs()[0]))
      return {};
    found = fill;
  }
  return found;
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

namespace {

class OuterProductKernel {
public:
  OuterProductKernel(linalg::LinalgOp op, const OuterProduct &product, const DotKernel &kernel, bool startsAtZero)
      : b(op.getLoc(), op), product(product), space(product.space), kernel(kernel), startsAtZero(startsAtZero) {}
  void emit();

private:
  int64_t tileHeight(int64_t panelColumns) const;
  int64_t rowBlock(int64_t outer) const;
  void emitPart(Value part, int64_t blocks, int64_t block);
  void emitPanels(Bounds rows);
  void emitTile(int64_t height, Value row, Value column);
  SmallVector<Value> emitStart(int64_t height, Value output);
  SmallVector<Value> emitReductions(size_t loop, int64_t height, Value scalar, Value vector, SmallVector<Value> sums);
  SmallVector<Value> emitStep(int64_t height, Value scalar, Value vector, ArrayRef<Value> sums);
  int64_t validLanes(int64_t vector) const { return std::min(kernel.lanes, validColumns - vector * kernel.lanes); }

  ImplicitLocOpBuilder b;
  const OuterProduct &product;
  const LoopSpace &space;
  const DotKernel &kernel;
  bool startsAtZero, readsBehind = false;
  FlatBuffer scalars, vectors, output;

  // The state of the part and of the panel.
  Value scalarBase, vectorBase, outputBase;
  int64_t panelVectors = 0, validColumns = 0;
};

} // namespace

/// Whether the buffer is one of the arena's, behind each of which memory may be read.
static bool isInArena(Value memory) { return rootOf(memory).getDefiningOp<memref::AllocOp>() != nullptr; }

void mlir::halftone::emitOuterProductKernel(linalg::LinalgOp op, const OuterProduct &product, const Isa &isa,
                                            bool startsAtZero) {
  OuterProductKernel(op, product, isa.floats, startsAtZero).emit();
}

/// Rows of a tile: the kernel's for that panel, made smaller so that the rows are shared out evenly.
int64_t OuterProductKernel::tileHeight(int64_t panelColumns) const {
  const int64_t rows = space.loops[product.rows].extent;
  const int64_t most = kernel.rows[llvm::divideCeil(panelColumns, kernel.lanes)];
  return llvm::divideCeil(rows, llvm::divideCeil(rows, most));
}

/// Rows of one part: all, unless the outer loops alone give too few parts.
int64_t OuterProductKernel::rowBlock(int64_t outer) const {
  const int64_t rows = space.loops[product.rows].extent;
  int64_t work = space.loops[product.columns].extent;
  for (const Loop &loop : ArrayRef(space.loops).drop_front(product.columns + 1))
    work *= loop.extent;
  int64_t wanted = llvm::divideCeil(kLeastParts, outer);
  int64_t worth = std::max<int64_t>(1, rows * work / kLeastWork);
  // Whole tiles of every panel, so that rows are left over in the last part only.
  const int64_t columns = space.loops[product.columns].extent, wide = kernel.lanes * kernel.maxVectors;
  int64_t tile = 1;
  if (columns >= wide)
    tile = tileHeight(wide);
  if (columns % wide)
    tile = std::lcm(tile, tileHeight(columns % wide));
  return std::min<int64_t>(rows, llvm::alignTo(llvm::divideCeil(rows, std::min(wanted, worth)), tile));
}

void OuterProductKernel::emit() {
  scalars = flatten(b, space.inputs[product.scalar].value);
  vectors = flatten(b, space.inputs[product.vector].value);
  output = flatten(b, space.output.value);
  readsBehind = isInArena(space.inputs[product.vector].value);
  int64_t outer = 1;
  for (size_t i = 0; i < product.columns; ++i)
    outer *= i == product.rows ? 1 : space.loops[i].extent;
  const int64_t block = rowBlock(outer), blocks = llvm::divideCeil(space.loops[product.rows].extent, block);
  emitParts(b, indexConstant(b, outer * blocks), [&](Value part) { emitPart(part, blocks, block); });
}

/// Parts are ordered by the outer loops, then blocks of rows.
void OuterProductKernel::emitPart(Value part, int64_t blocks, int64_t block) {
  Bounds rows = pieceBounds(b, b.createOrFold<arith::RemUIOp>(part, indexConstant(b, blocks)), block,
                            indexConstant(b, space.loops[product.rows].extent));
  Value rest = b.createOrFold<arith::DivUIOp>(part, indexConstant(b, blocks));
  const LoopOperand &x = space.inputs[product.scalar], &y = space.inputs[product.vector];
  scalarBase = indexConstant(b, x.base);
  vectorBase = indexConstant(b, y.base);
  outputBase = indexConstant(b, space.output.base);
  for (size_t i = product.columns; i-- > 0;) {
    if (i == product.rows)
      continue;
    Value extent = indexConstant(b, space.loops[i].extent);
    Value index = b.createOrFold<arith::RemUIOp>(rest, extent);
    rest = b.createOrFold<arith::DivUIOp>(rest, extent);
    scalarBase = add(b, scalarBase, mul(b, index, x.strides[i]));
    vectorBase = add(b, vectorBase, mul(b, index, y.strides[i]));
    outputBase = add(b, outputBase, mul(b, index, space.output.strides[i]));
  }
  emitPanels(rows);
}

void OuterProductKernel::emitPanels(Bounds rows) {
  const int64_t columns = space.loops[product.columns].extent, wide = kernel.lanes * kernel.maxVectors;
  auto emitPanel = [&](Value column, int64_t valid) {
    validColumns = valid;
    panelVectors = llvm::divideCeil(valid, kernel.lanes);
    const int64_t height = tileHeight(valid), rest = space.loops[product.rows].extent % height;
    Value count = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(rows.end, rows.begin), indexConstant(b, height));
    Value border = add(b, rows.begin, mul(b, count, height));
    emitLoop(b, {rows.begin, border}, height, [&](Value row) { emitTile(height, row, column); });
    if (rest)
      emitLoop(b, {border, rows.end}, rest, [&](Value row) { emitTile(rest, row, column); });
  };
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, columns / wide * wide)}, wide,
           [&](Value column) { emitPanel(column, wide); });
  if (columns % wide)
    emitPanel(indexConstant(b, columns / wide * wide), columns % wide);
}

void OuterProductKernel::emitTile(int64_t height, Value row, Value column) {
  auto at = [&](Value base, const LoopOperand &operand) {
    return add(b, add(b, base, mul(b, row, operand.strides[product.rows])), mul(b, column, operand.strides[product.columns]));
  };
  Value out = at(outputBase, space.output);
  SmallVector<Value> sums = emitReductions(product.columns + 1, height, at(scalarBase, space.inputs[product.scalar]),
                                           at(vectorBase, space.inputs[product.vector]), emitStart(height, out));
  for (int64_t r = 0; r < height; ++r)
    for (int64_t v = 0; v < panelVectors; ++v)
      storeLanes(b, sums[r * panelVectors + v], output,
                 add(b, out, r * space.output.strides[product.rows] + v * kernel.lanes), kernel.lanes, validLanes(v));
}

SmallVector<Value> OuterProductKernel::emitStart(int64_t height, Value out) {
  SmallVector<Value> sums;
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get({kernel.lanes}, b.getF32Type())));
  for (int64_t r = 0; r < height; ++r)
    for (int64_t v = 0; v < panelVectors; ++v)
      sums.push_back(startsAtZero ? zero
                                  : loadLanes(b, output, add(b, out, r * space.output.strides[product.rows] + v * kernel.lanes),
                                              1, kernel.lanes, validLanes(v)));
  return sums;
}

SmallVector<Value> OuterProductKernel::emitReductions(size_t loop, int64_t height, Value scalar, Value vector,
                                                      SmallVector<Value> sums) {
  if (loop == space.loops.size())
    return emitStep(height, scalar, vector, sums);
  return emitCarryingLoop(b, indexConstant(b, space.loops[loop].extent), std::move(sums),
                          [&](Value index, SmallVector<Value> carried) {
                            Value x = add(b, scalar, mul(b, index, space.inputs[product.scalar].strides[loop]));
                            Value y = add(b, vector, mul(b, index, space.inputs[product.vector].strides[loop]));
                            return emitReductions(loop + 1, height, x, y, std::move(carried));
                          });
}

SmallVector<Value> OuterProductKernel::emitStep(int64_t height, Value scalar, Value vector, ArrayRef<Value> sums) {
  SmallVector<Value> loaded, results;
  for (int64_t v = 0; v < panelVectors; ++v)
    loaded.push_back(loadLanes(b, vectors, add(b, vector, v * kernel.lanes), 1, kernel.lanes,
                               readsBehind ? kernel.lanes : validLanes(v)));
  for (int64_t r = 0; r < height; ++r) {
    Value x = memref::LoadOp::create(b, scalars.memory, add(b, scalar, r * space.inputs[product.scalar].strides[product.rows]));
    Value broadcast = splat(b, x, kernel.lanes);
    for (int64_t v = 0; v < panelVectors; ++v)
      results.push_back(math::FmaOp::create(b, broadcast, loaded[v], sums[r * panelVectors + v]));
  }
  return results;
}
