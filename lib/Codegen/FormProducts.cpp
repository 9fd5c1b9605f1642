//===- FormProducts.cpp - products of two activations for their kernel ------===//
//
// The factors of an attention are transposed and joined with the batch in front of its products. A kernel reads by any strides, so
// the product becomes a generic that reads what lies behind these movements.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FORMPRODUCTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// The least code
//===----------------------------------------------------------------------===//

static constexpr int64_t kUnknown = std::numeric_limits<int64_t>::min();

static int64_t constantOf(Value value) {
  APInt integer;
  APFloat real(0.0f);
  if (matchPattern(value, m_ConstantInt(&integer)))
    return integer.getSExtValue();
  if (matchPattern(value, m_ConstantFloat(&real)) && real.isFinite())
    return static_cast<int64_t>(std::floor(real.convertToDouble()));
  return kUnknown;
}

/// A lower bound of a scalar that a clamp (rule A2, before or behind the rounding) and a zero point made.
static int64_t leastOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return kUnknown;
  if (isa<arith::TruncIOp, arith::FPToSIOp, math::RoundEvenOp>(op))
    return leastOf(op->getOperand(0));
  const int64_t second = op->getNumOperands() > 1 ? constantOf(op->getOperand(op->getNumOperands() - 1)) : kUnknown;
  if (second == kUnknown)
    return kUnknown;
  if (isa<arith::MaxSIOp>(op))
    return second;
  if (isa<arith::MinSIOp, arith::AddIOp>(op)) {
    const int64_t first = leastOf(op->getOperand(0));
    return first == kUnknown ? kUnknown : isa<arith::AddIOp>(op) ? first + second : std::min(first, second);
  }
  // x > low ? x : low, and x < high ? x : high.
  auto select = dyn_cast<arith::SelectOp>(op);
  auto compare = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  if (!compare || compare.getLhs() != select.getTrueValue() || compare.getRhs() != select.getFalseValue())
    return kUnknown;
  if (compare.getPredicate() == arith::CmpFPredicate::OGT)
    return second;
  const int64_t first = leastOf(select.getTrueValue());
  return compare.getPredicate() != arith::CmpFPredicate::OLT || first == kUnknown ? kUnknown : std::min(first, second);
}

/// A lower bound of the codes of a tensor, or kUnknown.
static int64_t leastCode(Value codes) {
  Operation *op = codes.getDefiningOp();
  if (!op)
    return kUnknown;
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp, tensor::CastOp, linalg::TransposeOp>(op))
    return leastCode(op->getOperand(0));
  if (auto lookup = dyn_cast<LookupOp>(op)) {
    std::optional<std::vector<int8_t>> table = getConstantElements<int8_t>(lookup.getTable());
    return table ? *llvm::min_element(*table) : kUnknown;
  }
  if (auto contract = dyn_cast<ContractOp>(op))
    return leastOf(cast<YieldOp>(contract.getEpilogue().front().getTerminator()).getValues()[0]);
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic ? leastOf(generic.getBody()->getTerminator()->getOperand(0)) : kUnknown;
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

namespace {

/// A tensor that holds a factor, and which dimension of the factor each of its own is.
struct Factor {
  Value tensor;
  SmallVector<int64_t> dims;
};

/// A product of two activations on tensors.
struct Product {
  linalg::LinalgOp op;
  Value left, right;
  Value leftZero, rightZero; ///< i32; null in floats
};

} // namespace

static bool startsAtZero(linalg::LinalgOp op) {
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  return fill && isZero(fill.getInputs()[0]);
}

static std::optional<Product> match(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || !isa<linalg::BatchMatmulOp, linalg::QuantizedBatchMatmulOp>(op.getOperation()) || !startsAtZero(op))
    return std::nullopt;
  Product product = {op, op->getOperand(0), op->getOperand(1), {}, {}};
  auto element = [](Value value) { return getElementTypeOrSelf(value.getType()); };
  if (auto batch = dyn_cast<linalg::BatchMatmulOp>(op.getOperation())) {
    bool floats = element(product.left).isF32() && element(product.right).isF32() && element(op->getResult(0)).isF32();
    return floats && !batch.hasUserDefinedMaps() ? std::optional(product) : std::nullopt;
  }
  product.leftZero = op->getOperand(2);
  product.rightZero = op->getOperand(3);
  bool bytes = element(product.left).isInteger(8) && element(product.right).isInteger(8) && element(op->getResult(0)).isInteger(32);
  return bytes ? std::optional(product) : std::nullopt;
}

