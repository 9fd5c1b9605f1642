//===- WeightGridTest.cpp - formats and searches against all possibilities --------===//
#include "halftone/Quantization/WeightGrid.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

/// Values like those of a trained layer: normal, with channels of different spread.
static std::vector<float> normalRows(int64_t outputs, int64_t dimension) {
  std::mt19937 random(outputs * 131 + dimension);
  std::vector<float> values;
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t column = 0; column < dimension; ++column) {
      float sum = -6;
      for (int i = 0; i < 12; ++i)
        sum += random() % 10000 / 10000.0f;
      values.push_back(sum * (1 + output % 5) * (column % 48 < 16 ? 0.3f : 0.05f));
    }
  return values;
}

static std::vector<float> someImportance(int64_t dimension) {
  std::vector<float> importance;
  for (int64_t i = 0; i < dimension; ++i)
    importance.push_back(1 + i * 7 % 11);
  return importance;
}

TEST(LevelSet, NearestIsNearest) {
  for (const LevelSet &set : {LevelSet(7), LevelSet(127), LevelSet({-128 + 1, -3, 0, 4, 90}), LevelSet(std::vector<int8_t>{5}), LevelSet({-4, -3})})
    for (float x = -140; x < 140; x += 0.03125f) {
      float least = INFINITY;
      for (int8_t level : set.levels())
        least = std::min(least, std::abs(level - x));
      EXPECT_EQ(std::abs(set.nearest(x) - x), least) << x;
    }
  LevelSet table({-3, 5});
  EXPECT_EQ(table.nearest(NAN), -3);
  EXPECT_EQ(table.nearest(INFINITY), 5);
  EXPECT_EQ(table.nearest(-1e30f), -3);
  EXPECT_EQ(LevelSet(7).nearest(2.5f), 2);
  EXPECT_EQ(LevelSet(7).nearest(NAN), -7);
}

TEST(LevelSet, PairsStayWithinTheirBound) {
  const LevelSet set(7, /*isPaired=*/true), single(7);
  for (float first = -9; first <= 9; first += 0.25f)
    for (float second = -9; second <= 9; second += 0.25f) {
      const auto [a, b] = set.nearestPair(first, second);
      ASSERT_LE(std::max({std::abs(a), std::abs(b), std::abs(a + b) - 1}), 7) << first << ", " << second;
      double least = INFINITY;
      for (int x = -7; x <= 7; ++x)
        for (int y = -7; y <= 7; ++y)
          if (std::abs(x + y) <= 8)
            least = std::min(least, std::hypot(double(x) - first, double(y) - second));
      // The second weight meets what rounding the first one left.
      EXPECT_LE(std::hypot(double(a) - first, double(b) - second), least + 0.5) << first << ", " << second;
      if (std::abs(single.nearest(first) + single.nearest(second)) <= 7)
        EXPECT_EQ(std::make_pair(a, b), std::make_pair(single.nearest(first), single.nearest(second)));
      // A level that stands already leaves the other one what is left of the bound.
      const int beside = set.nearest(set.withinPair(first, b, /*isLevel=*/true));
      EXPECT_LE(std::max(std::abs(beside), std::abs(beside + b) - 1), 7);
    }
  EXPECT_EQ(set.neighbour(4, 7), 5);
  EXPECT_EQ(set.neighbour(5, 7), 4);
  EXPECT_EQ(set.neighbour(6, 7), 6) << "the last of an odd number is bounded by none";
  EXPECT_EQ(single.neighbour(4, 7), 4);
}

/// The largest sum of two neighbours of a row.
static int largestSum(ArrayRef<int8_t> codes, int64_t dimension) {
  int largest = 0;
  for (int64_t begin = 0; begin < static_cast<int64_t>(codes.size()); begin += dimension)
    for (int64_t i = 0; i + 1 < dimension; i += 2)
      largest = std::max(largest, std::abs(codes[begin + i] + codes[begin + i + 1]));
  return largest;
}

