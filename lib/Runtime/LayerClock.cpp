//===- LayerClock.cpp - Times the layers of a run -------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/LayerClock.h"
#include <chrono>

using namespace mlir::halftone;

static int64_t now() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

LayerClock::LayerClock(const HalftoneModule &module, int64_t *nanoseconds)
    : module(module), nanoseconds(nanoseconds), start(now()) {}

LayerClock::~LayerClock() { nanoseconds[module.numLayers] += now() - start; }

int32_t LayerClock::layerOf(HalftoneBody body) {
  for (int32_t i = 0; i < module.numLayers; ++i) {
    int32_t index = (next + i) % module.numLayers;
    if (halftone_module_layer(&module, index)->body != body)
      continue;
    next = index + 1;
    return index;
  }
  return module.numLayers;
}

void LayerClock::parallelFor(void *self, HalftoneBody body, void *context,
                             int64_t count) {
  auto &clock = *static_cast<LayerClock *>(self);
  int32_t layer = clock.layerOf(body);
  ThreadPool &pool = *clock.module.pool;
  HalftoneParallelFor parallelFor = pool.callback();
  int64_t begin = now();
  if (parallelFor)
    parallelFor(&pool, body, context, count);
  else
    body(context, 0, count);
  if (layer < clock.module.numLayers)
    clock.nanoseconds[layer] += now() - begin;
}
