//===- ShrinkChannels.h - takes channels out of a function ------------------===//
#ifndef HALFTONE_PRUNING_SHRINKCHANNELS_H
#define HALFTONE_PRUNING_SHRINKCHANNELS_H

#include "halftone/Pruning/ChannelClasses.h"
#include "llvm/ADT/BitVector.h"

namespace mlir::halftone {

/// Removes the channels whose bit is set, whole classes that are not fixed, from the types, constants and offsets of
/// every operation. The function computes what it did with the weights zero that read these channels.
void shrinkChannels(func::FuncOp function, const ChannelClasses &classes, const llvm::BitVector &removed);

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_SHRINKCHANNELS_H
