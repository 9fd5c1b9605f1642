//===- ConvertToF32.cpp - one floating-point type to compute in -------------===//
//
// Types and constants change in place, everywhere; casts between what was two types and is one go. A finite number of f64 that f32 has not becomes
// the greatest of f32, so that limits ("-1.8e308, or any") stay limits and no infinity comes out of a product with 0.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTTOF32
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool isConverted(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16() || element.isF64();
}

static float toFloat(APFloat value) {
  const bool isFinite = value.isFinite();
  bool losesInfo;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &losesInfo);
  return isFinite && value.isInfinity() ? APFloat::getLargest(APFloat::IEEEsingle(), value.isNegative()).convertToFloat() : value.convertToFloat();
}

/// The elements of a constant tensor, one alone if all are the same; nothing if its contents are not there.
static std::optional<std::vector<float>> toFloats(ElementsAttr elements) {
  std::vector<float> values;
  if (auto dense = dyn_cast<DenseElementsAttr>(elements)) {
    if (dense.isSplat())
      return std::vector<float>{toFloat(dense.getSplatValue<APFloat>())};
    for (const APFloat &value : dense.getValues<APFloat>())
      values.push_back(toFloat(value));
    return values;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(elements);
  AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr;
  auto type = cast<FloatType>(elements.getElementType());
  const int64_t width = type.getWidth() / 8;
  if (!blob || static_cast<int64_t>(blob->getData().size()) != elements.getNumElements() * width)
    return std::nullopt;
  for (int64_t i = 0; i < elements.getNumElements(); ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, blob->getData().data() + i * width, width); // little endian, as all that Halftone runs on
    values.push_back(toFloat(APFloat(type.getFloatSemantics(), APInt(type.getWidth(), bits))));
  }
  return values;
}

static AttrTypeReplacer makeReplacer() {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](FloatType type) -> std::optional<std::pair<Type, WalkResult>> {
    if (!isConverted(type))
      return std::nullopt;
    return std::pair<Type, WalkResult>(Float32Type::get(type.getContext()), WalkResult::skip());
  });
  using NewAttribute = std::optional<std::pair<Attribute, WalkResult>>;
  replacer.addReplacement([](FloatAttr number) -> NewAttribute {
    if (!isConverted(number.getType()))
      return std::nullopt;
    return std::pair<Attribute, WalkResult>(FloatAttr::get(Float32Type::get(number.getContext()), toFloat(number.getValue())), WalkResult::skip());
  });
  replacer.addReplacement([](ElementsAttr elements) -> NewAttribute {
    auto type = dyn_cast<RankedTensorType>(elements.getType());
    std::optional<std::vector<float>> values = type && isConverted(type) ? toFloats(elements) : std::nullopt;
    if (!values)
      return std::nullopt;
    RankedTensorType narrow = type.clone(Float32Type::get(type.getContext()));
    const bool isSplat = values->size() == 1;
    ElementsAttr made = isSplat ? ElementsAttr(DenseElementsAttr::get(narrow, values->front())) : makeConstant<float>(narrow, *values, "constant");
    return std::pair<Attribute, WalkResult>(made, WalkResult::skip());
  });
  return replacer;
}

/// Whether an operation computes in a type that is converted: storage of weights and casts of them do not.
static bool computes(Operation *op) {
  return !op->hasTrait<OpTrait::ConstantLike>() && !isa<tensor::EmptyOp, linalg::YieldOp>(op) &&
         llvm::any_of(op->getResultTypes(), [](Type type) { return isConverted(type); });
}

/// "f16 and f64" of the types, or of those that operations compute in.
static std::string listTypes(const SetVector<Type> &types) {
  std::string list;
  llvm::raw_string_ostream os(list);
  llvm::interleave(types, os, [&](Type type) { os << type; }, " and ");
  return list;
}

/// The names of the inputs and outputs that are converted: ", so are 'x' and 'y'".
static std::string listInterface(func::FuncOp function) {
  std::string list;
  auto add = [&](Type type, StringAttr name) {
    if (isConverted(type))
      list += (list.empty() ? "'" : ", '") + (name ? name.getValue().str() : std::string()) + "'";
  };
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    add(type, function.getArgAttrOfType<StringAttr>(i, kNameAttr));
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    add(type, function.getResultAttrOfType<StringAttr>(i, kNameAttr));
  return list;
}

/// The value that the operation only passes on: a cast to the type that there is already, or a generic of nothing else.
static Value passedOn(Operation *op) {
  if (isa<arith::ExtFOp, arith::TruncFOp, tosa::CastOp>(op))
    return op->getOperand(0).getType() == op->getResult(0).getType() ? op->getOperand(0) : Value();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic->getNumResults() != 1 || generic.getNumDpsInputs() != 1 || !llvm::hasSingleElement(*generic.getBody()) ||
      !llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return {};
  bool yields = generic.getBody()->getTerminator()->getOperand(0) == generic.getBody()->getArgument(0);
  return yields && generic.getInputs()[0].getType() == generic.getResultTypes()[0] ? generic.getInputs()[0] : Value();
}

namespace {
struct ConvertToF32 : halftone::impl::ConvertToF32Base<ConvertToF32> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SetVector<Type> computed;
    bool isNeeded = false, fails = false;
    module.walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        isNeeded |= isConverted(type);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          isNeeded |= llvm::any_of(block.getArgumentTypes(), [](Type type) { return isConverted(type); });
      if (computes(op))
        computed.insert(getElementTypeOrSelf(*llvm::find_if(op->getResultTypes(), [](Type type) { return isConverted(type); })));
      if (isa<arith::BitcastOp>(op) && (isConverted(op->getOperand(0).getType()) || isConverted(op->getResult(0).getType()))) {
        op->emitError("the bits of ") << op->getOperand(0).getType() << " as " << op->getResult(0).getType()
                                       << ": floats are computed in f32, whose bits are others; export the model in f32";
        fails = true;
      }
    });
    if (fails)
      return signalPassFailure();
    if (!isNeeded)
      return;
    for (auto function : module.getOps<func::FuncOp>())
      remark(function, computed);
    makeReplacer().recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
    module.walk([&](Operation *op) {
      if (Value value = passedOn(op)) {
        op->getResult(0).replaceAllUsesWith(value);
        op->erase();
        ++numCasts;
      }
    });
  }

  static void remark(func::FuncOp function, const SetVector<Type> &computed) {
    std::string interface = function.isPublic() ? listInterface(function) : "";
    if (!function.isPublic() || (computed.empty() && interface.empty()))
      return;
    InFlightDiagnostic diagnostic = emitRemark(UnknownLoc::get(function.getContext()));
    if (!computed.empty())
      diagnostic << listTypes(computed) << (computed.size() > 1 ? " are" : " is") << " computed in f32";
    if (!interface.empty())
      diagnostic << (computed.empty() ? "inputs and outputs that are f32: " : ": so are the inputs and outputs ") << interface;
  }
};
} // namespace
