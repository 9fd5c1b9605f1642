//===- StoreUnsigned.cpp - codes in memory as the kernels want them ---------===//
//
// A dot of unsigned by signed bytes wants code + 128. Tensors that are read by such kernels and written by operations that can
// add 128 for nothing are stored that way: the byte is `code xor 0x80`.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/Packing.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Codegen/WinogradLayout.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_STOREUNSIGNED
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static constexpr int64_t kMiddle = 128;

static bool holdsCodes(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isInteger(8);
}

//===----------------------------------------------------------------------===//
// What operations can do
//===----------------------------------------------------------------------===//

/// Operations whose operands and results hold the same bytes, or the greatest of them.
static bool movesCodes(Operation *op) {
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    Value padding = pad.getConstantPaddingValue(); // one for all elements, maybe computed
    return padding && matchPattern(padding, m_Constant());
  }
  return isa<tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ConcatOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::CastOp, linalg::TransposeOp, linalg::PoolingNhwcMaxOp>(op);
}

static std::optional<std::vector<int8_t>> constantTable(LookupOp op) {
  return getConstantElements<int8_t>(op.getTable());
}

static bool isConstantFill(Operation *op) {
  auto fill = dyn_cast<linalg::FillOp>(op);
  return fill && matchPattern(fill.getInputs()[0], m_Constant());
}

static bool canWrite(Operation *op) {
  if (auto lookup = dyn_cast<LookupOp>(op))
    return constantTable(lookup).has_value();
  return isa<ContractOp, linalg::GenericOp, tensor::EmptyOp>(op) || isConstantFill(op) || movesCodes(op);
}

/// Whether the kernel of a contraction flips the sign bits of its input.
static bool flipsInput(ContractOp op) {
  std::optional<Packing> packing = Packing::of(op);
  return packing && packing->kernel->flipsSign();
}

/// Whether a kernel reads stored bytes as well as codes. Winograd's has it for nothing: it widens bytes and adds them up anyway.
static bool readsEither(ContractOp op) {
  return flipsInput(op) || WinogradLayout::fromAttribute(op);
}

static bool canRead(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (auto contract = dyn_cast<ContractOp>(op))
    return operand.get() != contract.getInput() || readsEither(contract);
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return generic.isDpsInput(&operand) || !generic.payloadUsesValueFromOperand(&operand);
  if (auto lookup = dyn_cast<LookupOp>(op))
    return operand.get() != lookup.getTable() && constantTable(lookup).has_value();
  return isConstantFill(op) || movesCodes(op);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

static Value flip(OpBuilder &builder, Location loc, Value code) {
  Value sign = arith::ConstantIntOp::create(builder, loc, -kMiddle, 8);
  return arith::XOrIOp::create(builder, loc, code, sign);
}

/// An argument of a body is a stored byte from now on: its code is that minus 128.
static void readStored(BlockArgument argument) {
  auto builder = OpBuilder::atBlockBegin(argument.getOwner());
  Location loc = argument.getLoc();
  SmallVector<Operation *> users(argument.getUsers());
  for (Operation *user : users) {
    builder.setInsertionPoint(user);
    auto extend = dyn_cast<arith::ExtSIOp>(user);
    if (!extend) {
      user->replaceUsesOfWith(argument, flip(builder, loc, argument));
      continue;
    }
    Value wide = arith::ExtUIOp::create(builder, loc, extend.getType(), argument);
    Value middle = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(extend.getType(), kMiddle));
    extend.replaceAllUsesWith(arith::SubIOp::create(builder, loc, wide, middle).getResult());
    extend.erase();
  }
}

/// A body yields stored bytes from now on; the zero point that an i32 gets last takes the 128 along.
static void yieldStored(Operation *terminator, unsigned index) {
  OpBuilder builder(terminator);
  Location loc = terminator->getLoc();
  Value code = terminator->getOperand(index);
  auto truncate = code.getDefiningOp<arith::TruncIOp>();
  auto addition = truncate ? truncate.getIn().getDefiningOp<arith::AddIOp>() : arith::AddIOp();
  APInt zero;
  if (!addition || !addition.getType().isInteger(32) || !matchPattern(addition.getRhs(), m_ConstantInt(&zero))) {
    terminator->setOperand(index, flip(builder, loc, code));
    return;
  }
  Value stored = arith::ConstantIntOp::create(builder, loc, zero.getSExtValue() + kMiddle, 32);
  Value sum = arith::AddIOp::create(builder, loc, addition.getLhs(), stored);
  terminator->setOperand(index, arith::TruncIOp::create(builder, loc, code.getType(), sum));
}

static Value storedConstant(OpBuilder &builder, Location loc, Value code) {
  APInt value;
  matchPattern(code, m_ConstantInt(&value));
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(code.getType(), value ^ APInt(8, 0x80)));
}

namespace {

struct StoreUnsigned : halftone::impl::StoreUnsignedBase<StoreUnsigned> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function.getBody().hasOneBlock())
      return;
    Block &body = function.getBody().front();
    for (BlockArgument argument : body.getArguments())
      pin(argument);
    for (Operation &op : body)
      join(&op);
    for (Operation &op : body)
      judge(&op);
    decide();
    SmallVector<Operation *> operations;
    for (Operation &op : body)
      operations.push_back(&op);
    for (Operation *op : operations)
      rewrite(op);
    // Erased last, so that no new value is taken for an old one.
    for (Operation *op : replaced)
      op->erase();
    numTensors += stored.size();
    replaced.clear();
    classes = {};
    wanted.clear();
    pinned.clear();
    stored.clear();
  }

