//===- LayerSums.h - what a layer reads, and what it should give --------------===//
//
// Over all output positions of some samples, with c what a position reads (integers code - zero point, as for the Hessian) and
// y what each output channel should be there:
//
//   count, sum of c, H = sum of c c^T    exact
//   sum of y, T = sum of y c^T           in f64, of sums over 256 positions in f32
//
// The means taken out, the weights V that meet y best, beside a bias, solve V (H - n mean(c) mean(c)^T) = T - n mean(y) mean(c)^T.
// The order of additions is fixed and there is no fused multiply-add: the sums do not depend on threads or the CPU.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_LAYERSUMS_H
#define HALFTONE_RECONSTRUCTION_LAYERSUMS_H

#include "halftone/Reconstruction/Patches.h"

namespace mlir::halftone {

class LayerSums {
public:
  LayerSums(const Patches &patches, int64_t outputs, std::string key);

  /// Adds an input, NHWC (or rows x K) integers, and the targets, positions x outputs in the output's order.
  void add(llvm::ArrayRef<float> codes, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> targets);
  /// Adds those of other samples of the same layer.
  void merge(const LayerSums &others);

  int64_t outputs() const { return targetSums.size(); }
  int64_t positions() const { return count; }
  int64_t group(int64_t output) const { return output / (outputs() / hessian().groups); }
  const Hessian &hessian() const { return sum.get(); }
  /// Of c, of one group.
  llvm::ArrayRef<int64_t> inputSums(int64_t group) const;
  /// Of y.
  double targetSum(int64_t output) const { return targetSums[output]; }
  /// H with the means of c taken out, rounded to integers.
  Hessian centred() const;
  /// A row of T; with the means taken out if `centred`.
  std::vector<double> products(int64_t output, bool centred) const;

private:
  void addDense(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, llvm::ArrayRef<float> targets, int64_t group);
  void addDepthwise(llvm::ArrayRef<float> codes, std::array<int64_t, 3> extents, llvm::ArrayRef<float> targets);

  Patches patches;
  HessianSum sum;
  int64_t count = 0;
  std::vector<int64_t> columnSums;        ///< groups x dimension
  std::vector<double> targetSums, cross;  ///< outputs; outputs x dimension
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_LAYERSUMS_H
