//===- ReasonGroups.cpp - One line for all operations of one reason -------===//
#include "ReasonGroups.h"
#include "halftone/Support/NameList.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::halftone;

/// A reason without the operation that it comes from, as the precision stage writes it: "..., of 'conv1'".
static StringRef withoutOrigin(StringRef reason) {
  return reason.ends_with("'") ? reason.split(", of '").first : reason;
}

void ReasonGroups::add(const std::string &name, StringRef text, int64_t operations) {
  Group &group = groups[withoutOrigin(text).str()];
  if (group.operations == 0)
    group.text = text;
  group.isOneText &= group.text == text;
  if (!name.empty())
    group.names.insert(name);
  group.operations += operations;
}

std::vector<std::string> ReasonGroups::lines() const {
  std::vector<std::string> all;
  for (const auto &[common, group] : groups) {
    std::string line = listNames(group.names.getArrayRef());
    line += (line.empty() ? "" : ": ") + (group.isOneText ? group.text : common);
    if (group.operations > 1)
      line += " (" + std::to_string(group.operations) + " operations)";
    all.push_back(std::move(line));
  }
  return all;
}

bool ReasonGroups::isShortened() const {
  return llvm::any_of(groups, [](const auto &entry) {
    const Group &group = entry.second;
    return !group.isOneText || listNames(group.names.getArrayRef()) != llvm::join(group.names.getArrayRef(), ", ");
  });
}

std::string mlir::halftone::describeLocation(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return "'" + name.getName().str() + "'";
  if (auto line = dyn_cast<FileLineColLoc>(location))
    return (line.getFilename().getValue() + ":" + Twine(line.getLine()) + ":" + Twine(line.getColumn())).str();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return describeLocation(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    if (!fused.getLocations().empty())
      return describeLocation(fused.getLocations().front());
  return "";
}

/// "text (5 operations)", as remarks of the steps of a recurrent network count themselves, in its parts.
static std::pair<StringRef, int64_t> splitCount(StringRef text) {
  SmallVector<StringRef> parts;
  int64_t count = 1;
  if (llvm::Regex("^(.*) \\(([0-9]+) operations\\)$").match(text, &parts) && !parts[2].getAsInteger(10, count))
    return {parts[1], count};
  return {text, 1};
}

GroupedRemarks::GroupedRemarks(MLIRContext *context) : context(context) {
  handler = context->getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Remark || !diagnostic.getNotes().empty())
      return failure();
    const std::string whole = diagnostic.str();
    auto [text, count] = splitCount(whole);
    groups.add(describeLocation(diagnostic.getLocation()), text, count);
    return success();
  });
}

GroupedRemarks::~GroupedRemarks() {
  context->getDiagEngine().eraseHandler(handler);
  const Location nowhere = UnknownLoc::get(context); // The lines have the names.
  for (const std::string &line : groups.lines())
    emitRemark(nowhere) << line;
  if (groups.isShortened())
    emitRemark(nowhere) << kWholeList;
}
