//===- Fidelity.h - How near two outputs are ------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_FIDELITY_H
#define HALFTONE_LIB_DRIVER_FIDELITY_H

#include "halftone/Data/Tensor.h"

namespace mlir::halftone {

/// Compares b with a, the reference, over all elements. The sums are in f64.
struct Fidelity {
  int64_t elements = 0;
  int64_t differentBits = 0; ///< Elements whose bits differ.
  double maxAbs = 0;         ///< max |a - b|; NaN against a number is infinite.
  double sqnr =
      0; ///< 10 log10(sum a^2 / sum (a-b)^2), dB; infinite when equal.
  double cosine = 0;   ///< a.b / (|a| |b|); 1 when both are zero.
  int64_t samples = 0; ///< Rows along the leading axis.
  int64_t sameTop1 =
      -1; ///< Rows with the same argmax; -1: rows of one element have none.
};

/// Both tensors have the same type and shape.
Fidelity compareTensors(const Tensor &a, const Tensor &b);

/// The index of the greatest element (the first of equals) of each row along
/// the leading axis.
std::vector<int64_t> argmaxRows(const Tensor &tensor);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_FIDELITY_H
