//===- Window.h - sliding windows of convolutions and pools -----------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_WINDOW_H
#define HALFTONE_LIB_IMPORT_ONNX_WINDOW_H

#include "Node.h"

namespace mlir::halftone::importer {

/// A window over height and width, or over depth, height and width. One spatial dimension is read as a width, with height 1.
struct Window {
  SmallVector<int64_t, 2> kernel, strides, dilations;
  SmallVector<int64_t, 4> pads;             ///< (front,) top, left, (back,) bottom, right
  SmallVector<int64_t, 2> output;           ///< extents of the result
  SmallVector<int64_t, 2> overhang = {0, 0}; ///< how far windows reach beyond the pads (ceil_mode)

  /// How far the kernel reaches along `d`.
  int64_t reach(int64_t d) const { return dilations[d] * (kernel[d] - 1) + 1; }
};

/// A window over depth, height and width as one over height and width, and one over depth alone (and all positions of a plane as its width).
struct SplitWindow {
  Window plane, depth;
};
SplitWindow splitWindow(const Window &window);

/// Reads strides, dilations, pads and auto_pad (and ceil_mode for pools) for a kernel over spatial extents, each of
/// one to three entries; failure after `node.unsupported`.
FailureOr<Window> readWindow(Node &node, ArrayRef<int64_t> spatial, ArrayRef<int64_t> kernel, bool isPool);

/// `x` (N, C, H, W) with the window's pads and overhang filled with `fill`; `x` itself if there are none.
Value padWindow(Node &node, Value x, const Window &window, Value fill);

/// A tensor of rank 3 (N, C, W) as (N, C, 1, W), one of rank 4 as it is.
Value addHeight(Node &node, Value x);

/// Undoes addHeight if `rank` is 3.
Value removeHeight(Node &node, Value x, int64_t rank);

/// An empty or filled destination of the shape, whose dynamic size is that of `like`.
Value makeFilled(Node &node, ArrayRef<int64_t> shape, Value like, Value fill);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_WINDOW_H
