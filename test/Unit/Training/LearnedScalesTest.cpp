//===- LearnedScalesTest.cpp - the gradient of a scale against LSQ's formula -===//
//
// Esser et al., arXiv:1902.08153, equation 3: with v = x / s, the code's real value changes with s by round(v) - v inside
// of the clamp, and by the bound outside. A difference quotient would see the steps of rounding instead.
//
//===----------------------------------------------------------------------===//
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

// A loss of sum(seed * y), y being the real values of codes with two learned scales, 4 bits and zero point 0.
static constexpr const char *kModule = R"(
func.func @main(%x: tensor<40x2xf32>, %seed: tensor<40x2xf32>) -> tensor<f32> {
  %q = halftone.quantize %x : tensor<40x2xf32> to tensor<40x2x!quant.uniform<i8<-7:7>:f32:1, {0.25, 0.5}>> loc("x")
  %y = halftone.dequantize %q : tensor<40x2x!quant.uniform<i8<-7:7>:f32:1, {0.25, 0.5}>> to tensor<40x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<f32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> ()>],
                          iterator_types = ["reduction", "reduction"]}
      ins(%y, %seed : tensor<40x2xf32>, tensor<40x2xf32>) outs(%f : tensor<f32>) {
  ^bb0(%p: f32, %s: f32, %acc: f32):
    %m = arith.mulf %p, %s : f32
    %t = arith.addf %acc, %m : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %loss : tensor<f32>
}
)";

TEST(LearnedScales, GradientIsThatOfThePaper) {
  MLIRContext context;
  context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                      quant::QuantDialect, tensor::TensorDialect>();
  auto module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module);
  PassManager passes(&context);
  passes.addPass(createPromoteScales());
  passes.addNestedPass<func::FuncOp>(createSimulateCasts());
  passes.addPass(createDifferentiate());
  ASSERT_TRUE(succeeded(passes.run(*module)));

  auto entry = module->lookupSymbol<func::FuncOp>("main");
  ASSERT_EQ(entry.getNumArguments(), 3u);
  ASSERT_EQ(entry.getNumResults(), 2u);
  std::mt19937 generator{7};
  std::normal_distribution<float> normal(0, 2);
  SmallVector<HostTensor> arguments;
  for (Type type : entry.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    arguments.emplace_back(tensor.getElementType(), tensor.getShape());
  }
  float *x = arguments[0].data<float>(), *seed = arguments[1].data<float>(), *scale = arguments[2].data<float>();
  for (int i = 0; i < 80; ++i) {
    x[i] = normal(generator);
    seed[i] = normal(generator);
  }
  scale[0] = 0.25f;
  scale[1] = 0.5f;
  auto results = evaluate(entry, arguments);
  ASSERT_TRUE(succeeded(results));

  double expected[2] = {0, 0};
  int outside = 0;
  for (int i = 0; i < 80; ++i) {
    double v = x[i] / double(scale[i % 2]);
    double change = v >= 7 ? 7 : v <= -7 ? -7 : std::nearbyint(v) - v;
    outside += std::abs(v) > 7;
    expected[i % 2] += seed[i] * change;
  }
  EXPECT_GT(outside, 5);
  EXPECT_LT(outside, 60);
  for (int c = 0; c < 2; ++c)
    EXPECT_NEAR((*results)[1].data<float>()[c], expected[c], 1e-4 * std::abs(expected[c])) << "channel " << c;
}
