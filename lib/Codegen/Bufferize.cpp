//===- Bufferize.cpp - tensors to buffers -----------------------------------===//
#include "halftone/Codegen/BufferizableOpInterfaceImpl.h"
#include "halftone/Codegen/ConcatParts.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_BUFFERIZE
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// On insertions that stay copies: of the groups of a concatenation of many parts.
static constexpr StringLiteral kCopiedAttr = "halftone.copied";

/// The analysis takes more than quadratic time in the values that share a place.
static constexpr size_t kMostParts = 32;

/// How many of `parts` share a place so that all places have as many, and no part is copied more often than kMostParts asks for: the root of the number.
static size_t sizeOfGroups(size_t parts) {
  unsigned levels = 1;
  for (size_t most = kMostParts; most < parts; most *= kMostParts)
    ++levels;
  return std::ceil(std::pow(double(parts), 1.0 / levels));
}

/// The buffer of the value is its own: nothing else is computed in it, or can be.
static bool hasOwnBuffer(Value value) {
  while (Operation *reshape = value.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(reshape) || !reshape->getOperand(0).hasOneUse())
      break;
    value = reshape->getOperand(0);
  }
  auto op = value.getDefiningOp<DestinationStyleOpInterface>();
  if (!op)
    return false;
  Value place = op.getTiedOpOperand(cast<OpResult>(value))->get();
  return place.hasOneUse() && place.getDefiningOp<tensor::EmptyOp>();
}

/// Whether the operation reads the operand and has no other use for its buffer.
static bool isOnlyRead(OpOperand &use) {
  auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
  return isa<ObserveOp>(use.getOwner()) || (op && op.isDpsInput(&use));
}

/// More than kMostParts slices of a value with a buffer of its own in which nothing else is computed: the steps of a recurrent network. They are read only, so
/// that their buffers are known without an analysis of each with all others.
static void bufferizeSlices(OpBuilder &builder, Value whole) {
  auto type = cast<RankedTensorType>(whole.getType());
  SmallVector<tensor::ExtractSliceOp> slices;
  for (OpOperand &use : whole.getUses()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(use.getOwner());
    auto isPlace = [](OpOperand &reader) {
      auto op = dyn_cast<DestinationStyleOpInterface>(reader.getOwner());
      return (op && op.isDpsInit(&reader)) || isa<tensor::InsertSliceOp>(reader.getOwner());
    };
    if (slice ? llvm::any_of(slice->getUses(), isPlace) : !isOnlyRead(use))
      return;
    if (slice)
      slices.push_back(slice);
  }
  if (slices.size() <= kMostParts || !hasOwnBuffer(whole))
    return;
  builder.setInsertionPointAfterValue(whole);
  auto bufferType = MemRefType::get(type.getShape(), type.getElementType());
  Value buffer = bufferization::ToBufferOp::create(builder, whole.getLoc(), bufferType, whole, /*read_only=*/true);
  for (tensor::ExtractSliceOp slice : slices) {
    builder.setInsertionPoint(slice);
    auto partType = memref::SubViewOp::inferRankReducedResultType(slice.getType().getShape(), bufferType, slice.getMixedOffsets(), slice.getMixedSizes(),
                                                                  slice.getMixedStrides());
    Value part = memref::SubViewOp::create(builder, slice.getLoc(), cast<MemRefType>(partType), buffer, slice.getMixedOffsets(), slice.getMixedSizes(),
                                           slice.getMixedStrides());
    Value read = bufferization::ToTensorOp::create(builder, slice.getLoc(), slice.getType(), part, /*restrict=*/true);
    slice.getResult().replaceAllUsesWith(read);
    slice.erase();
  }
}

/// Replaces tensor.empty by the place where its value is needed: first in the outputs, then that of tensors made of parts, then
/// in other tensors, whose own place is known by then.
static LogicalResult eliminateEmptyTensors(RewriterBase &rewriter, Operation *op) {
  enum class Round { Outputs, Wholes, All };
  bufferization::OneShotBufferizationOptions options;
  std::optional<bufferization::OneShotAnalysisState> state; // holds until something is replaced
  for (Round round : {Round::Outputs, Round::Wholes, Round::All}) {
    if (!state && failed(bufferization::analyzeOp(op, state.emplace(op, options))))
      return failure();
    bool replaces = false;
    auto build = [&](RewriterBase &inner, SubsetInsertionOpInterface insertion, tensor::EmptyOp empty,
                     Operation *user) -> Value {
      if (insertion->hasAttr(kCopiedAttr))
        return {};
      auto output = dyn_cast<bufferization::MaterializeInDestinationOp>(insertion.getOperation());
      bool isWhole = insertion.getSourceOperand().get().getDefiningOp<tensor::InsertSliceOp>() != nullptr;
      if ((round == Round::Outputs && !output) || (round == Round::Wholes && !isWhole))
        return {};
      // An output exists from the start, so that parts of it can be computed before they meet.
      replaces = true;
      OpBuilder::InsertionGuard guard(inner);
      if (output)
        inner.setInsertionPointAfterValue(output.getDest());
      return bufferization::buildSubsetExtraction(inner, insertion, empty, user);
    };
    if (failed(bufferization::eliminateEmptyTensors(rewriter, op, *state, build)))
      return failure();
    if (replaces)
      state.reset();
  }
  return success();
}

