//===- ModelOptions.cpp - Options of every command that reads a model -----===//
#include "ModelOptions.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Expected;

ModelOptions::ModelOptions(CommandLine &line)
    : path(llvm::cl::Positional, llvm::cl::Required,
           llvm::cl::sub(line.command), llvm::cl::desc("MODEL")),
      dims("dim", llvm::cl::sub(line.command),
           llvm::cl::value_desc("name=low..high"),
           llvm::cl::desc(
               "Bounds of a dynamic dimension of the inputs, for example "
               "batch=1..32; "
               "one number fixes it. Unnamed dimensions are fixed to 1")) {}

/// "batch=1..32" or "batch=4".
static Expected<DimBounds> parseDim(StringRef text) {
  auto [name, range] = text.split('=');
  auto [lowText, highText] = range.split("..");
  if (highText.empty() && !range.contains(".."))
    highText = lowText;
  DimBounds bounds{name.str(), 0, 0};
  if (name.empty() || lowText.getAsInteger(10, bounds.low) ||
      highText.getAsInteger(10, bounds.high) || bounds.low < 1 ||
      bounds.high < bounds.low)
    return userError("--dim '" + text +
                     "' is not of the form name=low..high with 1 <= low <= "
                     "high, for example batch=1..32");
  return bounds;
}

Expected<std::vector<DimBounds>> ModelOptions::dimBounds() const {
  std::vector<DimBounds> all;
  for (const std::string &text : dims) {
    Expected<DimBounds> bounds = parseDim(text);
    if (!bounds)
      return bounds.takeError();
    all.push_back(*bounds);
  }
  return all;
}

Expected<OwningOpRef<ModuleOp>> ModelOptions::load(MLIRContext *context) const {
  Expected<FileKind> kind = fileKind(path);
  if (!kind)
    return kind.takeError();
  if (*kind == FileKind::Artefact)
    return userError(
        "'" + path +
        "' is a compiled model already; give the source model or a "
        "stage file");
  Expected<std::vector<DimBounds>> bounds = dimBounds();
  if (!bounds)
    return bounds.takeError();
  return readModule(path, context);
}
