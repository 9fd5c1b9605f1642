//===- BlockLossTest.cpp - distillation by tensors within the network -------===//
//
// The student's tensor s = w x and the teacher's t = 3 x + 1 are one value each sample: loss and gradient have closed forms.
//
//===----------------------------------------------------------------------===//
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Training/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::halftone;

static constexpr const char *kModule = R"(
#id = affine_map<(a, b) -> (a, b)>
#one = affine_map<(a, b) -> (b)>
func.func @main(%x: tensor<6x1xf32>, %w: tensor<1xf32> {halftone.name = "w", halftone.trainable})
    -> (tensor<6x1xf32>, tensor<6x1xf32> {halftone.name = "halftone.block.s"}) {
  %e = tensor.empty() : tensor<6x1xf32>
  %s = linalg.generic {indexing_maps = [#id, #one, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %w : tensor<6x1xf32>, tensor<1xf32>) outs(%e : tensor<6x1xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<6x1xf32>
  %y = linalg.add ins(%s, %s : tensor<6x1xf32>, tensor<6x1xf32>) outs(%e : tensor<6x1xf32>) -> tensor<6x1xf32>
  return %y, %s : tensor<6x1xf32>, tensor<6x1xf32>
}
func.func private @teacher(%x: tensor<6x1xf32>) -> (tensor<6x1xf32>, tensor<6x1xf32> {halftone.name = "halftone.block.s"}) {
  %e = tensor.empty() : tensor<6x1xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<6x1xf32>) outs(%e : tensor<6x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c3 = arith.constant 3.0 : f32
    %c1 = arith.constant 1.0 : f32
    %m = arith.mulf %a, %c3 : f32
    %p = arith.addf %m, %c1 : f32
    linalg.yield %p : f32
  } -> tensor<6x1xf32>
  return %x, %t : tensor<6x1xf32>, tensor<6x1xf32>
}
)";

TEST(BlockLoss, IsTheShareOfTheTeachersSquares) {
  MLIRContext context;
  context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                      tensor::TensorDialect>();
  auto module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module);
  AddLossOptions options;
  options.kind = "mse";
  options.teacher = "teacher";
  options.blockShare = 0.25;
  PassManager passes(&context);
  passes.addPass(createAddLoss(options));
  passes.addPass(createDifferentiate());
  ASSERT_TRUE(succeeded(passes.run(*module)));

  auto entry = module->lookupSymbol<func::FuncOp>("main");
  ASSERT_EQ(entry.getNumArguments(), 2u);
  SmallVector<HostTensor> arguments;
  for (Type type : entry.getArgumentTypes())
    arguments.emplace_back(cast<RankedTensorType>(type).getElementType(), cast<RankedTensorType>(type).getShape());
  const double x[6] = {-1, 0.5, 2, -0.25, 1.5, 3}, w = 0.75;
  for (int i = 0; i < 6; ++i)
    arguments[0].data<float>()[i] = x[i];
  arguments[1].data<float>()[0] = w;
  auto results = evaluate(entry, arguments);
  ASSERT_TRUE(succeeded(results));

  double output = 0, distance = 0, norm = 0, outputSlope = 0, slope = 0;
  for (double v : x) {
    output += (2 * w * v - v) * (2 * w * v - v) / 6;
    outputSlope += 2 * (2 * w * v - v) * 2 * v / 6;
    double t = 3 * v + 1;
    distance += (w * v - t) * (w * v - t);
    slope += 2 * (w * v - t) * v;
    norm += t * t;
  }
  EXPECT_NEAR((*results)[0].data<float>()[0], output + 0.25 * distance / norm, 1e-5);
  EXPECT_NEAR((*results)[1].data<float>()[0], outputSlope + 0.25 * slope / norm, 1e-5);
}
