//===- halftone-plugin.cpp - the dialect and passes in any mlir-opt ---------===//
//
// mlir-opt --load-dialect-plugin=libhalftone-plugin.so --load-pass-plugin=libhalftone-plugin.so
//
// Both entry points of MLIR's plug-ins. The tool that loads it has to link the shared libMLIR and libLLVM that this was built against.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

static constexpr char kName[] = "Halftone";

/// Passes declare the dialects that they make; files name those that they hold, which are the tool's own but for ours.
extern "C" DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, kName, HALFTONE_VERSION, [](DialectRegistry *registry) { registry->insert<halftone::HalftoneDialect>(); }};
}

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, kName, HALFTONE_VERSION, halftone::registerAllHalftonePasses};
}
