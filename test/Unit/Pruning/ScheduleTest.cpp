//===- ScheduleTest.cpp - shares of zeros by step ---------------------------===//
#include "halftone/Pruning/Schedule.h"
#include "halftone/Pruning/Units.h"
#include "gtest/gtest.h"

using namespace mlir::halftone;

TEST(PruningSchedule, FollowsTheCubicLaw) {
  PruningSchedule schedule{/*from=*/0.1, /*to=*/0.9, /*begin=*/10, /*end=*/20, /*every=*/4};
  EXPECT_FALSE(schedule.at(9).has_value());
  EXPECT_DOUBLE_EQ(*schedule.at(10), 0.1);
  EXPECT_FALSE(schedule.at(11).has_value());
  // 0.9 - 0.8 * 0.6^3 and 0.9 - 0.8 * 0.2^3
  EXPECT_DOUBLE_EQ(*schedule.at(14), 0.9 - 0.8 * 0.216);
  EXPECT_DOUBLE_EQ(*schedule.at(18), 0.9 - 0.8 * 0.008);
  // The end is reached though it is no multiple.
  EXPECT_DOUBLE_EQ(*schedule.at(20), 0.9);
  EXPECT_FALSE(schedule.at(22).has_value());
}

TEST(PruningSchedule, IsOneStepWhereItEndsAsItBegins) {
  PruningSchedule schedule{0, 0.5, 3, 3, 1};
  EXPECT_FALSE(schedule.at(2).has_value());
  EXPECT_DOUBLE_EQ(*schedule.at(3), 0.5);
  EXPECT_FALSE(schedule.at(4).has_value());
}

TEST(PruningUnits, BlocksEndWithTheirTap) {
  // Two taps of 6 channels: blocks of 4 and 2.
  PruningUnits units(/*rows=*/1, /*columns=*/12, /*channels=*/6, kPruningBlock);
  ASSERT_EQ(units.count(), 4);
  EXPECT_EQ(units.units[1].begin, 4);
  EXPECT_EQ(units.units[1].size, 2);
  EXPECT_EQ(units.units[2].begin, 6);
  std::vector<float> values = {3, 3, 3, 3, 1, 1, 2, 2, 2, 2, 4, 4};
  std::vector<double> scores = units.score(values, [](int64_t, int64_t) { return 1.0; });
  EXPECT_EQ(scores, (std::vector<double>{9, 1, 4, 16}));
  units.clearLeast(values, scores, 0.5);
  EXPECT_EQ(values, (std::vector<float>{3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 4, 4}));
}

TEST(PruningUnits, SharesOverAllLayersFollowTheirPartOfTheSum) {
  // Parts of the sums: 0.1, 0.9 and 0.4, 0.6; the two least are one of each layer, the third is the second layer's.
  std::vector<std::vector<double>> scores = {{1, 9}, {40, 60}};
  EXPECT_EQ(sharesOverall(scores, 0.5), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(sharesOverall(scores, 0.75), (std::vector<double>{0.5, 1.0}));
}
