//===- SegmentsTest.cpp - a network cut in front of its layers ------------------===//
#include "halftone/Reconstruction/Segments.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::halftone;

/// y = x + (x w) v, two layers with a residual around them, and a product in floats at the end.
static constexpr StringLiteral kNetwork = R"(
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %v = arith.constant dense<2.0> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.precision = "int8", halftone.range = array<f32: -2.0, 2.0>, halftone.weight_codes = dense<[[2, 4], [6, 8]]> : tensor<2x2xi8>, halftone.weight_scales = array<f32: 0.5, 0.25>}
      ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("first")
  %n = linalg.matmul {halftone.precision = "int8"} ins(%m, %v : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("second")
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"], halftone.range = array<f32: -3.0, 3.0>}
      ins(%n, %x : tensor<1x2xf32>, tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.addf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<1x2xf32>
  %l = linalg.matmul {halftone.precision = "float"} ins(%s, %v : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("third")
  return %l : tensor<1x2xf32>
})";

static OwningOpRef<ModuleOp> parse(MLIRContext &context) {
  context.loadDialect<func::FuncDialect, linalg::LinalgDialect, arith::ArithDialect, tensor::TensorDialect, HalftoneDialect>();
  return parseSourceString<ModuleOp>(kNetwork, &context);
}

TEST(Segments, Plan) {
  MLIRContext context;
  OwningOpRef<ModuleOp> module = parse(context);
  ASSERT_TRUE(module);
  SegmentPlan plan = SegmentPlan::of(module->lookupSymbol<func::FuncOp>("main"));
  // The argument and what is in front of the second layer; the float product is no layer.
  ASSERT_EQ(plan.borders.size(), 2u);
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_TRUE(plan.first.empty());
  EXPECT_EQ(plan.steps[0].input, 0u);
  EXPECT_FALSE(plan.steps[0].residual);
  EXPECT_EQ(plan.steps[0].next, SmallVector<unsigned>{1});
  EXPECT_EQ(plan.steps[1].input, 1u);
  EXPECT_EQ(plan.steps[1].residual, std::optional(0u));
  EXPECT_TRUE(plan.steps[1].next.empty());
}

TEST(Segments, Extract) {
  MLIRContext context;
  OwningOpRef<ModuleOp> module = parse(context);
  SegmentPlan plan = SegmentPlan::of(module->lookupSymbol<func::FuncOp>("main"));
  SmallVector<unsigned> inputs;
  FailureOr<OwningOpRef<ModuleOp>> segment = extractSegment(*module, plan, plan.borders[1], inputs);
  ASSERT_TRUE(succeeded(segment));
  EXPECT_TRUE(succeeded(verify(**segment)));
  EXPECT_EQ(inputs, SmallVector<unsigned>{0});
  // One product, with what its codes stand for: rows are inputs, scales are of columns.
  unsigned products = 0;
  (*segment)->walk([&](linalg::MatmulOp product) {
    ++products;
    auto constant = product.getDpsInputOperand(1)->get().getDefiningOp<arith::ConstantOp>();
    auto weights = cast<DenseElementsAttr>(constant.getValue());
    EXPECT_EQ(llvm::to_vector(weights.getValues<float>()), (SmallVector<float>{1, 1, 3, 2}));
  });
  EXPECT_EQ(products, 1u);
  // From the second border on, the residual is a border, too.
  Value sum = module->lookupSymbol<func::FuncOp>("main").getBody().front().getTerminator()->getOperand(0);
  ASSERT_TRUE(succeeded(extractSegment(*module, plan, sum, inputs)));
  EXPECT_EQ(inputs, (SmallVector<unsigned>{0, 1}));
}
