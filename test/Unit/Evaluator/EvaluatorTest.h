//===- EvaluatorTest.h - a module from text, for tests
//----------------------===//
#ifndef HALFTONE_TEST_UNIT_EVALUATOR_EVALUATORTEST_H
#define HALFTONE_TEST_UNIT_EVALUATOR_EVALUATORTEST_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Evaluator/Evaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

namespace mlir::halftone {

class EvaluatorTest : public ::testing::Test {
protected:
  EvaluatorTest() {
    context.loadDialect<HalftoneDialect, arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect>();
  }

  /// The only function of the module in `text`.
  func::FuncOp parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? *module->getOps<func::FuncOp>().begin() : func::FuncOp();
  }

  template <typename T>
  HostTensor tensor(Type element, ArrayRef<int64_t> shape, ArrayRef<T> values) {
    HostTensor result(element, shape);
    llvm::copy(values, result.data<T>());
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace mlir::halftone

#endif // HALFTONE_TEST_UNIT_EVALUATOR_EVALUATORTEST_H
