/* The C API from C: loads a model, runs it once and over samples, and sees an
 * error. The headers must be plain C99. */
#include "check.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  HalftoneLoadOptions options = {2};
  HalftoneModule *module = NULL;
  HalftoneSession *session = NULL;
  float x[15], y[15] = {0};
  int32_t runs[5], i;
  int64_t matrix[] = {3, 3}, vector[] = {3};
  HalftoneBuffer in = {"x", matrix, 2, HALFTONE_F32, x};
  HalftoneBuffer out[] = {{"y", matrix, 2, HALFTONE_F32, y},
                          {"runs", vector, 1, HALFTONE_I32, runs}};
  if (argc != 2)
    return 2;
  for (i = 0; i < 15; ++i)
    x[i] = (float)i;

  CHECK(halftone_module_load("/nonexistent.so", NULL, &module) ==
        HALFTONE_CANNOT_READ);
  CHECK(strstr(halftone_last_error(), "/nonexistent.so") != NULL);

  CHECK(halftone_module_load(argv[1], &options, &module) == HALFTONE_OK);
  CHECK(strcmp(halftone_module_info(module)->inputs[0].name, "x") == 0);
  CHECK(halftone_session_create(module, &session) == HALFTONE_OK);

  CHECK(halftone_session_run(session, &in, 1, out, 2) == HALFTONE_OK);
  CHECK(y[8] == 2 * 8.0f + 2 && runs[2] == 3);

  matrix[0] = vector[0] = 5; /* The model's batch is 1 to 4. */
  CHECK(halftone_session_run(session, &in, 1, out, 2) ==
        HALFTONE_INVALID_ARGUMENT);
  CHECK(halftone_session_run_samples(session, &in, 1, out, 2) == HALFTONE_OK);
  CHECK(y[14] == 2 * 14.0f && runs[3] == 4 && runs[4] == 1);

  halftone_session_destroy(session);
  halftone_module_unload(module);
  return 0;
}
