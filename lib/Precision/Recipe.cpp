//===- Recipe.cpp - formats by layer, as a file -------------------------------===//
#include "halftone/Precision/Recipe.h"
#include "halftone/Analysis/NamePattern.h"
#include "halftone/Calibration/Estimators.h"
#include "halftone/Quantization/WeightFormats.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLTraits.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Expected;

LLVM_YAML_IS_SEQUENCE_VECTOR(mlir::halftone::RecipeRule)

namespace llvm::yaml {
template <>
struct MappingTraits<RecipeRule> {
  static void mapping(IO &io, RecipeRule &rule) {
    io.mapOptional("name", rule.name, std::string());
    io.mapOptional("regex", rule.regex, std::string());
    io.mapOptional("kind", rule.kind, std::string());
    io.mapOptional("weights", rule.weights, std::string());
    io.mapOptional("levels", rule.levels);
    io.mapOptional("granularity", rule.granularity, std::string());
    io.mapOptional("precision", rule.precision, std::string());
    io.mapOptional("activations", rule.activations, std::string());
    io.mapOptional("sparsity", rule.sparsity, 0.0);
    io.mapOptional("rounding", rule.rounding, std::string());
    io.mapOptional("estimator", rule.estimator, std::string());
  }
};
} // namespace llvm::yaml

/// The kind of a contraction as a recipe names it; "" for others.
static StringRef contractionKind(Operation *op) {
  if (isa<linalg::MatmulOp>(op))
    return "matmul";
  if (isa<linalg::BatchMatmulOp>(op))
    return "batch_matmul";
  if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(op))
    return "depthwise";
  if (isa<linalg::Conv2DNhwgcGfhwcOp>(op))
    return "grouped";
  return isa<linalg::Conv2DNhwcHwcfOp>(op) ? "conv" : "";
}

bool mlir::halftone::keepsInt8(Operation *contraction) {
  if (isa<linalg::MatmulOp>(contraction))
    return false;
  return isa<linalg::DepthwiseConv2DNhwcHwcOp>(contraction) || isa<BlockArgument>(traceRoot(getActivationOperand(contraction).get()));
}

std::vector<StringRef> mlir::halftone::recipeKinds() {
  std::vector<StringRef> kinds{"conv", "depthwise", "grouped", "matmul", "batch_matmul"};
  for (OpKind kind : {OpKind::Contraction, OpKind::MaxPool, OpKind::AveragePool, OpKind::Elementwise, OpKind::Unary,
                      OpKind::Concat, OpKind::Table})
    kinds.push_back(kindName(kind));
  return kinds;
}

std::string RecipeRule::describe() const {
  return !name.empty() ? "name '" + name + "'" : !regex.empty() ? "regex '" + regex + "'" : "kind '" + kind + "'";
}

/// Whether a rule with a name or a pattern means one of the names.
static bool matchesAny(const RecipeRule &rule, ArrayRef<std::string> nodes) {
  if (rule.regex.empty())
    return !rule.name.empty() && llvm::is_contained(nodes, rule.name);
  NamePattern pattern = llvm::cantFail(NamePattern::compile(rule.regex)); // refuseRule has seen it
  return llvm::any_of(nodes, [&](const std::string &node) { return pattern.matches(node); });
}

bool RecipeRule::matches(ArrayRef<Operation *> members, OpKind unit) const {
  if (!kind.empty())
    return kind == kindName(unit) || llvm::any_of(members, [&](Operation *op) { return kind == contractionKind(op); });
  return matchesAny(*this, llvm::map_to_vector(members, [](Operation *op) { return locationName(op->getLoc()); }));
}

bool RecipeRule::matches(StringRef node) const { return matchesAny(*this, {node.str()}); }

std::string mlir::halftone::listUnmatched(ArrayRef<RecipeRule> rules, const std::vector<bool> &matched) {
  std::string list;
  for (auto [i, rule] : llvm::enumerate(rules))
    if (!matched[i])
      list += (list.empty() ? "" : ", ") + std::to_string(i + 1) + " (" + rule.describe() + ")";
  return list;
}

RecipeRule RecipeRule::forContractions(StringRef weights, StringRef granularity) {
  RecipeRule rule;
  rule.kind = kindName(OpKind::Contraction);
  rule.weights = weights;
  rule.granularity = granularity;
  return rule;
}

