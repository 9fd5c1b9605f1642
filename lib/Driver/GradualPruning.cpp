//===- GradualPruning.cpp - weights become zero while they are trained ------===//
#include "GradualPruning.h"
#include "Command.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Pruning/WeightRows.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Training/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

Error mlir::halftone::markForPruning(ModuleOp module, const PruneWeightsOptions &options) {
  PassManager pm(module.getContext());
  pm.addPass(createPruneWeights(options));
  return failed(pm.run(module)) ? llvm::make_error<Reported>() : Error::success();
}

Expected<GradualPruning> GradualPruning::of(ModuleOp module, PruningSchedule schedule, PruningScope scope) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  GradualPruning pruning;
  pruning.schedule = schedule;
  pruning.scope = scope;
  for (BlockArgument argument : main.getArguments()) {
    Operation *contraction = findContraction(argument);
    if (!contraction || !contraction->hasAttr(kPruningAttr) || !main.getArgAttr(argument.getArgNumber(), kTrainableAttr))
      continue;
    WeightChannels channels(contraction);
    ArrayRef<int64_t> shape = cast<RankedTensorType>(getWeightOperand(contraction).get().getType()).getShape();
    const bool blocks = contraction->getAttrOfType<StringAttr>(kPrunedAttr) == "blocks";
    PruningUnits units(channels.outputs, channels.dimension(), shape[getInputChannelDims(contraction).back()],
                       blocks ? kPruningBlock : 1);
    auto name = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
    pruning.layers.push_back({name.str(), std::move(units), channels.places()});
  }
  if (pruning.layers.empty())
    return userError("--prune finds no layer: the first and the last one, depthwise ones, those with less than 4 input channels, "
                     "those of --prune-exclude and those that --only leaves out are not pruned");
  return pruning;
}

void GradualPruning::apply(int64_t step, TrainingProgram &program) const {
  std::optional<double> share = schedule.at(step);
  if (!share)
    return;
  std::vector<std::vector<float>> rows;
  std::vector<std::vector<double>> scores;
  for (const Layer &layer : layers) {
    llvm::ArrayRef<float> values = program.input(layer.name)->values<float>();
    std::vector<float> &sorted = rows.emplace_back(values.size());
    for (size_t i = 0; i < values.size(); ++i)
      sorted[layer.places[i]] = values[i];
    scores.push_back(layer.units.score(sorted, [](int64_t, int64_t) { return 1.0; }));
  }
  std::vector<double> shares(layers.size(), *share);
  if (scope == PruningScope::Global)
    shares = sharesOverall(scores, *share);
  for (auto [i, layer] : llvm::enumerate(layers)) {
    layer.units.clearLeast(rows[i], scores[i], shares[i]);
    llvm::MutableArrayRef<float> values = program.input(layer.name)->values<float>();
    for (size_t k = 0; k < values.size(); ++k)
      values[k] = rows[i][layer.places[k]];
  }
}

double GradualPruning::shareOfZeros(TrainingProgram &program) const {
  int64_t zeros = 0, all = 0;
  for (const Layer &layer : layers) {
    llvm::ArrayRef<float> values = program.input(layer.name)->values<float>();
    zeros += llvm::count(values, 0.0f);
    all += values.size();
  }
  return double(zeros) / double(all);
}
