//===- RoundLayerTest.cpp - formats against each other by a layer's error ---------===//
#include "halftone/Reconstruction/RoundLayer.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// A layer whose inputs are correlated, the more the larger `common` is.
struct Layer {
  int64_t outputs, dimension;
  std::vector<float> weights, importance;
  Hessian hessian;

  Layer(int64_t outputs, int64_t dimension, int common, unsigned seed)
      : outputs(outputs), dimension(dimension), hessian{"0:layer", 1, dimension, std::vector<int64_t>(triangleSize(dimension), 0)} {
    std::mt19937 random(seed);
    for (int64_t position = 0; position < 3 * dimension; ++position) {
      const int shared = random() % common;
      std::vector<int64_t> row(dimension);
      for (int64_t &value : row)
        value = shared + random() % 40;
      for (int64_t i = 0; i < dimension; ++i)
        for (int64_t j = 0; j <= i; ++j)
          hessian.sums[triangleSize(i) + j] += row[i] * row[j];
    }
    for (int64_t i = 0; i < dimension; ++i)
      importance.push_back(hessian.sums[triangleSize(i + 1) - 1]);
    for (int64_t i = 0; i < outputs * dimension; ++i)
      weights.push_back((int(random() % 2001) - 1000) * (1 + i / dimension) / 1e4f);
  }

  RoundedLayer round(MLIRContext *context, const std::string &format, Granularity granularity = {}) const {
    const RowsOfWeights rows{outputs, dimension, weights, importance};
    return roundLayer(context, hessian, rows, {*findWeightFormat(format), granularity},
                      {WeightRounding::GPTQ, WeightScales::Automatic, /*keepsZeros=*/false, /*damping=*/0.01});
  }
};
} // namespace

TEST(RoundLayer, CodebooksHaveNoLargerErrorThanUniformCodesOfAsManyBits) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  for (unsigned seed = 1; seed <= 4; ++seed)
    for (int common : {1, 40, 400}) {
      const Layer layer(/*outputs=*/6, /*dimension=*/24, common, seed);
      for (unsigned bits = 2; bits <= 7; ++bits)
        EXPECT_LE(layer.round(&context, "codebook" + std::to_string(bits)).error, layer.round(&context, "int" + std::to_string(bits)).error)
            << bits << " bits, common part " << common << ", seed " << seed;
    }
}

TEST(RoundLayer, TablesOfGroupsHaveASmallerErrorThanOneCodebook) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  for (unsigned seed = 1; seed <= 2; ++seed)
    for (int common : {1, 40}) {
      const Layer layer(/*outputs=*/24, /*dimension=*/48, common, seed);
      for (unsigned bits = 2; bits <= 5; ++bits) {
        const std::string format = "codebook" + std::to_string(bits);
        const RoundedLayer rounded = layer.round(&context, format, {Granularity::Group, 8});
        EXPECT_LT(rounded.error, 0.9 * layer.round(&context, format).error) << format << ", common part " << common << ", seed " << seed;
        // What is written is of the tables that the groups have in the end, whatever the search tried behind it.
        for (int64_t i = 0; i < layer.outputs * layer.dimension; ++i) {
          const int64_t output = i / layer.dimension;
          const int level = std::nearbyint(rounded.rows[i] / rounded.grid.scales[output]);
          EXPECT_TRUE(llvm::is_contained(rounded.grid.levelsOf(output, i % layer.dimension).levels(), level)) << format << ", weight " << i;
        }
      }
    }
}
