//===- Report.h - The cost sheet of a model against another ---------------===//
#ifndef HALFTONE_LIB_DRIVER_REPORT_H
#define HALFTONE_LIB_DRIVER_REPORT_H

#include "Energy.h"
#include "Fidelity.h"
#include "LayerErrors.h"
#include "OpReport.h"
#include "Profile.h"
#include "TensorSizes.h"
#include "llvm/Support/JSON.h"

namespace mlir::halftone {

/// One output of both models.
struct ComparedOutput {
  std::string name;
  Fidelity fidelity;
  std::optional<double> accuracyA, accuracyB; ///< Percent.
};

/// What is known of one of the two models.
struct ModelCosts {
  std::string path;
  int64_t constantBytes = 0, workspaceBytes = 0; ///< Of the compiled model.
  std::vector<TensorSize> tensors; ///< Empty for a compiled model.
  Profile profile;
  std::optional<double> measuredEnergy; ///< Microjoules of one run.

  int64_t tensorBytes() const;
  EnergyEstimate energy() const;
};

struct Report {
  std::string data;
  int64_t samples = 0;
  ModelCosts a, b;
  std::vector<ComparedOutput> outputs;
  std::vector<LayerError> layers; ///< Empty if `noLayers` says why.
  std::string noLayers;
  std::vector<OpRow> floatOps; ///< Operations of B that stay float.
};

/// The outputs alone, as `compare --json` prints them.
llvm::json::Value toJSON(llvm::ArrayRef<ComparedOutput> outputs);

/// All of it; docs/report.schema.json describes it.
llvm::json::Value toJSON(const Report &report);

/// A table for the terminal.
void printReport(const Report &report, llvm::raw_ostream &os);

/// One page of HTML that needs nothing else.
void writePage(const Report &report, llvm::raw_ostream &os);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_REPORT_H
