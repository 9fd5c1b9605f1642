//===- Runnable.h - Anything that turns samples into outputs --------------===//
//
// A compiled model runs as it is. A stage file or a source model is compiled
// for the reference target into a temporary file, or interpreted.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_RUNNABLE_H
#define HALFTONE_LIB_DRIVER_RUNNABLE_H

#include "DataOptions.h"
#include "halftone/Data/Tensor.h"
#include "halftone/Import/ONNX.h"
#include <memory>

namespace mlir::halftone {

class Runnable {
public:
  virtual ~Runnable() = default;
  /// Of each of its sizes; one but for libraries for several.
  virtual llvm::ArrayRef<InputInterface> interfaces() const = 0;
  /// The outputs of all samples, along a leading axis, for data of one of the sizes.
  virtual llvm::Expected<std::vector<Tensor>> run(const Dataset &data) = 0;
};

struct RunnableOptions {
  bool interpret = false; ///< Stage files by lib/Evaluator.
  int threads = 1;        ///< Of compiled models.
  ImportOptions import;   ///< Of source models.
};

/// A stage file or a source model as it is, interpreted.
llvm::Expected<std::unique_ptr<Runnable>> openInterpreted(StringRef path, const ImportOptions &import);

llvm::Expected<std::unique_ptr<Runnable>>
openRunnable(StringRef path, const RunnableOptions &options);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_RUNNABLE_H
