//===- LearnedLevelsTest.cpp - the gradient of a level against its definition ===//
//
// A level gets the sum of the gradients of the weights that have it, times their scales, scaled by 1 / unit (Levels are real
// numbers of that unit); a weight gets the gradient of its real value within the levels, and nothing beyond them.
//
//===----------------------------------------------------------------------===//
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Quantization/LevelSet.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

// A loss of sum(seed * y), y being weights of four levels; a matrix product whose result nothing reads makes them weights.
static constexpr const char *kModule = R"(
func.func @main(%x: tensor<40x2xf32> {halftone.trainable}, %seed: tensor<40x2xf32>) -> tensor<f32> {
  %q = halftone.quantize %x {halftone.levels = array<i8: -90, -7, 0, 64>}
      : tensor<40x2xf32> to tensor<40x2x!quant.uniform<i8<-127:127>:f32:1, {0.25, 0.5}>> loc("x")
  %w = halftone.dequantize %q : tensor<40x2x!quant.uniform<i8<-127:127>:f32:1, {0.25, 0.5}>> to tensor<40x2xf32>
  %ones = arith.constant dense<1.0> : tensor<1x40xf32>
  %zero = arith.constant 0.0 : f32
  %m = tensor.empty() : tensor<1x2xf32>
  %n = linalg.fill ins(%zero : f32) outs(%m : tensor<1x2xf32>) -> tensor<1x2xf32>
  %unused = linalg.matmul {halftone.weights = "codebook2"} ins(%ones, %w : tensor<1x40xf32>, tensor<40x2xf32>)
      outs(%n : tensor<1x2xf32>) -> tensor<1x2xf32> loc("layer")
  %e = tensor.empty() : tensor<f32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> ()>],
                          iterator_types = ["reduction", "reduction"]}
      ins(%w, %seed : tensor<40x2xf32>, tensor<40x2xf32>) outs(%f : tensor<f32>) {
  ^bb0(%p: f32, %s: f32, %acc: f32):
    %v = arith.mulf %p, %s : f32
    %t = arith.addf %acc, %v : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %loss : tensor<f32>
}
)";

TEST(LearnedLevels, GradientsAreThoseOfTheirWeights) {
  MLIRContext context;
  context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                      quant::QuantDialect, tensor::TensorDialect>();
  auto module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module);
  PassManager passes(&context);
  passes.addPass(createPromoteLevels());
  passes.addNestedPass<func::FuncOp>(createSimulateCasts());
  passes.addPass(createDifferentiate());
  ASSERT_TRUE(succeeded(passes.run(*module)));

  auto entry = module->lookupSymbol<func::FuncOp>("main");
  ASSERT_EQ(entry.getNumArguments(), 3u);
  ASSERT_EQ(entry.getNumResults(), 3u);
  SmallVector<HostTensor> arguments;
  for (Type type : entry.getArgumentTypes())
    arguments.emplace_back(cast<RankedTensorType>(type).getElementType(), cast<RankedTensorType>(type).getShape());
  std::mt19937 generator{7};
  std::normal_distribution<float> normal(0, 15);
  float *x = arguments[0].data<float>(), *seed = arguments[1].data<float>(), *levels = arguments[2].data<float>();
  for (int i = 0; i < 80; ++i) {
    x[i] = normal(generator);
    seed[i] = normal(generator);
  }
  // Moved by less than half a code, and one that has crossed its neighbour.
  constexpr double unit = 0.375;
  const double moved[4] = {-90.3, 3.2, 0.4, 63.6};
  for (int k = 0; k < 4; ++k)
    levels[k] = static_cast<float>(moved[k] * unit);
  auto results = evaluate(entry, arguments);
  ASSERT_TRUE(succeeded(results));

  const int8_t codes[4] = {-90, 3, 0, 64};
  LevelSet set((llvm::ArrayRef<int8_t>(codes)));
  double loss = 0, slopes[4] = {};
  int outside = 0;
  for (int i = 0; i < 80; ++i) {
    const float scale = i % 2 ? 0.5f : 0.25f;
    const int code = set.nearest(x[i] / scale);
    loss += double(code) * scale * seed[i];
    for (int k = 0; k < 4; ++k)
      if (codes[k] == code)
        slopes[k] += double(seed[i]) * scale / unit;
    const bool clipped = x[i] / scale < -90 || x[i] / scale > 64;
    outside += clipped;
    EXPECT_NEAR((*results)[1].data<float>()[i], clipped ? 0 : seed[i], 1e-4);
  }
  EXPECT_GT(outside, 2);
  EXPECT_NEAR((*results)[0].data<float>()[0], loss, std::abs(loss) * 1e-5);
  for (int k = 0; k < 4; ++k)
    EXPECT_NEAR((*results)[2].data<float>()[k], slopes[k], std::abs(slopes[k]) * 1e-4 + 1e-3);
}
