//===- CastScheduleTest.cpp - casts and bits by step ------------------------===//
#include "halftone/Training/CastSchedule.h"
#include "gtest/gtest.h"

using namespace mlir::halftone;

TEST(CastSchedule, IsConstantByDefault) {
  CastSchedule schedule;
  EXPECT_TRUE(schedule.isConstant());
  EXPECT_TRUE(schedule.casts(0));
  EXPECT_LE(schedule.limit(0), 1);
}

TEST(CastSchedule, BitsFallOneByOneInEqualTimes) {
  CastSchedule schedule;
  schedule.castsFrom = 5;
  schedule.bitsFrom = 6;
  schedule.bitsTo = 3;
  schedule.begin = 10;
  schedule.end = 40;
  EXPECT_FALSE(schedule.casts(4));
  EXPECT_TRUE(schedule.casts(5));
  EXPECT_EQ(schedule.bits(0), 6);
  EXPECT_EQ(schedule.limit(0), 31);
  EXPECT_EQ(schedule.bits(19), 6);
  EXPECT_EQ(schedule.bits(20), 5);
  EXPECT_EQ(schedule.bits(30), 4);
  EXPECT_EQ(schedule.bits(39), 4);
  EXPECT_EQ(schedule.bits(40), 3);
  EXPECT_EQ(schedule.limit(40), 3);
}
