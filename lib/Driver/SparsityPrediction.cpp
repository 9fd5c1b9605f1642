//===- SparsityPrediction.cpp - What zeros would gain, before there are any ===//
//
// A copy of the model is taken to its int8 contractions with stand-in ranges,
// and each is given to the formulas that code generation chooses by.
//
//===----------------------------------------------------------------------===//
#include "SparsityPrediction.h"
#include "Command.h"
#include "MachineClock.h"
#include "OpReport.h"
#include "Stages.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Codegen/DepthwiseLayout.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/SparseCost.h"
#include "halftone/Target/TargetTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {

struct PredictedLayer {
  std::string name;
  double dense;             ///< Cycles, as all times here.
  double sparse = 0;        ///< 0: there is no sparse kernel for it.
  double breakEven = 1;     ///< The least sparsity that gains.
};

/// What all predictions share.
struct Predictor {
  const Isa &isa;
  const CostTable &table;
  int64_t coldBytes;

  double dense(ContractOp op) const;
  PredictedLayer predict(ContractOp op, double sparsity) const;
};

} // namespace

/// The contractions of the module as code generation meets them.
static LogicalResult formContractions(ModuleOp module) {
  if (failed(assumeCalibrated(module)))
    return failure();
  PassManager pm(module.getContext());
  QuantizationOptions options;
  options.rounding = WeightRounding::Nearest;
  buildQuantizationPipeline(pm, options);
  buildIntegerPipeline(pm);
  pm.addNestedPass<func::FuncOp>(createInlineComposites());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createFormContractions());
  return pm.run(module);
}

double Predictor::dense(ContractOp op) const {
  auto cycles = [&](const DotKernel &kernel) {
    ContractShape shape = ContractShape::of(op, kernel);
    shape.coldBytes = coldBytes;
    return predictCycles(table, shape, kernel).cycles();
  };
  double best = cycles(isa.bytes);
  if (isa.tiles && op.getGroups() == 1)
    best = std::min(best, cycles(*isa.tiles));
  return best;
}

PredictedLayer Predictor::predict(ContractOp op, double sparsity) const {
  PredictedLayer layer = {locationName(op.getLoc()), dense(op)};
  std::optional<SparseLayout> layout = SparseLayout::forContract(op, isa.bytes);
  if (!layout)
    return layer;
  ContractShape shape = ContractShape::of(op, isa.bytes);
  shape.coldBytes = coldBytes;
  auto cycles = [&](double share) {
    layout->expectQuads(share);
    return predictSparseCycles(table, shape, *layout).cycles();
  };
  layer.sparse = cycles(sparsity);
  double low = 0, high = 1;
  if (cycles(high) >= layer.dense)
    return layer;
  for (int step = 0; step < 20; ++step) {
    double middle = (low + high) / 2;
    (cycles(middle) < layer.dense ? high : low) = middle;
  }
  layer.breakEven = high;
  return layer;
}

/// Cycles as microseconds, or as thousands where the clock is not known.
static void printLayers(llvm::ArrayRef<PredictedLayer> layers, double sparsity,
                        llvm::raw_ostream &os) {
  const double hertz = measureClock(), unit = hertz > 0 ? hertz / 1e6 : 1e3;
  double dense = 0, best = 0;
  os << llvm::left_justify("layer", 40)
     << (hertz > 0 ? "     dense us    sparse us" : " dense kcycles sparse kcycles")
     << "   faster  break-even\n";
  for (const PredictedLayer &layer : layers) {
    os << llvm::left_justify(layer.name, 40) << llvm::format("%13.1f", layer.dense / unit);
    if (layer.sparse > 0)
      os << llvm::format("%13.1f %7.2fx", layer.sparse / unit, layer.dense / layer.sparse);
    else
      os << "            -        -";
    if (layer.breakEven < 1)
      os << llvm::format("%10.0f %%\n", 100 * layer.breakEven);
    else
      os << "           -\n";
    dense += layer.dense;
    best += layer.sparse > 0 ? std::min(layer.sparse, layer.dense) : layer.dense;
  }
  os << llvm::left_justify("all, each on its faster kernel", 40)
     << llvm::format("%13.1f%14.1f %7.2fx\n", dense / unit, best / unit, best > 0 ? dense / best : 1.0);
  os << "Predicted for " << llvm::format("%.0f", 100 * sparsity)
     << " % blocks of zeros, one thread, batch 1.\n";
}

Error mlir::halftone::predictSparsity(ModuleOp module, const SparsityQuestion &question,
                                      llvm::raw_ostream &os) {
  Expected<CpuTarget> cpu = findCpuTarget(question.target);
  if (!cpu)
    return cpu.takeError();
  if (cpu->isReference())
    return userError("the reference target has no kernels to predict: name "
                     "another one by --target-cpu");
  const Isa &isa = *findIsa(cpu->isa);
  Expected<CostTable> table = CostTable::forTarget(question.table, isa);
  if (!table)
    return table.takeError();
  OwningOpRef<ModuleOp> copy = module.clone();
  if (failed(formContractions(*copy)))
    return llvm::make_error<Reported>();
  Predictor predictor = {isa, *table, 0};
  llvm::SmallVector<ContractOp> contractions;
  copy->walk([&](ContractOp op) {
    auto type = cast<ShapedType>(op.getWeights().getType());
    predictor.coldBytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
    if (getElementTypeOrSelf(op.getInput().getType()).isInteger(8))
      contractions.push_back(op);
  });
  std::vector<PredictedLayer> layers;
  for (ContractOp op : contractions)
    layers.push_back(predictor.predict(op, question.sparsity));
  printLayers(layers, question.sparsity, os);
  return Error::success();
}
