//===- DataOptions.h - Samples for a model, from the command line ---------===//
#ifndef HALFTONE_LIB_DRIVER_DATAOPTIONS_H
#define HALFTONE_LIB_DRIVER_DATAOPTIONS_H

#include "halftone-c/Artefact.h"
#include "halftone/Data/Dataset.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// What a model takes, and how its pictures are prepared.
struct InputInterface {
  std::string size; ///< As of HalftoneModel::size, of a model with several; else "".
  std::vector<InputSpec> inputs;
  std::vector<Preprocess> preprocess; ///< Of some of the inputs.

  /// From the arguments of @main. Fails for element types that data cannot
  /// have.
  static llvm::Expected<InputInterface> of(ModuleOp module);

  /// From the table of a compiled model.
  static llvm::Expected<InputInterface>
  of(llvm::ArrayRef<HalftoneTensorInfo> inputs);

  /// From the tables of all sizes of a compiled model.
  static llvm::Expected<std::vector<InputInterface>> ofSizes(llvm::ArrayRef<const HalftoneModel *> sizes);

  /// Parses `--input` lines and puts them in place of what is recorded for the
  /// same inputs.
  llvm::Error setPreprocessing(llvm::ArrayRef<std::string> lines);

  /// Takes over the steps of inputs of the same name that have none here.
  void adoptPreprocessing(llvm::ArrayRef<Preprocess> others);
};

/// Which of the sizes of a model the data at `path` has; 0 of one.
llvm::Expected<size_t> findSizeOfData(llvm::StringRef path, llvm::ArrayRef<InputInterface> sizes);

/// The samples at `path` for the size of the model that they have.
llvm::Expected<std::unique_ptr<Dataset>> loadDatasetFor(llvm::ArrayRef<InputInterface> sizes, llvm::StringRef path);

/// The samples at `path` for the inputs of @main.
llvm::Expected<std::unique_ptr<Dataset>> loadDatasetFor(ModuleOp module,
                                                        llvm::StringRef path);

/// What data calls an element type; nothing if it has no name for it.
std::optional<ElementType> elementTypeOf(Type type);

/// The source's name of a result of @main.
std::string resultName(func::FuncOp main, unsigned index);

/// Parses `--input` lines, checks that they name inputs of @main, and records
/// them there, so that calibrate, run and compare prepare pictures alike.
llvm::Error recordPreprocessing(ModuleOp module,
                                llvm::ArrayRef<std::string> lines);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_DATAOPTIONS_H
