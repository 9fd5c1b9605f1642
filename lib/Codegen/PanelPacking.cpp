//===- PanelPacking.cpp - weights that are made when the model runs ---------===//
//
//   for panel of columns: for vector of columns:
//     for step of the reduction:            a word (4 bytes, or one float) of each column side by side
//       store the words; sum the columns
//     store the start row
//
// Where a column's elements follow one another in memory (the keys of an attention), blocks of words are transposed. Where columns
// follow one another (the values), the rows of a step are interleaved.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/PanelPacking.h"
#include "halftone/Codegen/DotEmitter.h"
#include "halftone/Codegen/LoopEmission.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {

class PanelPacker {
public:
  PanelPacker(ImplicitLocOpBuilder &b, const PackedLayout &layout, const FlatBuffer &matrix, Value scratch, PackedBytes bytes)
      : b(b), layout(layout), kernel(*layout.kernel), matrix(matrix), scratch(scratch), bytes(bytes),
        dots(kernel, kernel.lanes, /*storedUnsigned=*/true) {}
  void emit();

private:
  void emitPanel(int64_t vectors, int64_t valid, Value column, Value at);
  void emitVector(int64_t valid, Value column, Value place);
  Value emitTransposed(int64_t valid, Value source, Value place, Value sum);
  Value emitInterleaved(int64_t valid, Value source, Value place, Value sum);
  Value emitBlock(int64_t valid, int64_t words, int64_t lastElements, Value source, Value place, Value sum);
  Value emitRows(int64_t valid, int64_t rows, Value source, Value place, Value sum);
  Value loadRow(Value offset, int64_t elements, int64_t valid);
  Value toWords(Value elements);
  Value emitStep(Value elements, Value place, Value sum);

  bool isBytes() const { return matrix.element.isInteger(8); }
  VectorType elementsType(int64_t count) const { return VectorType::get({count}, matrix.element); }
  Value zeros(VectorType type) { return arith::ConstantOp::create(b, b.getZeroAttr(type)); }
  Value shuffle(Value x, Value y, function_ref<int64_t(int64_t)> order, int64_t size) {
    return vector::ShuffleOp::create(b, x, y, llvm::map_to_vector(llvm::seq<int64_t>(0, size), order));
  }

  ImplicitLocOpBuilder &b;
  const PackedLayout &layout;
  const DotKernel &kernel;
  const FlatBuffer &matrix;
  Value scratch;
  PackedBytes bytes;
  DotEmitter dots;
  int64_t panelVectors = 0; ///< of the panel that is being packed
  Value panelAt;
};

} // namespace

void mlir::halftone::emitPacking(ImplicitLocOpBuilder &b, const PackedLayout &layout, const FlatBuffer &matrix, Value scratch,
                                 PackedBytes bytes) {
  PanelPacker(b, layout, matrix, scratch, bytes).emit();
}

void PanelPacker::emit() {
  const int64_t full = layout.fullPanels(), columns = layout.panelColumns();
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, full)}, 1, [&](Value panel) {
    emitPanel(layout.panelVectors, columns, mul(b, panel, columns), mul(b, panel, layout.panelElements(layout.panelVectors)));
  });
  if (layout.restVectors())
    emitPanel(layout.restVectors(), layout.columns - full * columns, indexConstant(b, full * columns),
              indexConstant(b, full * layout.panelElements(layout.panelVectors)));
}

/// Vectors that are full, then the last one.
void PanelPacker::emitPanel(int64_t vectors, int64_t valid, Value column, Value at) {
  panelVectors = vectors;
  panelAt = at;
  const int64_t whole = valid / kernel.lanes;
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, whole)}, 1,
           [&](Value vector) { emitVector(kernel.lanes, add(b, column, mul(b, vector, kernel.lanes)), vector); });
  if (valid % kernel.lanes)
    emitVector(valid % kernel.lanes, add(b, column, whole * kernel.lanes), indexConstant(b, whole));
}

/// One vector of columns, of which `valid` exist: all steps, then its part of the start row.
void PanelPacker::emitVector(int64_t valid, Value column, Value vector) {
  Value source = mul(b, column, matrix.strides[1]);
  Value place = add(b, add(b, panelAt, layout.startElements(panelVectors)), mul(b, vector, layout.vectorElements()));
  Value sum = zeros(dots.accumulatorType(b.getContext()));
  sum = matrix.strides[0] == 1 ? emitTransposed(valid, source, place, sum) : emitInterleaved(valid, source, place, sum);
  if (!kernel.hasStart())
    return;
  auto type = cast<VectorType>(sum.getType());
  Value factor = arith::ConstantOp::create(b, DenseElementsAttr::get(type, bytes.startFactor));
  const int64_t startBytes = type.getNumElements() * static_cast<int64_t>(sizeof(int32_t));
  Value start = vector::BitCastOp::create(b, elementsType(startBytes), arith::MulIOp::create(b, sum, factor));
  vector::StoreOp::create(b, start, scratch, add(b, panelAt, mul(b, vector, startBytes)));
}

//===----------------------------------------------------------------------===//
// Columns whose elements follow one another
//===----------------------------------------------------------------------===//

