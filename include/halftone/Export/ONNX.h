//===- ONNX.h - writes ONNX models ------------------------------------------===//
//
// A module of the stages import to quantization (docs/Pipeline.md) becomes an ONNX model with the module's own input and
// output names, types, shapes and layout. Floats stay floats; quantize and dequantize become QuantizeLinear and
// DequantizeLinear with the module's scales, zero points and codes (QDQ form). docs/ONNX.md has what becomes what.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_EXPORT_ONNX_H
#define HALFTONE_EXPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include <memory>
#include <string>

namespace onnx {
class ModelProto;
} // namespace onnx

namespace mlir::halftone {

/// An ONNX model in memory, to be written as one file or as two.
class OnnxModel {
public:
  explicit OnnxModel(std::unique_ptr<onnx::ModelProto> proto);
  OnnxModel(OnnxModel &&);
  ~OnnxModel();

  /// The version of ONNX's operators that the model needs.
  int64_t opset() const;
  /// How many nodes it has.
  int64_t numNodes() const;
  /// Writes the larger weights, each at a multiple of 64 bytes, and makes them references into the file `location`, which
  /// is a name in the folder of the model.
  void writeWeights(raw_ostream &os, StringRef location);
  /// Writes the model, with whatever weights are still inside.
  void write(raw_ostream &os) const;

private:
  std::unique_ptr<onnx::ModelProto> proto;
};

struct ExportOptions {
  /// The weights will be in a file of their own: there is no limit to their size.
  bool externalData = false;
  /// Codes of activations are uint8, 128 higher than the module's; the numbers that they stand for are the same.
  bool unsignedActivations = false;
  /// The name and version of the program, for the model's header.
  std::string producer, producerVersion;
};

/// The module as an ONNX model; the module stays as it is. After one error that names every operation without a
/// counterpart, nothing.
FailureOr<OnnxModel> exportOnnx(ModuleOp module, const ExportOptions &options = {});

} // namespace mlir::halftone

#endif // HALFTONE_EXPORT_ONNX_H
