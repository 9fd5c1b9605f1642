//===- Statistics.h - the one calibration statistic -------------------------===//
//
// For each observed value: how many of its elements have each bfloat16 prefix (the upper 16 bits of the f32), and the
// exact minimum and maximum. Merging is integer addition, so shards give the same bytes as one run, in any order, and
// every estimator reads the same counts.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CALIBRATION_STATISTICS_H
#define HALFTONE_CALIBRATION_STATISTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::halftone {

/// Number of bfloat16 prefixes.
inline constexpr int64_t kPrefixes = 65536;

/// Sums of reals are integers in steps of 2^-kFractionBits.
inline constexpr int kFractionBits = 24;

/// The statistic of one value.
struct ValueStatistics {
  std::string key;
  std::map<uint16_t, int64_t> counts; ///< by bfloat16 prefix, zero counts left out
  float minimum = 0, maximum = 0;     ///< of the elements that are not NaN; meaningless if there are none
  /// The sums of the minima and of the maxima of all runs, cut to +-2^30, in steps of 2^-kFractionBits.
  int64_t minima = 0, maxima = 0;

  /// The value's name, without what it is.
  llvm::StringRef name() const { return llvm::StringRef(key).split(':').second; }
  int64_t total() const;
  int64_t nans() const;
  int64_t infinities() const;
  int64_t negativeInfinities() const;
};

/// A range is counted by the upper bits of its f32 from bit kRangeShift on, the exponent and three bits of the mantissa.
inline constexpr int kRangeShift = 20;
inline constexpr int64_t kRangePrefixes = 2048;

/// One contraction's input by channel: exact sums in steps of 2^-kFractionBits, and extrema; and by row.
struct ChannelStatistics {
  std::string key;
  std::vector<int64_t> sums; ///< of each channel
  int64_t positions = 0;     ///< number of elements of each channel
  /// The smallest and the largest element of each channel and 0; empty in files that do not have them.
  std::vector<float> lows = {}, highs = {};
  /// How many rows of a matrix, or images of a convolution, have a range (the largest minus the smallest of their elements and 0) of each prefix; empty
  /// in files that do not have them.
  std::map<uint16_t, int64_t> ranges = {};

  /// The mean of each channel; zeros if nothing was observed.
  std::vector<float> means() const;

  /// The expected squared error of an element in 8-bit codes of its row's own range; nothing if ranges were not observed.
  std::optional<double> rowError() const;
};

struct Statistics {
  std::string sourceHash;
  int64_t samples = 0;
  int64_t runs = 0; ///< of the model: one for each sample, unless its batch is fixed; 0 if minima and maxima are unknown
  std::vector<ValueStatistics> values; ///< in the order of the keys' indices
  std::vector<ChannelStatistics> channels; ///< likewise; empty if channels were not observed

  /// From the buffers of an instrumented run: `counts` is keys x 65536, `extrema` is keys x 2 (minimum, maximum; +inf
  /// and -inf where nothing was seen).
  static Statistics fromBuffers(llvm::ArrayRef<std::string> keys, llvm::ArrayRef<int64_t> counts,
                                llvm::ArrayRef<float> extrema, int64_t samples, llvm::StringRef sourceHash);

  /// Numbers that an instrumented run keeps of one contraction: its channels' sums, the number of positions, then the bits of the
  /// largest element of each channel and of the largest of the negated elements, both as i64, and the number of rows for each prefix of their range.
  static int64_t channelNumbers(int64_t width) { return 3 * width + 1 + kRangePrefixes; }

  /// Adds what the loops of an instrumented run wrote, for each key its `channelNumbers`.
  void addChannels(llvm::ArrayRef<std::string> keys, llvm::ArrayRef<int64_t> widths, llvm::ArrayRef<int64_t> sums);

  /// Of these values, before anything was seen: minima are +inf, maxima -inf.
  static Statistics ofKeys(llvm::ArrayRef<std::string> keys, llvm::StringRef sourceHash);

  /// Takes over counts, in the layout of `fromBuffers`.
  void setCounts(llvm::ArrayRef<int64_t> counts);

  /// Adds the minima and maxima of one run, in the layout of `extrema`.
  void addRun(llvm::ArrayRef<float> extrema);

  const ValueStatistics *find(llvm::StringRef key) const;

  /// Adds a shard. An error if it belongs to another model or observes other values.
  llvm::Error merge(const Statistics &shard);

  /// JSON text; equal statistics give equal bytes.
  std::string toJSON() const;
  static llvm::Expected<Statistics> fromJSON(llvm::StringRef text);

  llvm::Error write(llvm::StringRef path) const;
  static llvm::Expected<Statistics> read(llvm::StringRef path);
};

} // namespace mlir::halftone

#endif // HALFTONE_CALIBRATION_STATISTICS_H
