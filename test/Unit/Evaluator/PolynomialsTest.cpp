//===- PolynomialsTest.cpp - what halftone-expand-math writes, against libm
//-===//
//
// The polynomials are the definition of these functions (rule A15); here they
// are held against f64 of the host's library, so that a change of the text that
// makes one worse is seen.
//
//===----------------------------------------------------------------------===//
#include "EvaluatorTest.h"
#include "halftone/Integer/Passes.h"
#include "mlir/Pass/PassManager.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct Function {
  const char *name;
  double (*reference)(double);
  float low, high;
  double
      tolerance; // relative to max(1, |value|) if `absolute`, else to |value|
  bool absolute;
};

class PolynomialLimits : public EvaluatorTest {
protected:
  /// The expanded function at each of the points.
  std::vector<float> run(const std::string &operation, ArrayRef<float> points) {
    func::FuncOp function =
        parse("#id = affine_map<(d0) -> (d0)>\n"
              "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
              "  %r = linalg.generic {indexing_maps = [#id, #id], "
              "iterator_types = [\"parallel\"]}\n"
              "      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {\n"
              "  ^bb0(%a: f32, %b: f32):\n    %v = " +
              operation +
              "\n    linalg.yield %v : f32\n  } -> tensor<4xf32>\n"
              "  return %r : tensor<4xf32>\n}");
    PassManager manager(&context);
    manager.addPass(createExpandMath());
    if (!function || failed(manager.run(*module)))
      return {};
    function = *module->getOps<func::FuncOp>().begin();
    Value result = function.getBody().front().getTerminator()->getOperand(0);
    FailureOr<std::vector<float>> values =
        evaluatePointwise(function.getArgument(0), result, points);
    return succeeded(values) ? *values : std::vector<float>();
  }
};

class Polynomials : public PolynomialLimits,
                    public ::testing::WithParamInterface<Function> {};
} // namespace

TEST_P(Polynomials, IsClose) {
  const Function &function = GetParam();
  std::vector<float> points;
  for (int i = 0; i <= 2000; ++i)
    points.push_back(function.low +
                     (function.high - function.low) * float(i) / 2000);
  std::vector<float> values =
      run("math." + std::string(function.name) + " %a : f32", points);
  ASSERT_EQ(values.size(), points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    double expected = function.reference(points[i]);
    double bound = function.tolerance * (function.absolute
                                             ? std::max(1.0, std::abs(expected))
                                             : std::abs(expected));
    EXPECT_NEAR(values[i], expected, bound)
        << function.name << "(" << points[i] << ")";
  }
}

static double rsqrt(double x) { return 1 / std::sqrt(x); }

INSTANTIATE_TEST_SUITE_P(
    All, Polynomials,
    ::testing::Values(Function{"exp", std::exp, -80, 80, 1e-6, false},
                      Function{"exp2", std::exp2, -100, 100, 1e-5, false},
                      Function{"expm1", std::expm1, -5, 5, 1e-5, true},
                      Function{"log", std::log, 1e-3f, 100, 1e-6, true},
                      Function{"log1p", std::log1p, -0.9f, 100, 1e-6, true},
                      Function{"tanh", std::tanh, -10, 10, 1e-6, true},
                      Function{"erf", std::erf, -5, 5, 5e-7, false},
                      Function{"sin", std::sin, -10, 10, 2e-6, true},
                      Function{"cos", std::cos, -10, 10, 2e-6, true},
                      Function{"rsqrt", rsqrt, 1e-3f, 100, 2e-7, false}),
    [](const ::testing::TestParamInfo<Function> &info) {
      return info.param.name;
    });

// The ends of the range: no NaN, and the limits.
TEST_F(PolynomialLimits, AreReached) {
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run("math.exp %a : f32", {-infinity, infinity, 0.0f}),
            (std::vector<float>{0, infinity, 1}));
  EXPECT_EQ(run("math.tanh %a : f32", {0.0f}), std::vector<float>{0});
  EXPECT_EQ(run("math.erf %a : f32", {-infinity, infinity, 4.0f, 0.0f}), (std::vector<float>{-1, 1, 1, 0}));
  EXPECT_TRUE(std::isnan(run("math.erf %a : f32", {std::nanf("")}).at(0)));
  EXPECT_EQ(run("math.log %a : f32", {0.0f, 1.0f}),
            (std::vector<float>{-infinity, 0}));
}
