//===- ContractionsTest.cpp - contractions against plain loops
//--------------===//
#include "EvaluatorTest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

namespace {
class Contractions : public EvaluatorTest {
protected:
  template <typename T>
  std::vector<T> random(int64_t count, double low, double high) {
    std::uniform_real_distribution<double> values(low, high);
    std::vector<T> result(count);
    for (T &value : result)
      value = T(values(generator));
    return result;
  }
  std::mt19937 generator{11};
};
} // namespace

// Strides and dilations of 2, an odd size, extreme codes: input 1x9x7x3, kernel
// 3x2x3x5.
TEST_F(Contractions, ConvolutionOfCodes) {
  func::FuncOp function = parse(R"(
    func.func @f(%x: tensor<1x9x7x3xi8>, %w: tensor<3x2x3x5xi8>, %i: tensor<1x3x3x5xi32>) -> tensor<1x3x3x5xi32> {
      %y = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : vector<2xi64>, dilations = dense<2> : vector<2xi64>}
          ins(%x, %w : tensor<1x9x7x3xi8>, tensor<3x2x3x5xi8>) outs(%i : tensor<1x3x3x5xi32>) -> tensor<1x3x3x5xi32>
      return %y : tensor<1x3x3x5xi32>
    })");
  ASSERT_TRUE(function);
  Builder b(&context);
  std::vector<int8_t> x = random<int8_t>(9 * 7 * 3, -128.9, 127.9),
                      w = random<int8_t>(3 * 2 * 3 * 5, -127.9, 127.9);
  x[0] = -128;
  w[0] = 127;
  auto result =
      evaluate(function, {tensor<int8_t>(b.getI8Type(), {1, 9, 7, 3}, x),
                          tensor<int8_t>(b.getI8Type(), {3, 2, 3, 5}, w),
                          HostTensor(b.getI32Type(), {1, 3, 3, 5})});
  ASSERT_TRUE(succeeded(result));
  for (int oh = 0; oh < 3; ++oh)
    for (int ow = 0; ow < 3; ++ow)
      for (int oc = 0; oc < 5; ++oc) {
        int sum = 0;
        for (int kh = 0; kh < 3; ++kh)
          for (int kw = 0; kw < 2; ++kw)
            for (int ic = 0; ic < 3; ++ic)
              sum += x[((oh * 2 + kh * 2) * 7 + ow * 2 + kw * 2) * 3 + ic] *
                     w[((kh * 2 + kw) * 3 + ic) * 5 + oc];
        EXPECT_EQ((*result)[0].data<int32_t>()[(oh * 3 + ow) * 5 + oc], sum)
            << oh << " " << ow << " " << oc;
      }
}

// Rule A16: a float product sum is one chain of fused multiply-adds, bit for
// bit.
TEST_F(Contractions, FloatProductIsAChainOfFma) {
  func::FuncOp function = parse(R"(
    func.func @f(%x: tensor<3x17xf32>, %w: tensor<17x5xf32>, %i: tensor<3x5xf32>) -> tensor<3x5xf32> {
      %y = linalg.matmul ins(%x, %w : tensor<3x17xf32>, tensor<17x5xf32>) outs(%i : tensor<3x5xf32>) -> tensor<3x5xf32>
      return %y : tensor<3x5xf32>
    })");
  ASSERT_TRUE(function);
  Type f32 = Float32Type::get(&context);
  std::vector<float> x = random<float>(3 * 17, -2, 2),
                     w = random<float>(17 * 5, -2, 2);
  auto result = evaluate(function, {tensor<float>(f32, {3, 17}, x),
                                    tensor<float>(f32, {17, 5}, w),
                                    HostTensor(f32, {3, 5})});
  ASSERT_TRUE(succeeded(result));
  int differs = 0;
  for (int m = 0; m < 3; ++m)
    for (int n = 0; n < 5; ++n) {
      float fused = 0, rounded = 0;
      for (int k = 0; k < 17; ++k) {
        fused = std::fma(x[m * 17 + k], w[k * 5 + n], fused);
        volatile float product = x[m * 17 + k] * w[k * 5 + n];
        rounded += product;
      }
      EXPECT_EQ((*result)[0].data<float>()[m * 5 + n], fused);
      differs += fused != rounded;
    }
  EXPECT_GT(differs, 0); // else the data would not tell the two apart
}

// An elementwise product and sum rounds twice.
TEST_F(Contractions, ElementwiseProductAndSumIsNotFused) {
  func::FuncOp function = parse(R"(
    #id = affine_map<(d0) -> (d0)>
    func.func @f(%x: tensor<64xf32>, %y: tensor<64xf32>, %z: tensor<64xf32>) -> tensor<64xf32> {
      %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%x, %y : tensor<64xf32>, tensor<64xf32>) outs(%z : tensor<64xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %c, %p : f32
        linalg.yield %s : f32
      } -> tensor<64xf32>
      return %r : tensor<64xf32>
    })");
  ASSERT_TRUE(function);
  Type f32 = Float32Type::get(&context);
  std::vector<float> x = random<float>(64, -2, 2), y = random<float>(64, -2, 2),
                     z = random<float>(64, -2, 2);
  auto result = evaluate(function, {tensor<float>(f32, {64}, x),
                                    tensor<float>(f32, {64}, y),
                                    tensor<float>(f32, {64}, z)});
  ASSERT_TRUE(succeeded(result));
  for (int i = 0; i < 64; ++i) {
    volatile float product = x[i] * y[i];
    EXPECT_EQ((*result)[0].data<float>()[i], z[i] + product);
  }
}