/// What is wrong with what a rule asks of weights.
static std::string refuseWeights(const RecipeRule &rule) {
  if (!rule.levels.empty() && !rule.weights.empty())
    return "a rule has weights or levels, not both";
  auto outside = [](int level) { return level < -127 || level > 127; };
  if (llvm::any_of(rule.levels, outside) || (!rule.levels.empty() && llvm::all_of(rule.levels, [](int l) { return l == 0; })))
    return "levels are integers of -127 to 127, one of them not 0";
  std::optional<WeightFormat> format = findWeightFormat(rule.weights.empty() ? "int8" : rule.weights);
  if (!format && rule.weights != "float")
    return "'" + rule.weights + "' is no format of weights: float, " + llvm::join(weightFormatNames(), ", ");
  std::optional<Granularity> granularity = parseGranularity(rule.granularity.empty() ? "channel" : rule.granularity);
  if (!granularity)
    return "'" + rule.granularity + "' is no granularity: tensor, channel, or group:N with N from 8 to 256";
  if (!format)
    return "";
  if (!rule.levels.empty())
    format = tableFormat(SmallVector<int8_t>(rule.levels.begin(), rule.levels.end()));
  return refuseGranularity(*format, *granularity);
}

std::string mlir::halftone::refuseRule(const RecipeRule &rule) {
  if (!rule.name.empty() + !rule.regex.empty() + !rule.kind.empty() != 1)
    return "a rule needs one of name, regex and kind";
  if (auto pattern = NamePattern::compile(rule.regex); !pattern)
    return llvm::toString(pattern.takeError());
  if (!rule.kind.empty() && !llvm::is_contained(recipeKinds(), rule.kind))
    return "'" + rule.kind + "' is no kind: " + llvm::join(recipeKinds(), ", ");
  if (!rule.precision.empty() && rule.precision != "int8" && rule.precision != "float")
    return "'" + rule.precision + "' is no precision: int8 or float";
  if (!llvm::is_contained({"", "int8", "dynamic", "float"}, rule.activations))
    return "'" + rule.activations + "' are no activations: int8, dynamic or float";
  if (!rule.saysFormat() && rule.estimator.empty())
    return "a rule needs one of weights, levels, granularity, precision, activations, sparsity, rounding and estimator";
  if (!(rule.sparsity >= 0 && rule.sparsity < 1))
    return "sparsity is a share from 0 to below 1";
  if (!rule.rounding.empty() && rule.rounding != "diffused")
    return "'" + rule.rounding + "' is no rounding of a rule: diffused, which needs no Hessian; --rounding is that of all other layers";
  if (!rule.estimator.empty() && !parseEstimator(rule.estimator))
    return "'" + rule.estimator + "' is no estimator: " +
           llvm::join(llvm::map_range(kEstimatorNames, [](const EstimatorName &entry) { return entry.name.str(); }), ", ");
  if (rule.precision == "float" && (!rule.levels.empty() || (!rule.weights.empty() && rule.weights != "float")))
    return "a rule with precision float has no format of weights";
  if (rule.isFloat() && !rule.rounding.empty())
    return "a rule with rounding is for int8";
  if (rule.isFloat() && !rule.activations.empty())
    return "a rule with activations is for weights that are codes";
  if (rule.sparsity != 0 && rule.readsFloats())
    return "a rule with sparsity is for activations int8: what to prune is found from their codes";
  if (rule.isFloat() && rule.sparsity != 0)
    return "a rule with sparsity is for int8: no kernel skips zeros of floats";
  return refuseWeights(rule);
}

bool mlir::halftone::prunes(ArrayRef<RecipeRule> rules) {
  return llvm::any_of(rules, [](const RecipeRule &rule) { return rule.sparsity != 0; });
}

void mlir::halftone::writeRecipe(llvm::raw_ostream &os, std::vector<RecipeRule> rules) {
  llvm::yaml::Output output(os, nullptr, /*WrapColumn=*/0);
  output << rules;
}

Expected<std::vector<RecipeRule>> mlir::halftone::readRecipe(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("cannot read the recipe '" + path.str() + "': " + buffer.getError().message());
  std::string problem;
  auto keepFirst = [](const llvm::SMDiagnostic &diagnostic, void *to) {
    auto &text = *static_cast<std::string *>(to);
    if (text.empty())
      text = "line " + std::to_string(diagnostic.getLineNo()) + ": " + diagnostic.getMessage().str();
  };
  std::vector<RecipeRule> rules;
  llvm::yaml::Input input((*buffer)->getBuffer(), nullptr, keepFirst, &problem);
  input >> rules;
  for (auto [i, rule] : llvm::enumerate(rules))
    if (std::string reason = refuseRule(rule); problem.empty() && !input.error() && !reason.empty())
      problem = "rule " + std::to_string(i + 1) + ": " + reason;
  if (problem.empty() && !input.error() && !rules.empty())
    return rules;
  if (problem.empty())
    problem = "it has no rules";
  return llvm::createStringError("'" + path.str() + "' is no recipe: " + problem);
}
