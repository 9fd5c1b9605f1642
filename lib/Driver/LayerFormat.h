//===- LayerFormat.h - What a layer of a model can be ---------------------===//
#ifndef HALFTONE_LIB_DRIVER_LAYERFORMAT_H
#define HALFTONE_LIB_DRIVER_LAYERFORMAT_H

#include "halftone/Precision/Recipe.h"

namespace mlir::halftone {

/// Six digits, however small the number.
std::string digits(double value);

/// Float, or a format of weights with what shares a scale, and the share of
/// blocks of weights that are zero.
struct LayerFormat {
  std::string weights = "int8", granularity = "channel";
  double sparsity = 0;

  /// From FORMAT[/GRANULARITY][/sparsity:SHARE], as in int4/group:32 or
  /// int8/sparsity:0.7; an error that says what is wrong.
  static llvm::Expected<LayerFormat> parse(llvm::StringRef text);
  /// Several, with commas between; int8 comes first, and none twice.
  static llvm::Expected<std::vector<LayerFormat>>
  parseList(llvm::StringRef text);

  /// The text that parse reads.
  std::string name() const;
  bool isFloat() const { return weights == "float"; }
  /// Bits of a code; 32 of a float.
  unsigned bits() const;
  /// The rule of a recipe that gives the layer of that name this format.
  RecipeRule ruleFor(llvm::StringRef layer) const;

  bool operator==(const LayerFormat &other) const {
    return weights == other.weights && granularity == other.granularity &&
           sparsity == other.sparsity;
  }
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LAYERFORMAT_H
