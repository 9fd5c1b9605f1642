//===- DatasetTest.cpp - Data in every form, and every mistake in it
//-------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Dataset.h"
#include "TestFolder.h"
#include <cmath>
#include <limits>

using namespace mlir::halftone;

namespace {
class DatasetTest : public FolderTest {
protected:
  std::string writeArchive(llvm::ArrayRef<Tensor> tensors) {
    expectSuccess(writeNpz(at("data.npz"), tensors));
    return at("data.npz");
  }

  static std::unique_ptr<Dataset> load(const std::string &path,
                                       llvm::ArrayRef<InputSpec> inputs,
                                       llvm::ArrayRef<Preprocess> lines = {}) {
    auto dataset = loadDataset(path, inputs, lines);
    EXPECT_TRUE(static_cast<bool>(dataset))
        << llvm::toString(dataset.takeError());
    return dataset ? std::move(*dataset) : nullptr;
  }

  static std::vector<Tensor> read(const Dataset &dataset, int64_t begin,
                                  int64_t count) {
    auto tensors = dataset.read(begin, count);
    EXPECT_TRUE(static_cast<bool>(tensors))
        << llvm::toString(tensors.takeError());
    return tensors ? std::move(*tensors) : std::vector<Tensor>();
  }

  static Preprocess line(llvm::StringRef text) {
    return llvm::cantFail(Preprocess::parse(text));
  }

  const InputSpec image = {"x", ElementType::F32, {1, 2, 3}};
  const InputSpec mask = {"mask", ElementType::Bool, {-1, 4}};
};
} // namespace

TEST_F(DatasetTest, ArchiveByName) {
  std::string path =
      writeArchive({countingTensor<uint8_t>("mask", ElementType::Bool, {5, 4}),
                    countingTensor<float>("unused", ElementType::F32, {1}),
                    countingTensor<float>("x", ElementType::F32, {5, 2, 3})});
  auto dataset = load(path, {image, mask});
  ASSERT_NE(nullptr, dataset);
  EXPECT_EQ(5, dataset->size());
  EXPECT_EQ(Shape({2, 3}), Shape(dataset->sampleShape(0)));
  std::vector<Tensor> tensors = read(*dataset, 1, 3);
  ASSERT_EQ(2u, tensors.size());
  EXPECT_EQ("x", tensors[0].name);
  EXPECT_EQ(Shape({3, 2, 3}), tensors[0].shape);
  EXPECT_EQ(6.0f, tensors[0].values<float>()[0]);
  EXPECT_EQ(4, tensors[1].values<uint8_t>()[0]);
}

TEST_F(DatasetTest, WholeInputsInEachSample) {
  std::string path = writeArchive(
      {countingTensor<float>("x", ElementType::F32, {5, 1, 2, 3})});
  EXPECT_EQ(Shape({2, 3}), Shape(load(path, {image})->sampleShape(0)));
  InputSpec symbolic = {"x", ElementType::F32, {-1, 2, 3}};
  EXPECT_EQ(Shape({2, 3}), Shape(load(path, {symbolic})->sampleShape(0)));

  path =
      writeArchive({countingTensor<float>("x", ElementType::F32, {5, 8, 3})});
  InputSpec eight = {"x", ElementType::F32, {8, 3}};
  auto dataset = load(path, {eight});
  EXPECT_EQ(5, dataset->size());
  EXPECT_EQ(Shape({8, 3}), Shape(dataset->sampleShape(0)));
}

TEST_F(DatasetTest, OneArrayFile) {
  expectSuccess(writeNpy(
      at("any.npy"), countingTensor<float>("", ElementType::F32, {5, 2, 3})));
  auto dataset = load(at("any.npy"), {image});
  EXPECT_EQ(24.0f, read(*dataset, 4, 1)[0].values<float>()[0]);
  expectFailure(loadDataset(at("any.npy"), {image, mask}), "one input", "'x'",
                "'mask'");
}

TEST_F(DatasetTest, FolderOfArraysAndFolderOfSamples) {
  expectSuccess(writeNpy(
      at("x.npy"), countingTensor<float>("", ElementType::F32, {3, 2, 3})));
  for (int i = 0; i < 3; ++i) {
    Tensor sample("", ElementType::Bool, i == 1 ? Shape{1, 4} : Shape{4});
    sample.bytes[0] = static_cast<char>(i & 1);
    expectSuccess(writeNpy(at("mask/00" + std::to_string(i) + ".npy"), sample));
  }
  writeText("mask/.hidden.npy", "nothing");
  auto dataset = load(folder, {image, mask});
  ASSERT_NE(nullptr, dataset);
  EXPECT_EQ(3, dataset->size());
  std::vector<Tensor> tensors = read(*dataset, 1, 2);
  EXPECT_EQ(6.0f, tensors[0].values<float>()[0]);
  EXPECT_EQ(1, tensors[1].bytes[0]);
  EXPECT_EQ(0, tensors[1].bytes[4]);
}

