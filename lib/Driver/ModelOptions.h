//===- ModelOptions.h - Options of every command that reads a model -------===//
#ifndef HALFTONE_LIB_DRIVER_MODELOPTIONS_H
#define HALFTONE_LIB_DRIVER_MODELOPTIONS_H

#include "Command.h"
#include "ModelFile.h"

namespace mlir::halftone {

/// The bounds of one symbolic dimension, from `--dim name=low..high`.
struct DimBounds {
  std::string name;
  int64_t low, high;
};

/// MODEL, --dim and --input; and the loading that they govern.
class ModelOptions {
public:
  explicit ModelOptions(CommandLine &line);

  /// The model at the stage import or later. Warnings and errors of the
  /// importer are printed.
  llvm::Expected<OwningOpRef<ModuleOp>> load(MLIRContext *context) const;

  llvm::cl::opt<std::string> path;

private:
  llvm::Expected<std::vector<DimBounds>> dimBounds() const;

  llvm::cl::list<std::string> dims;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MODELOPTIONS_H
