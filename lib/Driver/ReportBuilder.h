//===- ReportBuilder.h - Measures what a report shows ---------------------===//
#ifndef HALFTONE_LIB_DRIVER_REPORTBUILDER_H
#define HALFTONE_LIB_DRIVER_REPORTBUILDER_H

#include "ModelFile.h"
#include "Report.h"
#include "Runnable.h"

namespace mlir::halftone {

/// One of the two models: its code for this machine and, unless it was given
/// compiled, the module that the code was made from.
class ReportedModel {
public:
  /// Compiles a stage file or a source model; a compiled model is taken as it
  /// is.
  static llvm::Expected<ReportedModel> open(StringRef path, const RunnableOptions &options, StorageChoice storage);

  StringRef path() const { return source; }
  StringRef artefact() const { return artefactPath; }
  /// Null for a compiled model.
  ModuleOp getModule() const { return module ? *module : ModuleOp(); }
  /// Why its layers cannot be probed; empty: they can.
  std::string whyNoLayers() const;

  /// Sizes, time, bytes and energy of one run at the least batch.
  llvm::Expected<ModelCosts> measure(const Dataset &data) const;
  /// The operations that the compiled model lists as float.
  llvm::Expected<std::vector<OpRow>> floatOps(const Dataset &data) const;

private:
  llvm::Error compile();

  std::string source, artefactPath;
  int threads = 1;
  StorageChoice storage = StorageChoice::Automatic;
  std::unique_ptr<CompilerContext> context;
  OwningOpRef<ModuleOp> module;
  std::optional<TemporaryFile> file;
};

/// Measures everything but the outputs, which the caller has compared.
llvm::Expected<Report> buildReport(const ReportedModel &a,
                                   const ReportedModel &b, const Dataset &data,
                                   std::vector<ComparedOutput> outputs);

/// *.html is the page, *.json the numbers.
llvm::Error checkReportPath(StringRef path);
llvm::Error writeReport(const Report &report, StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_REPORTBUILDER_H
