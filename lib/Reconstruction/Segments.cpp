//===- Segments.cpp - a network cut in front of its layers --------------------===//
#include "halftone/Reconstruction/Segments.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightRounding.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::halftone;

static quant::UniformQuantizedType typeOf(Value value) {
  auto range = getRange(traceRoot(value));
  return range ? getActivationType(value.getContext(), range->first, range->second) : quant::UniformQuantizedType();
}

/// What the sandwich of a layer adds to the layer's output, if it is computed before the layer.
static Value findResidual(const Sandwiches &sandwiches, Operation *layer) {
  const Sandwich *sandwich = sandwiches.find(layer);
  if (!sandwich || sandwich->anchor != layer)
    return nullptr;
  for (OpOperand *operand : sandwich->activations()) {
    Operation *definition = operand->get().getDefiningOp();
    if (operand->getOwner() != layer && (!definition || definition->isBeforeInBlock(layer)))
      return operand->get();
  }
  return nullptr;
}

SegmentPlan SegmentPlan::of(func::FuncOp entry) {
  SegmentPlan plan;
  llvm::SetVector<Value> borders;
  for (Value argument : entry.getArguments())
    borders.insert(argument);
  Sandwiches sandwiches(entry);
  SmallVector<Value> residuals;
  for (const ContractionInput &input : getContractionInputs(entry)) {
    std::optional<Patches> patches = takesHessian(input.contraction) ? getPatches(input) : std::nullopt;
    quant::UniformQuantizedType type = typeOf(input.value);
    if (!patches || !type)
      continue;
    plan.steps.push_back({input, *patches, type, 0, std::nullopt, {}});
    residuals.push_back(findResidual(sandwiches, input.contraction));
    borders.insert(input.value);
    if (residuals.back())
      borders.insert(residuals.back());
  }
  plan.borders = llvm::to_vector(borders);
  for (Value border : plan.borders)
    plan.types.push_back(typeOf(border));
  auto numberOf = [&](Value value) { return static_cast<unsigned>(llvm::find(plan.borders, value) - plan.borders.begin()); };
  for (auto [step, residual] : llvm::zip_equal(plan.steps, residuals)) {
    step.input = numberOf(step.layer.value);
    if (residual)
      step.residual = numberOf(residual);
  }
  // A border belongs to the last layer in front of it.
  for (auto [i, border] : llvm::enumerate(plan.borders)) {
    Operation *definition = border.getDefiningOp();
    if (!definition)
      continue;
    SmallVector<unsigned> *place = &plan.first;
    for (LayerStep &step : plan.steps)
      if (step.layer.contraction->isBeforeInBlock(definition) || step.layer.contraction == definition)
        place = &step.next;
    place->push_back(i);
  }
  return plan;
}

namespace {
/// The operations that wanted values need, and the borders where the search ended.
struct Slice {
  llvm::DenseSet<Operation *> operations;
  SmallVector<unsigned> inputs;
};
} // namespace

static Slice findSlice(const SegmentPlan &plan, ArrayRef<Value> wanted) {
  Slice slice;
  llvm::DenseMap<Value, unsigned> numbers;
  for (auto [i, border] : llvm::enumerate(plan.borders))
    numbers[border] = i;
  llvm::DenseSet<Value> targets(wanted.begin(), wanted.end());
  llvm::SmallSetVector<unsigned, 8> inputs;
  SmallVector<Value> open(wanted);
  while (!open.empty()) {
    Value value = open.pop_back_val();
    auto border = numbers.find(value);
    if (border != numbers.end() && !targets.contains(value)) {
      inputs.insert(border->second);
      continue;
    }
    Operation *definition = value.getDefiningOp();
    if (!definition || !slice.operations.insert(definition).second)
      continue;
    llvm::append_range(open, definition->getOperands());
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(definition->getRegions(), captured);
    llvm::append_range(open, captured);
  }
  slice.inputs = inputs.takeVector();
  llvm::sort(slice.inputs);
  return slice;
}

