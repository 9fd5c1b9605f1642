//===- CheckCommand.cpp - halftone check ----------------------------------===//
//
// Says in seconds, without data, what would become of each operation: int8,
// float with the reason, or unsupported.
//
//===----------------------------------------------------------------------===//
#include "ModelOptions.h"
#include "OpReport.h"
#include "halftone/Import/ONNX.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// All unsupported operators of an ONNX model as one error: grouped by type
/// and reason, with every node's name.
static Error checkOperators(StringRef path, MLIRContext *context,
                            const ImportOptions &options) {
  // The model is imported again afterwards, with the same remarks.
  ScopedDiagnosticHandler quiet(context, [](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
  });
  FailureOr<std::vector<OnnxOperator>> operators =
      checkOnnx(path, context, options);
  if (failed(operators))
    return llvm::make_error<Reported>();
  std::map<std::string, std::vector<std::string>> groups;
  for (const OnnxOperator &op : *operators) {
    if (op.reason.empty())
      continue;
    std::string domain = op.domain.empty() ? "" : op.domain + ".";
    groups[domain + op.type + " (opset " + std::to_string(op.opset) +
           "): " + op.reason]
        .push_back(op.node);
  }
  if (groups.empty())
    return Error::success();
  std::string text =
      "'" + path.str() + "' has operators that are not supported:";
  for (auto &[what, nodes] : groups)
    text += "\n  " + what + "\n    in " + llvm::join(nodes, ", ");
  return userError(text);
}

Error mlir::halftone::runCheck(CommandLine &line) {
  ModelOptions model(line);
  line.parse();
  CompilerContext context;
  Expected<FileKind> kind = fileKind(model.path());
  if (!kind)
    return kind.takeError();
  if (*kind == FileKind::Onnx) {
    Expected<ImportOptions> options = model.importOptions();
    if (!options)
      return options.takeError();
    if (Error error = checkOperators(model.path(), context.get(), *options))
      return error;
  }
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  // A source that another tool has quantized is decided already.
  bool decided = *kind == FileKind::Onnx && stageOf(**module) == Stage::Quantization;
  if (!decided && stageOf(**module) != Stage::Import)
    return userError(
        "check takes a source model or a file of the stage import");
  if (!decided && failed(assumeCalibrated(**module)))
    return llvm::make_error<Reported>();
  OpReport report = OpReport::of(**module);
  report.printTable(llvm::outs());
  report.printSummary(llvm::outs(), FloatList::Each);
  return Error::success();
}
