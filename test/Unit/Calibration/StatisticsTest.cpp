//===- StatisticsTest.cpp - merging and the file ----------------------------===//
#include "halftone/Calibration/Statistics.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::halftone;

/// One shard as the instrumented program leaves it.
static Statistics shard(const std::vector<float> &samples, const std::string &hash = "h") {
  std::vector<int64_t> counts(2 * kPrefixes, 0);
  std::vector<float> extrema{INFINITY, -INFINITY, INFINITY, -INFINITY};
  for (float sample : samples) {
    ++counts[kPrefixes + (llvm::bit_cast<uint32_t>(sample) >> 16)];
    extrema[2] = std::min(extrema[2], sample);
    extrema[3] = std::max(extrema[3], sample);
  }
  return Statistics::fromBuffers({"0:nothing", "1:some"}, counts, extrema, samples.size(), hash);
}

static std::string message(llvm::Error error) { return llvm::toString(std::move(error)); }

TEST(Statistics, FromBuffers) {
  Statistics statistics = shard({1.0f, 1.0f, -2.5f, 0.1f});
  ASSERT_EQ(statistics.values.size(), 2u);
  EXPECT_EQ(statistics.samples, 4);
  EXPECT_EQ(statistics.values[0].total(), 0);
  EXPECT_EQ(statistics.values[1].total(), 4);
  EXPECT_EQ(statistics.values[1].counts.at(0x3F80), 2);
  EXPECT_EQ(statistics.values[1].minimum, -2.5f);
  EXPECT_EQ(statistics.find("1:some"), &statistics.values[1]);
  EXPECT_EQ(statistics.find("1:none"), nullptr);
}

TEST(Statistics, MergeOfShardsInAnyOrderIsOneRun) {
  Statistics a = shard({1.0f, 0.1f}), b = shard({-2.5f}), c = shard({1.0f, 7.0f});
  Statistics once = shard({1.0f, 0.1f, -2.5f, 1.0f, 7.0f});
  Statistics forwards = a, backwards = c;
  for (const Statistics *part : {&b, &c})
    ASSERT_EQ(message(forwards.merge(*part)), "");
  for (const Statistics *part : {&a, &b})
    ASSERT_EQ(message(backwards.merge(*part)), "");
  EXPECT_EQ(forwards.toJSON(), once.toJSON());
  EXPECT_EQ(backwards.toJSON(), once.toJSON());
}

TEST(Statistics, MergeRefusesOtherModels) {
  Statistics statistics = shard({1.0f});
  EXPECT_NE(message(statistics.merge(shard({1.0f}, "g"))).find("different models"), std::string::npos);
  Statistics other = shard({1.0f});
  other.values[1].key = "1:other";
  EXPECT_NE(message(statistics.merge(other)).find("'1:some' and '1:other'"), std::string::npos);
  other.values.pop_back();
  EXPECT_NE(message(statistics.merge(other)).find("observe 2 and 1 values"), std::string::npos);
}

TEST(Statistics, FileRoundTrip) {
  Statistics statistics = shard({0.1f, -0.0f, 3.0e38f, 1.0e-40f, 1.0f, 1.01f});
  llvm::Expected<Statistics> read = Statistics::fromJSON(statistics.toJSON());
  ASSERT_TRUE(bool(read)) << message(read.takeError());
  EXPECT_EQ(read->toJSON(), statistics.toJSON());
  EXPECT_EQ(read->values[1].counts, statistics.values[1].counts);
  EXPECT_EQ(read->values[1].maximum, 3.0e38f);
}

