//===- Resize.cpp - ONNX's Resize and Upsample ------------------------------===//
//
// The coordinate and rounding modes are evaluated here into the source position of each output position along an axis. Linear
// interpolation picks the two neighbours of each in this way, and weighs them; filters (cubic, antialias) pick and weigh more.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Import/Interpolation.h"
#include "halftone/Import/ResizeModes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// The modes of a Resize; those of the operators before opset 11 are fixed.
struct Modes {
  std::string mode, coordinates, rounding, policy;
  ResizeFilter filter;
  float outside; ///< what tf_crop_and_resize takes from outside the input
};

/// Picks positions along the axes of a tensor, of any rank.
struct Picker {
  Node &node;
  bool channelsLast; ///< of a picture

  Value pick(Value x, int64_t axis, ArrayRef<int64_t> sources) const;
};
} // namespace

static bool isBeforeOpset11(const Node &node) { return node.type() == "Upsample" || node.opset < 11; }

static Modes readModes(Node &node) {
  Modes modes = {node.getString("mode", "nearest"), "asymmetric", "floor", "stretch", {}, node.getFloat("extrapolation_value", 0)};
  modes.filter = {modes.mode == "cubic", node.getFloat("cubic_coeff_a", -0.75f), node.getInt("exclude_outside", 0) != 0,
                  node.getInt("antialias", 0) != 0};
  if (!isBeforeOpset11(node)) {
    modes.policy = node.getString("keep_aspect_ratio_policy", "stretch");
    modes.coordinates = node.getString("coordinate_transformation_mode", "half_pixel");
    modes.rounding = node.getString("nearest_mode", "round_prefer_floor");
  }
  return modes;
}

/// The place that each row and column reads is written down.
static constexpr int64_t kMostRows = 1 << 20;

/// The sizes that keep the ratio of the listed ones, within them or around them.
static void keepAspectRatio(StringRef policy, ArrayRef<int64_t> listed, MutableArrayRef<ResizeAxis> axes) {
  auto scaleOf = [&](int64_t d) { return axes[d].scale; };
  auto scales = llvm::map_to_vector(listed, scaleOf);
  const float scale = policy == "not_larger" ? *llvm::min_element(scales) : *llvm::max_element(scales);
  for (int64_t d : listed) {
    axes[d].out = static_cast<int64_t>(std::floor(scale * axes[d].in + 0.5f));
    axes[d].scale = scale;
  }
}

/// The part of the input that tf_crop_and_resize takes: all starts, then all ends.
static LogicalResult readRoi(Node &node, ArrayRef<int64_t> listed, MutableArrayRef<ResizeAxis> axes) {
  HostTensorRef roi = node.hasInput(1) ? node.constant(1) : nullptr;
  if (!roi || roi->count() != static_cast<int64_t>(2 * listed.size()))
    return node.unsupported("a roi that is not constant or does not fit the input");
  std::vector<double> numbers = roi->numbers();
  for (auto [i, d] : llvm::enumerate(listed)) {
    axes[d].roiStart = numbers[i];
    axes[d].roiEnd = numbers[i + listed.size()];
  }
  return success();
}

/// What each dimension becomes, from the inputs `scales` or `sizes`.
static FailureOr<SmallVector<ResizeAxis>> readResizeAxes(Node &node, const Tensor &x, const Modes &modes) {
  FailureOr<SmallVector<int64_t>> listed = readAxes(node, /*attribute only*/ node.numInputs(), x.rank());
  if (failed(listed))
    return failure();
  if (listed->empty())
    *listed = llvm::to_vector<4>(llvm::seq<int64_t>(0, x.rank()));
  auto given = [&](unsigned i) { return node.hasInput(i) && node.input(i).shape != ArrayRef<int64_t>{0}; };
  unsigned scales = isBeforeOpset11(node) ? 1 : 2, source = given(3) ? 3 : scales;
  HostTensorRef constant = given(source) ? node.constant(source) : nullptr;
  if (!constant || constant->count() != static_cast<int64_t>(listed->size()))
    return node.unsupported("scales or sizes that are not constant or do not fit the input");
  std::vector<double> numbers = constant->numbers();
  SmallVector<ResizeAxis> axes;
  for (int64_t size : x.shape)
    axes.push_back({size, size, 1});
  for (auto [axis, number] : llvm::zip(*listed, numbers)) {
    ResizeAxis &a = axes[axis];
    if (ShapedType::isDynamic(a.in)) {
      if (source == scales ? number != 1 : number != static_cast<double>(ShapedType::kDynamic))
        return node.unsupported("a resize of the dynamic dimension");
      continue;
    }
    // A product in f32, as in ONNX's inference of shapes: 14 times the f32 nearest to 19 / 14 is 19 there, and less in reals.
    a.out = source == scales ? static_cast<int64_t>(std::floor(static_cast<float>(a.in) * static_cast<float>(number))) : static_cast<int64_t>(number);
    a.scale = source == scales ? static_cast<float>(number) : static_cast<float>(a.out) / a.in;
    if (a.out < 1)
      return node.unsupported("an empty result");
  }
  if (modes.policy != "stretch" && source == 3) {
    if (x.isDynamic() && llvm::is_contained(*listed, 0))
      return node.unsupported("keep_aspect_ratio_policy with the dynamic dimension");
    keepAspectRatio(modes.policy, *listed, axes);
  }
  for (const ResizeAxis &axis : axes)
    if (axis.out > kMostRows && axis.out != axis.in)
      return node.unsupported(Twine(axis.out) + " rows or columns; at most " + Twine(kMostRows) + " are taken");
  if (modes.coordinates == "tf_crop_and_resize" && failed(readRoi(node, *listed, axes)))
    return failure();
  return axes;
}

