//===- WeightFormats.cpp - the table of formats -------------------------------===//
//
// nf4: the quantiles of a normal distribution (NormalFloat, Dettmers et al., arXiv:2305.14314) times 127. log3, log4:
// powers of two. log5: steps of the square root of two, rounded to integers. int8pair, int7pair: as fast as int7 and int6 on x86 without dots of
// bytes, and nearer to the weights (LevelSet.h).
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Analysis/EntryForm.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::halftone;

static const WeightFormat kFormats[] = {
    {"int8", WeightFormat::Uniform, 8},
    {"int8pair", WeightFormat::Uniform, 8, {}, /*paired=*/true},
    {"int7", WeightFormat::Uniform, 7},
    {"int7pair", WeightFormat::Uniform, 7, {}, /*paired=*/true},
    {"int6", WeightFormat::Uniform, 6},
    {"int5", WeightFormat::Uniform, 5},
    {"int4", WeightFormat::Uniform, 4},
    {"int3", WeightFormat::Uniform, 3},
    {"int2", WeightFormat::Uniform, 2},
    {"codebook8", WeightFormat::Fitted, 8},
    {"codebook7", WeightFormat::Fitted, 7},
    {"codebook6", WeightFormat::Fitted, 6},
    {"codebook5", WeightFormat::Fitted, 5},
    {"codebook4", WeightFormat::Fitted, 4},
    {"codebook3", WeightFormat::Fitted, 3},
    {"codebook2", WeightFormat::Fitted, 2},
    {"nf4", WeightFormat::Fixed, 4, {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127}},
    {"log3", WeightFormat::Fixed, 3, {-4, -2, -1, 0, 1, 2, 4}},
    {"log4", WeightFormat::Fixed, 4, {-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64}},
    {"log5", WeightFormat::Fixed, 5, {-127, -91, -64, -45, -32, -23, -16, -11, -8, -6, -4, -3, -2, -1, 0,
                                      1,    2,   3,   4,   6,   8,   11,  16,  23, 32, 45, 64, 91, 127}},
};

std::vector<llvm::StringRef> mlir::halftone::weightFormatNames() {
  std::vector<llvm::StringRef> names;
  for (const WeightFormat &format : kFormats)
    names.push_back(format.name);
  return names;
}

std::optional<WeightFormat> mlir::halftone::findWeightFormat(llvm::StringRef name) {
  for (const WeightFormat &format : kFormats)
    if (format.name == name)
      return format;
  return std::nullopt;
}

WeightFormat mlir::halftone::tableFormat(llvm::ArrayRef<int8_t> levels) {
  LevelSet set(levels);
  unsigned bits = std::max(1u, llvm::Log2_64_Ceil(set.levels().size()));
  return {"table" + std::to_string(bits), WeightFormat::Fixed, bits, set.levels().vec()};
}

LevelSet WeightFormat::levelSet() const {
  return kind == Fixed ? LevelSet(levels) : LevelSet((1 << (bits - 1)) - 1, paired);
}

std::string Granularity::name() const {
  return kind == Tensor ? "tensor" : kind == Channel ? "channel" : "group:" + std::to_string(group);
}

std::optional<Granularity> mlir::halftone::parseGranularity(llvm::StringRef text) {
  if (text == "tensor")
    return Granularity{Granularity::Tensor, 0};
  if (text == "channel")
    return Granularity{Granularity::Channel, 0};
  Granularity granularity{Granularity::Group, 0};
  if (!text.consume_front("group:") || text.getAsInteger(10, granularity.group) || granularity.group < 8 ||
      granularity.group > 256)
    return std::nullopt;
  return granularity;
}

std::string mlir::halftone::refuseGranularity(const WeightFormat &format, const Granularity &granularity) {
  if (granularity.kind != Granularity::Group || format.hasTables())
    return "";
  if (format.largestMultiplier() >= 2)
    return granularity.group >= 16 ? ""
                                   : "groups of format '" + format.name + "' have a byte each, which is worth it from 16 elements on; "
                                       "give group:16 to group:256";
  return "weights of format '" + format.name + "' have no multiplier for groups: " +
         (format.kind == WeightFormat::Fitted ? "a codebook of more than 5 bits is one table for the whole tensor"
          : format.paired                     ? "it would change the sums of its pairs"
                                              : "its levels fill [-127, 127] already") +
         "; give the granularity channel or tensor";
}

/// Whether kernels multiply the elements 2 i and 2 i + 1 of a row together: not those of depthwise convolutions, nor where an odd number of channels
/// puts them into two taps.
static bool hasPairs(Operation *contraction) {
  if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(contraction))
    return false;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(getWeightOperand(contraction).get().getType()).getShape();
  int64_t dimension = ShapedType::getNumElements(shape);
  for (int64_t dim : getOutputChannelDims(contraction))
    dimension /= std::max<int64_t>(shape[dim], 1);
  const int64_t channels = shape[getInputChannelDims(contraction).back()];
  return channels % 2 == 0 || channels == dimension;
}

FailureOr<FormatOfWeights> mlir::halftone::getFormatOfWeights(Operation *contraction) {
  FormatOfWeights result{kFormats[0], {}};
  if (Attribute weights = contraction->getAttr(kWeightsAttr)) {
    if (auto levels = dyn_cast<DenseI8ArrayAttr>(weights)) {
      if (levels.empty() || llvm::is_contained(levels.asArrayRef(), -128) || llvm::all_of(levels.asArrayRef(), [](int8_t l) { return l == 0; }))
        return contraction->emitOpError("needs levels in [-127, 127] in halftone.weights, and one that is not 0");
      result.format = tableFormat(levels.asArrayRef());
    } else {
      auto name = dyn_cast<StringAttr>(weights);
      std::optional<WeightFormat> format = name ? findWeightFormat(name) : std::nullopt;
      if (!format)
        return contraction->emitOpError("has halftone.weights ") << weights << ", which is no format of weights";
      result.format = *format;
      result.format.paired = format->paired && hasPairs(contraction);
    }
  }
  if (Attribute attribute = contraction->getAttr(kGranularityAttr)) {
    auto name = dyn_cast<StringAttr>(attribute);
    std::optional<Granularity> granularity = name ? parseGranularity(name) : std::nullopt;
    if (!granularity)
      return contraction->emitOpError("has halftone.granularity ")
             << attribute << ", expected \"tensor\", \"channel\" or \"group:N\" with N from 8 to 256";
    result.granularity = *granularity;
  }
  if (std::string reason = refuseGranularity(result.format, result.granularity); !reason.empty())
    return contraction->emitOpError("cannot be rounded: ") << reason;
  return result;
}