TEST(PairedGrid, LiesBetweenTheFormatsOfItsBitsAndOneLess) {
  constexpr int64_t outputs = 24, dimension = 145;
  std::vector<float> values = normalRows(outputs, dimension), importance = someImportance(dimension);
  RowsOfWeights rows{outputs, dimension, values, importance};
  for (Granularity granularity : {Granularity{Granularity::Channel, 0}, Granularity{Granularity::Tensor, 0}})
    for (WeightScales method : {WeightScales::Automatic, WeightScales::MeanSquaredError, WeightScales::Largest}) {
      auto choose = [&](StringRef name) { return chooseGrid(rows, {*findWeightFormat(name), granularity}, method); };
      const WeightGrid paired = choose("int8pair");
      std::vector<int8_t> codes(values.size());
      for (int64_t output = 0; output < outputs; ++output)
        paired.round(output, rows.row(output), MutableArrayRef<int8_t>(codes).slice(output * dimension, dimension));
      EXPECT_LE(largestSum(codes, dimension), 128);
      EXPECT_LT(gridError(rows, paired), 0.75 * gridError(rows, choose("int7")));
      if (granularity.kind == Granularity::Tensor)
        continue; // One scale for all leaves few pairs near to the bound.
      EXPECT_EQ(largestSum(codes, dimension), 128);
      EXPECT_LT(gridError(rows, choose("int8")), gridError(rows, paired));
    }
  EXPECT_NE(refuseGranularity(*findWeightFormat("int7pair"), {Granularity::Group, 32}), "");
}

TEST(WeightFormats, NamesAndLimits) {
  for (StringRef name : weightFormatNames()) {
    WeightFormat format = *findWeightFormat(name);
    LevelSet set = format.levelSet();
    EXPECT_LE(set.levels().size(), size_t(1) << format.bits) << name.str();
    EXPECT_TRUE(llvm::is_contained(set.levels(), 0)) << name.str();
    EXPECT_LE(set.largest() * format.largestMultiplier(), 127) << name.str();
  }
  EXPECT_EQ(parseGranularity("group:64")->group, 64);
  for (StringRef text : {"group:7", "group:257", "group:", "groups", "", "group:16x"})
    EXPECT_FALSE(parseGranularity(text)) << text.str();
}

/// The least error of all sets of `count` levels of [low, high].
static double bruteForce(const HalfStepMoments &moments, ArrayRef<int> candidates, unsigned count) {
  double best = INFINITY;
  for (unsigned mask = 1; mask < 1u << candidates.size(); ++mask) {
    if (unsigned(__builtin_popcount(mask)) > count)
      continue;
    double sum = 0;
    for (int bin = 0; bin < 512; ++bin) {
      // Moments of one point in the middle of the bin: the nearest is that of the middle.
      double least = INFINITY;
      for (unsigned i = 0; i < candidates.size(); ++i)
        if (mask >> i & 1) {
          double level = candidates[i];
          least = std::min(least, moments.second[bin] - 2 * level * moments.first[bin] + level * level * moments.weight[bin]);
        }
      sum += least;
    }
    best = std::min(best, sum);
  }
  return best;
}

static double errorOf(const HalfStepMoments &moments, ArrayRef<int8_t> levels) {
  std::vector<int> all(levels.begin(), levels.end());
  double sum = 0;
  for (int bin = 0; bin < 512; ++bin) {
    double least = INFINITY;
    for (int level : all)
      least = std::min(least, moments.second[bin] - 2.0 * level * moments.first[bin] + double(level) * level * moments.weight[bin]);
    sum += least;
  }
  return sum;
}

TEST(Codebook, LevelsAreTheBestOfAll) {
  std::mt19937 random(9);
  for (unsigned count : {1, 2, 3, 4, 6}) {
    HalfStepMoments moments;
    // Points at -6.25, -5.75, ... 6.25, so levels of [-6, 6] suffice.
    for (int bin = 256 - 13; bin < 256 + 13; ++bin) {
      double x = (bin - 256) / 2.0 + 0.25;
      moments.weight[bin] = random() % 20;
      moments.first[bin] = moments.weight[bin] * x;
      moments.second[bin] = moments.weight[bin] * x * x;
    }
    std::vector<int> candidates;
    for (int level = -6; level <= 6; ++level)
      candidates.push_back(level);
    std::vector<int8_t> levels = findLevels(moments, count, /*keepZero=*/false);
    EXPECT_LE(levels.size(), count);
    EXPECT_NEAR(errorOf(moments, levels), bruteForce(moments, candidates, count), 1e-9);
    EXPECT_TRUE(llvm::is_contained(findLevels(moments, count, /*keepZero=*/true), 0));
  }
}