static ArrayRef<int64_t> shapeOf(Value x) { return cast<RankedTensorType>(x.getType()).getShape(); }

/// A picture's height and width as they are, not as rows of another shape, which would be in the way of its layout.
Value Picker::pick(Value x, int64_t axis, ArrayRef<int64_t> sources) const {
  const int64_t height = channelsLast ? 1 : 2;
  if (shapeOf(x).size() == 4 && (axis == height || axis == height + 1))
    return pickAlong(node.builder, node.loc, x, axis - height, sources, channelsLast);
  return importer::pick(node, x, axis, sources);
}

/// `numbers` along the axis of a tensor of rank `rank`.
static Tensor alongAxis(Node &node, int64_t rank, int64_t axis, ArrayRef<double> numbers) {
  SmallVector<int64_t> shape(rank, 1);
  shape[axis] = numbers.size();
  return toTensor(HostTensor::fromNumbers(node.builder.getF32Type(), shape, numbers));
}

/// Each position between two of the input's: `low + weight (high - low)`.
static Value interpolate(Picker picker, Value x, int64_t d, const ResizeAxis &axis, StringRef coordinates) {
  SmallVector<Interpolated> sources = *linearSources(coordinates, axis);
  auto pick = [&](int64_t Interpolated::*which) {
    return picker.pick(x, d, llvm::map_to_vector<4>(sources, [&](const Interpolated &s) { return s.*which; }));
  };
  Value low = pick(&Interpolated::low), high = pick(&Interpolated::high);
  auto weights = llvm::map_to_vector<4>(sources, [](const Interpolated &s) -> double { return s.weight; });
  Tensor parts[] = {toTensor(low), toTensor(high), alongAxis(picker.node, shapeOf(x).size(), d, weights)};
  return buildBroadcast(picker.node, parts, picker.node.builder.getF32Type(), interpolateBetween);
}

/// Each position a weighted sum of some of the input's.
static Value filter(Picker picker, Value x, int64_t d, const ResizeAxis &axis, const Modes &modes) {
  auto sources = *filterSources(modes.coordinates, modes.filter, axis);
  SmallVector<Tensor> parts;
  for (size_t k = 0; k < sources[0].size(); ++k) {
    parts.push_back(toTensor(picker.pick(x, d, llvm::map_to_vector<4>(sources, [&](const auto &s) { return s[k].source; }))));
    auto weights = llvm::map_to_vector<4>(sources, [&](const auto &s) -> double { return s[k].weight; });
    parts.push_back(alongAxis(picker.node, shapeOf(x).size(), d, weights));
  }
  return buildBroadcast(picker.node, parts, picker.node.builder.getF32Type(), [](OpBuilder &b, Location l, ValueRange e) {
    Value sum;
    for (size_t i = 0; i < e.size(); i += 2) {
      Value term = arith::MulFOp::create(b, l, e[i], e[i + 1]);
      sum = sum ? arith::AddFOp::create(b, l, sum, term).getResult() : term;
    }
    return sum;
  });
}

