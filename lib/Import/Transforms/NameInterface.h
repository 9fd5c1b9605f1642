//===- NameInterface.h - names of a foreign module's inputs and outputs -----===//
#ifndef HALFTONE_IMPORT_NAMEINTERFACE_H
#define HALFTONE_IMPORT_NAMEINTERFACE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::halftone {

/// Names the arguments and results that have no `halftone.name`: as `tf.entry_function` lists them, else input, input1, ... and output, output1, ...
void nameInterface(func::FuncOp entry);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_NAMEINTERFACE_H
