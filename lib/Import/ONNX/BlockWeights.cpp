//===- BlockWeights.cpp - onnxruntime's weights with a scale for each block --===//
//
// com.microsoft's MatMulNBits and GatherBlockQuantized read weights in few bits, of which each block along one dimension has a scale and a zero point of its
// own. Constant ones become the f32 that they stand for, (code - zero) * scale, and MatMul or Gather reads these.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Expansion.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// Integers of `bits` each from bytes, the low ones first, `perRow` of them in a row of bytes.
static std::vector<int64_t> unpack(const HostTensor &packed, int64_t bits, int64_t rows, int64_t perRow) {
  std::vector<int64_t> bytes = packed.integers(), values;
  const int64_t perByte = 8 / bits, rowBytes = bytes.size() / rows;
  values.reserve(rows * perRow);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < perRow; ++i)
      values.push_back(bytes[row * rowBytes + i / perByte] >> (i % perByte * bits) & ((1 << bits) - 1));
  return values;
}

/// The product with the numbers that weights in 2, 4 or 8 bits stand for, (code - zero) * scale, each block of the reduction with a scale and a
/// zero point of its own.
LogicalResult importer::expandMatMulNBits(Node &node, Expansion &expansion) {
  const int64_t k = node.getInt("K", 0), n = node.getInt("N", 0), bits = node.getInt("bits", 4), block = node.getInt("block_size", 0);
  (void)node.getInt("accuracy_level", 0); // how much onnxruntime may round the other factor
  HostTensorRef codes = node.constant(1), scales = node.constant(2), zeros = node.constant(3);
  if (!codes || !scales || (node.hasInput(3) && !zeros))
    return node.unsupported("weights that are not constant");
  if (node.hasInput(4) || node.getInt("weight_prepacked", 0))
    return node.unsupported("a group index, or weights packed for one kind of machine");
  if (k < 1 || n < 1 || block < 1 || (bits != 2 && bits != 4 && bits != 8))
    return node.unsupported("K = " + Twine(k) + ", N = " + Twine(n) + ", block_size = " + Twine(block) + ", bits = " + Twine(bits));
  const int64_t blocks = llvm::divideCeil(k, block), perBlob = llvm::alignTo(block * bits, 8) / bits, perZeros = llvm::alignTo(blocks * bits, 8) / bits;
  const bool packsZeros = zeros && !zeros->isFloat();
  if (codes->count() != n * blocks * perBlob * bits / 8 || scales->count() != n * blocks ||
      (zeros && zeros->count() != (packsZeros ? n * perZeros * bits / 8 : n * blocks)))
    return node.unsupported("weights, scales or zero points of another size than K, N, bits and block_size say");
  std::vector<int64_t> code = unpack(*codes, bits, n * blocks, perBlob);
  std::vector<double> scale = scales->numbers(), zero(n * blocks, 1 << (bits - 1)), values(k * n);
  if (packsZeros) {
    std::vector<int64_t> unpacked = unpack(*zeros, bits, n, blocks);
    zero.assign(unpacked.begin(), unpacked.end());
  } else if (zeros) {
    zero = zeros->numbers();
  }
  for (int64_t column = 0; column < n; ++column)
    for (int64_t i = 0; i < k; ++i) {
      const int64_t at = column * blocks + i / block;
      values[i * n + column] = float(float(code[at * perBlob + i % block] - zero[at]) * float(scale[at]));
    }
  HostTensor weights = HostTensor::fromNumbers(node.builder.getF32Type(), {k, n}, values);
  weights.name = codes->name;
  std::string b = expansion.constant(std::move(weights));
  if (!node.hasInput(5)) {
    expansion.add("MatMul", {expansion.input(0), b}, expansion.output(0));
    return success();
  }
  std::string product = expansion.apply("MatMul", {expansion.input(0), b});
  expansion.add("Add", {product, expansion.input(5)}, expansion.output(0));
  return success();
}

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

/// Codes of `bits` each and the shape that they have: bytes hold 8 / bits of them along the last dimension.
static std::pair<std::vector<int64_t>, SmallVector<int64_t>> unpackTensor(const HostTensor &packed, int64_t bits) {
  SmallVector<int64_t> shape(packed.shape);
  if (!packed.element.isUnsignedInteger(8) || shape.empty() || packed.count() == 0)
    return {packed.integers(), shape};
  const int64_t rows = packed.count() / shape.back();
  shape.back() *= 8 / bits;
  return {unpack(packed, bits, rows, shape.back()), shape};
}

/// Table, indices, scales, zero points: rows of the table. Without zero points these are 0, or in bytes the middle.
LogicalResult importer::expandGatherBlockQuantized(Node &node, Expansion &expansion) {
  HostTensorRef table = node.constant(0), scales = node.constant(2), zeros = node.constant(3);
  if (!table || !scales || (node.hasInput(3) && !zeros))
    return node.unsupported("a table, scales or zero points that are not constant");
  const bool isBytes = table->element.isUnsignedInteger(8);
  const int64_t bits = node.getInt("bits", 4), block = node.getInt("block_size", 128), gatherAxis = node.getInt("gather_axis", 0);
  if (!(isBytes ? bits == 2 || bits == 4 || bits == 8 : table->element.isInteger(4) && bits == 4) || block < 1)
    return node.unsupported(llvm::formatv("codes of {0} bits in {1}, in blocks of {2}", bits, table->element, block).str());
  auto [codes, shape] = unpackTensor(*table, bits);
  const int64_t rank = shape.size(), axis = fromStart(node.getInt("quantize_axis", 1), rank);
  if (axis < 0 || axis >= rank)
    return node.unsupported("a quantize_axis outside the table's dimensions");
  SmallVector<int64_t> blocks(shape);
  blocks[axis] = llvm::divideCeil(shape[axis], block);
  std::pair<std::vector<int64_t>, SmallVector<int64_t>> zero{std::vector<int64_t>(scales->count(), isBytes ? int64_t(1) << (bits - 1) : 0), blocks};
  if (zeros) {
    zero = unpackTensor(*zeros, bits);
    if (zero.second.empty())
      return node.unsupported("a scalar as zero points");
    if (const int64_t padded = zero.second.back(), used = blocks.back(); isBytes && padded > used && padded - used < 8 / bits) { // the last byte is not full
      int64_t place = 0;
      llvm::erase_if(zero.first, [&](int64_t) { return place++ % padded >= used; });
      zero.second.back() = used;
    }
  }
  if (scales->shape != blocks || zero.second != blocks)
    return node.unsupported("scales or zero points that do not fit the blocks of the table");
  const std::vector<double> scale = scales->numbers();
  const int64_t inner = ShapedType::getNumElements(ArrayRef(shape).drop_front(axis + 1)), extent = shape[axis];
  std::vector<double> values(codes.size());
  for (int64_t i = 0, e = codes.size(); i < e; ++i) {
    const int64_t at = (i / (inner * extent) * blocks[axis] + i / inner % extent / block) * inner + i % inner;
    values[i] = static_cast<float>(codes[i] - zero.first[at]) * static_cast<float>(scale[at]);
  }
  HostTensor rows = HostTensor::fromNumbers(node.builder.getF32Type(), shape, values);
  rows.name = table->name;
  expansion.add("Gather", {expansion.constant(std::move(rows)), expansion.input(1)}, expansion.output(0), makeInt("axis", gatherAxis));
  return success();
}
