//===- Outputs.cpp - a part of a model, by the tensors that are its outputs ---===//
#include "GraphImporter.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// Adds the names that the node reads, in its bodies, too.
static void collectReads(const onnx::NodeProto &node, llvm::StringSet<> &names) {
  for (const std::string &input : node.input())
    names.insert(input);
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    for (const onnx::NodeProto &inner : attribute.g().node())
      collectReads(inner, names);
    for (const onnx::ValueInfoProto &output : attribute.g().output())
      names.insert(output.name());
  }
}

/// The names of `known` that are nearest to `name`, in quotes.
static std::string nearest(StringRef name, ArrayRef<StringRef> known) {
  constexpr size_t kMost = 3;
  SmallVector<std::pair<unsigned, StringRef>> byDistance;
  for (StringRef other : known)
    byDistance.push_back({name.edit_distance(other), other});
  llvm::sort(byDistance);
  SmallVector<std::string> names;
  for (auto [distance, other] : ArrayRef(byDistance).take_front(kMost))
    names.push_back(("'" + other + "'").str());
  return llvm::join(names, ", ");
}

LogicalResult GraphImporter::selectOutputs() {
  if (options.outputs.empty()) {
    for (const onnx::ValueInfoProto &output : graph.output())
      outputs.push_back(output.name());
    return success();
  }
  SmallVector<StringRef> made;
  for (const onnx::NodeProto &node : graph.node())
    llvm::copy_if(node.output(), std::back_inserter(made), [](StringRef name) { return !name.empty(); });
  reached.emplace();
  for (const std::string &name : options.outputs) {
    if (!llvm::is_contained(made, name))
      return emitError(loc) << "no node of the model makes '" << name << "', which is to be an output; nearest are " << nearest(name, made);
    if (!reached->insert(name).second)
      return emitError(loc) << "'" << name << "' is to be an output twice";
    outputs.push_back(name);
  }
  for (const onnx::NodeProto &node : llvm::reverse(graph.node()))
    if (llvm::any_of(node.output(), [&](StringRef output) { return reached->contains(output); }))
      collectReads(node, *reached);
  return success();
}

/// What can be had by itself where something is not supported: --outputs with tensors in front of that and outputs that there are; empty if these are many.
std::string GraphImporter::describePart() const {
  constexpr size_t kMost = 8;
  SmallVector<std::string> names(frontier.begin(), frontier.end());
  for (const std::string &output : outputs)
    if (auto found = tensors.find(output); found != tensors.end() && found->second.value && !frontier.count(output))
      names.push_back(output);
  bool isLong = names.size() > kMost || llvm::any_of(names, [](StringRef name) { return name.contains(','); });
  return frontier.empty() || isLong ? "" : "\n  what is in front of that can be had by itself: --outputs=" + llvm::join(names, ",");
}
