//===- SortNodes.cpp - nodes behind what they read --------------------------===//
//
// Depth first in the order of the file: a node comes when it is asked for, behind those that it reads. Without recursion: models have thousands of nodes
// in a row.
//
//===----------------------------------------------------------------------===//
#include "SortNodes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// The nodes that make what a node reads, the graphs in its attributes included.
static void addSources(const onnx::NodeProto &node, const llvm::StringMap<int> &makers, std::vector<int> &sources) {
  for (const std::string &input : node.input())
    if (auto maker = makers.find(input); maker != makers.end())
      sources.push_back(maker->second);
  for (const onnx::AttributeProto &attribute : node.attribute())
    for (const onnx::NodeProto &inner : attribute.g().node())
      addSources(inner, makers, sources);
}

static std::vector<int> findOrder(const onnx::GraphProto &graph) {
  llvm::StringMap<int> makers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string &output : graph.node(i).output())
      if (!output.empty())
        makers.try_emplace(output, i);
  std::vector<int> order;
  std::vector<bool> isSeen(graph.node_size()), isPlaced(graph.node_size());
  for (int first = 0; first < graph.node_size(); ++first) {
    std::vector<int> open{first};
    while (!open.empty()) {
      int node = open.back();
      if (isSeen[node]) { // all that it reads is placed, but for a cycle
        open.pop_back();
        if (!isPlaced[node])
          order.push_back(node);
        isPlaced[node] = true;
        continue;
      }
      isSeen[node] = true;
      std::vector<int> sources;
      addSources(graph.node(node), makers, sources);
      for (int source : llvm::reverse(sources))
        if (!isSeen[source])
          open.push_back(source);
    }
  }
  return order;
}

void importer::sortNodes(onnx::GraphProto &graph) {
  std::vector<int> order = findOrder(graph);
  if (!llvm::is_sorted(order)) {
    std::decay_t<decltype(*graph.mutable_node())> sorted;
    for (int i : order)
      sorted.Add()->Swap(graph.mutable_node(i));
    graph.mutable_node()->Swap(&sorted);
  }
  for (onnx::NodeProto &node : *graph.mutable_node())
    for (onnx::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        sortNodes(*attribute.mutable_g());
}
