//===- Resize.cpp - ONNX's Resize and Upsample ------------------------------===//
//
// The coordinate and rounding modes are evaluated here into the source row and column of each output row and column. Linear
// interpolation picks the two neighbours of each in this way, and weighs them.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Operators.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/ResizeModes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// The modes of a Resize; those of the operators before opset 11 are fixed.
struct Modes {
  std::string mode, coordinates, rounding;
};
} // namespace

static bool isBeforeOpset11(const Node &node) { return node.type() == "Upsample" || node.opset < 11; }

static Modes readModes(Node &node) {
  Modes modes = {node.getString("mode", "nearest"), "asymmetric", "floor"};
  if (!isBeforeOpset11(node)) {
    modes.coordinates = node.getString("coordinate_transformation_mode", "half_pixel");
    modes.rounding = node.getString("nearest_mode", "round_prefer_floor");
  }
  return modes;
}

/// What each dimension becomes, from the inputs `scales` or `sizes`.
static FailureOr<SmallVector<ResizeAxis>> readResizeAxes(Node &node, const Tensor &x) {
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
    a.out = source == scales ? static_cast<int64_t>(std::floor(a.in * number)) : static_cast<int64_t>(number);
    a.scale = source == scales ? static_cast<float>(number) : static_cast<float>(a.out) / a.in;
    if (a.out < 1)
      return node.unsupported("an empty result");
  }
  return axes;
}

/// Rows (`spatial` 0) or columns (1) of `x`, each between two of the input's: `low + weight (high - low)`.
static Value interpolate(Node &node, Value x, const ResizeAxis &axis, unsigned spatial, ResizeNearest resize,
                         StringRef coordinates) {
  SmallVector<Interpolated> sources = *linearSources(coordinates, axis);
  auto pick = [&](int64_t Interpolated::*which) {
    (spatial ? resize.columns : resize.rows) = llvm::map_to_vector<4>(sources, [&](const Interpolated &s) { return s.*which; });
    return buildResizeNearest(node.builder, node.loc, x, resize);
  };
  Value low = pick(&Interpolated::low), high = pick(&Interpolated::high);
  auto weights = llvm::map_to_vector<4>(sources, [](const Interpolated &s) -> double { return s.weight; });
  Type element = node.builder.getF32Type();
  SmallVector<int64_t> shape(4, 1);
  shape[(resize.channelsLast ? 1 : 2) + spatial] = axis.out;
  Tensor parts[] = {toTensor(low), toTensor(high), toTensor(HostTensor::fromNumbers(element, shape, weights))};
  return buildBroadcast(node, parts, element, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value difference = arith::SubFOp::create(b, l, e[1], e[0]);
    return arith::AddFOp::create(b, l, e[0], arith::MulFOp::create(b, l, e[2], difference));
  });
}

/// Linear interpolation, first between rows, then between columns.
static LogicalResult buildLinear(Node &node, ArrayRef<ResizeAxis> spatial, ResizeNearest resize, StringRef coordinates) {
  if (!node.input(0).element.isF32())
    return node.unsupported("mode 'linear' of element type " + llvm::formatv("{0}", node.input(0).element).str());
  Value x = node.operand(0);
  resize.columns = llvm::to_vector(llvm::seq<int64_t>(0, spatial[1].in));
  if (spatial[0].in != spatial[0].out)
    x = interpolate(node, x, spatial[0], 0, resize, coordinates);
  resize.rows = llvm::to_vector(llvm::seq<int64_t>(0, spatial[0].out));
  if (spatial[1].in != spatial[1].out)
    x = interpolate(node, x, spatial[1], 1, resize, coordinates);
  node.setResult(x);
  return success();
}

LogicalResult onnx_operators::buildResize(Node &node) {
  const Tensor x = node.input(0);
  Modes modes = readModes(node);
  if (modes.mode != "nearest" && modes.mode != "linear")
    return node.unsupported("mode '" + modes.mode + "'");
  for (StringRef unused : {"cubic_coeff_a", "exclude_outside", "extrapolation_value"})
    (void)node.getAttribute(unused); // other modes only
  if (node.getString("keep_aspect_ratio_policy", "stretch") != "stretch" || node.getInt("antialias", 0))
    return node.unsupported("keep_aspect_ratio_policy or antialias");
  if (x.rank() != 4)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  FailureOr<SmallVector<ResizeAxis>> axes = readResizeAxes(node, x);
  if (failed(axes))
    return failure();
  auto fixed = [&](int64_t d) { return (*axes)[d].in == (*axes)[d].out; };
  ResizeNearest resize;
  resize.channelsLast = fixed(3) && !fixed(1);
  if (!fixed(0) || !fixed(resize.channelsLast ? 3 : 1))
    return node.unsupported("a resize of other dimensions than height and width");
  ArrayRef<ResizeAxis> spatial = ArrayRef<ResizeAxis>(*axes).slice(resize.channelsLast ? 1 : 2, 2);
  if (!isCoordinateMode(modes.coordinates))
    return node.unsupported("coordinate_transformation_mode '" + modes.coordinates + "'");
  if (modes.mode == "linear")
    return buildLinear(node, spatial, resize, modes.coordinates);
  auto rows = nearestIndices(modes.coordinates, modes.rounding, spatial[0]);
  auto columns = nearestIndices(modes.coordinates, modes.rounding, spatial[1]);
  if (!rows || !columns)
    return node.unsupported("nearest_mode '" + modes.rounding + "'");
  resize.rows = *rows;
  resize.columns = *columns;
  node.setResult(buildResizeNearest(node.builder, node.loc, node.operand(0), resize), x.element);
  return success();
}
