//===- QuantizeTables.cpp - rows of embeddings as codes ---------------------===//
//
// The rows that a run picks become floats behind the picking, so that the table is stored and read as codes.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_QUANTIZETABLES
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// `scales[row] * codes` is the row, or nearly.
struct RoundedRows {
  std::vector<int8_t> codes;
  std::vector<float> scales;
};
} // namespace

/// Symmetric codes of each row; nothing if an element is not finite.
static std::optional<RoundedRows> roundRows(ArrayRef<float> values, int64_t rows) {
  RoundedRows rounded;
  rounded.codes.reserve(values.size());
  const size_t width = values.size() / rows;
  for (int64_t r = 0; r < rows; ++r) {
    ArrayRef<float> row = values.slice(r * width, width);
    if (!llvm::all_of(row, [](float x) { return std::isfinite(x); }))
      return std::nullopt;
    float greatest = 0;
    for (float x : row)
      greatest = std::max(greatest, std::fabs(x));
    const float scale = greatest / kWeightMax;
    const bool isZero = scale < std::numeric_limits<float>::min(); // smaller ones have no reciprocal
    rounded.scales.push_back(isZero ? 0 : scale);
    for (float x : row)
      rounded.codes.push_back(isZero ? 0 : quantizeWeight(x, scale));
  }
  return rounded;
}

/// The codes that the source has, whose scales are one or one for each row; nothing if the elements are no multiples of them.
static std::optional<RoundedRows> takeRows(ArrayRef<float> values, int64_t rows, ArrayRef<float> scales) {
  if (scales.size() != 1 && static_cast<int64_t>(scales.size()) != rows)
    return std::nullopt;
  RoundedRows taken;
  taken.codes.reserve(values.size());
  const size_t width = values.size() / rows;
  for (int64_t r = 0; r < rows; ++r) {
    const float scale = scales[scales.size() == 1 ? 0 : r];
    taken.scales.push_back(scale);
    for (float x : values.slice(r * width, width)) {
      const float code = std::nearbyint(x / scale);
      if (!(code >= -128 && code <= 127) || code * scale != x)
        return std::nullopt;
      taken.codes.push_back(static_cast<int8_t>(code));
    }
  }
  return taken;
}

/// The source's codes where it has some, else the nearest.
static std::optional<RoundedRows> chooseRows(CompositeOp gather, ArrayRef<float> values, int64_t rows) {
  if (auto scales = gather->getAttrOfType<DenseF32ArrayAttr>(kSourceScalesAttr))
    if (std::optional<RoundedRows> taken = takeRows(values, rows, scales))
      return taken;
  return roundRows(values, rows);
}

static LogicalResult quantizeTable(CompositeOp gather) {
  Value table = gather.getInputs()[0], indices = gather.getInputs()[1];
  auto type = cast<RankedTensorType>(table.getType());
  std::optional<std::vector<float>> values = getConstantElements<float>(table);
  std::optional<RoundedRows> rounded = values ? chooseRows(gather, *values, type.getDimSize(0)) : std::nullopt;
  if (!rounded)
    return gather.emitOpError("has a table that is no f32 constant, or has NaN or infinite elements");
  OpBuilder b(gather);
  Location loc = gather.getLoc();
  std::string name = locationName(table.getLoc());
  name = name.empty() ? "table" : name;
  auto codes = makeConstant<int8_t>(RankedTensorType::get(type.getShape(), b.getI8Type()), rounded->codes, name);
  auto scales = makeConstant<float>(RankedTensorType::get(type.getDimSize(0), b.getF32Type()), rounded->scales, name + ".scales");
  Value rows = buildGather(b, loc, arith::ConstantOp::create(b, table.getLoc(), codes), indices, 0);
  Value scale = buildGather(b, loc, arith::ConstantOp::create(b, table.getLoc(), scales), indices, 0);
  auto result = cast<RankedTensorType>(rows.getType());
  AffineMap identity = b.getMultiDimIdentityMap(result.getRank());
  AffineMap leading = identity.getMajorSubMap(cast<RankedTensorType>(indices.getType()).getRank());
  Value floats = buildElementwise(b, loc, {rows, scale}, {identity, leading}, tensor::getMixedSizes(b, loc, rows), b.getF32Type(),
                                  [](OpBuilder &n, Location l, ValueRange e) -> Value {
                                    return arith::MulFOp::create(n, l, arith::SIToFPOp::create(n, l, e[1].getType(), e[0]), e[1]);
                                  });
  for (Value made : {rows, scale, floats}) {
    made.getDefiningOp()->setAttr(kPrecisionAttr, b.getStringAttr("float"));
    made.getDefiningOp()->setAttr(kReasonAttr, b.getStringAttr("its table is codes, its rows are floats"));
  }
  gather->replaceAllUsesWith(ValueRange{floats});
  gather.erase();
  return success();
}

namespace {
struct QuantizeTablesPass : halftone::impl::QuantizeTablesBase<QuantizeTablesPass> {
  void runOnOperation() override {
    SmallVector<CompositeOp> gathers;
    getOperation()->walk([&](CompositeOp op) {
      auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
      if (classify(op) == OpKind::Table && precision && precision.getValue() == kWeightsPrecision)
        gathers.push_back(op);
      else
        dropSourceScales(op); // a table that stays float has no use for them
    });
    for (CompositeOp gather : gathers) {
      if (failed(quantizeTable(gather)))
        return signalPassFailure();
      ++quantized;
    }
  }
};
} // namespace
