//===- Resize.cpp - ONNX's Resize, nearest ----------------------------------===//
//
// The coordinate and rounding modes are evaluated here into the source row and column of each output row and column.
//
//===----------------------------------------------------------------------===//
#include "Operators.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/ResizeModes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static FailureOr<SmallVector<int64_t>> sourceIndices(Node &node, const ResizeAxis &axis) {
  std::string coordinates = node.getString("coordinate_transformation_mode", "half_pixel");
  std::string rounding = node.getString("nearest_mode", "round_prefer_floor");
  std::optional<SmallVector<int64_t>> indices = nearestIndices(coordinates, rounding, axis);
  if (indices)
    return *indices;
  if (!isCoordinateMode(coordinates))
    return node.unsupported("coordinate_transformation_mode '" + coordinates + "'");
  return node.unsupported("nearest_mode '" + rounding + "'");
}

/// What each dimension becomes, from the inputs `scales` or `sizes`.
static FailureOr<SmallVector<ResizeAxis>> readResizeAxes(Node &node, const Tensor &x) {
  FailureOr<SmallVector<int64_t>> listed = readAxes(node, /*attribute only*/ node.numInputs(), x.rank());
  if (failed(listed))
    return failure();
  if (listed->empty())
    *listed = llvm::to_vector<4>(llvm::seq<int64_t>(0, x.rank()));
  auto given = [&](unsigned i) { return node.hasInput(i) && node.input(i).shape != ArrayRef<int64_t>{0}; };
  unsigned source = given(3) ? 3 : 2;
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
      if (source == 2 ? number != 1 : number != static_cast<double>(ShapedType::kDynamic))
        return node.unsupported("a resize of the dynamic dimension");
      continue;
    }
    a.out = source == 2 ? static_cast<int64_t>(std::floor(a.in * number)) : static_cast<int64_t>(number);
    a.scale = source == 2 ? static_cast<float>(number) : static_cast<float>(a.out) / a.in;
    if (a.out < 1)
      return node.unsupported("an empty result");
  }
  return axes;
}

LogicalResult onnx_operators::buildResize(Node &node) {
  const Tensor &x = node.input(0);
  std::string mode = node.getString("mode", "nearest");
  if (mode != "nearest")
    return node.unsupported("mode '" + mode + "'");
  for (StringRef unused : {"cubic_coeff_a", "exclude_outside", "extrapolation_value", "antialias"})
    (void)node.getAttribute(unused); // other modes only
  if (node.getString("keep_aspect_ratio_policy", "stretch") != "stretch")
    return node.unsupported("keep_aspect_ratio_policy");
  if (x.rank() != 4)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  FailureOr<SmallVector<ResizeAxis>> axes = readResizeAxes(node, x);
  if (failed(axes))
    return failure();
  auto fixed = [&](int64_t d) { return (*axes)[d].in == (*axes)[d].out; };
  ResizeNearest resize;
  resize.channelsLast = fixed(3) && !fixed(1);
  int64_t first = resize.channelsLast ? 1 : 2;
  if (!fixed(0) || !fixed(resize.channelsLast ? 3 : 1))
    return node.unsupported("a resize of other dimensions than height and width");
  auto rows = sourceIndices(node, (*axes)[first]), columns = sourceIndices(node, (*axes)[first + 1]);
  if (failed(rows) || failed(columns))
    return failure();
  resize.rows = *rows;
  resize.columns = *columns;
  node.setResult(buildResizeNearest(node.builder, node.loc, node.operand(0), resize), x.element);
  return success();
}
