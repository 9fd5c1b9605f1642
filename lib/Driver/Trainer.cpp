//===- Trainer.cpp - epochs of training steps -------------------------------===//
#include "Trainer.h"
#include "Command.h"
#include "halftone/Data/Npz.h"
#include "halftone/Training/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::Twine;

/// Adam's decays, which its corrections need; the pass has the same defaults.
static constexpr double kBeta1 = 0.9, kBeta2 = 0.999;
/// The array of a checkpoint that says where it was written: identity, epochs, steps.
static constexpr llvm::StringLiteral kPlaceName = "halftone.place";

Trainer::Trainer(TrainerOptions options, const TrainingData &data, std::vector<TrainedWeight> &weights,
                 TrainingProgram step, std::optional<TrainingProgram> check)
    : options(std::move(options)), data(data), weights(weights), step(std::move(step)), check(std::move(check)) {
  for (TrainedWeight &weight : weights)
    if (Tensor *input = this->step.input(weight.name))
      input->bytes = weight.value.bytes;
}

double Trainer::rateAt(int64_t number) const {
  const double total = stepsPerEpoch() * options.epochs, warm = options.warmup * total;
  if (number < warm)
    return options.rate * (number + 1) / std::ceil(warm);
  if (!options.cosine)
    return options.rate;
  return options.rate * 0.5 * (1 + std::cos(3.14159265358979323846 * (number - warm) / (total - warm)));
}

