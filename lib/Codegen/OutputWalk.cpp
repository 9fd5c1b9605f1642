//===- OutputWalk.cpp - the positions of a contraction's output -------------===//
#include "halftone/Codegen/OutputWalk.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::halftone;

/// The advance of a buffer of rank 4 (NHWC) or 2 that is read position by position.
static Advance directAdvance(ArrayRef<int64_t> strides, ArrayRef<int64_t> windowStrides) {
  if (strides.size() == 2)
    return {strides[0], 0, 0, strides[1]};
  return {strides[0], strides[1] * windowStrides[0], strides[2] * windowStrides[1], strides[3]};
}

/// The advance of an epilogue operand that is read through `map`.
static Advance mappedAdvance(ArrayRef<int64_t> strides, AffineMap map) {
  Advance advance = {0, 0, 0, 0};
  int64_t *matrix[] = {&advance.image, &advance.channel};
  int64_t *nhwc[] = {&advance.image, &advance.row, &advance.column, &advance.channel};
  for (auto [stride, result] : llvm::zip_equal(strides, map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(result))
      *(map.getNumDims() == 2 ? matrix : nhwc)[dim.getPosition()] += stride;
  return advance;
}

OutputWalk::OutputWalk(ImplicitLocOpBuilder &b, ContractOp op, int64_t tileRows) : outputMemory(op.getOutput()) {
  input.flat = flatten(b, op.getInput());
  input.advance = directAdvance(input.flat.strides, op.getStrides());
  output.flat = flatten(b, op.getOutput());
  output.advance = directAdvance(output.flat.strides, {1, 1});
  for (auto [operand, map] : llvm::zip_equal(op.getEpilogueInputs(), op.getEpilogueMaps())) {
    FlatBuffer flat = flatten(b, operand);
    operands.push_back({flat, mappedAdvance(flat.strides, cast<AffineMapAttr>(map).getValue())});
  }
  ArrayRef<int64_t> shape = cast<MemRefType>(outputMemory.getType()).getShape();
  images = shape[0];
  rows = shape.size() == 4 ? shape[1] : 1;
  columns = shape.size() == 4 ? shape[2] : 1;
  // A dynamic batch stays outside the line as long as an image fills tiles by itself: its span is then static.
  if (rowsJoin())
    line = imagesJoin() && (!ShapedType::isDynamic(images) || rows * columns == 1) ? Line::Batch : Line::Image;
  if (line == Line::Row)
    bandRows = rowsOfBand(rows, columns, tileRows);
  if (bandRows)
    line = Line::Image;
  auto product = [](int64_t x, int64_t y) { return ShapedType::isDynamic(x) ? x : x * y; };
  lines = line == Line::Row ? product(images, rows) : line == Line::Image ? images : 1;
  spanLength = line == Line::Row ? columns : line == Line::Image ? rows * columns : product(images, rows * columns);
}

bool OutputWalk::allBuffers(function_ref<bool(const Advance &)> holds) const {
  return holds(input.advance) && holds(output.advance) &&
         llvm::all_of(operands, [&](const WalkedBuffer &buffer) { return holds(buffer.advance); });
}

bool OutputWalk::rowsJoin() const {
  return rows == 1 || columns == 1 || allBuffers([&](const Advance &a) { return a.row == columns * a.column; });
}

bool OutputWalk::imagesJoin() const {
  if (images == 1 || rows * columns == 1)
    return true;
  return allBuffers([&](const Advance &a) {
    return columns == 1 ? a.image == rows * a.row : a.image == rows * columns * a.column;
  });
}

Value OutputWalk::emitLineCount(ImplicitLocOpBuilder &b) const {
  if (!ShapedType::isDynamic(lines))
    return indexConstant(b, lines);
  Value batch = memref::DimOp::create(b, outputMemory, 0);
  return line == Line::Row ? mul(b, batch, rows) : batch;
}

Value OutputWalk::emitSpan(ImplicitLocOpBuilder &b) const {
  if (!ShapedType::isDynamic(spanLength))
    return indexConstant(b, spanLength);
  return mul(b, memref::DimOp::create(b, outputMemory, 0), rows * columns);
}

Value OutputWalk::emitLineOffset(ImplicitLocOpBuilder &b, const WalkedBuffer &buffer, Value index) const {
  const Advance &advance = buffer.advance;
  if (line == Line::Batch)
    return indexConstant(b, 0);
  if (line == Line::Image)
    return mul(b, index, advance.image);
  if (images == 1 || advance.image == rows * advance.row)
    return mul(b, index, advance.row);
  Value height = indexConstant(b, rows);
  Value image = b.createOrFold<arith::DivUIOp>(index, height);
  Value row = b.createOrFold<arith::RemUIOp>(index, height);
  return add(b, mul(b, image, advance.image), mul(b, row, advance.row));
}

Value OutputWalk::emitTileOffset(ImplicitLocOpBuilder &b, const WalkedBuffer &buffer, Value position) const {
  if (!bandRows)
    return mul(b, position, positionStride(buffer));
  return mul(b, b.createOrFold<arith::DivUIOp>(position, indexConstant(b, columns)), buffer.advance.row);
}

int64_t OutputWalk::displacement(const WalkedBuffer &buffer, int64_t row) const {
  if (!bandRows)
    return row * positionStride(buffer);
  return row / columns * buffer.advance.row + row % columns * buffer.advance.column;
}

bool OutputWalk::isInvariant(const WalkedBuffer &buffer) const {
  return bandRows ? buffer.advance.row == 0 && buffer.advance.column == 0 : positionStride(buffer) == 0;
}

int64_t OutputWalk::positionStride(const WalkedBuffer &buffer) const {
  const Advance &advance = buffer.advance;
  if (line == Line::Row || columns > 1)
    return advance.column;
  return rows > 1 ? advance.row : advance.image;
}