TEST(Statistics, Channels) {
  Statistics statistics = shard({1.0f});
  int64_t one = 1 << 24;
  auto bits = [](float value) -> int64_t { return llvm::bit_cast<uint32_t>(value); };
  // Two channels at two positions, then one channel at none: sums, positions, bits of the largest and of the largest negated element, rows by range.
  std::vector<int64_t> sums{one, -3 * one, 2, bits(0.75f), bits(0.0f), bits(0.0f), bits(2.0f)};
  sums.resize(Statistics::channelNumbers(2));
  sums[7 + (bits(2.75f) >> kRangeShift)] = 1;
  sums[7] = 3;
  sums.resize(Statistics::channelNumbers(2) + Statistics::channelNumbers(1));
  statistics.addChannels({"0:conv", "1:gemm"}, {2, 1}, sums);
  EXPECT_FALSE(statistics.channels[1].rowError());
  // Of four rows three are 0; 2.75 counts as the middle of its prefix, from 2.75 to 3.
  ASSERT_TRUE(statistics.channels[0].rowError());
  EXPECT_NEAR(*statistics.channels[0].rowError(), 2.875 * 2.875 / 4 / (255 * 255 * 12), 1e-12);
  EXPECT_EQ(statistics.channels[0].highs, (std::vector<float>{0.75f, 0.0f}));
  EXPECT_EQ(statistics.channels[0].lows, (std::vector<float>{0.0f, -2.0f}));
  EXPECT_EQ(statistics.channels[0].means(), (std::vector<float>{0.5f, -1.5f}));
  EXPECT_EQ(statistics.channels[1].means(), std::vector<float>{0.0f});
  Statistics twice = statistics;
  ASSERT_EQ(message(twice.merge(statistics)), "");
  EXPECT_EQ(twice.channels[0].positions, 4);
  EXPECT_EQ(twice.channels[0].means(), statistics.channels[0].means());
  llvm::Expected<Statistics> read = Statistics::fromJSON(twice.toJSON());
  ASSERT_TRUE(bool(read)) << message(read.takeError());
  EXPECT_EQ(read->toJSON(), twice.toJSON());
  EXPECT_EQ(read->channels[0].sums, twice.channels[0].sums);
  EXPECT_EQ(read->channels[0].lows, twice.channels[0].lows);
  EXPECT_EQ(read->channels[0].ranges, (std::map<uint16_t, int64_t>{{0, 6}, {bits(2.75f) >> kRangeShift, 2}}));
  EXPECT_NE(message(twice.merge(shard({1.0f}))).find("different channels"), std::string::npos);
}

TEST(Statistics, ExtremaOfChannelsMerge) {
  Statistics some = shard({1.0f}), more = shard({1.0f});
  some.channels = {{"0:conv", {0, 0}, 1, {-1.0f, -3.0f}, {4.0f, 0.5f}}};
  more.channels = {{"0:conv", {0, 0}, 1, {-2.0f, 0.0f}, {1.0f, 6.0f}}};
  Statistics both = some;
  ASSERT_EQ(message(both.merge(more)), "");
  EXPECT_EQ(both.channels[0].lows, (std::vector<float>{-2.0f, -3.0f}));
  EXPECT_EQ(both.channels[0].highs, (std::vector<float>{4.0f, 6.0f}));
  // A shard of before they were kept: then nobody knows them.
  more.channels[0].lows.clear();
  more.channels[0].highs.clear();
  ASSERT_EQ(message(both.merge(more)), "");
  EXPECT_TRUE(both.channels[0].highs.empty());
  EXPECT_FALSE(bool(Statistics::fromJSON("{\"halftone.statistics\": 1, \"source_hash\": \"\", \"samples\": 1, \"values\": [], "
                                         "\"channels\": [{\"key\": \"0:\", \"positions\": 1, \"sums\": [1], \"lows\": [1, 2]}]}")));
}

TEST(Statistics, MalformedFiles) {
  for (const char *text : {"", "[]", "{}", "{\"halftone.statistics\": 1}", "{\"halftone.statistics\": 2}",
                           "{\"halftone.statistics\": 1, \"source_hash\": \"\", \"samples\": 1, \"values\": [{}]}",
                           "{\"halftone.statistics\": 1, \"source_hash\": \"\", \"samples\": 1, \"values\": [{\"key\": "
                           "\"0:\", \"minimum\": \"0x0\", \"maximum\": \"0x0\", \"counts\": [[65535, 1, 1]]}]}"}) {
    llvm::Expected<Statistics> read = Statistics::fromJSON(text);
    EXPECT_FALSE(bool(read)) << text;
    llvm::consumeError(read.takeError());
  }
}
