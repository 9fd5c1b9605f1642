/* Two models in one program, each by its object file and header: other batches of the same product, and so the same rows. */
#include "first.h"
#include "second-net.h"
#include <string.h>

#define ROWS 6
#define IN 4
#define OUT 3

static int run(const HalftoneModel *model, const float *x, float *y) {
  _Alignas(HALFTONE_ALIGNMENT) static char workspace[1 << 16];
  const void *inputs[1];
  void *outputs[1];
  int64_t rows = model->inputs[0].shape[0], row;
  if (model->workspaceBytes > (int64_t)sizeof workspace || ROWS % rows)
    return 1;
  for (row = 0; row < ROWS; row += rows) {
    inputs[0] = x + row * IN;
    outputs[0] = y + row * OUT;
    if (model->run(inputs, outputs, /*batch=*/1, workspace, NULL, NULL))
      return 1;
  }
  return 0;
}

int main(void) {
  const HalftoneModel *first = halftone_query_first(), *second = halftone_query_second_net();
  float x[ROWS * IN], y[ROWS * OUT], z[ROWS * OUT];
  int i;
  for (i = 0; i < ROWS * IN; ++i)
    x[i] = (float)(i % 7) - 3;
  if (first->inputs[0].shape[0] != 2 || second->inputs[0].shape[0] != 3 || run(first, x, y) || run(second, x, z))
    return 1;
  return memcmp(y, z, sizeof y) != 0 || y[1] != 1;
}
