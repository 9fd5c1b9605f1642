//===- Trainer.cpp - epochs of training steps -------------------------------===//
#include "Trainer.h"
#include "Command.h"
#include "halftone/Data/Npz.h"
#include "halftone/Training/Passes.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::Twine;

/// Adam's decays, which its corrections need; the pass has the same defaults.
static constexpr double kBeta1 = 0.9, kBeta2 = 0.999;
/// The array of a checkpoint that says where it was written: identity, epochs, steps; then the next epoch's score so far,
/// loss and correct samples as the bits of doubles, number of samples, whether there are classes.
static constexpr llvm::StringLiteral kPlaceName = "halftone.place";
static constexpr int64_t kPlaceSize = 7;
/// The array of a checkpoint with a row for each epoch; what is missing in a record is NaN.
static constexpr llvm::StringLiteral kHistoryName = "halftone.history";
static constexpr int64_t kHistoryColumns = 6;

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

void Trainer::setScalar(TrainingProgram &program, llvm::StringRef name, double value) {
  if (Tensor *tensor = program.input(name))
    tensor->values<float>().front() = static_cast<float>(value);
}

/// What the casts are like at a step; programs whose casts stay have no such inputs.
void Trainer::setCasts(TrainingProgram &program, int64_t step) const {
  setScalar(program, kCastsName, options.casts.casts(step) ? 1 : 0);
  setScalar(program, kLimitName, options.casts.limit(step));
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
  for (; done < stepsPerEpoch(); ++done) {
    if (guard.interrupted() || (options.pauseAfter && stepsHere++ == options.pauseAfter))
      return pause();
    int64_t number = epoch * stepsPerEpoch() + done;
    setScalar(step, kRateName, rateAt(number));
    setScalar(step, kFirstCorrectionName, 1 - std::pow(kBeta1, number + 1));
    setScalar(step, kSecondCorrectionName, 1 - std::pow(kBeta2, number + 1));
    setCasts(step, number);
    if (options.pruning)
      options.pruning->apply(number, step);
    if (Error error = runBatch(step, llvm::ArrayRef(order).slice(done * options.batch, options.batch),
                               !options.augmentation.isNone(), score))
      return error;
    if (!std::isfinite(score.loss))
      return userError("the loss is not finite at step " + Twine(number + 1) + "; try a lower --rate");
    progress.update((done + 1) * options.batch);
  }
  return record(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

/// The samples held out, with the weights as they are; whole batches only.
Expected<Trainer::Score> Trainer::measure() {
  for (const TrainedWeight &weight : weights)
    if (Tensor *tensor = check->input(weight.name))
      tensor->bytes = step.input(weight.name)->bytes;
  setCasts(*check, epoch * stepsPerEpoch() - 1);
  Score score;
  llvm::ArrayRef<int64_t> samples = data.heldOut();
  for (size_t begin = 0; begin + options.batch <= samples.size(); begin += options.batch)
    if (Error error = runBatch(*check, samples.slice(begin, options.batch), /*augmented=*/false, score))
      return std::move(error);
  return score;
}

/// Ends an epoch.
Error Trainer::record(double seconds) {
  EpochRecord record;
  record.rate = rateAt(epoch * stepsPerEpoch());
  record.seconds = seconds;
  record.loss = score.loss / score.samples;
  if (score.hasCorrect)
    record.accuracy = score.correct / score.samples;
  ++epoch;
  done = 0;
  score = Score();
  if (check) {
    Expected<Score> held = measure();
    if (!held)
      return held.takeError();
    record.heldOutLoss = held->loss / held->samples;
    if (held->hasCorrect)
      record.heldOutAccuracy = held->correct / held->samples;
  }
  records.push_back(record);
  report(record);
  return Error::success();
}

void Trainer::report(const EpochRecord &record) {
  auto print = [](const char *what, float loss, std::optional<float> accuracy) {
    llvm::errs() << llvm::format("%s loss %.4g", what, loss);
    if (accuracy)
      llvm::errs() << llvm::format(", %.2f %% right", 100 * *accuracy);
  };
  llvm::errs() << "epoch " << epoch << " of " << options.epochs << ":";
  print("", record.loss, record.accuracy);
  if (record.heldOutLoss)
    print("; held out:", *record.heldOutLoss, record.heldOutAccuracy);
  if (options.pruning)
    llvm::errs() << llvm::format("; %.1f %% zeros", 100 * options.pruning->shareOfZeros(step));
  llvm::errs() << llvm::format("; %.1f s", record.seconds);
  if (epoch < options.epochs)
    llvm::errs() << llvm::format(", %.0f s left", record.seconds * (options.epochs - epoch));
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

static Tensor asTensor(llvm::ArrayRef<EpochRecord> records) {
  Tensor history(kHistoryName, ElementType::F32, {static_cast<int64_t>(records.size()), kHistoryColumns});
  for (auto [i, r] : llvm::enumerate(records)) {
    const float row[kHistoryColumns] = {r.loss, r.rate, r.seconds, r.accuracy.value_or(NAN), r.heldOutLoss.value_or(NAN),
                                        r.heldOutAccuracy.value_or(NAN)};
    llvm::copy(row, history.values<float>().begin() + i * kHistoryColumns);
  }
  return history;
}

static std::vector<EpochRecord> asRecords(const Tensor &history) {
  auto maybe = [](float value) { return std::isnan(value) ? std::nullopt : std::optional<float>(value); };
  std::vector<EpochRecord> records;
  for (int64_t i = 0; i < history.shape[0]; ++i) {
    llvm::ArrayRef<float> row = history.values<float>().slice(i * kHistoryColumns, kHistoryColumns);
    records.push_back({row[0], row[1], row[2], maybe(row[3]), maybe(row[4]), maybe(row[5])});
  }
  return records;
}

Error Trainer::writeCheckpoint() {
  std::vector<Tensor> tensors;
  Tensor place(kPlaceName, ElementType::I64, {kPlaceSize});
  const int64_t numbers[kPlaceSize] = {static_cast<int64_t>(llvm::xxh3_64bits(options.identity)),
                                       epoch,
                                       done,
                                       llvm::bit_cast<int64_t>(score.loss),
                                       llvm::bit_cast<int64_t>(score.correct),
                                       score.samples,
                                       score.hasCorrect};
  llvm::copy(numbers, place.values<int64_t>().begin());
  tensors.push_back(std::move(place));
  tensors.push_back(asTensor(records));
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
  if (read->size() != state.size() + 2 || (*read)[0].name != kPlaceName || (*read)[0].numElements() != kPlaceSize ||
      (*read)[1].name != kHistoryName || (*read)[1].shape.size() != 2 || (*read)[1].shape[1] != kHistoryColumns)
    return userError(other);
  llvm::ArrayRef<int64_t> place = read->front().values<int64_t>();
  if (place[0] != static_cast<int64_t>(llvm::xxh3_64bits(options.identity)))
    return userError(other);
  epoch = place[1];
  done = place[2];
  score = {llvm::bit_cast<double>(place[3]), llvm::bit_cast<double>(place[4]), place[6] != 0, place[5]};
  records = asRecords((*read)[1]);
  for (auto [tensor, from] : llvm::zip_equal(state, llvm::drop_begin(*read, 2))) {
    if (tensor->name != from.name || tensor->shape != from.shape)
      return userError(other);
    tensor->bytes = from.bytes;
  }
  llvm::errs() << "resumed behind epoch " << epoch << ", step " << done << "\n";
  return Error::success();
}