private:
  /// Values that hold the same bytes, those among them that decide, and the outcome.
  llvm::EquivalenceClasses<void *> classes;
  DenseSet<void *> wanted, pinned;
  DenseSet<Value> stored;
  SmallVector<Operation *> replaced;

  bool isStored(Value value) const { return stored.contains(value); }

  void pin(Value value) {
    if (holdsCodes(value))
      pinned.insert(value.getAsOpaquePointer());
  }

  void join(Operation *op) {
    Value first;
    for (Value value : llvm::concat<Value>(SmallVector<Value>(op->getOperands()), SmallVector<Value>(op->getResults()))) {
      if (!holdsCodes(value) || value.getDefiningOp<tensor::EmptyOp>() || !movesCodes(op))
        continue;
      if (first)
        classes.unionSets(first.getAsOpaquePointer(), value.getAsOpaquePointer());
      first = value;
    }
    auto destination = dyn_cast<DestinationStyleOpInterface>(op);
    if (!destination)
      return;
    for (OpOperand &init : destination.getDpsInitsMutable())
      if (holdsCodes(init.get()) && !init.get().getDefiningOp<tensor::EmptyOp>() && op->getNumResults())
        classes.unionSets(init.get().getAsOpaquePointer(), destination.getTiedOpResult(&init).getAsOpaquePointer());
  }

  void judge(Operation *op) {
    for (Value result : op->getResults()) {
      if (!canWrite(op))
        pin(result);
      for (Operation *user : result.getUsers())
        if (user->getBlock() != op->getBlock())
          pin(result);
    }
    if (const DotKernel *kernel = findProductKernel(op); kernel && kernel->flipsSign())
      wanted.insert(op->getOperand(0).getAsOpaquePointer());
    auto contract = dyn_cast<ContractOp>(op);
    for (OpOperand &operand : op->getOpOperands()) {
      if (contract && operand.get() == contract.getInput() && flipsInput(contract))
        wanted.insert(operand.get().getAsOpaquePointer());
      if (!canRead(operand) && !operand.get().getDefiningOp<tensor::EmptyOp>())
        pin(operand.get());
    }
  }

  /// A class is stored as unsigned bytes if a kernel wants one of its values and none is pinned.
  void decide() {
    for (void *value : wanted)
      classes.insert(value);
    for (const auto *leader : classes) {
      if (!leader->isLeader())
        continue;
      auto holds = [&](const DenseSet<void *> &set) {
        return llvm::any_of(classes.members(*leader), [&](void *member) { return set.contains(member); });
      };
      if (holds(wanted) && !holds(pinned))
        for (void *member : classes.members(*leader))
          stored.insert(Value::getFromOpaquePointer(member));
    }
  }

  void rewrite(Operation *op) {
    if (auto contract = dyn_cast<ContractOp>(op))
      return rewriteContract(contract);
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      return rewriteGeneric(generic);
    if (auto lookup = dyn_cast<LookupOp>(op))
      return rewriteLookup(lookup);
    if (op->getNumResults() == 1 && isStored(op->getResult(0)))
      rewriteMovement(op);
  }

  void rewriteContract(ContractOp op) {
    if (isStored(op.getInput()) && readsEither(op)) {
      NamedAttrList packing(op.getPackingAttr());
      packing.set("unsigned", UnitAttr::get(&getContext()));
      op.setPackingAttr(packing.getDictionary(&getContext()));
    }
    Block &body = op.getEpilogue().front();
    for (auto [operand, argument] : llvm::zip_equal(op.getEpilogueInputs(), body.getArguments().drop_front()))
      if (isStored(operand))
        readStored(argument);
    if (op->getNumResults() && isStored(op->getResult(0)))
      yieldStored(body.getTerminator(), 0);
  }

  void rewriteGeneric(linalg::GenericOp op) {
    for (OpOperand *input : op.getDpsInputOperands())
      if (isStored(input->get()))
        readStored(op.getMatchingBlockArgument(input));
    for (OpResult result : op->getResults())
      if (isStored(result))
        yieldStored(op.getBlock()->getTerminator(), result.getResultNumber());
  }

  /// Entry i ^ 0x80 of the new table is what a stored byte i finds.
  void rewriteLookup(LookupOp op) {
    bool reads = isStored(op.getInput()), writes = isStored(op->getResult(0));
    if (!reads && !writes)
      return;
    std::vector<int8_t> table = *constantTable(op), entries(table.size());
    for (size_t i = 0; i < table.size(); ++i)
      entries[reads ? i ^ 0x80 : i] = static_cast<int8_t>(writes ? table[i] ^ 0x80 : table[i]);
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getTable().getType());
    Value constant = arith::ConstantOp::create(builder, op.getLoc(), makeConstant<int8_t>(type, entries, "table"));
    op.getTableMutable().assign(constant);
  }

  /// What an operation adds to the bytes that it moves: padding, fills; and the order of bytes.
  void rewriteMovement(Operation *op) {
    OpBuilder builder(op);
    if (auto fill = dyn_cast<linalg::FillOp>(op)) {
      fill.getInputsMutable().assign(storedConstant(builder, op->getLoc(), fill.getInputs()[0]));
    } else if (auto pad = dyn_cast<tensor::PadOp>(op)) {
      Value constant = storedConstant(builder, op->getLoc(), pad.getConstantPaddingValue());
      pad.getRegion().front().getTerminator()->setOperand(0, constant);
    } else if (auto pool = dyn_cast<linalg::PoolingNhwcMaxOp>(op)) {
      auto replacement = linalg::PoolingNhwcMaxUnsignedOp::create(builder, op->getLoc(), pool->getResultTypes(),
                                                                  pool.getInputs(), pool.getOutputs(), pool.getStrides(),
                                                                  pool.getDilations());
      pool->replaceAllUsesWith(replacement->getResults());
      stored.insert(replacement->getResult(0));
      replaced.push_back(op);
    }
  }
};

} // namespace
