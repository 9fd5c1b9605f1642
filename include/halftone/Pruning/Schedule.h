//===- Schedule.h - a share of zeros that grows while weights are trained ---===//
//
// Zhu and Gupta, To prune, or not to prune, arXiv:1710.01878, equation 1:
//
//   share(t) = to + (from - to) (1 - (t - begin) / (end - begin))^3
//
// quickly at first, when many weights are superfluous, slowly at the end.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PRUNING_SCHEDULE_H
#define HALFTONE_PRUNING_SCHEDULE_H

#include <cstdint>
#include <optional>

namespace mlir::halftone {

struct PruningSchedule {
  double from = 0, to = 0;     ///< shares of zeros
  int64_t begin = 0, end = 0;  ///< steps
  int64_t every = 1;           ///< steps from one pruning to the next

  /// The share to prune to before that step; nothing if it is no step to prune at. The last is `end`, whatever `every` is.
  std::optional<double> at(int64_t step) const {
    if (step < begin || step > end || ((step - begin) % every != 0 && step != end))
      return std::nullopt;
    if (step == end)
      return to;
    const double left = 1 - double(step - begin) / double(end - begin);
    return to + (from - to) * left * left * left;
  }
};

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_SCHEDULE_H
