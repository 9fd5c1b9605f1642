//===- WeightFormats.h - what the weights of a contraction may be -------------===//
//
// On contractions: `halftone.weights`, a name of the table below or the levels themselves (array<i8: ...>), and
// `halftone.granularity`, "tensor", "channel" or "group:N". Without them weights are int8 with a scale per channel.
// `halftone.sparsity` is the share of blocks of weights that halftone-prune-weights makes zero before they are rounded.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_WEIGHTFORMATS_H
#define HALFTONE_QUANTIZATION_WEIGHTFORMATS_H

#include "halftone/Quantization/LevelSet.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace mlir::halftone {

inline constexpr llvm::StringLiteral kWeightsAttr = "halftone.weights";
inline constexpr llvm::StringLiteral kGranularityAttr = "halftone.granularity";
inline constexpr llvm::StringLiteral kSparsityAttr = "halftone.sparsity";
/// On contractions whose codes no Hessian is to choose.
inline constexpr llvm::StringLiteral kWithoutHessianAttr = "halftone.without_hessian";

/// What the name of a format means.
struct WeightFormat {
  enum Kind {
    Uniform, ///< the integers of [-limit, limit]
    Fitted,  ///< a codebook of at most 2^bits levels, made for the weights
    Fixed    ///< the levels of the table
  };

  std::string name;
  Kind kind = Uniform;
  unsigned bits = 8; ///< of a stored code
  std::vector<int8_t> levels = {}; ///< of a fixed format
  bool paired = false; ///< uniform levels of which two neighbours bound one another (LevelSet.h)

  /// The levels; of a fitted format those of the uniform one of equal bits, from which fitting starts.
  LevelSet levelSet() const;
  /// Of a fitted format: whether its groups may choose from several tables, whose levels are looked up with 7 bits at most.
  bool hasTables() const { return kind == Fitted && bits <= 5; }
  /// The largest multiplier that leaves every level of a group in [-127, 127]; below 2, there are no group scales.
  int largestMultiplier() const { return kind == Fitted || paired ? 1 : 127 / levelSet().largest(); }
};

/// What shares a scale.
struct Granularity {
  enum Kind { Tensor, Channel, Group } kind = Channel;
  int64_t group = 0; ///< elements of the reduction with one multiplier, or one table of a codebook

  std::string name() const;
};

/// The names of the table in its order: int8, int8pair, int7, ..., nf4, log3, ...
std::vector<llvm::StringRef> weightFormatNames();

/// The format of that name, or nothing.
std::optional<WeightFormat> findWeightFormat(llvm::StringRef name);

/// The format of levels that a user gives.
WeightFormat tableFormat(llvm::ArrayRef<int8_t> levels);

/// "tensor", "channel", "group:8" to "group:256", or nothing.
std::optional<Granularity> parseGranularity(llvm::StringRef text);

/// Why a format cannot have a granularity, or "".
std::string refuseGranularity(const WeightFormat &format, const Granularity &granularity);

struct FormatOfWeights {
  WeightFormat format;
  Granularity granularity;

  /// Whether groups choose from several tables.
  bool isClustered() const { return format.hasTables() && granularity.kind == Granularity::Group; }
};

/// What the attributes of a contraction say; a diagnostic at it if they are not sound.
FailureOr<FormatOfWeights> getFormatOfWeights(Operation *contraction);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_WEIGHTFORMATS_H
