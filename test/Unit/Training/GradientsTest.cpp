//===- GradientsTest.cpp - gradients against finite differences -------------===//
//
// Each operation is differentiated in f64 and evaluated by the interpreter; central differences of the same function
// are exact to about 1e-8 there.
//
//===----------------------------------------------------------------------===//
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Training/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// A function of one result in f64: arguments as "name: shape", and a body that defines %y.
struct Case {
  std::string name, arguments, body, result;
  double low = -1, high = 1; ///< of random arguments
};

void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

constexpr const char *kMaps = R"(
#s = affine_map<() -> ()>
#a = affine_map<(a) -> (a)>
#ab = affine_map<(a, b) -> (a, b)>
#ba = affine_map<(a, b) -> (b, a)>
#b_of_ab = affine_map<(a, b) -> (b)>
#a_of_ab = affine_map<(a, b) -> (a)>
#unit = affine_map<(a, b) -> (a, 0)>
#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c_of_nhwc = affine_map<(n, h, w, c) -> (c)>
)";

/// "%x: tensor<2x3xf64>, ..." with every argument trained.
std::string trained(const std::string &arguments) {
  std::string text = arguments;
  for (size_t at = text.find("f64>"); at != std::string::npos; at = text.find("f64>", at + 20))
    text.insert(at + 4, " {halftone.trainable}");
  return text;
}

/// A module whose first result is the sum of %y times the last argument, fixed random numbers.
std::string moduleOf(const Case &c) {
  std::string dims = c.result.substr(7, c.result.size() - 8);
  int64_t rank = llvm::count(dims, 'x');
  std::string loops, kinds;
  for (int64_t i = 0; i < rank; ++i) {
    loops += (i ? ", d" : "d") + std::to_string(i);
    kinds += i ? ", \"reduction\"" : "\"reduction\"";
  }
  std::string map = "affine_map<(" + loops + ") -> (" + loops + ")>";
  return kMaps + ("func.func @main(" + trained(c.arguments) + ", %seed: " + c.result + ") -> tensor<f64> {\n") +
         "%zero = arith.constant 0.0 : f64\n%one = arith.constant 1.0 : f64\n" + c.body +
         "\n%e = tensor.empty() : tensor<f64>\n"
         "%f = linalg.fill ins(%zero : f64) outs(%e : tensor<f64>) -> tensor<f64>\n"
         "%loss = linalg.generic {indexing_maps = [" + map + ", " + map + ", affine_map<(" + loops +
         ") -> ()>], iterator_types = [" + kinds + "]} ins(%y, %seed : " + c.result + ", " + c.result +
         ") outs(%f : tensor<f64>) {\n^bb0(%p: f64, %q: f64, %acc: f64):\n%m = arith.mulf %p, %q : f64\n"
         "%t = arith.addf %acc, %m : f64\nlinalg.yield %t : f64 } -> tensor<f64>\nreturn %loss : tensor<f64>\n}\n";
}

std::string filled(const std::string &name, const std::string &shape, const std::string &value = "%zero") {
  return "%" + name + "_e = tensor.empty() : " + shape + "\n%" + name + " = linalg.fill ins(" + value + " : f64) outs(%" +
         name + "_e : " + shape + ") -> " + shape + "\n";
}

/// One elementwise operation of one argument.
Case unary(const std::string &name, const std::string &scalars, double low = -1, double high = 1) {
  return {name, "%x: tensor<3x5xf64>",
          filled("i", "tensor<3x5xf64>") +
              "%y = linalg.generic {indexing_maps = [#ab, #ab], iterator_types = [\"parallel\", \"parallel\"]} ins(%x : "
              "tensor<3x5xf64>) outs(%i : tensor<3x5xf64>) {\n^bb0(%a: f64, %o: f64):\n" +
              scalars + "\nlinalg.yield %r : f64 } -> tensor<3x5xf64>",
          "tensor<3x5xf64>", low, high};
}