TEST_F(DatasetTest, FolderOfPictures) {
  writePng(at("b/2.png"), plainImage(4, 4, {20, 20, 20}));
  writePng(at("a/1.png"), plainImage(8, 6, {10, 10, 10}));
  writeJpeg(at("c.jpg"), plainImage(16, 16, {128, 128, 128}));
  writeText("notes.txt", "not a picture");
  InputSpec input = {"x", ElementType::F32, {-1, 3, 4, 4}};
  auto dataset =
      load(folder, {input}, {line("x: u8 nhwc rgb resize=4 crop=4 scale=10")});
  ASSERT_NE(nullptr, dataset);
  EXPECT_EQ(3, dataset->size());
  std::vector<Tensor> tensors = read(*dataset, 0, 3);
  EXPECT_EQ(Shape({3, 3, 4, 4}), tensors[0].shape);
  EXPECT_EQ(1.0f, tensors[0].values<float>()[0]);
  EXPECT_EQ(2.0f, tensors[0].values<float>()[48]);
  EXPECT_NEAR(12.8f, tensors[0].values<float>()[96], 0.3f);
  expectFailure(loadDataset(folder, {input}), "input 'x' has pictures",
                "--input 'x: u8");
}

TEST_F(DatasetTest, ArraysOfPixels) {
  Tensor pixels = countingTensor<uint8_t>("x", ElementType::U8, {2, 4, 4, 3});
  std::string path = writeArchive({pixels});
  InputSpec input = {"x", ElementType::F32, {1, 3, 4, 4}};
  auto dataset = load(path, {input}, {line("x: u8 nhwc rgb scale=1")});
  ASSERT_NE(nullptr, dataset);
  std::vector<Tensor> tensors = read(*dataset, 1, 1);
  llvm::ArrayRef<float> values = tensors[0].values<float>();
  EXPECT_EQ(48.0f, values[0]);
  EXPECT_EQ(51.0f, values[1]);
  EXPECT_EQ(49.0f, values[16]);

  path = writeArchive(
      {countingTensor<uint8_t>("x", ElementType::U8, {2, 3, 4, 4})});
  dataset = load(path, {input}, {line("x: u8 nchw rgb scale=1")});
  EXPECT_EQ(48.0f + 17, read(*dataset, 1, 1)[0].values<float>()[17]);
  expectFailure(loadDataset(path, {input}, {line("x: u8 nhwc rgb")}),
                "no pictures by its line");
}

TEST_F(DatasetTest, ReadyArraysAreTakenAsTheyAre) {
  std::string path = writeArchive(
      {countingTensor<float>("x", ElementType::F32, {2, 3, 4, 4})});
  InputSpec input = {"x", ElementType::F32, {1, 3, 4, 4}};
  auto dataset = load(path, {input}, {line("x: u8 nhwc rgb mean=0.5")});
  EXPECT_EQ(50.0f, read(*dataset, 1, 1)[0].values<float>()[2]);
}

TEST_F(DatasetTest, OneMessageNamesEveryMistake) {
  std::string path = writeArchive(
      {countingTensor<int64_t>("mask", ElementType::I64, {5, 7}),
       countingTensor<float>("image", ElementType::F32, {5, 2, 3})});
  expectFailure(loadDataset(path, {image, mask}, {line("y: u8")}), path,
                "input 'x' has no array of its name; there is 'mask', 'image'",
                "array 'mask' has elements of type i64, the model's input "
                "takes bool",
                "array 'mask' has shape [5, 7], N samples of the model's input "
                "[batch, 4] have shape [N, 4] or [N, batch, 4]",
                "--input 'y: u8 nhwc rgb scale=255' is for no input",
                "which has 'x', 'mask'");
}

TEST_F(DatasetTest, UnequalCountsAndNoSamples) {
  std::string path = writeArchive(
      {countingTensor<float>("x", ElementType::F32, {5, 2, 3}),
       countingTensor<uint8_t>("mask", ElementType::Bool, {4, 4})});
  expectFailure(loadDataset(path, {image, mask}),
                "input 'mask' has 4 samples, input 'x' has 5");
  path = writeArchive({Tensor("x", ElementType::F32, {0, 2, 3})});
  expectFailure(loadDataset(path, {image}), "input 'x' has no samples");
}

