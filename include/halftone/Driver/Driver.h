//===- Driver.h - The `halftone` program as a library ---------------------===//
//
// All logic of the command line; tools/halftone only calls it.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_DRIVER_DRIVER_H
#define HALFTONE_DRIVER_DRIVER_H

#include <string>

namespace mlir::halftone {

/// Runs `halftone COMMAND ...` and returns its exit status: 0, or 1 with one
/// message for each problem on stderr.
int runDriver(int argc, const char **argv);

/// "Halftone 0.1.0 (commit ...), LLVM 22.1.8".
std::string versionText();

} // namespace mlir::halftone

#endif // HALFTONE_DRIVER_DRIVER_H