TEST(Codebook, NeverWorseThanUniform) {
  constexpr int64_t outputs = 24, dimension = 144;
  std::vector<float> values = normalRows(outputs, dimension), importance = someImportance(dimension);
  values[5] = 0;
  for (bool weighted : {false, true})
    for (bool perTensor : {false, true})
      for (unsigned bits = 2; bits <= 8; ++bits) {
        RowsOfWeights rows{outputs, dimension, values, weighted ? ArrayRef<float>(importance) : ArrayRef<float>()};
        Granularity granularity{perTensor ? Granularity::Tensor : Granularity::Channel, 0};
        std::string text = std::to_string(bits);
        WeightGrid uniform = chooseGrid(rows, {*findWeightFormat("int" + text), granularity}, WeightScales::MeanSquaredError);
        WeightGrid fitted = chooseGrid(rows, {*findWeightFormat("codebook" + text), granularity}, WeightScales::MeanSquaredError);
        EXPECT_LE(fitted.levels.levels().size(), size_t(1) << bits);
        EXPECT_LE(gridError(rows, fitted), gridError(rows, uniform) * (1 + 1e-6)) << text << " bits";
        EXPECT_EQ(fitted.code(0, 5, 0.0f), 0) << "a weight that is 0 stays 0";
      }
}

TEST(Codebook, Of8BitsIsTheGridOfInt8) {
  constexpr int64_t outputs = 6, dimension = 80;
  std::vector<float> values = normalRows(outputs, dimension);
  RowsOfWeights rows{outputs, dimension, values, {}};
  for (WeightScales method : {WeightScales::Automatic, WeightScales::MeanSquaredError}) {
    WeightGrid uniform = chooseGrid(rows, {*findWeightFormat("int8"), {}}, method);
    WeightGrid fitted = chooseGrid(rows, {*findWeightFormat("codebook8"), {}}, method);
    EXPECT_EQ(fitted.scales, uniform.scales);
    EXPECT_EQ(fitted.levels.levels(), uniform.levels.levels());
  }
}

TEST(Codebook, ErrorFeedbackMayChooseTheUniformLevels) {
  constexpr int64_t outputs = 6, dimension = 80;
  std::vector<float> values = normalRows(outputs, dimension);
  RowsOfWeights rows{outputs, dimension, values, {}};
  auto candidates = [&](const char *format) { return candidateGrids(rows, {*findWeightFormat(format), {}}, WeightScales::Automatic); };
  ASSERT_EQ(candidates("codebook4").size(), 2u);
  EXPECT_EQ(candidates("codebook4")[1].levels.levels(), candidates("int4")[0].levels.levels());
  EXPECT_EQ(candidates("codebook4")[1].scales, candidates("int4")[0].scales);
  for (const char *format : {"codebook8", "int4", "nf4", "log4"})
    EXPECT_EQ(candidates(format).size(), 1u) << format;
}

/// Whether no level but 0 is in two tables.
static bool areApart(ArrayRef<LevelSet> tables) {
  std::array<int, 256> count = {};
  for (const LevelSet &table : tables)
    for (int8_t level : table.levels())
      ++count[level + 128];
  return llvm::all_of(llvm::seq(256), [&](int i) { return i == 128 || count[i] <= 1; });
}

TEST(CodebookTables, NearerThanOneCodebookAndApart) {
  constexpr int64_t outputs = 24, dimension = 90; // the last group of 8 is short
  std::vector<float> values = normalRows(outputs, dimension), importance = someImportance(dimension);
  for (bool needsZero : {false, true})
    for (const char *name : {"codebook2", "codebook3", "codebook4", "codebook5"}) {
      RowsOfWeights rows{outputs, dimension, values, importance, needsZero};
      const WeightFormat format = *findWeightFormat(name);
      const WeightGrid one = chooseGrid(rows, {format, {}}, WeightScales::MeanSquaredError);
      const WeightGrid grid = chooseGrid(rows, {format, {Granularity::Group, 8}}, WeightScales::MeanSquaredError);
      EXPECT_LT(gridError(rows, grid), 0.7 * gridError(rows, one)) << name;
      EXPECT_EQ(grid.tables.size(), 4u);
      EXPECT_TRUE(areApart(grid.tables)) << name;
      for (const LevelSet &table : grid.tables) {
        EXPECT_LE(table.levels().size(), size_t(1) << format.bits) << name;
        EXPECT_TRUE(!needsZero || llvm::is_contained(table.levels(), 0)) << name;
      }
    }
}

