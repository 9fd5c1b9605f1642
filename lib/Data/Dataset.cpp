//===- Dataset.cpp - Samples for a model's inputs
//--------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Dataset.h"
#include "halftone/Data/ArrayFit.h"
#include "halftone/Data/Npz.h"
#include "halftone/Data/SampleSource.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <cmath>

using namespace mlir::halftone;
namespace fs = llvm::sys::fs;

Dataset::Dataset() = default;
Dataset::~Dataset() = default;

int64_t Dataset::size() const {
  return sources.empty() ? 0 : sources.front()->size();
}

llvm::Expected<std::vector<Tensor>> Dataset::read(int64_t begin,
                                                  int64_t count) const {
  ProblemList problems;
  std::vector<Tensor> tensors;
  for (auto [spec, shape, source] : llvm::zip(specs, shapes, sources)) {
    Shape all = {count};
    all.append(shape);
    Tensor &tensor = tensors.emplace_back(spec.name, spec.type, all);
    llvm::MutableArrayRef<char> bytes(tensor.bytes);
    size_t sampleBytes = bytes.size() / std::max<int64_t>(count, 1);
    for (int64_t i = 0; i < count; ++i)
      problems.addIfError(
          source->read(begin + i, bytes.slice(i * sampleBytes, sampleBytes)));
  }
  if (llvm::Error error = problems.take("cannot read the data:"))
    return error;
  return tensors;
}

/// The files below a folder whose names \p isWanted, by path. Hidden files are
/// left out.
static std::vector<std::string>
listFiles(llvm::StringRef folder,
          llvm::function_ref<bool(llvm::StringRef)> isWanted) {
  std::vector<std::string> paths;
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code,
                                           /*follow_symlinks=*/false),
       end;
       it != end && !code; it.increment(code)) {
    llvm::StringRef path = it->path();
    bool isHidden = llvm::sys::path::filename(path).starts_with(".");
    if (!isHidden && isWanted(path) && !fs::is_directory(path))
      paths.push_back(path.str());
  }
  llvm::sort(paths);
  return paths;
}

static bool isNpyFile(llvm::StringRef path) { return path.ends_with(".npy"); }

namespace mlir::halftone {
/// Finds, opens and checks the samples of each input.
class DatasetLoader {
public:
  DatasetLoader(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs,
                llvm::ArrayRef<Preprocess> preprocess)
      : path(path), preprocess(preprocess), dataset(new Dataset) {
    dataset->specs.assign(inputs.begin(), inputs.end());
  }

  llvm::Expected<std::unique_ptr<Dataset>> load();
  bool hasInputs();

private:
  void checkLines();
  void findSources();
  void findInNpz();
  void findInNpy();
  void findInFolder(const InputSpec &spec);
  void findInSampleFolder(const InputSpec &spec, const std::string &folder);
  void addArrayFile(const InputSpec &spec, const std::string &file);
  void addSampleFiles(const InputSpec &spec, std::vector<std::string> files);
  void addPictures(const InputSpec &spec, std::vector<std::string> files);
  void addFitted(const InputSpec &spec, ArrayFit fit,
                 std::unique_ptr<SampleSource> source);
  void alignSamples();
  void checkCounts();
  void checkNumbers();

  /// The input's line, or null.
  const Preprocess *stepsOf(const InputSpec &spec) const {
    auto *it = llvm::find_if(preprocess, [&](const Preprocess &steps) {
      return steps.input == spec.name;
    });
    return it == preprocess.end() ? nullptr : it;
  }

  /// "input 'x'", to begin a problem with.
  static std::string describe(const InputSpec &spec) {
    return "input '" + spec.name + "'";
  }

  std::string listInputs() const {
    std::string names;
    for (const InputSpec &spec : dataset->specs)
      names += (names.empty() ? "'" : ", '") + spec.name + "'";
    return names;
  }

  std::string listFolder() const;

  std::string path;
  llvm::ArrayRef<Preprocess> preprocess;
  std::unique_ptr<Dataset> dataset;
  ProblemList problems;
};
} // namespace mlir::halftone

