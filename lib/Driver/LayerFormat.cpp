//===- LayerFormat.cpp - What a layer of a model can be -------------------===//
#include "LayerFormat.h"
#include "halftone/Quantization/WeightFormats.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir::halftone;
using llvm::Expected, llvm::StringRef;

std::string mlir::halftone::digits(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

static constexpr llvm::StringLiteral kSparsityPart = "sparsity:";

/// What a format would be with one more of the parts behind its name; a reason why not, or "".
static std::string addPart(LayerFormat &format, StringRef part) {
  if (!part.consume_front(kSparsityPart)) {
    format.granularity = part.str();
    return "";
  }
  if (part.getAsDouble(format.sparsity) || !(format.sparsity > 0 && format.sparsity < 1))
    return "sparsity is a share above 0 and below 1";
  return "";
}

Expected<LayerFormat> LayerFormat::parse(StringRef text) {
  llvm::SmallVector<StringRef> parts;
  text.trim().split(parts, '/');
  LayerFormat format;
  format.weights = parts.front().str();
  std::string reason = parts.front().empty() ? "a format is empty" : "";
  for (StringRef part : llvm::drop_begin(parts))
    if (reason.empty())
      reason = addPart(format, part);
  if (reason.empty())
    reason = refuseRule(RecipeRule::forContractions(format.weights, format.granularity));
  if (reason.empty() && format.isFloat() && parts.size() > 1)
    reason = "float has no granularity and no sparsity";
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
  std::string text = weights;
  if (granularity != "channel")
    text += "/" + granularity;
  if (sparsity != 0)
    text += "/" + kSparsityPart.str() + digits(sparsity);
  return text;
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
  rule.sparsity = sparsity;
  return rule;
}
