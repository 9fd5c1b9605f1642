//===- Profile.h - Where a model's time goes ------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_PROFILE_H
#define HALFTONE_LIB_DRIVER_PROFILE_H

#include "Contestant.h"

namespace mlir::halftone {

/// A layer, or the sum of some.
struct ProfileRow {
  std::string name, kind, kernel, shapes;
  double microseconds = 0;
  double macs = 0, bytesRead = 0, bytesWritten = 0, bytesConstant = 0;
  double peakMicroseconds = 0; ///< What the MACs take at the peak; 0: unknown.
  double rooflineMicroseconds = 0; ///< What the cost table says that it cannot
                                   ///< be faster than; 0: unknown.
  int layers = 1;

  double bytes() const { return bytesRead + bytesWritten + bytesConstant; }
  void add(const ProfileRow &other);
};

struct Profile {
  std::string path, target;
  int64_t batch = 1;
  std::string sizes; ///< Contestant::describeSizes().
  int threads = 1;
  double gigahertz = 0;           ///< 0: unknown.
  std::string costTable; ///< That rooflines are by; empty: unknown.
  std::vector<ProfileRow> layers; ///< In the order of running; the last is what
                                  ///< lies between the others.
  std::vector<ProfileRow> kinds;  ///< The slowest first.
  ProfileRow total;
};

/// What counts of a layer's times in several rounds.
enum class RoundTime {
  Median,
  Least ///< Other work on the core only adds to the rounds that it falls into.
};

/// Runs the model for that many rounds.
llvm::Expected<Profile> measureProfile(Contestant &contestant, int rounds, RoundTime time = RoundTime::Median);

/// Runs the model for that many rounds and prints its layers in the order of
/// running, then their sums by kind: time (the median over rounds), share of
/// the run, multiply-accumulates, part of the peak and of the roofline, bytes
/// moved. The roofline is by the cost table of the file, or by the artefact's if
/// that is the built-in one.
llvm::Error profileModel(Contestant &contestant, int rounds, bool json,
                         llvm::StringRef costFile);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_PROFILE_H
