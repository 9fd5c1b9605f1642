//===- ONNX.h - reads ONNX models -------------------------------------------===//
//
// An ONNX file (opset 1 to 28, weights inside or in external-data files) becomes one module in the entry form of
// docs/Pipeline.md, in the model's own layout (NCHW). Arithmetic on shapes and constants that exporters leave is
// evaluated here. Errors go through the MLIR diagnostic engine; all operators that are not supported are gathered in
// one error.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_IMPORT_ONNX_H
#define HALFTONE_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::halftone {

/// The sizes that a symbolic dimension may have, both inclusive; equal for a fixed size.
struct DimRange {
  int64_t low = 1;
  int64_t high = 1;
};

struct ImportOptions {
  /// Symbolic dimensions by the model's names. A range is possible for the leading dimension only, which becomes `?`.
  /// A leading dimension that is not given is set to 1, with a remark, wherever the model names it; any other is an error.
  std::map<std::string, DimRange> dims;
  /// Inputs that are constants instead, by name: all their elements have this value.
  std::map<std::string, double> values;
  /// Tensors that are the outputs instead of the model's, by name: nodes and inputs that none of them needs are left out. Empty: the model's.
  std::vector<std::string> outputs;
  /// The size of every symbolic leading dimension, whatever `dims` says.
  std::optional<int64_t> leading;
};

/// Parses `NAME=SIZE` or `NAME=LOW..HIGH` into `dims`; on failure `error` says why.
bool parseDim(StringRef text, std::map<std::string, DimRange> &dims, std::string &error);

/// Parses `NAME=NUMBER` into `values`; on failure `error` says why.
bool parseValue(StringRef text, std::map<std::string, double> &values, std::string &error);

/// One operator of a model, as `halftone check` lists it.
struct OnnxOperator {
  std::string type;
  std::string domain; ///< "" is ONNX's own
  int64_t opset = 0;  ///< version of the domain in the model; 0 if it names none
  std::string node;   ///< the node's name, or its first output
  std::string reason; ///< why it is not supported; empty if it is
};

/// The module of the model at `path`; null after an error.
OwningOpRef<ModuleOp> importOnnx(StringRef path, MLIRContext *context, const ImportOptions &options = {});

/// Every node of the model in its order, supported or not; failure if the file can't be read at all.
FailureOr<std::vector<OnnxOperator>> checkOnnx(StringRef path, MLIRContext *context, const ImportOptions &options = {});

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_ONNX_H