Case binary(const std::string &name, const std::string &scalars, double low = -1, double high = 1) {
  return {name, "%x: tensor<3x5xf64>, %z: tensor<5xf64>",
          filled("i", "tensor<3x5xf64>") +
              "%y = linalg.generic {indexing_maps = [#ab, #b_of_ab, #ab], iterator_types = [\"parallel\", \"parallel\"]} "
              "ins(%x, %z : tensor<3x5xf64>, tensor<5xf64>) outs(%i : tensor<3x5xf64>) {\n^bb0(%a: f64, %b: f64, %o: f64):\n" +
              scalars + "\nlinalg.yield %r : f64 } -> tensor<3x5xf64>",
          "tensor<3x5xf64>", low, high};
}

Case convolution(const std::string &op, const std::string &x, const std::string &w, const std::string &y, int stride,
                 int dilation, const std::string &suffix) {
  return {op + "_" + suffix, "%x: " + x + ", %w: " + w,
          filled("i", y) + "%y = linalg." + op + " {strides = dense<" + std::to_string(stride) +
              "> : tensor<2xi64>, dilations = dense<" + std::to_string(dilation) + "> : tensor<2xi64>} ins(%x, %w : " + x +
              ", " + w + ") outs(%i : " + y + ") -> " + y,
          y};
}

/// A convolution or pooling whose input is padded, by more on one side.
Case padded(Case inner, const std::string &x, const std::string &wide) {
  inner.name += "_padded";
  inner.arguments.replace(inner.arguments.find("%x: " + wide), 4 + wide.size(), "%u: " + x);
  inner.body = "%x = tensor.pad %u low[0, 1, 2, 0] high[0, 2, 0, 0] {\n^bb0(%i0: index, %i1: index, %i2: index, %i3: index):\n"
               "tensor.yield %zero : f64\n} : " + x + " to " + wide + "\n" + inner.body;
  return inner;
}

Case pooling(const std::string &op, const std::string &x, const std::string &window, const std::string &y, int stride,
             int dilation, const std::string &suffix) {
  return {op + "_" + suffix, "%x: " + x,
          "%low = arith.constant -9.0 : f64\n" + filled("i", y, op == "pooling_nhwc_max" ? "%low" : "%zero") +
              "%k = tensor.empty() : " + window + "\n%y = linalg." + op + " {strides = dense<" + std::to_string(stride) +
              "> : tensor<2xi64>, dilations = dense<" + std::to_string(dilation) + "> : tensor<2xi64>} ins(%x, %k : " + x +
              ", " + window + ") outs(%i : " + y + ") -> " + y,
          y};
}

Case reduction(const std::string &name, const std::string &combine, const std::string &start) {
  return {name, "%x: tensor<4x150xf64>",
          "%start = arith.constant " + start + " : f64\n" + filled("i", "tensor<4xf64>", "%start") +
              "%y = linalg.generic {indexing_maps = [#ab, #a_of_ab], iterator_types = [\"parallel\", \"reduction\"]} ins(%x "
              ": tensor<4x150xf64>) outs(%i : tensor<4xf64>) {\n^bb0(%a: f64, %o: f64):\n" +
              combine + "\nlinalg.yield %r : f64 } -> tensor<4xf64>",
          "tensor<4xf64>"};
}

