//===- halftone-translate.cpp - model files to MLIR and back ----------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Export/ONNX.h"
#include "halftone/Import/ONNX.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static llvm::cl::list<std::string> dimOptions(
    "dim", llvm::cl::desc("Size or range of a symbolic dimension: --dim batch=1..32, --dim height=224"),
    llvm::cl::value_desc("NAME=SIZE"));

static llvm::cl::list<std::string> valueOptions("value", llvm::cl::desc("An input that is a constant instead: --value sr=16000"),
                                                llvm::cl::value_desc("NAME=NUMBER"));

static llvm::cl::list<std::string> outputOptions("outputs", llvm::cl::CommaSeparated, llvm::cl::value_desc("NAMES"),
                                                 llvm::cl::desc("Tensors that are the outputs instead of the model's"));

/// Reads the ONNX file that the source manager was opened on, by its path: external data lies beside it.
static OwningOpRef<Operation *> importFile(llvm::SourceMgr &sources, MLIRContext *context) {
  halftone::ImportOptions options;
  std::string error;
  bool parsed = llvm::all_of(dimOptions, [&](const std::string &text) { return halftone::parseDim(text, options.dims, error); }) &&
                llvm::all_of(valueOptions, [&](const std::string &text) { return halftone::parseValue(text, options.values, error); });
  options.outputs.assign(outputOptions.begin(), outputOptions.end());
  if (!parsed) {
    emitError(UnknownLoc::get(context)) << error;
    return {};
  }
  StringRef path = sources.getMemoryBuffer(sources.getMainFileID())->getBufferIdentifier();
  return halftone::importOnnx(path, context, options);
}

int main(int argc, char **argv) {
  TranslateToMLIRRegistration onnx(
      "import-onnx", "read an ONNX model",
      [](llvm::SourceMgr &sources, MLIRContext *context) { return importFile(sources, context); },
      [](DialectRegistry &registry) {
        registerAllDialects(registry);
        registry.insert<halftone::HalftoneDialect>();
      });
  TranslateFromMLIRRegistration toOnnx(
      "export-onnx", "write a module of the stages import to quantization as an ONNX model",
      [](Operation *op, raw_ostream &os) -> LogicalResult {
        FailureOr<halftone::OnnxModel> model = halftone::exportOnnx(cast<ModuleOp>(op));
        if (succeeded(model))
          model->write(os);
        return model;
      },
      [](DialectRegistry &registry) {
        registerAllDialects(registry);
        registry.insert<halftone::HalftoneDialect>();
      });
  return failed(mlirTranslateMain(argc, argv, "Halftone's import and export driver"));
}
