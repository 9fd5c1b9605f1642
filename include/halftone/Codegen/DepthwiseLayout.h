//===- DepthwiseLayout.h - packed weights of depthwise convolutions ---------===//
//
// Channels lie in the lanes. A dot of 4 bytes takes 4 taps of one channel: 4 rows of the kernel at one tap column. The
// rows' bytes are interleaved within each 16 bytes (two levels of unpack), which leaves 4 vectors of words:
//
//   word `lane` of vector j belongs to channel 16 * (lane / 4) + 4 * j + lane % 4
//
// Channels that are too few for that have a block of one vector, whose lanes keep the channels' order: a permutation of bytes
// makes its words. (Only where the machine has one; else 4 narrower vectors, down to 4 lanes.)
//
// Words of 4 rows serve all output rows whose windows they hold: those of a 3x3 kernel two, one below the other, each with
// weights that are moved down by its place. So the weights stand as [start row: 4 vectors] [output row][group of 4 rows][tap
// column][4 vectors], zero where the window of that output row has no row. With dots of one element, channels keep their
// order: [row][tap column][vectors].
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_DEPTHWISELAYOUT_H
#define HALFTONE_CODEGEN_DEPTHWISELAYOUT_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// `count` equal blocks of channels.
struct ChannelBlocks {
  int64_t first, count; ///< the first channel, the number of blocks
  int64_t lanes, vectors;
  int64_t valid;        ///< channels of each block that exist
  int64_t elements;     ///< weights of each block
  int64_t offset;       ///< of the first block's weights
  int64_t width() const { return lanes * vectors; }
};

struct DepthwiseLayout {
  const DotKernel *kernel;
  int64_t kernelHeight, kernelWidth, channels;
  bool storedUnsigned = false; ///< the input; see halftone-store-unsigned
  int64_t outputRows = 1;      ///< that share their words

  bool interleaves() const { return kernel->step > 1; }
  /// Input rows under the windows of so many output rows, and the groups that they make.
  int64_t inputRows(int64_t height) const { return kernelHeight + height - 1; }
  int64_t rowGroups(int64_t height) const { return llvm::divideCeil(inputRows(height), kernel->step); }
  /// The weights of an output row in a group of rows at a tap, counted in blocks of channels.
  int64_t tapPlace(int64_t row, int64_t group, int64_t tap) const {
    return (row * rowGroups(outputRows) + group) * kernelWidth + tap;
  }

  /// From wide to narrow; the last one may have channels that do not exist.
  SmallVector<ChannelBlocks> blocks() const;
  int64_t elements() const;

  /// Whether a block's lanes are in the order of unpacks.
  bool isInterleaved(const ChannelBlocks &block) const { return interleaves() && block.vectors == kernel->step; }
  /// The channel of a lane of one of a block's vectors.
  int64_t channelOf(const ChannelBlocks &block, int64_t vector, int64_t lane) const;

  DictionaryAttr toAttribute(MLIRContext *context) const;

  /// Whether each output channel reads the input channel of the same number only.
  static bool isDepthwise(ContractOp op);
  static DepthwiseLayout forContract(ContractOp op, const DotKernel &kernel);
  static FailureOr<DepthwiseLayout> fromAttribute(ContractOp op);
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_DEPTHWISELAYOUT_H
