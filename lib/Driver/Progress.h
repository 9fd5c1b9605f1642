//===- Progress.h - How far long work is, and how to stop it --------------===//
#ifndef HALFTONE_LIB_DRIVER_PROGRESS_H
#define HALFTONE_LIB_DRIVER_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <chrono>

namespace mlir::halftone {

/// Shows "calibrating: 128 of 512 samples, 12 s left" on stderr: one line that
/// is rewritten on a terminal; in a log a plain line every ten seconds and one
/// at the end.
class Progress {
public:
  Progress(llvm::StringRef what, llvm::StringRef unit, int64_t total);
  ~Progress();

  /// `done` of `total` are finished.
  void update(int64_t done);

private:
  using Clock = std::chrono::steady_clock;
  void print(int64_t done, Clock::time_point now);

  std::string what, unit;
  int64_t total;
  bool isTerminal;
  bool hasOpenLine = false;
  Clock::time_point begin, lastPrint;
};

/// While it lives, the first Ctrl-C only sets a flag; a second one ends the
/// program as usual.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  bool interrupted() const;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_PROGRESS_H
