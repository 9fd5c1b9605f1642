//===- ChannelClasses.h - channels that can only go together ----------------===//
//
// Removing an output channel of a contraction removes it from everything behind, up to the contractions that read it. An
// addition ties channels of all its operands to each other, a concatenation puts them side by side, a flattened tensor
// has each of them many times. So each index of a tensor's channel dimension names the output channel of the contraction
// that it comes from, and channels that meet in one element are one class: it goes as a whole, or stays.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PRUNING_CHANNELCLASSES_H
#define HALFTONE_PRUNING_CHANNELCLASSES_H

#include "halftone/Analysis/EntryForm.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/IntEqClasses.h"
#include <vector>

namespace mlir::halftone {

/// What pruning of channels leaves at contractions: the indices of their output channels that are gone, numbered as
/// they were, or why none is.
inline constexpr llvm::StringLiteral kRemovedChannelsAttr = "halftone.removed_channels",
                                     kChannelsKeptAttr = "halftone.channels_kept";

/// The dimension of a tensor that channels stand along, and the channel at each of its indices.
struct ChannelAxis {
  int64_t axis;
  SmallVector<int32_t, 0> channels;
};

/// A contraction and its output channels, which are first, first + 1, ...
struct ChannelProducer {
  Operation *contraction;
  int32_t first;
  int64_t count;
};

class ChannelClasses {
public:
  explicit ChannelClasses(func::FuncOp function);

  /// In the program's order; depthwise convolutions make no channels of their own, grouped ones none that are known.
  ArrayRef<ChannelProducer> producers() const { return made; }
  /// The contractions that are none of them, though their weights are constant, and why.
  ArrayRef<std::pair<Operation *, std::string>> unknown() const { return strangers; }

  /// The number of channels.
  int32_t count() const { return numChannels; }

  /// The channels of a tensor, or null.
  const ChannelAxis *find(Value value) const;

  /// The class of a channel, named by its first channel.
  int32_t classOf(int32_t channel) const { return classes.findLeader(channel); }

  /// The class of that channel stays, for this reason (the first one given counts).
  void fix(int32_t channel, const Twine &reason);
  /// Why a class stays, or "".
  StringRef fixedBecause(int32_t channel) const;

private:
  void visit(Operation *op);
  FailureOr<ChannelAxis> follow(Operation *op);
  FailureOr<ChannelAxis> followContraction(Operation *op);
  FailureOr<ChannelAxis> followGeneric(linalg::GenericOp op);
  FailureOr<ChannelAxis> followConcat(Operation *op);
  FailureOr<ChannelAxis> followMovement(Operation *op, const ChannelAxis &from);
  void fixOperands(Operation *op, const Twine &reason);
  SmallVector<int32_t, 0> addChannels(int64_t count);
  bool join(ArrayRef<int32_t> some, ArrayRef<int32_t> others);

  std::vector<ChannelProducer> made;
  std::vector<std::pair<Operation *, std::string>> strangers;
  llvm::DenseMap<Value, ChannelAxis> axes;
  llvm::IntEqClasses classes;
  int32_t numChannels = 0;
  std::vector<std::pair<int32_t, std::string>> reasons; ///< of channels, in the order that they came
  llvm::DenseMap<int32_t, std::string> fixed;           ///< of classes, once all are known
  bool complete = false;
};

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_CHANNELCLASSES_H