namespace {

struct Bufferize : halftone::impl::BufferizeBase<Bufferize> {
  /// The interfaces come with the pass, so that every tool has them.
  void getDependentDialects(DialectRegistry &registry) const override {
    BufferizeBase::getDependentDialects(registry);
    arith::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerSubsetOpInterfaceExternalModels(registry);
    scf::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerSubsetOpInterfaceExternalModels(registry);
    registerBufferizableOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    if (failed(decomposeConcats()))
      return signalPassFailure();
    separateEmptyTensors();
    separateConstants();
    bufferizeSlices();
    IRRewriter rewriter(&getContext());
    bufferization::OneShotBufferizationOptions options;
    options.bufferAlignment = 64;
    bufferization::BufferizationState state;
    if (failed(eliminateEmptyTensors(rewriter, getOperation())) ||
        failed(bufferization::runOneShotBufferize(getOperation(), options, state)))
      signalPassFailure();
  }

  /// Concatenations become insertions into one empty tensor, which exists before the first part is computed: each part then
  /// finds its place there.
  LogicalResult decomposeConcats() {
    SmallVector<tensor::ConcatOp> concats;
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](tensor::ConcatOp concat) { splitConcat(rewriter, concat, concats); });
    for (tensor::ConcatOp concat : concats) {
      Operation *first = findFirstPart(concat);
      rewriter.setInsertionPoint(concat);
      FailureOr<SmallVector<Value>> whole = concat.decomposeOperation(rewriter);
      if (failed(whole))
        return failure();
      Value place = whole->front();
      while (auto insertion = place.getDefiningOp<tensor::InsertSliceOp>()) {
        if (concat->hasAttr(kCopiedAttr))
          insertion->setAttr(kCopiedAttr, rewriter.getUnitAttr());
        place = insertion.getDest();
      }
      if (auto empty = place.getDefiningOp<tensor::EmptyOp>(); empty && first && first->isBeforeInBlock(empty))
        empty->moveBefore(first);
      rewriter.replaceOp(concat, *whole);
    }
    return success();
  }

  /// Adds the concatenation; one of many parts, as of a recurrent network's steps, as groups of them that are copied into the whole.
  static void splitConcat(IRRewriter &rewriter, tensor::ConcatOp concat, SmallVectorImpl<tensor::ConcatOp> &concats) {
    const size_t size = sizeOfGroups(concat.getNumOperands());
    while (concat.getNumOperands() > kMostParts) {
      rewriter.setInsertionPoint(concat);
      SmallVector<Value> groups;
      for (OperandRange parts = concat.getInputs(); !parts.empty(); parts = parts.drop_front(std::min(parts.size(), size))) {
        auto group = tensor::ConcatOp::create(rewriter, concat.getLoc(), concat.getDim(), parts.take_front(std::min(parts.size(), size)));
        if (concat->hasAttr(kCopiedAttr)) // a group of groups
          group->setAttr(kCopiedAttr, rewriter.getUnitAttr());
        groups.push_back(group);
        concats.push_back(group);
      }
      concat.getInputsMutable().assign(groups);
      concat->setAttr(kCopiedAttr, rewriter.getUnitAttr());
    }
    concats.push_back(concat);
  }

  /// Each user of a constant that many read gets its own, so that it is not looked at with all others; all are the same global in the end.
  void separateConstants() {
    SmallVector<arith::ConstantOp> all;
    getOperation().walk([&](arith::ConstantOp constant) {
      if (isa<RankedTensorType>(constant.getType()) && constant.getResult().hasNUsesOrMore(kMostParts))
        all.push_back(constant);
    });
    for (arith::ConstantOp constant : all)
      for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(constant->getUses()))) {
        OpBuilder builder(use.getOwner());
        use.set(builder.clone(*constant)->getResult(0));
      }
  }

  void bufferizeSlices() {
    SmallVector<Value> sliced;
    getOperation().walk([&](Operation *op) { // slices themselves have no buffer of their own
      for (Value result : op->getResults())
        if (isa<RankedTensorType>(result.getType()) && !isa<tensor::ExtractSliceOp>(op) &&
            llvm::any_of(result.getUsers(), llvm::IsaPred<tensor::ExtractSliceOp>))
          sliced.push_back(result);
    });
    OpBuilder builder(&getContext());
    for (Value value : sliced)
      ::bufferizeSlices(builder, value);
  }

  /// Each user of an empty tensor gets its own: cse makes one of those of a type, which has one place only.
  void separateEmptyTensors() {
    SmallVector<tensor::EmptyOp> all;
    getOperation().walk([&](tensor::EmptyOp empty) { all.push_back(empty); });
    for (tensor::EmptyOp empty : all) {
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : empty->getUses())
        if (auto user = dyn_cast<DestinationStyleOpInterface>(use.getOwner()); user && user.isDpsInit(&use))
          uses.push_back(&use);
      for (OpOperand *use : llvm::drop_begin(uses, uses.empty() ? 0 : 1)) {
        OpBuilder builder(use->getOwner());
        use->set(builder.clone(*empty)->getResult(0));
      }
    }
  }
};

} // namespace
