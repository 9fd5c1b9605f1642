//===- ChannelLinks.h - where factors of channels can move -------------------===//
//
// A link is a value whose channels can be divided by positive factors s[c] where it is made, and multiplied again where it is
// read, without a change of what the model computes. What stands in between must be positively homogeneous by channel:
// f(x / s) = f(x) / s. Relu, max and average pooling, padding with 0 and leaky Relu are. A bias is once it is divided, too, and
// so is a clamp once its bound is: it becomes a bound for each channel.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_CHANNELLINKS_H
#define HALFTONE_QUANTIZATION_CHANNELLINKS_H

#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/WeightRounding.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::halftone {

struct ChannelLink {
  Operation *producer = nullptr;          ///< a contraction
  SmallVector<linalg::GenericOp> between; ///< additions of constants and clamps, in program order along each path
  SmallVector<Operation *> consumers;     ///< contractions: all that read the value
  int64_t channels = 0;
};

/// All links between contractions with constant weights, in the order of their producers. Where anything else reads the value
/// (an addition, the return, another function of it) there is none.
SmallVector<ChannelLink> findChannelLinks(func::FuncOp function);

/// The size of the last dimension, 0 if the value is a scalar.
int64_t lastDimension(Value value);

/// Whether the weights are a constant of finite f32.
bool hasFiniteWeights(Operation *contraction);

/// The operand that a block argument stands for, if it is a constant vector with an element for each channel, the last dimension.
OpOperand *matchChannelVector(linalg::GenericOp generic, Value scalar);

/// The float weights of contractions, read once, changed in memory and written back once.
class WeightTable {
public:
  /// The largest magnitude of the weights that give each output channel, or read each input channel.
  std::vector<float> largestByOutput(Operation *contraction);
  std::vector<float> largestByInput(Operation *contraction);

  /// Divides the weights of each output channel, or multiplies those of each input channel.
  void divideOutputs(Operation *contraction, ArrayRef<float> factors);
  void multiplyInputs(Operation *contraction, ArrayRef<float> factors);

  /// The weights as they are by now, and where each belongs.
  ArrayRef<float> valuesOf(Operation *contraction) { return get(contraction).values; }
  const WeightChannels &channelsOf(Operation *contraction) { return get(contraction).channels; }

  /// Makes the weights that were changed constants.
  void write();

private:
  struct Entry {
    WeightChannels channels;
    std::vector<float> values;
    bool changed = false;
  };
  Entry &get(Operation *contraction);

  llvm::MapVector<Operation *, Entry> entries;
};

/// The sum of what is added to each channel between producer and consumers.
std::vector<float> sumOfBiases(const ChannelLink &link);

/// Divides the constants between producer and consumers by the factors of their channels. Clamps get a bound for each channel;
/// the link is not valid any more.
void divideConstants(const ChannelLink &link, ArrayRef<float> factors);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_CHANNELLINKS_H
