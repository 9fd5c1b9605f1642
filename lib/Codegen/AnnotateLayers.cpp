//===- AnnotateLayers.cpp - the list of layers ------------------------------===//
//
// What a profile shows of a layer is known where the layer still is one operation with all its operands.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/BatchExtents.h"
#include "halftone/Codegen/CostModel.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/LayerInfo.h"
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Packing.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Codegen/SparseCost.h"
#include "halftone/Codegen/StructuredKernel.h"
#include "halftone/Codegen/VectorEmission.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ANNOTATELAYERS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static bool isConstant(Value buffer) { return rootOf(buffer).getDefiningOp<memref::GetGlobalOp>() != nullptr; }

/// The whole buffer of a part.
static Value wholeOf(Value buffer) {
  while (auto part = buffer.getDefiningOp<memref::SubViewOp>())
    buffer = part.getSource();
  return buffer;
}

/// Whether `op` fills another part of the buffer that `before` fills, as another side of a border.
static bool continuesFill(Operation *before, Operation *op) {
  auto first = dyn_cast_or_null<linalg::FillOp>(before), second = dyn_cast<linalg::FillOp>(op);
  return first && second && wholeOf(first.getOutputs()[0]) == wholeOf(second.getOutputs()[0]);
}

/// Whether `op` is computed in the kernel of the product before it.
static bool endsProduct(Operation *before, Operation *op) {
  auto product = dyn_cast_or_null<linalg::GenericOp>(before);
  return product && findProductEpilogue(product) == op;
}

/// The elements of a buffer that one sample has.
static int64_t elementsPerSample(Value buffer) {
  int64_t elements = 1;
  for (int64_t dim = 0, rank = cast<MemRefType>(buffer.getType()).getRank(); dim < rank; ++dim)
    elements *= extentAtBatch(buffer, dim, 1).value_or(1);
  return elements;
}

static int64_t bytesOf(Value buffer) {
  return elementsPerSample(buffer) * llvm::divideCeil(cast<MemRefType>(buffer.getType()).getElementTypeBitWidth(), 8);
}

/// How often the loops of a dynamic extent run for one sample.
static int64_t dynamicIterations(linalg::LinalgOp op) {
  int64_t iterations = 1;
  for (auto [loop, range] : llvm::enumerate(op.getStaticLoopRanges())) {
    Value buffer;
    unsigned dim;
    if (ShapedType::isDynamic(range) && succeeded(op.mapIterationSpaceDimToOperandDim(loop, buffer, dim)))
      iterations *= extentAtBatch(buffer, dim, 1).value_or(1);
  }
  return iterations;
}

static bool isOutput(Operation *op, OpOperand &operand) {
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return destination.isDpsInit(&operand);
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return operand.get() == copy.getTarget();
  return false;
}

/// An operand that is there for its shape, as the window of a pool, is not read.
static bool isRead(Operation *op, OpOperand &operand) {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  return !structured || structured.payloadUsesValueFromOperand(&operand);
}

/// Each buffer once, whatever the number of operands that it is; one that is overwritten, as read and as written.
static void countBytes(Operation *op, LayerInfo &layer) {
  DenseSet<std::pair<Value, unsigned>> seen;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    bool written = isOutput(op, operand);
    if (!type || !(written || isRead(op, operand)) || !seen.insert({operand.get(), written}).second)
      continue;
    layer.perSample |= !type.hasStaticShape();
    int64_t &sum = written                     ? layer.writtenBytes
                   : isConstant(operand.get()) ? layer.constantBytes
                                               : layer.readBytes;
    sum += bytesOf(operand.get());
  }
}

static std::string shapeText(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return "scalar";
  std::string text;
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    text += (i ? "x" : "") + (ShapedType::isDynamic(extent) ? "B" : std::to_string(extent));
  return text.empty() ? "scalar" : text;
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

/// "3x3/2": the window and its stride.
static std::string windowText(int64_t height, int64_t width, int64_t stride) {
  return (Twine(height) + "x" + Twine(width) + "/" + Twine(stride)).str();
}

static void describeContract(ContractOp op, LayerInfo &layer) {
  auto output = cast<MemRefType>(op.getOutput().getType());
  std::optional<Packing> packing = Packing::of(op);
  if (!packing)
    return;
  layer.kernel = packing->kernel->name.str();
  if (SparseLayout::fromAttribute(op))
    layer.kernel = "sparse_" + layer.kernel;
  layer.multiplyAccumulates = elementsPerSample(op.getOutput()) * halftone::elementsPerSample(packing->window);
  if (output.getRank() == 2) {
    layer.kind = "matmul";
    return;
  }
  const auto [height, width, channels] = packing->window;
  bool pointwise = height == 1 && width == 1 && op.getGroups() == 1;
  std::string window = windowText(height, width, op.getStrides()[1]);
  layer.kind = DepthwiseLayout::isDepthwise(op)           ? "depthwise " + window
               : op.getGroups() > 1                       ? "grouped " + window
               : pointwise && op.getStrides()[1] == 1     ? "pointwise"
                                                          : "conv " + window;
}

/// Whether the operation only moves elements.
static bool movesData(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  return body.getOperations().size() == 1 && isa<BlockArgument>(body.getTerminator()->getOperand(0));
}

template <typename Pool> static std::string poolText(Pool pool) {
  ArrayRef<int64_t> window = cast<ShapedType>(pool->getOperand(1).getType()).getShape();
  return windowText(window[0], window[1], pool.getStrides().template getValues<int64_t>()[1]);
}

static std::string kindOf(linalg::LinalgOp op) {
  if (findProductKernel(op))
    return "product";
  if (auto pool = dyn_cast<linalg::PoolingNhwcMaxOp>(op.getOperation()))
    return "max pool " + poolText(pool);
  if (auto pool = dyn_cast<linalg::PoolingNhwcMaxUnsignedOp>(op.getOperation()))
    return "max pool " + poolText(pool);
  if (auto pool = dyn_cast<linalg::PoolingNhwcSumOp>(op.getOperation()))
    return "sum pool " + poolText(pool);
  if (!isa<linalg::GenericOp>(op.getOperation())) {
    std::string name = op->getName().stripDialect().str();
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
  }
  if (op.getNumReductionLoops() > 0)
    return "reduction";
  if (movesData(op))
    return op.getNumDpsInputs() == 0 ? "fill" : "copy";
  auto isFloat = [](Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); };
  bool floatIn = op.getNumDpsInputs() && isFloat(op.getDpsInputs().front().getType());
  bool floatOut = isFloat(op->getOperands().back().getType());
  return floatIn == floatOut ? "elementwise" : floatIn ? "quantize" : "dequantize";
}