void Trainer::setScalar(llvm::StringRef name, double value) {
  if (Tensor *tensor = step.input(name))
    tensor->values<float>().front() = static_cast<float>(value);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Error Trainer::runBatch(TrainingProgram &program, llvm::ArrayRef<int64_t> samples, bool augmented, Score &score) {
  std::vector<Tensor *> inputs;
  for (const InputSpec &spec : data.inputs())
    inputs.push_back(program.input(spec.name));
  Tensor *target = program.input(kTargetName);
  if (Error error = data.fill(samples, inputs, target))
    return error;
  // What a sample becomes depends on the epoch only, so that a resumed run sees the same.
  for (Tensor *input : inputs)
    for (size_t i = 0; augmented && i < samples.size() && holdsPictures(input->type, input->shape); ++i)
      options.augmentation.apply(*input, i, (options.seed * 1000003 + epoch) * 1000003 + samples[i]);
  if (Error error = program.run())
    return error;
  score.loss += program.scalar("loss").value_or(0) * samples.size();
  std::optional<float> correct = program.scalar("correct");
  score.hasCorrect = correct.has_value();
  score.correct += correct.value_or(0);
  score.samples += samples.size();
  return Error::success();
}

/// Keeps what there is.
Error Trainer::pause() {
  if (options.checkpoint.empty())
    return userError("interrupted; without --checkpoint nothing is kept");
  if (Error error = writeCheckpoint())
    return error;
  return userError("interrupted after step " + Twine(done) + " of epoch " + Twine(epoch + 1) + "; --resume goes on from '" +
                   options.checkpoint + "'");
}

Error Trainer::runEpoch(const InterruptGuard &guard) {
  std::vector<int64_t> order = data.orderOf(epoch);
  Progress progress(("epoch " + Twine(epoch + 1) + " of " + Twine(options.epochs)).str(), "samples",
                    stepsPerEpoch() * options.batch);
  auto begin = std::chrono::steady_clock::now();
  Score score;
  for (; done < stepsPerEpoch(); ++done) {
    if (guard.interrupted() || (options.pauseAfter && stepsHere++ == options.pauseAfter))
      return pause();
    int64_t number = epoch * stepsPerEpoch() + done;
    setScalar(kRateName, rateAt(number));
    setScalar(kFirstCorrectionName, 1 - std::pow(kBeta1, number + 1));
    setScalar(kSecondCorrectionName, 1 - std::pow(kBeta2, number + 1));
    if (Error error = runBatch(step, llvm::ArrayRef(order).slice(done * options.batch, options.batch),
                               !options.augmentation.isNone(), score))
      return error;
    if (!std::isfinite(score.loss))
      return userError("the loss is not finite at step " + Twine(number + 1) + "; try a lower --rate");
    progress.update((done + 1) * options.batch);
  }
  ++epoch;
  done = 0;
  report(score, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return Error::success();
}

/// The samples held out, with the weights as they are; whole batches only.
Expected<Trainer::Score> Trainer::measure() {
  for (const TrainedWeight &weight : weights)
    if (Tensor *tensor = check->input(weight.name))
      tensor->bytes = step.input(weight.name)->bytes;
  Score score;
  llvm::ArrayRef<int64_t> samples = data.heldOut();
  for (size_t begin = 0; begin + options.batch <= samples.size(); begin += options.batch)
    if (Error error = runBatch(*check, samples.slice(begin, options.batch), /*augmented=*/false, score))
      return std::move(error);
  return score;
}

void Trainer::report(const Score &trained, double seconds) {
  auto print = [](const char *what, const Score &score) {
    llvm::errs() << llvm::format("%s loss %.4g", what, score.loss / score.samples);
    if (score.hasCorrect)
      llvm::errs() << llvm::format(", %.2f %% right", 100 * score.correct / score.samples);
  };
  llvm::errs() << "epoch " << epoch << " of " << options.epochs << ":";
  print("", trained);
  if (check) {
    Expected<Score> score = measure();
    if (score)
      print("; held out:", *score);
    else
      llvm::errs() << "; held out: " << llvm::toString(score.takeError());
  }
  llvm::errs() << llvm::format("; %.1f s", seconds);
  if (epoch < options.epochs)
    llvm::errs() << llvm::format(", %.0f s left", seconds * (options.epochs - epoch));
  llvm::errs() << "\n";
}

Error Trainer::run() {
  InterruptGuard guard;
  if (options.resume)
    if (Error error = readCheckpoint())
      return error;
  while (epoch < options.epochs) {
    if (Error error = runEpoch(guard))
      return error;
    if (!options.checkpoint.empty())
      if (Error error = writeCheckpoint())
        return error;
  }
  for (TrainedWeight &weight : weights)
    weight.value.bytes = step.input(weight.name)->bytes;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Checkpoints
//===----------------------------------------------------------------------===//

Error Trainer::writeCheckpoint() {
  std::vector<Tensor> tensors;
  Tensor place(kPlaceName, ElementType::I64, {3});
  place.values<int64_t>()[0] = static_cast<int64_t>(llvm::xxh3_64bits(options.identity));
  place.values<int64_t>()[1] = epoch;
  place.values<int64_t>()[2] = done;
  tensors.push_back(std::move(place));
  for (Tensor *tensor : step.state())
    tensors.push_back(*tensor);
  return writeNpz(options.checkpoint, tensors);
}

Error Trainer::readCheckpoint() {
  Expected<std::vector<Tensor>> read = readNpz(options.checkpoint);
  if (!read)
    return read.takeError();
  const std::string other = "'" + options.checkpoint + "' is a checkpoint of another model, other data or other options";
  std::vector<Tensor *> state = step.state();
  if (read->size() != state.size() + 1 || read->front().name != kPlaceName || read->front().numElements() != 3)
    return userError(other);
  llvm::ArrayRef<int64_t> place = read->front().values<int64_t>();
  if (place[0] != static_cast<int64_t>(llvm::xxh3_64bits(options.identity)))
    return userError(other);
  epoch = place[1];
  done = place[2];
  for (auto [tensor, from] : llvm::zip_equal(state, llvm::drop_begin(*read))) {
    if (tensor->name != from.name || tensor->shape != from.shape)
      return userError(other);
    tensor->bytes = from.bytes;
  }
  llvm::errs() << "resumed behind epoch " << epoch << ", step " << done << "\n";
  return Error::success();
}