SmallVector<unsigned> mlir::halftone::findSegmentInputs(const SegmentPlan &plan, ArrayRef<Value> wanted) {
  return findSlice(plan, wanted).inputs;
}

std::string mlir::halftone::segmentInputName(unsigned index) { return "halftone.input." + std::to_string(index); }

/// The dimensions of the batch, for a value whose leading one is dynamic.
static FailureOr<ArrayAttr> dimsOf(func::FuncOp entry, RankedTensorType type) {
  if (type.hasStaticShape())
    return ArrayAttr();
  ArrayAttr dims;
  for (unsigned i = 0; i < entry.getNumArguments() && !dims; ++i)
    dims = entry.getArgAttrOfType<ArrayAttr>(i, kDimsAttr);
  if (!dims || dims.empty() || !type.isDynamicDim(0) || llvm::count(type.getShape(), ShapedType::kDynamic) != 1)
    return entry.emitError("layers are reconstructed one after the other at static shapes only, but for the batch; import the model with --dim");
  SmallVector<Attribute> all(type.getRank(), UnitAttr::get(entry.getContext()));
  all[0] = dims[0];
  return ArrayAttr::get(entry.getContext(), all);
}

/// Writes what codes stand for into the weights.
static void applyCodes(Operation *contraction) {
  if (!contraction->hasAttr(kWeightCodesAttr))
    return;
  WeightChannels channels(contraction);
  FailureOr<RoundedWeights> rounded = roundWeights(contraction, {}, channels, {});
  if (failed(rounded))
    return;
  std::vector<float> values(rounded->codes.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = rounded->codes[i] * rounded->scales[channels.output[i]];
  replaceConstant(getWeightOperand(contraction), values, "weights");
  contraction->removeAttr(kWeightCodesAttr);
  contraction->removeAttr(kWeightScalesAttr);
}

FailureOr<OwningOpRef<ModuleOp>> mlir::halftone::extractSegment(ModuleOp module, const SegmentPlan &plan, ArrayRef<Value> wanted,
                                                                SmallVectorImpl<unsigned> &inputs) {
  FailureOr<func::FuncOp> entry = getEntry(module);
  if (failed(entry))
    return failure();
  Slice slice = findSlice(plan, wanted);
  inputs.assign(slice.inputs.begin(), slice.inputs.end());
  OwningOpRef<ModuleOp> segment(cast<ModuleOp>(module->cloneWithoutRegions()));
  segment->getBodyRegion().emplaceBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(segment->getBody());
  SmallVector<Type> from, to;
  for (unsigned input : inputs)
    from.push_back(plan.borders[input].getType());
  for (Value value : wanted)
    to.push_back(value.getType());
  auto main = func::FuncOp::create(builder, entry->getLoc(), "main", builder.getFunctionType(from, to));
  Block *body = main.addEntryBlock();
  IRMapping mapping;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    FailureOr<ArrayAttr> dims = dimsOf(*entry, cast<RankedTensorType>(from[i]));
    if (failed(dims))
      return failure();
    if (*dims)
      main.setArgAttr(i, kDimsAttr, *dims);
    main.setArgAttr(i, kNameAttr, builder.getStringAttr(segmentInputName(i)));
    mapping.map(plan.borders[input], body->getArgument(i));
  }
  builder.setInsertionPointToEnd(body);
  SmallVector<Operation *> layers;
  for (Operation &op : entry->getBody().front())
    if (slice.operations.contains(&op))
      if (Operation *clone = builder.clone(op, mapping); classify(clone) == OpKind::Contraction)
        layers.push_back(clone);
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(wanted)) {
    results.push_back(mapping.lookup(value));
    main.setResultAttr(i, kNameAttr, builder.getStringAttr("halftone.output." + Twine(i)));
  }
  func::ReturnOp::create(builder, entry->getLoc(), results);
  for (Operation *layer : layers)
    applyCodes(layer);
  return segment;
}
