/* Loads a compiled model and prints its target and its inputs. */
#include "halftone-c/Runtime.h"
#include <stdio.h>

int main(int argc, char **argv) {
  HalftoneModule *module = NULL;
  if (argc != 2 || halftone_module_load(argv[1], NULL, &module)) {
    fprintf(stderr, "%s\n", halftone_last_error());
    return 1;
  }
  const HalftoneModel *model = halftone_module_info(module);
  printf("target %s, first input %s\n", model->target, model->inputs[0].name);
  halftone_module_unload(module);
  return 0;
}
