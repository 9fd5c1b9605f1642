//===- ModelSizes.h - Several sizes of a model's dimensions ---------------===//
//
// A library may have code for several sizes of dimensions that are static
// otherwise, as the length of a text. Each size is a module of its own, up to
// its object code; they differ in extents only, and constants that are alike
// are in the library once.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_MODELSIZES_H
#define HALFTONE_LIB_DRIVER_MODELSIZES_H

#include "DataOptions.h"
#include "halftone/Import/ONNX.h"
#include "halftone/Target/Compile.h"

namespace mlir::halftone {

/// A model in one of its sizes.
struct ModelSize {
  std::string path;     ///< Its file.
  std::string name;     ///< "seq=16, width=32", the dimensions that have several sizes; "" if there is only one.
  ImportOptions import; ///< With the sizes of all dimensions.
};

/// All combinations of the sizes that values of --dim give (`name=size,size`, or what parseDim reads), smaller ones first; without paths.
llvm::Expected<std::vector<ModelSize>> combineSizes(llvm::ArrayRef<std::string> dims, const ImportOptions &others);

/// What a model takes and gives.
struct ModelSignature {
  static llvm::Expected<ModelSignature> of(ModuleOp module);

  InputInterface interface;
  std::vector<InputSpec> outputs;
  std::string openDimension; ///< "batch = 1..8", or "".
};

/// Reads a model in one of its sizes into a context.
using SizeReader = llvm::function_ref<llvm::Expected<OwningOpRef<ModuleOp>>(MLIRContext *context, const ModelSize &size)>;

/// The signatures of several sizes for one library, read one after the other. Fails where a size cannot be read, or where two differ in more than
/// extents, in none, or in leading ones only, which are a batch. Sizes without names get them, INPUT.AXIS=SIZE, and are sorted by them.
llvm::Expected<std::vector<ModelSignature>> checkSizes(std::vector<ModelSize> &sizes, StringRef library, SizeReader read);

/// Says how many bytes of constants a library of several sizes has, and how many of them are common to all.
void printConstantSizes(const ConstantSizes &bytes, size_t numSizes);

/// A handler that keeps remarks from being printed: those of one size are enough.
LogicalResult isRemark(Diagnostic &diagnostic);

/// An error about one size, which says so; a note where it is printed already.
llvm::Error errorOfSize(llvm::Error error, const ModelSize &size);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MODELSIZES_H
