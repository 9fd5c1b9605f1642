//===- ExposeWeights.cpp - float weights in front of their codes ------------===//
#include "ChannelScales.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPOSEWEIGHTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct ExposeWeights : halftone::impl::ExposeWeightsBase<ExposeWeights> {
  void runOnOperation() override {
    SmallVector<quant::StorageCastOp> casts;
    getOperation().walk([&](quant::StorageCastOp cast) { casts.push_back(cast); });
    for (quant::StorageCastOp cast : casts)
      expose(cast);
  }

private:
  void expose(quant::StorageCastOp cast) {
    auto type = mlir::cast<RankedTensorType>(cast.getType());
    auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
    auto codes = getConstantElements<int8_t>(cast.getInput());
    if (!perAxis || !codes)
      return;
    std::vector<float> values(codes->size());
    ChannelScales scales(type);
    for (auto [i, code] : llvm::enumerate(*codes))
      values[i] = float(code) * scales.at(i);
    OpBuilder b(cast);
    Location loc = cast.getInput().getLoc();
    auto real = RankedTensorType::get(type.getShape(), b.getF32Type());
    Value weights = arith::ConstantOp::create(b, loc, makeConstant<float>(real, values, "weights"));
    Operation *constant = cast.getInput().getDefiningOp();
    cast.replaceAllUsesWith(QuantizeOp::create(b, cast.getLoc(), type, weights).getResult());
    cast.erase();
    if (constant->use_empty())
      constant->erase();
    ++exposed;
  }
};

} // namespace
