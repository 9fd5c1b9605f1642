//===- SplitBatch.cpp - sample by sample, or all at once --------------------===//
//
// A batch runs at once where weights matter more than activations: they are read once for all samples. Where the activations of the batch leave the
// caches that those of a sample fit in, one sample after the other is faster, and needs the memory of one. Both give the same bits, so the
// cost model decides.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/BatchSize.h"
#include "halftone/Codegen/ContractChoice.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SPLITBATCH
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// The samples of a run: a number of the caller's choice within bounds, or a fixed one.
struct SampleCount {
  int64_t low, high;
  bool isDynamic;
  int64_t extent() const { return isDynamic ? ShapedType::kDynamic : high; }
};

} // namespace

/// The extent that leads all types, dynamic or not; nothing if they differ.
static std::optional<int64_t> leadingExtent(TypeRange types) {
  std::optional<int64_t> extent;
  for (Type type : types) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getRank() == 0 || (extent && *extent != tensor.getDimSize(0)))
      return std::nullopt;
    extent = tensor.getDimSize(0);
  }
  return extent;
}

static std::optional<SampleCount> countSamples(func::FuncOp entry) {
  SmallVector<Type> types(entry.getArgumentTypes());
  llvm::append_range(types, entry.getResultTypes());
  std::optional<int64_t> extent = leadingExtent(types);
  if (!extent || entry.getNumArguments() == 0)
    return std::nullopt;
  if (!ShapedType::isDynamic(*extent))
    return SampleCount{*extent, *extent, false};
  SampleCount count = {1, std::numeric_limits<int64_t>::max(), true};
  for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
    DimAttr dim = leadingDim(entry, i);
    if (!dim)
      return std::nullopt; // an error of halftone-form-entry
    count.low = std::max(count.low, dim.getLow());
    count.high = std::min(count.high, dim.getHigh());
  }
  return count.low <= count.high ? std::optional(count) : std::nullopt;
}

/// A copy of the function for so many samples; null if they do not run side by side.
static OwningOpRef<func::FuncOp> copyForBatch(func::FuncOp entry, int64_t size) {
  ScopedDiagnosticHandler silent(entry.getContext(), [](Diagnostic &) { return success(); });
  OwningOpRef<func::FuncOp> copy(entry.clone());
  if (failed(setBatchSize(*copy, size)) || leadingExtent(copy->getResultTypes()) != size)
    return {};
  return copy;
}

static double bytesOf(ValueRange values) {
  double bytes = 0;
  for (Value value : values)
    if (auto type = dyn_cast<RankedTensorType>(value.getType()); type && type.hasStaticShape() && type.getElementType().isIntOrFloat())
      bytes += double(type.getNumElements()) * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return bytes;
}

/// Predicted cycles of all layers, with all weights.
static double predictCycles(func::FuncOp entry, const ContractChooser &chooser) {
  double cycles = 0;
  for (Operation &op : entry.getBody().front()) {
    if (auto contract = dyn_cast<ContractOp>(op)) {
      const bool bytes = getElementTypeOrSelf(contract.getInput().getType()).isInteger(8);
      const DotKernel &kernel = chooser.denseKernel(contract, bytes ? chooser.isa.bytes : chooser.isa.floats);
      cycles += halftone::predictCycles(chooser.table, chooser.shapeOf(contract, kernel), kernel).cycles();
    } else if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
      SmallVector<Value> inputs = structured.getDpsInputs();
      cycles += halftone::predictCycles(chooser.table, bytesOf(inputs), bytesOf(op.getResults())).cycles();
    } else if (isa<LookupOp, tensor::ConcatOp>(op)) {
      cycles += halftone::predictCycles(chooser.table, bytesOf(op.getOperands()), bytesOf(op.getResults())).cycles();
    }
  }
  return cycles;
}

namespace {

struct SplitBatch : halftone::impl::SplitBatchBase<SplitBatch> {
  using SplitBatchBase::SplitBatchBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    func::FuncOp entry = isa ? lookupEntry(getOperation()) : func::FuncOp();
    if (!entry)
      return signalPassFailure();
    std::optional<SampleCount> count = countSamples(entry);
    if (!count || count->high == 1)
      return;
    FailureOr<CostTable> costs = CostTable::of(getOperation(), *isa);
    if (failed(costs))
      return signalPassFailure();
    OwningOpRef<func::FuncOp> one = copyForBatch(entry, 1), all = copyForBatch(entry, count->high);
    if (!one || !all)
      return;
    const ContractChooser chooser = {*isa, *costs, countWeightBytes(entry)};
    if (double(count->high) * predictCycles(*one, chooser) > predictCycles(*all, chooser))
      return;
    replace(entry, one.release(), *count);
    ++numSplit;
  }

private:
  void replace(func::FuncOp entry, func::FuncOp one, SampleCount count) {
    Builder b(&getContext());
    getOperation()->setAttr(kSamplesAttr, b.getDenseI64ArrayAttr({count.extent(), count.low, count.high}));
    entry->getBlock()->getOperations().insert(entry->getIterator(), one);
    entry.erase();
  }
};

} // namespace
