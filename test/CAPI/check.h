/* What the tests of the C API share. */
#ifndef HALFTONE_TEST_CAPI_CHECK_H
#define HALFTONE_TEST_CAPI_CHECK_H

#include "halftone-c/Runtime.h"
#include <stdio.h>

/* Returns 1 from the function, with the line and the last error, unless the
 * condition holds. */
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition,               \
              halftone_last_error());                                          \
      return 1;                                                                \
    }                                                                          \
  } while (0)

#endif