llvm::Expected<std::unique_ptr<Dataset>> DatasetLoader::load() {
  if (std::error_code code = fs::access(path, fs::AccessMode::Exist))
    return makeError("cannot read the data '" + path + "': " + code.message());
  std::string headline = "cannot use the data '" + path + "':";
  checkLines();
  findSources();
  if (llvm::Error error = problems.take(headline))
    return error;
  alignSamples();
  checkCounts();
  checkNumbers();
  if (llvm::Error error = problems.take(headline))
    return error;
  return std::move(dataset);
}

bool DatasetLoader::hasInputs() {
  checkLines();
  findSources();
  if (llvm::Error error = problems.take("")) {
    llvm::consumeError(std::move(error));
    return false;
  }
  return true;
}

void DatasetLoader::checkLines() {
  if (dataset->specs.empty())
    problems.add("the model has no inputs");
  for (const Preprocess &steps : preprocess) {
    auto sameName = [&](const auto &other) { return other == steps.input; };
    auto names = llvm::map_range(
        dataset->specs, [](const InputSpec &spec) { return spec.name; });
    if (llvm::none_of(names, sameName))
      problems.add("--input '" + steps.print() +
                   "' is for no input of the "
                   "model, which has " +
                   listInputs());
    if (stepsOf({steps.input, ElementType::F32, {}}) != &steps)
      problems.add("--input is given twice for '" + steps.input + "'");
  }
}

void DatasetLoader::findSources() {
  if (fs::is_directory(path)) {
    for (const InputSpec &spec : dataset->specs)
      findInFolder(spec);
    return;
  }
  llvm::StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".npz")
    return findInNpz();
  if (extension == ".npy")
    return findInNpy();
  problems.add("it is neither an .npz or .npy file nor a folder");
}

void DatasetLoader::addFitted(const InputSpec &spec, ArrayFit fit,
                              std::unique_ptr<SampleSource> source) {
  if (fit.converter)
    source = makePixelSource(std::move(source), fit.pixelShape,
                             std::move(*fit.converter));
  dataset->shapes.push_back(std::move(fit.sampleShape));
  dataset->sources.push_back(std::move(source));
}

/// An array of an archive: in memory if it is small or cannot be read in parts.
static llvm::Expected<std::unique_ptr<SampleSource>>
openArray(const std::string &path, const NpzReader &reader,
          llvm::StringRef name, int64_t bytes) {
  constexpr int64_t kSmall = 64 << 20;
  if (bytes > kSmall) {
    auto array = NpzArray::open(path, name);
    if (!array)
      return array.takeError();
    if (*array)
      return makeNpzSource(std::move(*array));
  }
  auto tensor = reader.read(name);
  if (!tensor)
    return tensor.takeError();
  return makeTensorSource(std::move(*tensor));
}

void DatasetLoader::findInNpz() {
  auto reader = NpzReader::open(path);
  if (!reader) {
    problems.addIfError(reader.takeError());
    return;
  }
  std::string names;
  for (const std::string &name : (*reader)->names())
    names += (names.empty() ? "'" : ", '") + name + "'";
  for (const InputSpec &spec : dataset->specs) {
    if (!llvm::is_contained((*reader)->names(), spec.name)) {
      problems.add(describe(spec) + " has no array of its name; there is " +
                   (names.empty() ? "none" : names));
      continue;
    }
    auto header = (*reader)->readHeader(spec.name);
    if (!header) {
      problems.addIfError(header.takeError());
      continue;
    }
    auto fit = fitArray(spec, stepsOf(spec), header->type, header->shape,
                        "array '" + spec.name + "'", problems);
    if (!fit)
      continue;
    auto source = openArray(path, **reader, spec.name, header->tensorBytes());
    if (source)
      addFitted(spec, std::move(*fit), std::move(*source));
    else
      problems.addIfError(source.takeError());
  }
}

