//===- SteepFunctions.cpp - functions that codes are too coarse for ---------===//
#include "SteepFunctions.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Evaluator/Evaluator.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

static constexpr int kSteps = 255;
static constexpr int kPlaces = 4;

/// Where a value lies around the code that it is rounded to, in steps: multiples of the golden ratio, as equal distances could all be periods of the function.
static float placeOf(int i) {
  const double place = i * 0.6180339887498949;
  return place - std::floor(place) - 0.5;
}

std::optional<double> mlir::halftone::measureRoundedOperand(Operation *op) {
  auto given = llvm::find_if(op->getOperands(), [](Value value) { return !isConstant(value); });
  if (given == op->operand_end())
    return std::nullopt;
  Value operand = *given;
  std::optional<std::pair<float, float>> range = getRange(traceRoot(operand));
  if (!range || !(range->first < range->second))
    return std::nullopt;
  const auto [low, high] = *range;
  const float step = (high - low) / kSteps;
  std::vector<float> points;
  for (int code = 0; code <= kSteps; ++code) {
    points.push_back(low + code * step);
    for (int i = 0; i < kPlaces; ++i)
      points.push_back(low + (code + placeOf(code * kPlaces + i)) * step);
  }
  FailureOr<std::vector<float>> values = evaluatePointwise(operand, op->getResult(0), points);
  if (failed(values) || !llvm::all_of(*values, [](float value) { return std::isfinite(value); }))
    return std::nullopt;
  const size_t each = 1 + kPlaces;
  double sum = 0, squares = 0, errors = 0;
  for (size_t i = 0; i < values->size(); ++i) {
    const double value = (*values)[i], error = value - (*values)[i - i % each];
    sum += value;
    squares += value * value;
    errors += error * error;
  }
  const double variance = squares - sum * sum / values->size();
  return errors > 0 ? std::optional(10 * std::log10(variance / errors)) : std::nullopt;
}
