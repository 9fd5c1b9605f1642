//===- Pipelines.cpp - the seven stages -------------------------------------===//
#include "halftone/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mlir::halftone;

static constexpr StringLiteral kStageNames[] = {"import",  "calibration", "precision", "quantization",
                                                "integer", "codegen",     "target"};

StringRef mlir::halftone::stageName(Stage stage) { return kStageNames[static_cast<int>(stage)]; }

std::optional<Stage> mlir::halftone::parseStage(StringRef name) {
  for (auto [i, candidate] : llvm::enumerate(kStageNames))
    if (name == candidate)
      return static_cast<Stage>(i);
  return std::nullopt;
}

void mlir::halftone::registerAllHalftonePasses() {}
