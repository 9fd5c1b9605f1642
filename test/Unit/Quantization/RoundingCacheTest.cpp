//===- RoundingCacheTest.cpp - equal weights are rounded once ---------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/StridedIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::halftone;

/// Products with weights of the same bytes in two constants: as they are, with a bias that needs a larger scale in channel 1, with another format, and as
/// the first again.
static constexpr char kModule[] = R"(
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: -1.0e-3, 3.0e-3>}, %o: tensor<1x2xf32>) {
  %large = arith.constant dense<[1.0, 1.0e4]> : tensor<2xf32>
  %a = arith.constant dense_resource<a> : tensor<2x2xf32>
  %b = arith.constant dense_resource<b> : tensor<2x2xf32>
  %0 = linalg.matmul {halftone.precision = "int8"} ins(%x, %a : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = linalg.matmul {halftone.precision = "int8"} ins(%x, %b : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%1, %large : tensor<1x2xf32>, tensor<2xf32>) outs(%o : tensor<1x2xf32>) {
  ^bb0(%s: f32, %t: f32, %u: f32):
    %sum = arith.addf %s, %t : f32
    linalg.yield %sum : f32
  } -> tensor<1x2xf32>
  %2 = linalg.matmul {halftone.precision = "int8", halftone.weights = "int4"}
      ins(%x, %b : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  %3 = linalg.matmul {halftone.precision = "int8"} ins(%x, %b : tensor<1x2xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2xf32>) -> tensor<1x2xf32>
  return
}
{-#
  dialect_resources: {
    builtin: {
      a: "0x04000000295CA23FF4FDD43D00000000295CA23F",
      b: "0x04000000295CA23FF4FDD43D00000000295CA23F"
    }
  }
#-}
)";

TEST(RoundingCache, EqualWeightsAreRoundedOnceButForBiasesThatNeedLargerScales) {
  MLIRContext context;
  context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, tensor::TensorDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module);
  RoundingCache cache({});
  std::vector<RoundedWeights> all;
  std::vector<int64_t> computed;
  module->walk([&](linalg::MatmulOp product) {
    std::optional<std::vector<float>> values = getConstantElements<float>(getWeightOperand(product).get());
    ASSERT_TRUE(values);
    FailureOr<RoundedWeights> rounded = cache.round(product, *values, WeightChannels(product));
    FailureOr<RoundedWeights> alone = roundWeights(product, *values, WeightChannels(product), {});
    ASSERT_TRUE(succeeded(rounded) && succeeded(alone));
    EXPECT_EQ(rounded->codes, alone->codes);
    EXPECT_EQ(rounded->scales, alone->scales);
    all.push_back(*rounded);
    computed.push_back(cache.computed());
  });
  EXPECT_EQ(computed, (std::vector<int64_t>{1, 2, 3, 3}));
  EXPECT_EQ(all[0].codes, (std::vector<int8_t>{127, 10, 0, 127}));
  EXPECT_EQ(all[3].codes, all[0].codes);
  EXPECT_EQ(all[1].scales[0], all[0].scales[0]);
  EXPECT_GT(all[1].scales[1], 50 * all[0].scales[1]);
  EXPECT_EQ(all[2].codes, (std::vector<int8_t>{7, 1, 0, 7}));
}

TEST(WeightChannels, IndicesOverDimensionsInAnyOrder) {
  int64_t extent = 0;
  const std::vector<int64_t> strides = stridesOver({2, 3, 2}, {2, 0}, extent);
  EXPECT_EQ(extent, 4);
  EXPECT_EQ(stridedIndices<int32_t>({2, 3, 2}, strides), (std::vector<int32_t>{0, 2, 0, 2, 0, 2, 1, 3, 1, 3, 1, 3}));
  EXPECT_TRUE(stridedIndices<int32_t>({2, 0}, {1, 1}).empty());
}
