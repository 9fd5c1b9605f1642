//===- halftone.cpp - The command line program ----------------------------===//
#include "halftone/Driver/Driver.h"

int main(int argc, const char **argv) {
  return mlir::halftone::runDriver(argc, argv);
}
