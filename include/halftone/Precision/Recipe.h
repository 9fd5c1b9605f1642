//===- Recipe.h - formats by layer, as a file ---------------------------------===//
//
// A YAML list of rules. Each names layers by `name` (the source's node), `regex` (of the whole name) or `kind`, and says
// what they are: `weights` (a format) or `levels` (a table of int8 values), `granularity`, `precision` (int8 or float), `activations`
// (int8, dynamic or float, as --activations),
// `sparsity` (the share of blocks of weights that become zero), `rounding` (diffused: without a Hessian, whatever --rounding is).
// The last rule that matches a layer decides alone: what it does not say has its default.
// `estimator` says how the range of the layer's result is found, or with `name` or `regex` that of an input of the model; of the
// rules that have one the last that matches decides. A rule with an estimator alone says nothing of the layer's format.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PRECISION_RECIPE_H
#define HALFTONE_PRECISION_RECIPE_H

#include "halftone/Analysis/Sandwiches.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace mlir::halftone {

struct RecipeRule {
  std::string name, regex, kind; ///< exactly one is given
  std::string weights, granularity, precision, activations, rounding, estimator;
  std::vector<int> levels;
  double sparsity = 0; ///< from 0 to below 1

  bool saysFormat() const {
    return !weights.empty() || !levels.empty() || !granularity.empty() || !precision.empty() || !activations.empty() || !rounding.empty() || sparsity != 0;
  }
  bool isFloat() const { return precision == "float" || weights == "float"; }
  /// Whether the weights are codes, but what they are multiplied with has no calibrated range.
  bool readsFloats() const { return activations == "dynamic" || activations == "float"; }
  /// The rule that --weights and --granularity are, for all contractions.
  static RecipeRule forContractions(StringRef weights, StringRef granularity);

  /// "name 'x'", for messages.
  std::string describe() const;
  /// Whether one of the operations, of this kind, is meant.
  bool matches(ArrayRef<Operation *> members, OpKind kind) const;
  /// Whether the name is meant, of a layer or of an input.
  bool matches(StringRef node) const;
};

/// Whether a contraction keeps int8 under --weights, unless a rule names it: it reads the model's input, or is depthwise.
bool keepsInt8(Operation *contraction);

/// The kinds that a rule may name.
std::vector<StringRef> recipeKinds();

/// Why a rule is not sound, or "".
std::string refuseRule(const RecipeRule &rule);

/// "1 (name 'x'), 3 (kind 'conv')": the rules that are not marked, as they are counted in the file; "" if there are none.
std::string listUnmatched(ArrayRef<RecipeRule> rules, const std::vector<bool> &matched);

/// Whether a rule makes weights zero.
bool prunes(ArrayRef<RecipeRule> rules);

/// The same text that readRecipe takes.
void writeRecipe(llvm::raw_ostream &os, std::vector<RecipeRule> rules);

/// The rules of a file; an error that says where it is not a recipe.
llvm::Expected<std::vector<RecipeRule>> readRecipe(StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_PRECISION_RECIPE_H