TEST_F(DatasetTest, NamesSamplesWithNaN) {
  Tensor tensor = countingTensor<float>("x", ElementType::F32, {50, 2, 3});
  tensor.values<float>()[3 * 6 + 1] = NAN;
  expectFailure(loadDataset(writeArchive({tensor}), {image}),
                "input 'x' has NaN or +infinity in sample 3 ");
  for (int64_t i = 20; i < 30; ++i)
    tensor.values<float>()[i * 6] = std::numeric_limits<float>::infinity();
  std::string expected = "in samples 3, 20, 21, 22, 23, 24, 25, 26 and 3 more";
  expectFailure(loadDataset(writeArchive({tensor}), {image}), expected);
  expectSuccess(writeNpy(at("x.npy"), tensor));
  expectFailure(loadDataset(folder, {image}), expected);
}

TEST_F(DatasetTest, TakesMinusInfinity) {
  Tensor tensor = countingTensor<float>("x", ElementType::F32, {4, 2, 3});
  tensor.values<float>()[7] = -std::numeric_limits<float>::infinity();
  expectSuccess(loadDataset(writeArchive({tensor}), {image}).takeError());
}

TEST_F(DatasetTest, NamesEveryBadFileOfAFolder) {
  writePng(at("x/good.png"), plainImage(4, 4, {1, 2, 3}));
  writeText("x/bad1.png", "nothing");
  writeText("x/bad2.jpg", "\xff\xd8\xff");
  InputSpec input = {"x", ElementType::F32, {1, 3, 4, 4}};
  expectFailure(loadDataset(folder, {input}, {line("x: u8")}), "bad1.png",
                "bad2.jpg");

  expectSuccess(writeNpy(at("mask/1.npy"),
                         countingTensor<uint8_t>("", ElementType::Bool, {5})));
  expectSuccess(writeNpy(at("mask/2.npy"),
                         countingTensor<float>("", ElementType::F32, {4})));
  writeText("mask/3.npy", "nothing");
  expectFailure(loadDataset(folder, {mask}),
                "mask/1.npy' (as one sample) has "
                "shape [1, 5]",
                "mask/2.npy' (as one sample) has elements of type f32",
                "mask/3.npy' is not a NumPy array file");
}

TEST_F(DatasetTest, PicturesOfAnotherSizeAreNamedAtOnce) {
  writePng(at("1.png"), plainImage(4, 4, {1, 2, 3}));
  writePng(at("2.png"), plainImage(5, 4, {1, 2, 3}));
  writePng(at("3.png"), plainImage(4, 5, {1, 2, 3}));
  InputSpec input = {"x", ElementType::F32, {1, 3, 4, 4}};
  expectFailure(loadDataset(folder, {input}, {line("x: u8")}),
                "2.png' gives 5x4", "3.png' gives 4x5", "the model takes 4x4");
}

TEST_F(DatasetTest, RefusesWhatIsNoData) {
  expectFailure(loadDataset(folder + "/none", {image}), "/none",
                "No such file");
  expectFailure(loadDataset(writeText("data.csv", "1,2"), {image}),
                "neither an .npz or .npy file nor a folder");
  writeText("data.npz", "garbage");
  expectFailure(loadDataset(at("data.npz"), {image}), "not an .npz archive");
  std::filesystem::create_directory(folder + "/empty");
  expectFailure(loadDataset(folder + "/empty", {image}), "needs 'x.npy'",
                "there is nothing");
  expectFailure(loadDataset(folder, {image}),
                "there is 'data.csv', 'data.npz'");
  expectFailure(loadDataset(folder, {}), "no inputs");
  expectFailure(loadDataset(folder, {image}, {line("x: u8"), line("x: f32")}),
                "given twice");
}

// The state of a recurrent network has no batch axis in front.
TEST_F(DatasetTest, WholeInputsOfAll) {
  const InputSpec state = {"state", ElementType::F32, {2, 1, 3}}, batch = {"batch", ElementType::F32, {4, 3}};
  std::string path = writeArchive({countingTensor<float>("x", ElementType::F32, {5, 2, 3}),
                                   countingTensor<float>("state", ElementType::F32, {5, 2, 1, 3}),
                                   countingTensor<float>("batch", ElementType::F32, {5, 3})});
  auto dataset = load(path, {image, state});
  ASSERT_NE(nullptr, dataset);
  EXPECT_EQ(Shape({1, 2, 3}), Shape(dataset->sampleShape(0)));
  EXPECT_EQ(Shape({2, 1, 3}), Shape(dataset->sampleShape(1)));
  EXPECT_EQ(Shape({3, 1, 2, 3}), read(*dataset, 1, 3)[0].shape);
  auto mixed = loadDataset(path, {batch, state});
  ASSERT_FALSE(static_cast<bool>(mixed));
  EXPECT_NE(std::string::npos,
            llvm::toString(mixed.takeError())
                .find("input 'batch' has samples without the leading 4, input 'state' has whole inputs: give arrays [N, 4, 3]"));
}
