//===- Trainer.h - epochs of training steps ---------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_TRAINER_H
#define HALFTONE_LIB_DRIVER_TRAINER_H

#include "Augmentation.h"
#include "GradualPruning.h"
#include "Progress.h"
#include "TrainingData.h"
#include "TrainingProgram.h"
#include "TrainingReport.h"
#include "halftone/Training/CastSchedule.h"

namespace mlir::halftone {

struct TrainerOptions {
  int64_t batch = 0, epochs = 1, seed = 0;
  double rate = 0.01;
  bool cosine = true;     ///< The rate falls to 0 as a half cosine, behind the warm-up; else it stays.
  double warmup = 0;      ///< Share of all steps in which the rate rises.
  Augmentation augmentation;
  std::string checkpoint; ///< Written after each epoch, and when interrupted; empty: none.
  std::string identity;   ///< Of model, data and options: a checkpoint is for one.
  std::optional<GradualPruning> pruning; ///< Weights that become zero meanwhile.
  CastSchedule casts;                    ///< When casts come in, and get coarser.
  bool resume = false;
  int64_t pauseAfter = 0; ///< Steps of this run behind which it stops as if interrupted; 0: none.
};

/// Trains `weights`; `check`, if there is one, measures the samples held out.
class Trainer {
public:
  Trainer(TrainerOptions options, const TrainingData &data, std::vector<TrainedWeight> &weights,
          TrainingProgram step, std::optional<TrainingProgram> check);

  llvm::Error run();

  /// The epochs that are over, those before a resumption included.
  llvm::ArrayRef<EpochRecord> history() const { return records; }

private:
  /// Sums over samples.
  struct Score {
    double loss = 0, correct = 0;
    bool hasCorrect = false; ///< there are classes to be right about
    int64_t samples = 0;
  };

  int64_t stepsPerEpoch() const { return data.trained() / options.batch; }
  double rateAt(int64_t step) const;
  static void setScalar(TrainingProgram &program, llvm::StringRef name, double value);
  void setCasts(TrainingProgram &program, int64_t step) const;
  llvm::Error runBatch(TrainingProgram &program, llvm::ArrayRef<int64_t> samples, bool augmented, Score &score);
  llvm::Error runEpoch(const InterruptGuard &guard);
  llvm::Error pause();
  llvm::Expected<Score> measure();
  llvm::Error record(double seconds);
  void report(const EpochRecord &record);

  llvm::Error readCheckpoint();
  llvm::Error writeCheckpoint();

  TrainerOptions options;
  const TrainingData &data;
  std::vector<TrainedWeight> &weights;
  TrainingProgram step;
  std::optional<TrainingProgram> check;
  int64_t stepsHere = 0;       ///< of this run
  int64_t epoch = 0, done = 0; ///< epochs, and steps of the next one, that are over
  Score score;                 ///< of the steps of the next one
  std::vector<EpochRecord> records;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TRAINER_H
