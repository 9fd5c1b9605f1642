//===- ScalarProgram.h - a region of scalar operations, ready to run --------===//
//
// A region is resolved once into a flat list of instructions over registers, then run for each iteration. A register
// is 64 bits: integers sign-extended from their width, floats as their bits.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_EVALUATOR_SCALARPROGRAM_H
#define HALFTONE_LIB_EVALUATOR_SCALARPROGRAM_H

#include "halftone/Evaluator/Evaluator.h"
#include "mlir/IR/Operation.h"
#include <functional>

namespace mlir::halftone {

union Register {
  int64_t i;
  double d;
  float f;
};

/// Reads an element of a host tensor into a register.
Register loadElement(const HostTensor &tensor, int64_t index);
void storeElement(HostTensor &tensor, int64_t index, Register value);

/// The value of a scalar constant attribute; nothing for a type that a register does not hold.
std::optional<Register> constantRegister(Attribute attribute);

/// Tensors and scalars that a region may use from outside.
using LookupTensor = std::function<const HostTensor *(Value)>;
using LookupScalar = std::function<std::optional<Register>(Value)>;

class ScalarProgram {
public:
  /// Resolves a block that ends in a terminator; error at the first operation that is not known. A product that is added
  /// to `accumulator` and yielded rounds once (rule A16 of docs/Arithmetic.md).
  LogicalResult build(Block &block, LookupTensor tensors, LookupScalar scalars, Value accumulator = {});

  /// The register of block argument i, to be written before run().
  Register &argument(unsigned i) { return registers[arguments[i]]; }
  /// Where `linalg.index d` reads from.
  MutableArrayRef<int64_t> indices() { return indexValues; }
  void run();
  /// Operand i of the terminator after run().
  Register result(unsigned i) const { return registers[results[i]]; }

private:
  struct Instruction {
    void (*execute)(const Instruction &, Register *);
    int32_t target;
    int32_t operands[3] = {0, 0, 0};
    unsigned width = 0;               // of the result, in bits
    unsigned operandWidth = 0;        // of operand 0
    int64_t immediate = 0;            // predicate or index dimension
    const HostTensor *tensor = nullptr;
    const int64_t *indices = nullptr;
    SmallVector<int32_t, 4> positions; // registers of tensor.extract's indices
  };

  LogicalResult add(Operation &op, LookupTensor &tensors, LookupScalar &scalars);
  bool addFused(Operation &op, Value accumulator);
  FailureOr<int32_t> registerOf(Value value, LookupScalar &scalars);
  int32_t define(Value value);
  static void (*executor(Operation &op))(const Instruction &, Register *);
  static void (*fusedExecutor())(const Instruction &, Register *);

  DenseMap<Value, int32_t> numbers;
  SmallVector<Register> registers;
  SmallVector<int32_t> arguments, results;
  std::vector<Instruction> instructions;
  int64_t indexStorage[16] = {};
  MutableArrayRef<int64_t> indexValues{indexStorage, 16};
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_EVALUATOR_SCALARPROGRAM_H
