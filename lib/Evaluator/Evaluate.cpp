//===- Evaluate.cpp - the evaluator as a pass -------------------------------===//
#include "ScalarProgram.h"
#include "halftone/Evaluator/Passes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EVALUATE
#include "halftone/Evaluator/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static void print(llvm::raw_ostream &out, const HostTensor &tensor) {
  for (int64_t extent : tensor.shape)
    out << extent << 'x';
  out << tensor.elementType << " =";
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    Register value = loadElement(tensor, i);
    if (tensor.elementType.isF32())
      out << ' ' << llvm::format("%.9g", value.f);
    else if (tensor.elementType.isF64())
      out << ' ' << llvm::format("%.17g", value.d);
    else
      out << ' ' << value.i;
  }
  out << '\n';
}

namespace {
struct Evaluate : halftone::impl::EvaluateBase<Evaluate> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.getNumArguments() || function.isExternal())
      return;
    FailureOr<SmallVector<HostTensor>> results = evaluate(function, {});
    if (failed(results))
      return signalPassFailure();
    std::string text;
    llvm::raw_string_ostream out(text);
    for (auto [i, result] : llvm::enumerate(*results)) {
      out << function.getName() << '#' << i << ": ";
      print(out, result);
    }
    // One write: functions are evaluated side by side.
    llvm::outs() << text;
  }
};
} // namespace
