//===- Recipe.h - formats by layer, as a file ---------------------------------===//
//
// A YAML list of rules. Each names layers by `name` (the source's node), `regex` (of the whole name) or `kind`, and says
// what they are: `weights` (a format) or `levels` (a table of int8 values), `granularity`, `precision` (int8 or float).
// The last rule that matches a layer decides alone: what it does not say has its default.
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
  std::string weights, granularity, precision;
  std::vector<int> levels;

  bool isFloat() const { return precision == "float" || weights == "float"; }
  /// The rule that --weights and --granularity are, for all contractions.
  static RecipeRule forContractions(StringRef weights, StringRef granularity);

  /// "name 'x'", for messages.
  std::string describe() const;
  /// Whether one of the operations, of this kind, is meant.
  bool matches(ArrayRef<Operation *> members, OpKind kind) const;
};

/// The kinds that a rule may name.
std::vector<StringRef> recipeKinds();

/// Why a rule is not sound, or "".
std::string refuseRule(const RecipeRule &rule);

/// The same text that readRecipe takes.
void writeRecipe(llvm::raw_ostream &os, std::vector<RecipeRule> rules);

/// The rules of a file; an error that says where it is not a recipe.
llvm::Expected<std::vector<RecipeRule>> readRecipe(StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_PRECISION_RECIPE_H