static void describeLinalg(linalg::LinalgOp op, LayerInfo &layer) {
  layer.kind = kindOf(op);
  if (const DotKernel *kernel = findProductKernel(op))
    layer.kernel = kernel->name.str();
  if (!hasStructuredKernel(op))
    layer.kernel = "scalar";
  layer.multiplyAccumulates = countMultiplyAccumulates(op) * dynamicIterations(op);
}

namespace {

struct AnnotateLayers : halftone::impl::AnnotateLayersBase<AnnotateLayers> {
  using AnnotateLayersBase::AnnotateLayersBase;

  void runOnOperation() override {
    const Isa *row = target.empty() ? nullptr : requireIsa(getOperation(), target);
    if (!row && !target.empty())
      return signalPassFailure();
    func::FuncOp main = lookupEntry(getOperation());
    if (!main)
      return signalPassFailure();
    SmallVector<LayerInfo> layers;
    Operation *before = nullptr;
    DenseMap<Operation *, size_t> layerOfChain;
    for (Operation &op : main.getOps()) {
      if (!isa<ContractOp, linalg::LinalgOp, LookupOp, ObserveOp, memref::CopyOp>(op))
        continue;
      if (continuesFill(before, &op)) {
        countBytes(&op, layers.back());
        layers.back().shapes = shapeText(op.getOperand(0)) + " -> " + shapeText(wholeOf(op.getOperands().back()));
      } else if (auto chained = layerOfChain.find(&op); chained != layerOfChain.end()) {
        LayerInfo &chain = layers[chained->second];
        chain.multiplyAccumulates += describe(&op, row).multiplyAccumulates;
        setLayer(&op, chained->second);
        continue;
      } else if (endsProduct(before, &op)) {
        countBytes(&op, layers.back());
      } else {
        layers.push_back(describe(&op, row));
      }
      if (auto product = dyn_cast<linalg::GenericOp>(op))
        for (Operation *member : findProductKernel(&op) ? findProductChain(product) : SmallVector<Operation *>()) {
          layers.back().kind = "products";
          layerOfChain[member] = layers.size() - 1;
        }
      setLayer(&op, layers.size() - 1);
      before = &op;
    }
    describeCosts(main, layers);
    writeLayers(getOperation(), layers);
    numLayers += layers.size();
  }

private:
  /// What the cost model reads of each contraction, once all constants are counted.
  static void describeCosts(func::FuncOp main, MutableArrayRef<LayerInfo> layers) {
    int64_t constants = 0;
    for (const LayerInfo &layer : layers)
      constants += layer.constantBytes;
    main.walk([&](ContractOp op) {
      std::optional<int64_t> layer = layerOf(op.getLoc());
      std::optional<SparseLayout> sparse = SparseLayout::fromAttribute(op);
      const DotKernel *kernel = !layer ? nullptr : sparse ? sparse->kernel : findDotKernel(layers[*layer].kernel);
      if (!kernel)
        return;
      ContractShape shape = ContractShape::of(op, *kernel);
      shape.coldBytes = constants;
      joinRows(op, shape);
      layers[*layer].cost = shape.text() + (sparse ? sparseText(*sparse) : "");
    });
  }

  /// Rows of a matrix product that are joined with a dynamic batch: as many as a sample has.
  static void joinRows(ContractOp op, ContractShape &shape) {
    if (auto output = cast<MemRefType>(op.getOutput().getType()); output.getRank() != 2 || !output.isDynamicDim(0))
      return;
    const int64_t rows = extentAtBatch(op.getOutput(), 0, 1).value_or(1);
    shape.span *= rows;
    shape.activationBytes *= rows;
  }

  static LayerInfo describe(Operation *op, const Isa *row) {
    LayerInfo layer;
    layer.name = nodeName(op->getLoc());
    layer.kernel = row ? "vector_" + std::to_string(row->vectorBytes * 8) : "scalar";
    countBytes(op, layer);
    layer.shapes = shapeText(op->getOperand(0)) + " -> " + shapeText(op->getOperands().back());
    if (auto contract = dyn_cast<ContractOp>(op)) {
      describeContract(contract, layer);
      layer.shapes = shapeText(contract.getInput()) + " -> " + shapeText(contract.getOutput());
    } else if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
      describeLinalg(structured, layer);
    } else {
      layer.kind = isa<LookupOp>(op) ? "lookup" : isa<ObserveOp>(op) ? "observe" : "copy";
    }
    return layer;
  }
};

} // namespace