/// Blocks of as many words as there are lanes, then smaller ones, then a word that is not full.
Value PanelPacker::emitTransposed(int64_t valid, Value source, Value place, Value sum) {
  const int64_t stepElements = panelVectors * layout.vectorElements(), whole = layout.channels / kernel.step;
  int64_t done = 0;
  auto at = [&](Value block, int64_t words, Value sumSoFar) {
    Value word = add(b, mul(b, block, words), done);
    return emitBlock(valid, words, kernel.step, add(b, source, mul(b, word, kernel.step)), add(b, place, mul(b, word, stepElements)),
                     sumSoFar);
  };
  for (int64_t words = kernel.lanes; words >= 1; words /= 2) {
    const int64_t blocks = (whole - done) / words;
    if (!blocks)
      continue;
    sum = emitCarryingLoop(b, indexConstant(b, blocks), {sum}, [&](Value block, SmallVector<Value> carried) {
      return SmallVector<Value>{at(block, words, carried[0])};
    })[0];
    done += blocks * words;
  }
  if (int64_t rest = layout.channels % kernel.step)
    sum = emitBlock(valid, 1, rest, add(b, source, done * kernel.step), add(b, place, done * stepElements), sum);
  return sum;
}

/// `words` steps of `valid` columns; the last word of a column has `lastElements`.
Value PanelPacker::emitBlock(int64_t valid, int64_t words, int64_t lastElements, Value source, Value place, Value sum) {
  SmallVector<Value> rows;
  const int64_t elements = words * kernel.step, exist = elements - kernel.step + lastElements;
  for (int64_t row = 0; row < kernel.lanes; ++row)
    rows.push_back(row < valid ? toWords(loadRow(add(b, source, row * matrix.strides[1]), elements, exist))
                               : toWords(zeros(elementsType(elements))));
  const int64_t stepElements = panelVectors * layout.vectorElements();
  for (auto [step, lanes] : llvm::enumerate(transposeRows(b, std::move(rows), words)))
    sum = emitStep(lanes, add(b, place, step * stepElements), sum);
  return sum;
}

//===----------------------------------------------------------------------===//
// Columns that follow one another
//===----------------------------------------------------------------------===//

Value PanelPacker::emitInterleaved(int64_t valid, Value source, Value place, Value sum) {
  const int64_t stepElements = panelVectors * layout.vectorElements(), whole = layout.channels / kernel.step;
  const int64_t stepStride = kernel.step * matrix.strides[0];
  if (whole)
    sum = emitCarryingLoop(b, indexConstant(b, whole), {sum}, [&](Value step, SmallVector<Value> carried) {
      return SmallVector<Value>{emitRows(valid, kernel.step, add(b, source, mul(b, step, stepStride)),
                                         add(b, place, mul(b, step, stepElements)), carried[0])};
    })[0];
  if (int64_t rest = layout.channels % kernel.step)
    sum = emitRows(valid, rest, add(b, source, whole * stepStride), add(b, place, whole * stepElements), sum);
  return sum;
}

/// One step, of which so many rows exist.
Value PanelPacker::emitRows(int64_t valid, int64_t rows, Value source, Value place, Value sum) {
  SmallVector<Value> loaded;
  for (int64_t row = 0; row < kernel.step; ++row)
    loaded.push_back(row < rows ? loadRow(add(b, source, row * matrix.strides[0]), kernel.lanes, valid)
                                : zeros(elementsType(kernel.lanes)));
  // Pairs of rows, pairs of pairs: each time the elements of a lane come together.
  for (int64_t together = 1; together < kernel.step; together *= 2) {
    const int64_t size = kernel.lanes * together;
    for (int64_t i = 0, e = loaded.size() / 2; i < e; ++i)
      loaded[i] = shuffle(loaded[2 * i], loaded[2 * i + 1], [&](int64_t place) {
        const int64_t lane = place / (2 * together), within = place % (2 * together);
        return within < together ? lane * together + within : size + lane * together + within - together;
      }, 2 * size);
    loaded.truncate(loaded.size() / 2);
  }
  return emitStep(toWords(loaded.front()), place, sum);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// `elements` from memory as weights, of which `valid` exist; the others are 0.
Value PanelPacker::loadRow(Value offset, int64_t elements, int64_t valid) {
  Value row;
  if (elements == 1) // loadLanes gives a scalar
    row = vector::LoadOp::create(b, elementsType(1), matrix.memory, offset);
  else
    row = loadLanes(b, matrix, offset, /*stride=*/1, elements, valid);
  if (!bytes.flipsSign)
    return row;
  SmallVector<int8_t> signs(elements, 0);
  std::fill(signs.begin(), signs.begin() + valid, -128);
  return arith::XOrIOp::create(b, row, arith::ConstantOp::create(b, DenseElementsAttr::get(elementsType(elements), ArrayRef<int8_t>(signs))));
}

/// Bytes as words of one step.
Value PanelPacker::toWords(Value elements) {
  if (!isBytes())
    return elements;
  const int64_t count = cast<VectorType>(elements.getType()).getNumElements() / kernel.step;
  return vector::BitCastOp::create(b, VectorType::get({count}, b.getI32Type()), elements);
}

/// Stores the words of one step; the sums of the columns with them.
Value PanelPacker::emitStep(Value words, Value place, Value sum) {
  if (!isBytes()) {
    vector::StoreOp::create(b, words, scratch, place);
    return sum;
  }
  VectorType type = elementsType(layout.vectorElements());
  Value elements = vector::BitCastOp::create(b, type, words);
  vector::StoreOp::create(b, elements, scratch, place);
  if (!bytes.startFactor)
    return sum;
  Value ones = arith::ConstantOp::create(b, DenseElementsAttr::get(type, int8_t(1)));
  return dots.dot(b, sum, dots.prepareActivation(b, ones), elements);
}
