//===- MovementAdjoint.cpp - data movement ----------------------------------===//
#include "Adjoints.h"
#include "TensorBuilding.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

/// The part of `dy` that a padded tensor's source is.
static Value sliceOf(OpBuilder &b, Location loc, Value dy, ArrayRef<int64_t> offsets, RankedTensorType type) {
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, type, dy, getAsIndexOpFoldResult(b.getContext(), offsets),
                                        getAsIndexOpFoldResult(b.getContext(), type.getShape()), strides);
}

static LogicalResult differentiatePad(Adjoints &adjoints, tensor::PadOp op, Value dy) {
  if (op.getStaticLow().empty() || ShapedType::isDynamicShape(op.getStaticLow()))
    return failure();
  adjoints.add(op.getLoc(), op.getSource(),
               sliceOf(adjoints.b, op.getLoc(), dy, op.getStaticLow(), op.getSourceType()));
  return success();
}

static LogicalResult differentiateExtract(Adjoints &adjoints, tensor::ExtractSliceOp op, Value dy) {
  if (ShapedType::isDynamicShape(op.getStaticOffsets()))
    return failure();
  Value zeros = buildZeros(adjoints.b, op.getLoc(), op.getSourceType());
  adjoints.add(op.getLoc(), op.getSource(),
               tensor::InsertSliceOp::create(adjoints.b, op.getLoc(), dy, zeros, op.getMixedOffsets(), op.getMixedSizes(),
                                             op.getMixedStrides()));
  return success();
}

static LogicalResult differentiateInsert(Adjoints &adjoints, tensor::InsertSliceOp op, Value dy) {
  if (ShapedType::isDynamicShape(op.getStaticOffsets()))
    return failure();
  OpBuilder &b = adjoints.b;
  adjoints.add(op.getLoc(), op.getSource(),
               tensor::ExtractSliceOp::create(b, op.getLoc(), op.getSourceType(), dy, op.getMixedOffsets(),
                                              op.getMixedSizes(), op.getMixedStrides()));
  if (adjoints.needs(op.getDest())) {
    Value zeros = buildZeros(b, op.getLoc(), op.getSourceType());
    adjoints.add(op.getLoc(), op.getDest(),
                 tensor::InsertSliceOp::create(b, op.getLoc(), zeros, dy, op.getMixedOffsets(), op.getMixedSizes(),
                                               op.getMixedStrides()));
  }
  return success();
}

static LogicalResult differentiateConcat(Adjoints &adjoints, tensor::ConcatOp op, Value dy) {
  SmallVector<int64_t> offsets(tensorType(dy).getRank(), 0);
  for (Value input : op.getInputs()) {
    if (adjoints.needs(input))
      adjoints.add(op.getLoc(), input, sliceOf(adjoints.b, op.getLoc(), dy, offsets, tensorType(input)));
    offsets[op.getDim()] += tensorType(input).getDimSize(op.getDim());
  }
  return success();
}

LogicalResult mlir::halftone::differentiateMovement(Adjoints &adjoints, Operation *op, Value dy, bool &known) {
  known = true;
  OpBuilder &b = adjoints.b;
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tensor::PadOp pad) { return differentiatePad(adjoints, pad, dy); })
      .Case([&](tensor::ExtractSliceOp slice) { return differentiateExtract(adjoints, slice, dy); })
      .Case([&](tensor::InsertSliceOp slice) { return differentiateInsert(adjoints, slice, dy); })
      .Case([&](tensor::ConcatOp concat) { return differentiateConcat(adjoints, concat, dy); })
      .Case([&](tensor::ExpandShapeOp reshape) {
        adjoints.add(op->getLoc(), reshape.getSrc(),
                     tensor::CollapseShapeOp::create(b, op->getLoc(), reshape.getSrcType(), dy,
                                                     reshape.getReassociationIndices()));
        return success();
      })
      .Case([&](tensor::CollapseShapeOp reshape) {
        adjoints.add(op->getLoc(), reshape.getSrc(),
                     tensor::ExpandShapeOp::create(b, op->getLoc(), reshape.getSrcType(), dy,
                                                   reshape.getReassociationIndices()));
        return success();
      })
      .Case([&](tensor::CastOp cast) {
        adjoints.add(op->getLoc(), cast.getSource(), dy); // all shapes are static: a cast changes nothing
        return success();
      })
      .Default([&](Operation *) {
        known = false;
        return failure();
      });
}
