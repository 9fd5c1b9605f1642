//===- Convolution.h - convolutions that operators are made of --------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_CONVOLUTION_H
#define HALFTONE_LIB_IMPORT_ONNX_CONVOLUTION_H

#include "Window.h"

namespace mlir::halftone::importer {

struct Convolution {
  Value x;        ///< padded, N x C x H x W
  Tensor weights; ///< F x C/groups x KH x KW
  int64_t groups;
  Window window;

  SmallVector<int64_t> outputShape(int64_t batch) const {
    return {batch, weights.shape[0], window.output[0], window.output[1]};
  }
};

/// The named linalg convolution over zeros: plain, depthwise when every group has one channel and one filter, else
/// grouped between expand_shape and collapse_shape.
Value buildConvolution(Node &node, const Convolution &conv, Value zero);

/// Adds `bias` (one element for each channel) along dimension 1 of `x`.
Value addBias(Node &node, Value x, Value bias);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_CONVOLUTION_H
