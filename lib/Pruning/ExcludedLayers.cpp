//===- ExcludedLayers.cpp - layers that pruning leaves alone by name --------===//
#include "halftone/Pruning/ExcludedLayers.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::halftone;

FailureOr<ExcludedLayers> ExcludedLayers::compile(Operation *op, ArrayRef<std::string> texts) {
  ExcludedLayers layers;
  layers.owner = op;
  layers.texts = texts.vec();
  layers.used.assign(texts.size(), false);
  for (const std::string &text : texts) {
    llvm::Expected<NamePattern> pattern = NamePattern::compile(text);
    if (!pattern)
      return op->emitError(llvm::toString(pattern.takeError()));
    layers.patterns.push_back(std::move(*pattern));
  }
  return layers;
}

bool ExcludedLayers::matches(StringRef name) {
  seen.push_back(name.str());
  bool excluded = false;
  for (auto [i, pattern] : llvm::enumerate(patterns))
    if (pattern.matches(name))
      excluded = used[i] = true;
  return excluded;
}

LogicalResult ExcludedLayers::checkAllUsed() const {
  SmallVector<StringRef> idle;
  for (auto [i, text] : llvm::enumerate(texts))
    if (!used[i])
      idle.push_back(text);
  if (!idle.empty())
    return owner->emitError("exclude: no contraction has a name that matches '")
           << llvm::join(idle, "', '") << "' (as a whole: '.*head.*' finds a part); there are " << listNames(seen);
  return success();
}

FailureOr<SmallVector<ContractionInput>> mlir::halftone::getPrunableContractions(func::FuncOp entry, ArrayRef<std::string> exclude,
                                                                                  bool ends) {
  FailureOr<ExcludedLayers> excluded = ExcludedLayers::compile(entry->getParentOp(), exclude);
  if (failed(excluded))
    return failure();
  SmallVector<ContractionInput> inputs = getContractionInputs(entry), prunable;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    const bool isExcluded = excluded->matches(locationName(input.contraction->getLoc()));
    const bool isEnd = !ends && (i == 0 || i + 1 == inputs.size());
    if (!isExcluded && !isEnd && !isa<linalg::DepthwiseConv2DNhwcHwcOp>(input.contraction))
      prunable.push_back(input);
  }
  if (failed(excluded->checkAllUsed()))
    return failure();
  return prunable;
}