std::vector<Case> allCases() {
  const std::string conv = "conv_2d_nhwc_hwcf", depthwise = "depthwise_conv_2d_nhwc_hwc", grouped = "conv_2d_nhwgc_gfhwc";
  return {
      convolution(conv, "tensor<2x6x7x3xf64>", "tensor<3x2x3x4xf64>", "tensor<2x4x6x4xf64>", 1, 1, "plain"),
      convolution(conv, "tensor<2x9x8x3xf64>", "tensor<3x3x3x4xf64>", "tensor<2x4x3x4xf64>", 2, 1, "stride2"),
      convolution(conv, "tensor<2x7x8x2xf64>", "tensor<1x1x2x3xf64>", "tensor<2x3x3x3xf64>", 3, 1, "stride3_one_tap"),
      convolution(conv, "tensor<1x9x9x2xf64>", "tensor<3x3x2x2xf64>", "tensor<1x5x5x2xf64>", 1, 2, "dilation2"),
      convolution(conv, "tensor<1x13x12x2xf64>", "tensor<3x4x2x2xf64>", "tensor<1x4x2x2xf64>", 2, 3, "stride2_dilation3"),
      convolution(conv, "tensor<1x13x13x2xf64>", "tensor<4x3x2x2xf64>", "tensor<1x2x3x2xf64>", 4, 2, "stride4_dilation2"),
      convolution(conv, "tensor<4x8x8x2xf64>", "tensor<3x3x2x3xf64>", "tensor<4x6x6x3xf64>", 1, 1, "long_sum"),
      convolution(depthwise, "tensor<2x7x6x5xf64>", "tensor<3x3x5xf64>", "tensor<2x5x4x5xf64>", 1, 1, "plain"),
      convolution(depthwise, "tensor<2x9x7x5xf64>", "tensor<3x3x5xf64>", "tensor<2x4x3x5xf64>", 2, 1, "stride2"),
      convolution(grouped, "tensor<2x6x7x2x3xf64>", "tensor<2x4x3x3x3xf64>", "tensor<2x2x3x2x4xf64>", 2, 1, "stride2"),
      padded(convolution(conv, "tensor<2x9x8x3xf64>", "tensor<3x3x3x4xf64>", "tensor<2x4x3x4xf64>", 2, 1, "stride2"),
             "tensor<2x6x6x3xf64>", "tensor<2x9x8x3xf64>"),
      padded(convolution(conv, "tensor<1x12x13x2xf64>", "tensor<4x3x2x2xf64>", "tensor<1x2x4x2xf64>", 2, 3, "stride2_dilation3"),
             "tensor<1x9x11x2xf64>", "tensor<1x12x13x2xf64>"),
      padded(convolution(conv, "tensor<1x8x7x2xf64>", "tensor<1x1x2x3xf64>", "tensor<1x8x7x3xf64>", 1, 1, "one_tap"),
             "tensor<1x5x5x2xf64>", "tensor<1x8x7x2xf64>"),
      padded(convolution(depthwise, "tensor<2x9x7x5xf64>", "tensor<3x3x5xf64>", "tensor<2x7x5x5xf64>", 1, 1, "stride1"),
             "tensor<2x6x5x5xf64>", "tensor<2x9x7x5xf64>"),
      padded(pooling("pooling_nhwc_max", "tensor<2x7x7x3xf64>", "tensor<3x3xf64>", "tensor<2x3x3x3xf64>", 2, 1, "wide"),
             "tensor<2x4x5x3xf64>", "tensor<2x7x7x3xf64>"),
      padded(pooling("pooling_nhwc_sum", "tensor<2x7x7x3xf64>", "tensor<3x3xf64>", "tensor<2x3x3x3xf64>", 2, 1, "wide"),
             "tensor<2x4x5x3xf64>", "tensor<2x7x7x3xf64>"),
      pooling("pooling_nhwc_max", "tensor<2x6x8x3xf64>", "tensor<2x2xf64>", "tensor<2x3x4x3xf64>", 2, 1, "apart"),
      pooling("pooling_nhwc_max", "tensor<2x7x7x3xf64>", "tensor<3x3xf64>", "tensor<2x3x3x3xf64>", 2, 1, "overlapping"),
      pooling("pooling_nhwc_max", "tensor<1x7x7x3xf64>", "tensor<2x3xf64>", "tensor<1x5x3x3xf64>", 1, 2, "dilated"),
      pooling("pooling_nhwc_sum", "tensor<2x6x8x3xf64>", "tensor<2x2xf64>", "tensor<2x3x4x3xf64>", 2, 1, "apart"),
      pooling("pooling_nhwc_sum", "tensor<2x7x7x3xf64>", "tensor<3x3xf64>", "tensor<2x3x3x3xf64>", 2, 1, "overlapping"),
      pooling("pooling_nhwc_sum", "tensor<2x4x5x3xf64>", "tensor<4x5xf64>", "tensor<2x1x1x3xf64>", 1, 1, "global"),
      {"matmul", "%x: tensor<5x7xf64>, %w: tensor<7x4xf64>",
       filled("i", "tensor<5x4xf64>") + "%y = linalg.matmul ins(%x, %w : tensor<5x7xf64>, tensor<7x4xf64>) outs(%i : "
                                        "tensor<5x4xf64>) -> tensor<5x4xf64>",
       "tensor<5x4xf64>"},
      {"matmul_into", "%x: tensor<5x7xf64>, %w: tensor<7x4xf64>, %i: tensor<5x4xf64>",
       "%y = linalg.matmul ins(%x, %w : tensor<5x7xf64>, tensor<7x4xf64>) outs(%i : tensor<5x4xf64>) -> tensor<5x4xf64>",
       "tensor<5x4xf64>"},
      {"batch_matmul", "%x: tensor<3x5x7xf64>, %w: tensor<3x7x4xf64>",
       filled("i", "tensor<3x5x4xf64>") + "%y = linalg.batch_matmul ins(%x, %w : tensor<3x5x7xf64>, tensor<3x7x4xf64>) "
                                          "outs(%i : tensor<3x5x4xf64>) -> tensor<3x5x4xf64>",
       "tensor<3x5x4xf64>"},
      {"pad", "%x: tensor<2x3xf64>",
       "%y = tensor.pad %x low[1, 0] high[0, 2] {\n^bb0(%i: index, %j: index):\ntensor.yield %one : f64\n} : "
       "tensor<2x3xf64> to tensor<3x5xf64>",
       "tensor<3x5xf64>"},
      {"extract_slice", "%x: tensor<5x6xf64>",
       "%y = tensor.extract_slice %x[1, 0] [2, 3] [2, 2] : tensor<5x6xf64> to tensor<2x3xf64>", "tensor<2x3xf64>"},
      {"extract_slice_lower_rank", "%x: tensor<5x6xf64>",
       "%y = tensor.extract_slice %x[1, 0] [1, 3] [1, 2] : tensor<5x6xf64> to tensor<3xf64>", "tensor<3xf64>"},
      {"insert_slice", "%x: tensor<2x3xf64>, %z: tensor<5x6xf64>",
       "%y = tensor.insert_slice %x into %z[1, 0] [2, 3] [2, 2] : tensor<2x3xf64> into tensor<5x6xf64>", "tensor<5x6xf64>"},
      {"concat", "%x: tensor<2x3xf64>, %z: tensor<2x4xf64>",
       "%y = tensor.concat dim(1) %x, %z : (tensor<2x3xf64>, tensor<2x4xf64>) -> tensor<2x7xf64>", "tensor<2x7xf64>"},
      {"reshapes", "%x: tensor<6x4xf64>",
       "%u = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf64> into tensor<2x3x4xf64>\n"
       "%y = tensor.collapse_shape %u [[0], [1, 2]] : tensor<2x3x4xf64> into tensor<2x12xf64>",
       "tensor<2x12xf64>"},
      {"transpose", "%x: tensor<6x4xf64>",
       "%u = tensor.empty() : tensor<4x6xf64>\n%y = linalg.transpose ins(%x : tensor<6x4xf64>) outs(%u : tensor<4x6xf64>) "
       "permutation = [1, 0]",
       "tensor<4x6xf64>"},
      {"broadcast", "%x: tensor<6xf64>",
       "%u = tensor.empty() : tensor<6x4xf64>\n%y = linalg.broadcast ins(%x : tensor<6xf64>) outs(%u : tensor<6x4xf64>) "
       "dimensions = [1]",
       "tensor<6x4xf64>"},
      {"broadcast_unit", "%x: tensor<6x1xf64>",
       filled("i", "tensor<6x4xf64>") +
           "%y = linalg.generic {indexing_maps = [#unit, #ab], iterator_types = [\"parallel\", \"parallel\"]} ins(%x : "
           "tensor<6x1xf64>) outs(%i : tensor<6x4xf64>) {\n^bb0(%a: f64, %o: f64):\n%r = arith.mulf %a, %a : f64\n"
           "linalg.yield %r : f64 } -> tensor<6x4xf64>",
       "tensor<6x4xf64>"},
      {"permuted_operand", "%x: tensor<4x6xf64>, %z: tensor<6x4xf64>",
       filled("i", "tensor<6x4xf64>") +
           "%y = linalg.generic {indexing_maps = [#ba, #ab, #ab], iterator_types = [\"parallel\", \"parallel\"]} ins(%x, %z "
           ": tensor<4x6xf64>, tensor<6x4xf64>) outs(%i : tensor<6x4xf64>) {\n^bb0(%a: f64, %b: f64, %o: f64):\n%r = "
           "arith.mulf %a, %b : f64\nlinalg.yield %r : f64 } -> tensor<6x4xf64>",
       "tensor<6x4xf64>"},
      {"named_sub", "%x: tensor<6x4xf64>, %z: tensor<6x4xf64>",
       filled("i", "tensor<6x4xf64>") + "%y = linalg.sub ins(%x, %z : tensor<6x4xf64>, tensor<6x4xf64>) outs(%i : "
                                        "tensor<6x4xf64>) -> tensor<6x4xf64>",
       "tensor<6x4xf64>"},
      {"used_twice", "%x: tensor<6x4xf64>",
       filled("i", "tensor<6x4xf64>") + "%y = linalg.mul ins(%x, %x : tensor<6x4xf64>, tensor<6x4xf64>) outs(%i : "
                                        "tensor<6x4xf64>) -> tensor<6x4xf64>",
       "tensor<6x4xf64>"},
      {"depends_on_index", "%x: tensor<150xf64>",
       filled("i", "tensor<f64>") +
           "%y = linalg.generic {indexing_maps = [#a, affine_map<(a) -> ()>], iterator_types = [\"reduction\"]} ins(%x : "
           "tensor<150xf64>) outs(%i : tensor<f64>) {\n^bb0(%a: f64, %o: f64):\n%n = linalg.index 0 : index\n%k = "
           "arith.index_cast %n : index to i64\n%g = arith.sitofp %k : i64 to f64\n%m = arith.mulf %a, %g : f64\n%r = "
           "arith.addf %o, %m : f64\nlinalg.yield %r : f64 } -> tensor<f64>",
       "tensor<f64>"},
      reduction("sum", "%q = arith.mulf %a, %a : f64\n%r = arith.addf %o, %q : f64", "0.5"),
      reduction("maximum", "%r = arith.maximumf %o, %a : f64", "-9.0"),
      unary("add_constant", "%r = arith.addf %a, %one : f64"),
      unary("negate", "%r = arith.negf %a : f64"),
      unary("relu", "%r = arith.maximumf %a, %zero : f64"),
      unary("clip", "%h = arith.constant 0.5 : f64\n%u = arith.minimumf %a, %h : f64\n%r = arith.maximumf %zero, %u : f64"),
      unary("select", "%c = arith.cmpf ogt, %a, %zero : f64\n%q = arith.mulf %a, %a : f64\n%r = arith.select %c, %q, %a : f64"),
      unary("absolute", "%r = math.absf %a : f64"),
      unary("square_root", "%r = math.sqrt %a : f64", 0.5, 2),
      unary("fused", "%h = arith.constant 3.0 : f64\n%r = math.fma %a, %a, %h : f64"),
      unary("reciprocal", "%q = arith.divf %one, %a : f64\n%r = arith.mulf %q, %a : f64\n", 0.5, 2),
      binary("add", "%r = arith.addf %a, %b : f64"),
      binary("subtract", "%r = arith.subf %a, %b : f64"),
      binary("multiply", "%r = arith.mulf %a, %b : f64"),
      binary("divide", "%r = arith.divf %a, %b : f64", 0.5, 2),
      binary("maximum_of_two", "%r = arith.maximumf %a, %b : f64"),
      binary("minimum_of_two", "%r = arith.minimumf %a, %b : f64"),
  };
}