void DatasetLoader::findInNpy() {
  if (dataset->specs.size() == 1)
    return addArrayFile(dataset->specs.front(), path);
  problems.add("one .npy file is for a model with one input; this one has " +
               listInputs());
}

void DatasetLoader::addArrayFile(const InputSpec &spec,
                                 const std::string &file) {
  auto npy = NpyFile::open(file);
  if (!npy) {
    problems.addIfError(npy.takeError());
    return;
  }
  const NpyHeader &header = (*npy)->header();
  auto fit = fitArray(spec, stepsOf(spec), header.type, header.shape,
                      "'" + file + "'", problems);
  if (fit)
    addFitted(spec, std::move(*fit), makeNpySource(std::move(*npy)));
}

/// What a folder has, for the message about what it has not.
std::string DatasetLoader::listFolder() const {
  constexpr size_t shown = 10;
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(path, code), end; it != end && !code;
       it.increment(code))
    names.push_back(llvm::sys::path::filename(it->path()).str());
  llvm::sort(names);
  std::string text;
  for (const std::string &name : llvm::ArrayRef(names).take_front(shown))
    text += (text.empty() ? "'" : ", '") + name + "'";
  if (names.size() > shown)
    text += " and " + std::to_string(names.size() - shown) + " more";
  return text.empty() ? "nothing" : text;
}

void DatasetLoader::findInFolder(const InputSpec &spec) {
  std::string folder = path + "/" + spec.name;
  if (fs::exists(folder + ".npy"))
    return addArrayFile(spec, folder + ".npy");
  if (fs::is_directory(folder))
    return findInSampleFolder(spec, folder);
  std::vector<std::string> pictures;
  if (dataset->specs.size() == 1)
    pictures = listFiles(path, isImageFile);
  if (!pictures.empty())
    return addPictures(spec, std::move(pictures));
  problems.add(describe(spec) + " needs '" + spec.name +
               ".npy', or a folder '" + spec.name +
               "' of .npy files or pictures; there is " + listFolder());
}

void DatasetLoader::findInSampleFolder(const InputSpec &spec,
                                       const std::string &folder) {
  std::vector<std::string> arrays = listFiles(folder, isNpyFile);
  std::vector<std::string> pictures = listFiles(folder, isImageFile);
  if (!arrays.empty() && !pictures.empty())
    problems.add("'" + folder + "' has both .npy files and pictures");
  else if (!arrays.empty())
    addSampleFiles(spec, std::move(arrays));
  else if (!pictures.empty())
    addPictures(spec, std::move(pictures));
  else
    problems.add("'" + folder + "' has no .npy files and no pictures");
}

/// Checks each file's header: one sample, with or without the batch axis. All
/// have the form of the first.
void DatasetLoader::addSampleFiles(const InputSpec &spec,
                                   std::vector<std::string> files) {
  std::optional<ArrayFit> first;
  bool isGood = true;
  for (const std::string &file : files) {
    auto npy = NpyFile::open(file);
    if (!npy) {
      isGood = problems.addIfError(npy.takeError());
      continue;
    }
    Shape shape = {1};
    shape.append((*npy)->header().shape);
    auto fit = fitArray(spec, stepsOf(spec), (*npy)->header().type, shape,
                        "'" + file + "' (as one sample)", problems);
    if (fit && first &&
        (fit->sampleShape != first->sampleShape ||
         fit->pixelShape != first->pixelShape)) {
      problems.add("'" + file + "' has not the shape of '" + files.front() +
                   "'");
      fit.reset();
    }
    isGood &= fit.has_value();
    if (!first)
      first = std::move(fit);
  }
  if (isGood)
    addFitted(spec, std::move(*first), makeNpyFolderSource(std::move(files)));
}

/// That the file is a picture of a size that the model can have.
static llvm::Error checkPicture(const std::string &file,
                                const ImageConverter &converter) {
  auto size = checkImage(file);
  if (!size)
    return size.takeError();
  if (llvm::Error error = converter.checkSize(*size))
    return makeError("'" + file + "' " + llvm::toString(std::move(error)));
  return llvm::Error::success();
}

