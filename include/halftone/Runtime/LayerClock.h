//===- LayerClock.h - Times the layers of a run ---------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each layer of a model goes through the parallel_for that `run` is given, so
// one that looks at the clock around the pool's own sees all of them.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_LAYERCLOCK_H
#define HALFTONE_RUNTIME_LAYERCLOCK_H

#include "halftone/Runtime/Module.h"

namespace mlir::halftone {

class LayerClock {
public:
  /// `nanoseconds` has an element for each layer and one for the whole run,
  /// which lasts from here to the end of the clock's life.
  LayerClock(const HalftoneModule &module, int64_t *nanoseconds);
  ~LayerClock();
  LayerClock(const LayerClock &) = delete;
  LayerClock &operator=(const LayerClock &) = delete;

  /// A HalftoneParallelFor whose first argument is a LayerClock.
  static void parallelFor(void *self, HalftoneBody body, void *context,
                          int64_t count);

private:
  /// The layer with that body, or the number of layers.
  int32_t layerOf(HalftoneBody body);

  const HalftoneModule &module;
  int64_t *nanoseconds;
  int64_t start;
  int32_t next = 0; ///< Layers run in the order of the list.
};

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_LAYERCLOCK_H