/// Functions that the evaluator has as f32 polynomials only.
std::vector<Case> functions() {
  return {
      unary("exp", "%r = math.exp %a : f64"),
      unary("expm1", "%r = math.expm1 %a : f64"),
      unary("log", "%r = math.log %a : f64", 0.5, 2),
      unary("log1p", "%r = math.log1p %a : f64", -0.5, 2),
      unary("tanh", "%r = math.tanh %a : f64"),
      unary("erf", "%r = math.erf %a : f64"),
      unary("sin", "%r = math.sin %a : f64"),
      unary("cos", "%r = math.cos %a : f64"),
      unary("rsqrt", "%r = math.rsqrt %a : f64", 0.5, 2),
      unary("power", "%h = arith.constant 2.5 : f64\n%r = math.powf %a, %h : f64", 0.5, 2),
      binary("power_of_two", "%r = math.powf %a, %b : f64", 0.5, 2),
  };
}

std::string inSingle(std::string text) {
  for (size_t at = text.find("f64"); at != std::string::npos; at = text.find("f64", at))
    text.replace(at, 3, "f32");
  return text;
}

class Gradients : public ::testing::TestWithParam<Case> {
protected:
  Gradients() {
    context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                        math::MathDialect, tensor::TensorDialect>();
  }

  template <typename T>
  HostTensor randomTensor(Type type, double low, double high) {
    auto tensor = cast<RankedTensorType>(type);
    HostTensor result(tensor.getElementType(), tensor.getShape());
    std::uniform_real_distribution<double> values(low, high);
    for (int64_t i = 0; i < result.getNumElements(); ++i)
      result.data<T>()[i] = T(values(generator));
    return result;
  }

