//===- Hessians.h - the second calibration statistic -------------------------===//
//
// For each contraction H = X^T X, summed over all positions of all samples: a row of X is what one output position
// reads, as integers code - zero point of the 8-bit type that the input will have. So H is what the quantized network
// will see, and an exact integer: sums do not depend on the order, threads or machine, and shards merge by addition.
//
// The file: a line of JSON {"halftone.hessians": 1, "source_hash", "samples", "origin", "layers": [{"key",
// "groups", "dimension", "type"}]}, padded with spaces to a multiple of 64 bytes with its newline, then little-endian i64 in that order.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_HESSIANS_H
#define HALFTONE_RECONSTRUCTION_HESSIANS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::halftone {

/// Elements of a packed lower triangle with its diagonal: (i, j), j <= i, is at i * (i + 1) / 2 + j.
inline int64_t triangleSize(int64_t dimension) { return dimension * (dimension + 1) / 2; }

/// The Hessian of one contraction: a packed triangle for each group of input channels (a depthwise convolution has as
/// many as channels). Columns are in the order of the weights of one output channel, row-major.
struct Hessian {
  std::string key; ///< "<index>:<location name>" of the contraction
  int64_t groups = 1, dimension = 0;
  std::vector<int64_t> sums;
  std::string type = {}; ///< What the inputs were rounded to; "" if nobody asks.

  int64_t size() const { return groups * triangleSize(dimension); }
  llvm::ArrayRef<int64_t> triangle(int64_t group) const {
    return llvm::ArrayRef<int64_t>(sums).slice(group * triangleSize(dimension), triangleSize(dimension));
  }
};

struct Hessians {
  std::string sourceHash;
  int64_t samples = 0;
  std::vector<Hessian> layers;
  std::string origin = {}; ///< A digest of the samples; "" if nobody asks.

  const Hessian *find(llvm::StringRef key) const;

  /// Adds a shard. An error if it belongs to another model or has other layers.
  llvm::Error merge(const Hessians &shard);

  llvm::Error write(llvm::StringRef path) const;
  static llvm::Expected<Hessians> read(llvm::StringRef path);

  /// Those of that module; failure, after a diagnostic, if the file is not one or is of another source model.
  static FailureOr<Hessians> readFor(ModuleOp module, llvm::StringRef path);
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_HESSIANS_H