TEST(CodebookTables, ReplacedLevelsStayApart) {
  WeightGrid grid{LevelSet(1), {1.0f}};
  grid.setTables({{-50, 0, 50}, {-50, 0, 51}, {127}, {127}});
  EXPECT_TRUE(areApart(grid.tables));
  EXPECT_EQ(grid.levels.levels().size(), 7u);
  // All become the same: each stays as near to it as the others leave room.
  grid.replaceLevels(std::vector<int8_t>(7, 100));
  EXPECT_TRUE(areApart(grid.tables));
  for (const LevelSet &table : grid.tables)
    for (int8_t level : table.levels())
      EXPECT_LE(std::abs(level - 100), 3);
}

TEST(GroupScales, NeverWorseThanChannelsAndNearTheBest) {
  constexpr int64_t outputs = 6, dimension = 80, group = 16;
  std::vector<float> values = normalRows(outputs, dimension), importance = someImportance(dimension);
  RowsOfWeights rows{outputs, dimension, values, importance};
  for (StringRef name : {"int2", "int3", "int4", "int5", "int6", "int7", "log3"}) {
    WeightFormat format = *findWeightFormat(name);
    WeightGrid channels = chooseGrid(rows, {format, {}}, WeightScales::MeanSquaredError);
    WeightGrid groups = chooseGrid(rows, {format, {Granularity::Group, group}}, WeightScales::MeanSquaredError);
    double error = gridError(rows, groups);
    EXPECT_LE(error, gridError(rows, channels) * (1 + 1e-6)) << name.str();
    // All multipliers for the scale that was found, and many scales: 3 % are left at most.
    double best = 0;
    for (int64_t output = 0; output < outputs; ++output) {
      double ofRow = INFINITY;
      for (int step = 0; step < 60; ++step) {
        float scale = groups.scales[output] * (0.7f + 0.01f * step);
        double sum = 0;
        for (int64_t begin = 0; begin < dimension; begin += group) {
          double least = INFINITY;
          for (int g = 1; g <= format.largestMultiplier(); ++g)
            least = std::min(least, scaleError(rows.row(output).slice(begin, group),
                                               ArrayRef<float>(importance).slice(begin, group), scale * g, groups.levels));
          sum += least;
        }
        ofRow = std::min(ofRow, sum);
      }
      best += ofRow;
    }
    EXPECT_LE(error, best * 1.08) << name.str();
  }
}

/// A scale below the smallest normal number is none: rows whose weights are next to nothing, or nothing, keep the smallest.
TEST(GroupScales, RowsNextToNothing) {
  constexpr int64_t outputs = 4, dimension = 48;
  std::vector<float> values(outputs * dimension, 0.0f);
  for (int64_t column = 0; column < dimension; ++column) {
    values[dimension + column] = 1e-37f * (column % 7);
    values[2 * dimension + column] = 1e-42f * (column % 5);
    values[3 * dimension + column] = 0.01f * (column % 3);
  }
  RowsOfWeights rows{outputs, dimension, values, {}};
  for (WeightScales method : {WeightScales::Largest, WeightScales::MeanSquaredError})
    for (StringRef name : {"int2", "int4", "log3"}) {
      WeightGrid grid = chooseGrid(rows, {*findWeightFormat(name), {Granularity::Group, 16}}, method);
      for (float scale : grid.scales)
        EXPECT_TRUE(std::isnormal(scale) && scale > 0) << name.str() << " " << scale;
      EXPECT_LT(grid.scales[3], 1.0f);
      EXPECT_TRUE(std::isfinite(gridError(rows, grid)));
    }
}

TEST(ScaleSearch, LeastOfTheFactors) {
  std::vector<float> values = normalRows(3, 50);
  RowsOfWeights rows{3, 50, values, {}};
  LevelSet levels(7);
  std::vector<float> largest = findScales(rows, levels, false, WeightScales::Largest);
  std::vector<float> best = findScales(rows, levels, false, WeightScales::Automatic);
  for (int64_t output = 0; output < 3; ++output) {
    double least = INFINITY;
    for (int step = 0; step < 1000; ++step)
      least = std::min(least, scaleError(rows.row(output), {}, largest[output] * (1 - 0.00075f * step), levels));
    EXPECT_LE(scaleError(rows.row(output), {}, best[output], levels), least * 1.02);
  }
  EXPECT_EQ(findScales(rows, LevelSet(127), false, WeightScales::Automatic), findScales(rows, LevelSet(127), false, WeightScales::Largest));
}