  /// Compares the gradients in `g`, behind its first result, with central differences of the first result of `f`.
  template <typename T>
  void compare(func::FuncOp f, func::FuncOp g, double step, double tolerance) {
    SmallVector<HostTensor> arguments;
    for (Type type : f.getArgumentTypes())
      arguments.push_back(randomTensor<T>(type, GetParam().low, GetParam().high));
    auto results = evaluate(g, arguments);
    ASSERT_TRUE(succeeded(results));
    ASSERT_EQ(results->size(), arguments.size()); // the loss, and a gradient for each but the seed
    for (size_t a = 0; a + 1 < arguments.size(); ++a)
      for (int64_t i = 0; i < arguments[a].getNumElements(); ++i) {
        T &x = arguments[a].data<T>()[i], old = x;
        x = old + T(step);
        double above = (*evaluate(f, arguments))[0].data<T>()[0], up = x;
        x = old - T(step);
        double below = (*evaluate(f, arguments))[0].data<T>()[0], down = x;
        x = old;
        double expected = (above - below) / (up - down), found = (*results)[a + 1].data<T>()[i];
        EXPECT_NEAR(found, expected, tolerance * std::max(1.0, std::abs(expected)))
            << "argument " << a << ", element " << i;
      }
  }

  MLIRContext context;
  std::mt19937 generator{5};
};

} // namespace

