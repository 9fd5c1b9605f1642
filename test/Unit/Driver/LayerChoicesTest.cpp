//===- LayerChoicesTest.cpp - What a selection has to choose from ---------===//
#include "LayerChoices.h"
#include "gtest/gtest.h"

using namespace mlir::halftone;

namespace {

constexpr int64_t kNoLimit = int64_t(1) << 60;

/// One layer, of 100 bytes and 1000 ns in int8, in int8, int7, int4 and float.
std::vector<LayerFormat> formats() {
  return cantFail(LayerFormat::parseList("int8,int7,int4,float"));
}
LayerChoices choices() {
  return {{0, Costs{100, 1000, 0}}, {1, Costs{100, 800, 0}}, {2, Costs{50, 1100, 0}}, {3, Costs{400, 3000, 0}}};
}

std::vector<unsigned> left(int64_t bytes, bool timeCounts) {
  std::vector<LayerChoices> layers = {choices()};
  dropHopeless(layers, bytes, timeCounts, formats());
  std::vector<unsigned> result;
  for (const Choice &choice : layers.front())
    result.push_back(choice.format);
  return result;
}

/// Weights of 7 bits that are stored as bytes may have a faster kernel.
TEST(DropHopeless, KeepsWhatIsOnlyFasterWhereTimeCounts) {
  EXPECT_EQ(left(kNoLimit, /*timeCounts=*/true), (std::vector<unsigned>{0, 1, 2, 3}));
  EXPECT_EQ(left(kNoLimit, /*timeCounts=*/false), (std::vector<unsigned>{0, 2, 3}));
}

TEST(DropHopeless, DropsWhatGainsNeitherBytesNorTime) {
  std::vector<LayerChoices> layers = {choices()};
  layers[0][1].costs.nanoseconds = 1000;
  dropHopeless(layers, kNoLimit, /*timeCounts=*/true, formats());
  ASSERT_EQ(layers[0].size(), 3u);
  EXPECT_EQ(layers[0][1].format, 2u);
}

TEST(DropHopeless, DropsWhatNoSelectionWithinTheBytesHas) {
  EXPECT_EQ(left(100, /*timeCounts=*/true), (std::vector<unsigned>{0, 1, 2}));
}

} // namespace
