//===- Export.cpp - modules to ONNX models ----------------------------------===//
#include "Exporter.h"
#include "MathFunctions.h"
#include "halftone/Analysis/EntryForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/MathExtras.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

OnnxModel::OnnxModel(std::unique_ptr<onnx::ModelProto> proto) : proto(std::move(proto)) {}
OnnxModel::OnnxModel(OnnxModel &&) = default;
OnnxModel::~OnnxModel() = default;

int64_t OnnxModel::opset() const { return proto->opset_import(0).version(); }
int64_t OnnxModel::numNodes() const { return proto->graph().node_size(); }

void OnnxModel::writeWeights(raw_ostream &os, StringRef location) {
  constexpr uint64_t alignment = 64, least = 1024;
  uint64_t position = 0;
  auto addEntry = [](onnx::TensorProto &tensor, StringRef key, const std::string &value) {
    onnx::StringStringEntryProto &entry = *tensor.add_external_data();
    entry.set_key(key.str());
    entry.set_value(value);
  };
  for (onnx::TensorProto &tensor : *proto->mutable_graph()->mutable_initializer()) {
    const std::string &bytes = tensor.raw_data();
    if (bytes.size() < least)
      continue;
    os.write_zeros(llvm::alignTo(position, alignment) - position);
    position = llvm::alignTo(position, alignment);
    os << bytes;
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    addEntry(tensor, "location", location.str());
    addEntry(tensor, "offset", std::to_string(position));
    addEntry(tensor, "length", std::to_string(bytes.size()));
    position += bytes.size();
    tensor.clear_raw_data();
  }
}

void OnnxModel::write(raw_ostream &os) const { os << proto->SerializeAsString(); }

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// Bytes of all constants.
static int64_t constantBytes(ModuleOp module) {
  int64_t bytes = 0;
  module.walk([&](Operation *op) {
    auto type = op->hasTrait<OpTrait::ConstantLike>() ? dyn_cast<RankedTensorType>(op->getResult(0).getType()) : RankedTensorType();
    if (type && type.getElementType().isIntOrFloat())
      bytes += type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  });
  return bytes;
}

/// Named operations that the exporter has no rule for become generics, which it reads by their meaning.
static void generalizeOthers(ModuleOp module) {
  SmallVector<linalg::LinalgOp> others;
  module.walk([&](linalg::LinalgOp op) {
    bool known = isa<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp, linalg::Conv2DNhwgcGfhwcOp,
                     linalg::PoolingNhwcMaxOp, linalg::PoolingNhwcMaxUnsignedOp, linalg::TransposeOp, linalg::FillOp,
                     linalg::GenericOp>(op);
    if (auto matmul = dyn_cast<linalg::MatmulOp>(*op))
      known = !matmul.hasUserDefinedMaps();
    if (auto matmul = dyn_cast<linalg::BatchMatmulOp>(*op))
      known = !matmul.hasUserDefinedMaps();
    if (!known)
      others.push_back(op);
  });
  IRRewriter rewriter(module.getContext());
  for (linalg::LinalgOp op : others) {
    rewriter.setInsertionPoint(op);
    (void)linalg::generalizeNamedOp(rewriter, op); // one that has no region stays, and is reported
  }
}

/// Takes the questions for sizes away, which are no readers of a value: ONNX knows the sizes itself, and the exporter goes by
/// types.
static void dropSizes(ModuleOp module) {
  SmallVector<tensor::DimOp> sizes;
  module.walk([&](tensor::DimOp op) { sizes.push_back(op); });
  for (tensor::DimOp op : sizes) {
    OpBuilder builder(op);
    op.getResult().replaceAllUsesWith(arith::ConstantIndexOp::create(builder, op.getLoc(), 0));
    op.erase();
  }
}

FailureOr<OnnxModel> mlir::halftone::exportOnnx(ModuleOp module, const ExportOptions &options) {
  FailureOr<func::FuncOp> found = getEntry(module);
  if (failed(found))
    return failure();
  // Protocol buffers end at 2 GB; names, shapes and attributes need some of it.
  constexpr int64_t limit = (int64_t(1) << 31) - (int64_t(1) << 24);
  if (int64_t bytes = constantBytes(module); bytes > limit && !options.externalData)
    return module.emitError("the model has ") << bytes << " bytes of constants, and an ONNX file cannot be larger than 2 GB: "
                                                 "keep them in a file beside it (--external-data)";
  OwningOpRef<ModuleOp> copy = module.clone();
  generalizeOthers(*copy);
  dropSizes(*copy);
  if (failed(restoreMathFunctions(*copy)))
    return failure();
  Exporter exporter(*copy, options);
  if (failed(exporter.run(*getEntry(*copy))))
    return failure();
  std::unique_ptr<onnx::ModelProto> model = exporter.graph.finish();
  model->set_producer_name(options.producer);
  model->set_producer_version(options.producerVersion);
  return OnnxModel(std::move(model));
}