/// The extrapolation value where the axis is outside the input.
static Value replaceOutside(Picker picker, Value x, int64_t d, const ResizeAxis &axis, const Modes &modes) {
  SmallVector<bool> outside = findOutside(modes.coordinates, axis);
  if (!llvm::is_contained(outside, true))
    return x;
  Tensor parts[] = {toTensor(x), alongAxis(picker.node, shapeOf(x).size(), d, llvm::map_to_vector(outside, [](bool is) { return is ? 1.0 : 0.0; }))};
  return buildBroadcast(picker.node, parts, picker.node.builder.getF32Type(), [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value is = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, e[1], scalarConstant(b, l, e[1].getType(), 0));
    return arith::SelectOp::create(b, l, is, scalarConstant(b, l, e[0].getType(), modes.outside), e[0]);
  });
}

static Value resizeAxis(Picker picker, Value x, int64_t d, const ResizeAxis &axis, const Modes &modes) {
  if (modes.mode == "nearest")
    x = picker.pick(x, d, *nearestIndices(modes.coordinates, modes.rounding, axis));
  else if (modes.filter.cubic || modes.filter.antialias || modes.filter.excludeOutside)
    x = filter(picker, x, d, axis, modes);
  else
    x = interpolate(picker, x, d, axis, modes.coordinates);
  return replaceOutside(picker, x, d, axis, modes);
}

/// Both axes of a picture at once.
static Value pickNearest(Node &node, Value x, ArrayRef<ResizeAxis> spatial, const Modes &modes, bool channelsLast) {
  auto pick = [&](unsigned i) { return *nearestIndices(modes.coordinates, modes.rounding, spatial[i]); };
  return buildResizeNearest(node.builder, node.loc, x, {pick(0), pick(1), channelsLast});
}

/// More positions would be a product of its own.
static constexpr int64_t kMostFilterPositions = 64;

static LogicalResult checkModes(Node &node, const Modes &modes, ArrayRef<ResizeAxis> axes) {
  const bool nearest = modes.mode == "nearest";
  if (!nearest && modes.mode != "linear" && modes.mode != "cubic")
    return node.unsupported("mode '" + modes.mode + "'");
  if ((!nearest || modes.coordinates == "tf_crop_and_resize") && !node.input(0).element.isF32())
    return node.unsupported("mode '" + modes.mode + "' of element type " + llvm::formatv("{0}", node.input(0).element).str());
  if (!llvm::is_contained({"stretch", "not_larger", "not_smaller"}, modes.policy))
    return node.unsupported("keep_aspect_ratio_policy '" + modes.policy + "'");
  if (!isCoordinateMode(modes.coordinates))
    return node.unsupported("coordinate_transformation_mode '" + modes.coordinates + "'");
  if (nearest && !nearestIndices(modes.coordinates, modes.rounding, {1, 1, 1}))
    return node.unsupported("nearest_mode '" + modes.rounding + "'");
  auto tooWide = [&](const ResizeAxis &axis) { return axis.scale * kMostFilterPositions < (modes.filter.cubic ? 4 : 2); };
  if (modes.filter.antialias && llvm::any_of(axes, tooWide))
    return node.unsupported("antialias over more than " + Twine(kMostFilterPositions) + " positions");
  return success();
}

LogicalResult onnx_operators::buildResize(Node &node) {
  const Tensor x = node.input(0);
  Modes modes = readModes(node);
  FailureOr<SmallVector<ResizeAxis>> axes = readResizeAxes(node, x, modes);
  if (failed(axes) || failed(checkModes(node, modes, *axes)))
    return failure();
  auto changes = [&](int64_t d) { return (*axes)[d].in != (*axes)[d].out || (*axes)[d].scale != 1 || (*axes)[d].roiStart != 0 || (*axes)[d].roiEnd != 1; };
  SmallVector<int64_t> changed;
  llvm::copy_if(llvm::seq<int64_t>(0, x.rank()), std::back_inserter(changed), changes);
  Picker picker{node, x.rank() == 4 && !changes(3) && changes(1)};
  Value result = x.rank() == 3 ? addHeight(node, node.operand(0)) : node.operand(0);
  ArrayRef<ResizeAxis> all = *axes;
  if (x.rank() == 4 && modes.mode == "nearest" && modes.coordinates != "tf_crop_and_resize" && changed.size() == 2 &&
      changed[0] == (picker.channelsLast ? 1 : 2) && changed[1] == changed[0] + 1)
    result = pickNearest(node, result, all.slice(changed[0], 2), modes, picker.channelsLast);
  else
    for (int64_t d : changed)
      result = resizeAxis(picker, result, x.rank() == 3 && d == 2 ? 3 : d, all[d], modes);
  node.setResult(removeHeight(node, result, x.rank()), x.element);
  return success();
}