void DatasetLoader::addPictures(const InputSpec &spec,
                                std::vector<std::string> files) {
  const Preprocess *steps = stepsOf(spec);
  if (!steps) {
    problems.add(describe(spec) +
                 " has pictures; say how the model takes "
                 "them, for example --input '" +
                 spec.name +
                 ": u8 nhwc rgb resize=256 crop=224 mean=0.485,0.456,0.406 "
                 "std=0.229,0.224,0.225 scale=255'");
    return;
  }
  auto converter =
      ImageConverter::create(*steps, spec.type, withoutBatch(spec));
  if (!converter) {
    problems.addIfError(converter.takeError());
    return;
  }
  bool isGood = true;
  for (const std::string &file : files)
    isGood &= problems.addIfError(checkPicture(file, *converter));
  if (!isGood)
    return;
  dataset->shapes.push_back(Shape(withoutBatch(spec)));
  dataset->sources.push_back(
      makeImageSource(std::move(files), std::move(*converter)));
}

/// Where one input has no batch axis, as the state of a recurrent network, a sample is one whole input of each: all have the leading 1 then.
void DatasetLoader::alignSamples() {
  auto isWhole = [&](size_t i) { return dataset->shapes[i].size() == dataset->specs[i].shape.size(); };
  auto all = llvm::seq<size_t>(0, dataset->shapes.size());
  auto whole = llvm::find_if(all, isWhole);
  if (whole == all.end())
    return;
  for (size_t i : all) {
    const InputSpec &spec = dataset->specs[i];
    if (isWhole(i))
      continue;
    if (spec.shape.front() == 1 || spec.shape.front() == -1)
      dataset->shapes[i].insert(dataset->shapes[i].begin(), 1);
    else
      problems.add(describe(spec) + " has samples without the leading " + llvm::Twine(spec.shape.front()) + ", " +
                   describe(dataset->specs[*whole]) + " has whole inputs: give arrays [N, " +
                   formatShape(spec.shape).substr(1));
  }
}

void DatasetLoader::checkCounts() {
  int64_t count = dataset->size();
  for (auto [spec, source] : llvm::zip(dataset->specs, dataset->sources)) {
    if (source->size() == 0)
      problems.add(describe(spec) + " has no samples");
    else if (source->size() != count)
      problems.add(describe(spec) + " has " + llvm::Twine(source->size()) +
                   " samples, " + describe(dataset->specs.front()) + " has " +
                   llvm::Twine(count));
  }
}

/// Whether all are numbers or -inf, by which masks hide what they are added to.
static bool areUsable(llvm::ArrayRef<float> values) {
  return llvm::all_of(values, [](float value) { return value < INFINITY; });
}

void DatasetLoader::checkNumbers() {
  for (auto [spec, shape, source] :
       llvm::zip(dataset->specs, dataset->shapes, dataset->sources)) {
    if (spec.type != ElementType::F32 || !source->canBeNonFinite())
      continue;
    Tensor sample(spec.name, spec.type, shape);
    std::vector<int64_t> bad;
    for (int64_t i = 0; i < source->size(); ++i)
      if (problems.addIfError(source->read(i, sample.bytes)) &&
          !areUsable(sample.values<float>()))
        bad.push_back(i);
    if (!bad.empty())
      problems.add(describe(spec) + " has NaN or +infinity in " +
                   (bad.size() == 1 ? "sample " : "samples ") + listSome(bad) +
                   " (counted from 0); remove them");
  }
}

llvm::Expected<std::unique_ptr<Dataset>>
mlir::halftone::loadDataset(llvm::StringRef path,
                            llvm::ArrayRef<InputSpec> inputs,
                            llvm::ArrayRef<Preprocess> preprocess) {
  return DatasetLoader(path, inputs, preprocess).load();
}

bool mlir::halftone::hasInputs(llvm::StringRef path,
                               llvm::ArrayRef<InputSpec> inputs,
                               llvm::ArrayRef<Preprocess> preprocess) {
  return DatasetLoader(path, inputs, preprocess).hasInputs();
}
