//===- Contestant.h - A model that is timed -------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_CONTESTANT_H
#define HALFTONE_LIB_DRIVER_CONTESTANT_H

#include "LoadedModel.h"

namespace mlir::halftone {

/// A model with the buffers of one run. A round is as many runs as fill about
/// 20 ms.
struct Contestant {
  std::string path;
  LoadedModel model;
  std::vector<Tensor> inputs, outputs;
  int64_t batch = 1, runsPerRound = 1;
  std::vector<double> roundMicroseconds; ///< Of one run, the round's mean.

  /// Of a library for several sizes, the one that has these `dims`, "seq=16".
  static llvm::Expected<Contestant> prepare(llvm::StringRef path, int threads,
                                            int64_t batch, llvm::ArrayRef<std::string> dims = {});
  /// The same for the size that has been taken.
  static llvm::Expected<Contestant> prepare(llvm::StringRef path, LoadedModel model, int64_t batch);
  /// Those of several models, with the runs of a round.
  static llvm::Expected<std::vector<Contestant>> prepareAll(const std::vector<std::string> &paths, int threads, int64_t batch,
                                                            llvm::ArrayRef<std::string> dims = {}, double roundMicroseconds = 20000);
  /// Finds how many runs fill a round of that many microseconds, after one that warms up.
  llvm::Error fillRound(double roundMicroseconds = 20000);
  llvm::Error runRound();
  /// "batch 8"; of a model without an open batch whose inputs do not begin with 1, their sizes: "image 8x1x28x28".
  std::string describeSizes() const;
};

/// A round of each.
llvm::Error runInTurns(std::vector<Contestant> &all);

/// The time of the best round of both models in microseconds, in turns; one thread. Rounds are short and many: other work on the core only
/// adds to them, and to those of one model more than to those of the other, so that medians may be far from each other for the same model.
llvm::Expected<std::pair<double, double>> raceModels(llvm::StringRef a, llvm::StringRef b, int64_t batch);

/// Of a list that is not empty.
double median(std::vector<double> values);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_CONTESTANT_H
