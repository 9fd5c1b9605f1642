//===- DifferentialTest.cpp - sandwiches against integer computation
//--------===//
//
// Every function of the stage's lit tests is evaluated twice on the same data,
// as the float program between casts that it is and as what the integer stage
// makes of it. Codes differ by at most 1 (docs/Arithmetic.md rounds once, at
// other places than the float program); real numbers by at most half a step of
// the bias.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Evaluator/Evaluator.h"
#include "halftone/Integer/Passes.h"
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
/// How the codes of an argument are chosen.
enum class Data { Random, Lowest, Highest };

class Differential : public ::testing::TestWithParam<const char *> {
protected:
  Differential() : quiet(&context, [](Diagnostic &) { return success(); }) {
    context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect, quant::QuantDialect>();
  }

  OwningOpRef<ModuleOp> parse() {
    std::string path = std::string(HALFTONE_TEST_FOLDER) + "/" + GetParam();
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, &context);
    PassManager manager(&context);
    manager.addPass(createExpandMath());
    return module && succeeded(manager.run(*module)) ? std::move(module)
                                                     : nullptr;
  }

  /// Arguments of odd sizes where the type leaves them open; nothing if one is
  /// no tensor.
  std::optional<SmallVector<HostTensor>> createArguments(func::FuncOp function,
                                                         Data data) {
    SmallVector<HostTensor> arguments;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !(tensor.getElementType().isInteger(8) ||
                       tensor.getElementType().isF32()))
        return std::nullopt;
      SmallVector<int64_t> shape(tensor.getShape());
      for (int64_t &extent : shape)
        extent = ShapedType::isDynamic(extent) ? 3 : extent;
      arguments.push_back(
          fill(HostTensor(tensor.getElementType(), shape), data));
    }
    return arguments;
  }

  HostTensor fill(HostTensor tensor, Data data) {
    std::uniform_int_distribution<int> codes(-128, 127);
    for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
      int code = data == Data::Random   ? codes(generator)
                 : data == Data::Lowest ? -128
                                        : 127;
      if (tensor.elementType.isF32())
        tensor.data<float>()[i] = float(code) * 0.7f;
      else
        tensor.data<int8_t>()[i] = int8_t(code);
    }
    return tensor;
  }

  MLIRContext context;
  ScopedDiagnosticHandler quiet;
  std::mt19937 generator{7};
};
} // namespace

static void expectClose(const HostTensor &expected, const HostTensor &actual,
                        StringRef name) {
  ASSERT_EQ(expected.shape, actual.shape) << name.str();
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    if (!expected.elementType.isF32()) {
      EXPECT_LE(std::abs(expected.data<int8_t>()[i] - actual.data<int8_t>()[i]),
                1)
          << name.str() << " at " << i;
      continue;
    }
    float a = expected.data<float>()[i], b = actual.data<float>()[i];
    // Infinities have no difference.
    EXPECT_TRUE(a == b || std::abs(a - b) < 0.126f)
        << name.str() << " at " << i << ": " << a << ", " << b;
  }
}

TEST_P(Differential, CodesAreWithinOne) {
  OwningOpRef<ModuleOp> sandwiches = parse(), integer = parse();
  ASSERT_TRUE(sandwiches && integer);
  PassManager manager(&context);
  buildIntegerPipeline(manager);
  ASSERT_TRUE(succeeded(manager.run(*integer)));
  int compared = 0;
  for (func::FuncOp function : sandwiches->getOps<func::FuncOp>())
    for (Data data : {Data::Random, Data::Lowest, Data::Highest}) {
      std::optional<SmallVector<HostTensor>> arguments =
          createArguments(function, data);
      if (!arguments)
        continue;
      auto other = integer->lookupSymbol<func::FuncOp>(function.getName());
      FailureOr<SmallVector<HostTensor>> expected =
                                             evaluate(function, *arguments),
                                         actual = evaluate(other, *arguments);
      ASSERT_TRUE(succeeded(expected) && succeeded(actual))
          << function.getName().str();
      for (auto [a, b] : llvm::zip_equal(*expected, *actual))
        expectClose(a, b, function.getName());
      ++compared;
    }
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(
    LitTests, Differential,
    ::testing::Values("convert-contraction.mlir", "convert-pooling.mlir",
                      "convert-elementwise.mlir", "convert-data-movement.mlir",
                      "convert-boundaries.mlir", "tabulate-unary.mlir",
                      "pipeline.mlir"));
