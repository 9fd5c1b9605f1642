//===- EvaluateStructured.cpp - any linalg operation ------------------------===//
//
// Every structured operation is a perfect loop nest around a scalar region, whose operands are read through affine
// maps. Loops ascend, the first outermost; a result is stored after each iteration, as the operation states.
//
//===----------------------------------------------------------------------===//
#include "Environment.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// Where an operand is read: base plus the sum of index times coefficient, in elements.
struct Access {
  int64_t base = 0;
  SmallVector<int64_t> coefficients;
};
} // namespace

static FailureOr<Access> accessOf(AffineMap map, ArrayRef<int64_t> shape) {
  if (map.getNumResults() != shape.size() || map.getNumSymbols())
    return failure();
  SmallVector<int64_t> strides = stridesOf(shape), point(map.getNumDims(), 0);
  auto addressAt = [&]() {
    int64_t address = 0;
    for (auto [position, stride] : llvm::zip_equal(map.compose(point), strides))
      address += position * stride;
    return address;
  };
  Access access;
  access.base = addressAt();
  for (int64_t &coordinate : point) {
    coordinate = 1;
    access.coefficients.push_back(addressAt() - access.base);
    coordinate = 0;
  }
  return access;
}

/// The extent of each loop, from an operand that has it as a dimension of its own.
static FailureOr<SmallVector<int64_t>> loopExtents(linalg::LinalgOp op, ArrayRef<const HostTensor *> operands) {
  SmallVector<int64_t> extents(op.getNumLoops(), -1);
  for (auto [map, operand] : llvm::zip_equal(op.getIndexingMapsArray(), operands))
    for (auto [d, expression] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expression))
        extents[dim.getPosition()] = operand ? operand->shape[d] : -1;
  if (llvm::is_contained(extents, -1))
    return failure();
  return extents;
}

LogicalResult mlir::halftone::evaluateStructured(linalg::LinalgOp op, Environment &environment) {
  SmallVector<const HostTensor *> operands;
  SmallVector<std::shared_ptr<HostTensor>> outputs;
  for (OpOperand &operand : op->getOpOperands()) {
    const HostTensor *tensor = environment.tensor(operand.get());
    if (op.isDpsInit(&operand)) {
      if (!tensor)
        return op.emitError("the evaluator has no value for an output");
      outputs.push_back(std::make_shared<HostTensor>(*tensor));
      tensor = outputs.back().get();
    } else if (!tensor && !environment.scalar(operand.get())) {
      return op.emitError("the evaluator has no value for operand ") << operand.getOperandNumber();
    }
    operands.push_back(tensor);
  }
  FailureOr<SmallVector<int64_t>> extents = loopExtents(op, operands);
  if (failed(extents))
    return op.emitError("the evaluator cannot find the extent of every loop");
  ScalarProgram program;
  bool sums = op.getNumReductionLoops() > 0 && op.getNumDpsInits() == 1;
  if (failed(environment.build(program, *op.getBlock(), sums ? Value(op.getRegionOutputArgs()[0]) : Value())))
    return failure();
  SmallVector<Access> accesses;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand) {
      program.argument(i) = *environment.scalar(op->getOperand(i));
      accesses.emplace_back();
      continue;
    }
    FailureOr<Access> access = accessOf(op.getIndexingMapsArray()[i], operand->shape);
    if (failed(access))
      return op.emitError("the evaluator reads operands through affine maps without symbols only");
    accesses.push_back(std::move(*access));
  }
  int64_t numInputs = op.getNumDpsInputs();
  forEachIndex(*extents, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t, 8> addresses;
    for (auto [i, access] : llvm::enumerate(accesses)) {
      int64_t address = access.base;
      for (auto [coordinate, coefficient] : llvm::zip(index, access.coefficients))
        address += coordinate * coefficient;
      addresses.push_back(address);
      if (operands[i])
        program.argument(i) = loadElement(*operands[i], address);
    }
    llvm::copy(index, program.indices().begin());
    program.run();
    for (auto [o, output] : llvm::enumerate(outputs))
      storeElement(*output, addresses[numInputs + o], program.result(o));
  });
  for (auto [result, output] : llvm::zip(op->getResults(), outputs))
    environment.set(result, output);
  return success();
}