/// The operation that joined the batch dimensions of a factor, and nothing else.
static tensor::CollapseShapeOp findJoin(Value factor) {
  auto collapse = factor.getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse)
    return {};
  SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
  return groups.size() == 3 && groups[1].size() == 1 && groups[2].size() == 1 ? collapse : tensor::CollapseShapeOp();
}

/// What the factor was transposed from, if one of `innermost` stays the last dimension there.
static Factor followTransposes(Value factor, ArrayRef<int64_t> innermost) {
  const int64_t rank = cast<RankedTensorType>(factor.getType()).getRank();
  Factor found = {factor, llvm::to_vector(llvm::seq<int64_t>(0, rank))};
  Factor best = found;
  while (auto transpose = found.tensor.getDefiningOp<linalg::TransposeOp>()) {
    SmallVector<int64_t> dims(rank);
    for (auto [i, from] : llvm::enumerate(transpose.getPermutation()))
      dims[from] = found.dims[i];
    found = {transpose.getInput(), dims};
    if (llvm::is_contained(innermost, dims.back()))
      best = found;
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// The size of a dimension of a factor.
static OpFoldResult sizeOf(OpBuilder &builder, Location loc, const Factor &factor, int64_t dim) {
  return tensor::getMixedSize(builder, loc, factor.tensor, llvm::find(factor.dims, dim) - factor.dims.begin());
}

/// The map of a factor whose rows and columns are these loops.
static AffineMap mapOf(OpBuilder &builder, const Factor &factor, int64_t batch, int64_t rows, int64_t columns) {
  SmallVector<AffineExpr> loops;
  for (int64_t dim : factor.dims)
    loops.push_back(builder.getAffineDimExpr(dim < batch ? dim : dim == batch ? rows : columns));
  return AffineMap::get(batch + 3, 0, loops, builder.getContext());
}

/// (code - zero point) in i32.
static Value emitLogical(OpBuilder &builder, Location loc, Value code, Value zero) {
  Value wide = arith::ExtSIOp::create(builder, loc, builder.getI32Type(), code);
  return matchPattern(zero, m_Zero()) ? wide : Value(arith::SubIOp::create(builder, loc, wide, zero));
}

static void emitSum(OpBuilder &builder, Location loc, const Product &product, ValueRange scalars) {
  if (!product.leftZero) {
    Value term = arith::MulFOp::create(builder, loc, scalars[0], scalars[1]);
    linalg::YieldOp::create(builder, loc, arith::AddFOp::create(builder, loc, scalars[2], term).getResult());
    return;
  }
  Value term = arith::MulIOp::create(builder, loc, emitLogical(builder, loc, scalars[0], product.leftZero),
                                     emitLogical(builder, loc, scalars[1], product.rightZero));
  linalg::YieldOp::create(builder, loc, arith::AddIOp::create(builder, loc, scalars[2], term).getResult());
}

/// The generic of a product. Batch dimensions that both factors joined are apart again, and joined behind it.
static linalg::GenericOp rewrite(IRRewriter &rewriter, const Product &product, StringRef kernel) {
  Operation *op = product.op;
  Location loc = op->getLoc();
  rewriter.setInsertionPoint(op);
  tensor::CollapseShapeOp left = findJoin(product.left), right = findJoin(product.right);
  bool apart = left && right && left.getSrcType().getShape().drop_back(2) == right.getSrcType().getShape().drop_back(2);
  const int64_t batch = apart ? left.getSrcType().getRank() - 2 : 1;
  Factor a = followTransposes(apart ? left.getSrc() : product.left, {batch + 1});
  Factor b = followTransposes(apart ? right.getSrc() : product.right, {batch, batch + 1});

  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim <= batch; ++dim)
    sizes.push_back(sizeOf(rewriter, loc, a, dim));
  sizes.push_back(sizeOf(rewriter, loc, b, batch + 1));
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  Value init = buildZeros(rewriter, loc, sizes, element);
  SmallVector<utils::IteratorType> loops(batch + 2, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  SmallVector<AffineMap> maps = {mapOf(rewriter, a, batch, batch, batch + 2), mapOf(rewriter, b, batch, batch + 2, batch + 1),
                                 rewriter.getMultiDimIdentityMap(batch + 3).getMajorSubMap(batch + 2)};
  auto generic = linalg::GenericOp::create(rewriter, loc, TypeRange{init.getType()}, ValueRange{a.tensor, b.tensor}, init, maps, loops,
                                           [&](OpBuilder &body, Location nested, ValueRange scalars) { emitSum(body, nested, product, scalars); });
  generic->setAttr(kProductAttr, rewriter.getStringAttr(kernel));
  Value result = generic.getResult(0);
  if (apart)
    result = tensor::CollapseShapeOp::create(rewriter, loc, op->getResult(0).getType(), result, left.getReassociationIndices());
  rewriter.replaceOp(op, result);
  return generic;
}

/// The elementwise operation that alone reads the joined sums.
static linalg::GenericOp findReader(tensor::CollapseShapeOp join) {
  auto reader = join && join->hasOneUse() ? dyn_cast<linalg::GenericOp>(*join->user_begin()) : linalg::GenericOp();
  if (!reader || reader->getNumResults() != 1 || reader.getNumDpsInputs() != 1 || reader.getNumParallelLoops() != reader.getNumLoops() ||
      reader.hasIndexSemantics() || !llvm::all_of(reader.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }) ||
      reader.payloadUsesValueFromOperand(reader.getDpsInitOperand(0)))
    return {};
  return reader.getDpsInputs()[0] == join.getResult() ? reader : linalg::GenericOp();
}

/// f(join x) -> join(f x): what reads the sums is computed with them.
static void moveBehind(IRRewriter &rewriter, linalg::GenericOp product) {
  auto join = product->hasOneUse() ? dyn_cast<tensor::CollapseShapeOp>(*product->user_begin()) : tensor::CollapseShapeOp();
  linalg::GenericOp reader = findReader(join);
  if (!reader)
    return;
  rewriter.setInsertionPoint(reader);
  Location loc = reader.getLoc();
  Type element = getElementTypeOrSelf(reader->getResult(0).getType());
  Value init = tensor::EmptyOp::create(rewriter, loc, tensor::getMixedSizes(rewriter, loc, product.getDpsInits()[0]), element);
  AffineMap identity = rewriter.getMultiDimIdentityMap(cast<RankedTensorType>(init.getType()).getRank());
  auto moved = linalg::GenericOp::create(rewriter, loc, TypeRange{init.getType()}, product->getResults(), init, ArrayRef<AffineMap>{identity, identity},
                                         SmallVector<utils::IteratorType>(identity.getNumDims(), utils::IteratorType::parallel));
  rewriter.inlineRegionBefore(reader.getRegion(), moved.getRegion(), moved.getRegion().end());
  rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(reader, reader->getResult(0).getType(), moved.getResult(0), join.getReassociationIndices());
}

namespace {

struct FormProducts : halftone::impl::FormProductsBase<FormProducts> {
  using FormProductsBase::FormProductsBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> products; // not their factors: one may be the result of another, which is replaced
    getOperation().walk([&](linalg::LinalgOp op) {
      if (std::optional<Product> product = match(op); product && hasKernel(*product, *isa))
        products.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : products) {
      const Product product = *match(op);
      const DotKernel &kernel = product.leftZero ? isa->bytes : isa->floats;
      moveBehind(rewriter, rewrite(rewriter, product, kernel.name));
      ++numProducts;
    }
  }

private:
  /// Whether the dots of the target are exact for all codes that the factors may have.
  static bool hasKernel(const Product &product, const Isa &isa) {
    if (!product.leftZero)
      return true;
    if (!matchPattern(product.rightZero, m_Zero()) || !isa.bytes.hasStart())
      return false;
    // vpmaddubsw saturates at 128 * 128 * 2, which only a weight of -128 reaches.
    return isa.bytes.dot != DotKind::Maddubs || leastCode(product.right) > -128;
  }
};

} // namespace
