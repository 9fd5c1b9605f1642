//===- LayerFormat.cpp - What a layer of a model can be -------------------===//
#include "LayerFormat.h"
#include "halftone/Quantization/WeightFormats.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::halftone;
using llvm::Expected, llvm::StringRef;

Expected<LayerFormat> LayerFormat::parse(StringRef text) {
  auto [weights, granularity] = text.trim().split('/');
  LayerFormat format{weights.str(),
                     granularity.empty() ? "channel" : granularity.str()};
  std::string reason = refuseRule(
      RecipeRule::forContractions(format.weights, format.granularity));
  if (weights.empty())
    reason = "a format is empty";
  else if (reason.empty() && format.isFloat() && !granularity.empty())
    reason = "float has no granularity";
  if (!reason.empty())
    return llvm::createStringError("'" + text.trim() + "': " + reason);
  return format;
}

Expected<std::vector<LayerFormat>> LayerFormat::parseList(StringRef text) {
  std::vector<LayerFormat> formats{LayerFormat()};
  bool hasInt8 = false;
  for (StringRef part : llvm::split(text, ',')) {
    Expected<LayerFormat> format = parse(part);
    if (!format)
      return format.takeError();
    hasInt8 |= *format == LayerFormat();
    if (!llvm::is_contained(formats, *format))
      formats.push_back(std::move(*format));
  }
  if (!hasInt8)
    return llvm::createStringError(
        "int8 is missing: it is what every other format is measured against");
  if (formats.size() == 1)
    return llvm::createStringError("a choice needs a second format beside int8");
  return formats;
}

std::string LayerFormat::name() const {
  return granularity == "channel" ? weights : weights + "/" + granularity;
}

unsigned LayerFormat::bits() const {
  std::optional<WeightFormat> format = findWeightFormat(weights);
  return format ? format->bits : 32;
}

RecipeRule LayerFormat::ruleFor(StringRef layer) const {
  RecipeRule rule;
  rule.name = layer.str();
  if (isFloat()) {
    rule.precision = "float";
    return rule;
  }
  rule.weights = weights;
  if (granularity != "channel")
    rule.granularity = granularity;
  return rule;
}
