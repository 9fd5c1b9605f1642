//===- Reader.h - ONNX files and their tensors ------------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_READER_H
#define HALFTONE_LIB_IMPORT_ONNX_READER_H

#include "HostTensor.h"
#include <onnx/onnx_pb.h>

namespace mlir::halftone::importer {

/// An ONNX file in memory.
struct ModelFile {
  std::string path;
  onnx::ModelProto model;
  std::string hash; ///< of the file and its external data, in hexadecimal
  int64_t externalBytes = 0; ///< of the external data
};

/// Reads and parses the file and the external data of its initializers; null after an error, which names every tensor
/// whose data is not there.
std::unique_ptr<ModelFile> readModelFile(StringRef path, MLIRContext *context);

/// The tensor as bytes; nothing, with the reason in `error`, if its element type or its size can't be.
std::optional<HostTensor> readTensor(MLIRContext *context, const onnx::TensorProto &proto, std::string &error);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_READER_H
