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
#include "halftone/Codegen/ContractChoice.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Pruning/ExcludedLayers.h"
#include "halftone/Target/TargetTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Format.h"
#include <set>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {

struct PredictedLayer {
  std::string name;
  double dense;         ///< Cycles, as all times here.
  double sparse = 0;    ///< 0: there is no sparse kernel for it.
  bool isPruned = true; ///< Or left alone.
  bool taken = false;   ///< Whether code generation would take it.
  double breakEven = 1; ///< The least sparsity at which it would.
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

static PredictedLayer predictLayer(const ContractChooser &chooser, ContractOp op, double sparsity) {
  auto choose = [&](double share) {
    return chooseKernel(chooser, op, chooser.isa.bytes, WinogradLayout::forContract(op, chooser.isa),
                        [&](SparseLayout &layout) { layout.expectQuads(share); });
  };
  const ContractChoice choice = choose(sparsity);
  PredictedLayer layer = {locationName(op.getLoc()), choice.denseCycles};
  if (!choice.layout)
    return layer;
  layer.sparse = choice.sparseCycles;
  layer.taken = choice.takesSparse();
  double low = 0, high = 1;
  if (!choose(high).takesSparse())
    return layer;
  for (int step = 0; step < 20; ++step) {
    double middle = (low + high) / 2;
    (choose(middle).takesSparse() ? high : low) = middle;
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
     << "   faster  break-even  taken\n";
  for (const PredictedLayer &layer : layers) {
    os << llvm::left_justify(layer.name, 40) << llvm::format("%13.1f", layer.dense / unit);
    if (layer.sparse > 0)
      os << llvm::format("%13.1f %7.2fx", layer.sparse / unit, layer.dense / layer.sparse);
    else
      os << "            -        -";
    if (layer.breakEven < 1)
      os << llvm::format("%10.0f %%", 100 * layer.breakEven);
    else
      os << "           -";
    os << (layer.taken ? "  sparse\n" : layer.isPruned ? "  dense\n" : "  left alone\n");
    dense += layer.dense;
    best += layer.taken ? layer.sparse : layer.dense;
  }
  os << llvm::left_justify("all, each on the kernel that it takes", 40)
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
  auto prunable = getPrunableContractions(module.lookupSymbol<func::FuncOp>("main"), question.exclude, question.ends);
  if (failed(prunable))
    return llvm::make_error<Reported>();
  std::set<std::string> names;
  for (const ContractionInput &input : *prunable)
    names.insert(locationName(input.contraction->getLoc()));
  OwningOpRef<ModuleOp> copy = module.clone();
  if (failed(formContractions(*copy)))
    return llvm::make_error<Reported>();
  const ContractChooser chooser = {isa, *table, countWeightBytes(*copy)};
  std::vector<PredictedLayer> layers;
  copy->walk([&](ContractOp op) {
    if (!getElementTypeOrSelf(op.getInput().getType()).isInteger(8))
      return;
    layers.push_back(predictLayer(chooser, op, question.sparsity));
    layers.back().isPruned = names.count(layers.back().name) > 0;
    layers.back().taken &= layers.back().isPruned;
  });
  printLayers(layers, question.sparsity, os);
  return Error::success();
}
