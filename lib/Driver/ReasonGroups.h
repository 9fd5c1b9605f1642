//===- ReasonGroups.h - One line for all operations of one reason ---------===//
//
// A terminal shows why operations stay float, of a network with hundreds of them: one line for each reason, with a few names.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_REASONGROUPS_H
#define HALFTONE_LIB_DRIVER_REASONGROUPS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <map>
#include <set>

namespace mlir::halftone {

/// Where all operations are listed that a line only counts.
inline constexpr llvm::StringLiteral kWholeList = "`halftone compare SOURCE COMPILED --data SAMPLES --report R.html` lists each operation";

/// Texts about operations. Those that differ in the operation that they come from alone ("it computes from floats, of 'x'") are one group.
class ReasonGroups {
public:
  /// The name as it is to be shown, or "", and the number of operations that it stands for.
  void add(const std::string &name, llvm::StringRef text, int64_t operations = 1);

  /// "'a', 'b' and 397 more: text (399 operations)" for each group, in the order of the first; a text as it was given where it is the only one.
  std::vector<std::string> lines() const;

  /// Whether lines() leaves out names, or what texts differ in.
  bool isShortened() const;

private:
  struct Group {
    llvm::SetVector<std::string, std::vector<std::string>, std::set<std::string>> names;
    std::string text;               ///< Of the first.
    bool isOneText = true;
    int64_t operations = 0;
  };
  llvm::MapVector<std::string, Group, std::map<std::string, unsigned>> groups;
};

/// Holds back the remarks of a context, and gives them on as groups at its end. Scopes around it see the groups.
class GroupedRemarks {
public:
  explicit GroupedRemarks(MLIRContext *context);
  ~GroupedRemarks();

private:
  MLIRContext *context;
  ReasonGroups groups;
  DiagnosticEngine::HandlerID handler;
};

/// The name in a location, outermost first, as users are told: "'conv1'", "m.mlir:3:5", or "".
std::string describeLocation(Location location);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_REASONGROUPS_H
