//===- RulesTest.cpp - the integer stage against docs/Arithmetic.md
//---------===//
//
// Functions of the stage's lit tests, on random and extreme codes, against the
// rules written down once more as plain loops: equal bit for bit.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

namespace {
class Rules : public ::testing::Test {
protected:
  Rules() : quiet(&context, [](Diagnostic &) { return success(); }) {
    context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect, quant::QuantDialect>();
  }

  /// The codes that the function of that lit test computes behind the integer
  /// stage.
  std::vector<int8_t> run(const char *file, const char *name,
                          ArrayRef<HostTensor> arguments) {
    module = parseSourceFile<ModuleOp>(
        std::string(HALFTONE_TEST_FOLDER) + "/" + file, &context);
    PassManager manager(&context);
    buildIntegerPipeline(manager);
    if (!module || failed(manager.run(*module)))
      return {};
    FailureOr<SmallVector<HostTensor>> results =
        evaluate(module->lookupSymbol<func::FuncOp>(name), arguments);
    if (failed(results))
      return {};
    const HostTensor &result = results->front();
    return std::vector<int8_t>(result.data<int8_t>(),
                               result.data<int8_t>() + result.getNumElements());
  }

  HostTensor codes(ArrayRef<int64_t> shape) {
    HostTensor tensor(IntegerType::get(&context, 8), shape);
    std::uniform_int_distribution<int> values(-128, 127);
    for (int64_t i = 0; i < tensor.getNumElements(); ++i)
      tensor.data<int8_t>()[i] = i == 0   ? -128
                                 : i == 1 ? 127
                                          : values(generator);
    return tensor;
  }

  MLIRContext context;
  ScopedDiagnosticHandler quiet;
  OwningOpRef<ModuleOp> module;
  std::mt19937 generator{3};
};
} // namespace

/// Rules A2 and A7.
static int8_t toCode(float y, float low, float high, int zero) {
  y = y > low ? y : low;
  y = y < high ? y : high;
  return static_cast<int8_t>(zero + static_cast<int>(std::nearbyint(y)));
}

// Rules A5 to A9: 3x3 on one channel, weights 1 and 2 everywhere with scales
// 0.5 and 0.25, bias 4, residual, Relu; s_x = 0.5, z_x = -3; s_r = 0.25, z_r =
// 7; s_y = 1, z_y = -128.
TEST_F(Rules, ConvolutionWithResidual) {
  HostTensor x = codes({1, 5, 5, 1}), r = codes({1, 5, 5, 2});
  std::vector<int8_t> result =
      run("convert-contraction.mlir", "convolution", {x, r});
  ASSERT_EQ(result.size(), 50u);
  for (int h = 0; h < 5; ++h)
    for (int w = 0; w < 5; ++w)
      for (int c = 0; c < 2; ++c) {
        int acc = 0;
        for (int i = h - 1; i <= h + 1; ++i)
          for (int j = w - 1; j <= w + 1; ++j)
            if (i >= 0 && i < 5 && j >= 0 && j < 5)
              acc += (x.data<int8_t>()[i * 5 + j] + 3) * (c + 1);
        double scale = c ? 0.25 : 0.5;
        int bias = static_cast<int>(std::nearbyint(4.0 / (0.5 * scale)));
        volatile float main =
            static_cast<float>(acc + bias) * static_cast<float>(0.5 * scale);
        volatile float residual =
            static_cast<float>(r.data<int8_t>()[(h * 5 + w) * 2 + c] - 7) *
            0.25f;
        EXPECT_EQ(result[(h * 5 + w) * 2 + c],
                  toCode(main + residual, 0, 255, -128))
            << h << " " << w << " " << c;
      }
}

// Rule A13: windows of 3x3 at stride 1 behind one row and column of padding
// that is not counted; s = 0.5 and 0.25.
TEST_F(Rules, AverageOfCountedPositions) {
  HostTensor x = codes({1, 3, 3, 2});
  std::vector<int8_t> result =
      run("convert-pooling.mlir", "average_without_padding", {x});
  ASSERT_EQ(result.size(), 8u);
  for (int h = 0; h < 2; ++h)
    for (int w = 0; w < 2; ++w)
      for (int c = 0; c < 2; ++c) {
        int acc = 0, count = 0;
        for (int i = h - 1; i < h + 2; ++i)
          for (int j = w - 1; j < w + 2; ++j)
            if (i >= 0 && j >= 0) {
              acc += x.data<int8_t>()[(i * 3 + j) * 2 + c] + 3;
              ++count;
            }
        float m = static_cast<float>(double(0.5f) / (double(0.25f) * count));
        EXPECT_EQ(result[(h * 2 + w) * 2 + c],
                  toCode(static_cast<float>(acc) * m, -135, 120, 7))
            << h << " " << w << " " << c;
      }
}

// Rule A11, a product: s = 0.5, 0.25 and 1, z = 3, -4 and -128.
TEST_F(Rules, Product) {
  HostTensor a = codes({2, 4}), b = codes({2, 4});
  std::vector<int8_t> result =
      run("convert-elementwise.mlir", "multiply", {a, b});
  ASSERT_EQ(result.size(), 8u);
  for (int i = 0; i < 8; ++i) {
    int product = (a.data<int8_t>()[i] - 3) * (b.data<int8_t>()[i] + 4);
    EXPECT_EQ(result[i],
              toCode(static_cast<float>(product) * 0.125f, 0, 255, -128))
        << i;
  }
}

// Rule A14: the second input of a concatenation comes from scale 0.25 and zero
// point 7 to 0.5 and -3.
TEST_F(Rules, Concatenation) {
  HostTensor a = codes({2, 2}), b = codes({2, 3});
  std::vector<int8_t> result =
      run("convert-data-movement.mlir", "different_types", {a, b});
  ASSERT_EQ(result.size(), 10u);
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 5; ++column) {
      int8_t expected =
          column < 2 ? a.data<int8_t>()[row * 2 + column]
                     : toCode(static_cast<float>(
                                  b.data<int8_t>()[row * 3 + column - 2] - 7) *
                                  0.5f,
                              -125, 130, -3);
      EXPECT_EQ(result[row * 5 + column], expected) << row << " " << column;
    }
}