TEST_P(Gradients, MatchDifferences) {
  auto forward = parseSourceString<ModuleOp>(moduleOf(GetParam()), &context);
  ASSERT_TRUE(forward);
  OwningOpRef<ModuleOp> backward = forward->clone();
  PassManager passes(&context);
  passes.addPass(createDifferentiate());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  ASSERT_TRUE(succeeded(passes.run(*backward)));
  compare<double>(forward->lookupSymbol<func::FuncOp>("main"), backward->lookupSymbol<func::FuncOp>("main"), 1e-6, 1e-7);
}

INSTANTIATE_TEST_SUITE_P(EveryOperation, Gradients, ::testing::ValuesIn(allCases()),
                         [](const auto &info) { return info.param.name; });

namespace {
class FunctionGradients : public Gradients {};
} // namespace

// In f32 differences are good to about 1e-3.
TEST_P(FunctionGradients, MatchDifferences) {
  auto forward = parseSourceString<ModuleOp>(inSingle(moduleOf(GetParam())), &context);
  ASSERT_TRUE(forward);
  OwningOpRef<ModuleOp> backward = forward->clone();
  PassManager differentiate(&context), expand(&context);
  differentiate.addPass(createDifferentiate());
  expand.addPass(createExpandMath());
  ASSERT_TRUE(succeeded(differentiate.run(*backward)));
  ASSERT_TRUE(succeeded(expand.run(*backward)));
  ASSERT_TRUE(succeeded(expand.run(*forward)));
  compare<float>(forward->lookupSymbol<func::FuncOp>("main"), backward->lookupSymbol<func::FuncOp>("main"), 1e-2, 2e-3);
}

INSTANTIATE_TEST_SUITE_P(EveryFunction, FunctionGradients, ::testing::ValuesIn(functions()),
                         [](const auto &info) { return info.param.name; });
