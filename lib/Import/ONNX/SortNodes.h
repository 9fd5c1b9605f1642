//===- SortNodes.h - nodes behind what they read ----------------------------===//
#ifndef HALFTONE_IMPORT_ONNX_SORTNODES_H
#define HALFTONE_IMPORT_ONNX_SORTNODES_H

#include <onnx/onnx_pb.h>

namespace mlir::halftone::importer {

/// Brings the nodes of a graph, and of those in its nodes' attributes, into an order in which each stands behind the nodes whose outputs it reads, as ONNX asks
/// and not every converter writes. Nodes that stand so already stay where they are; those of a cycle do, too.
void sortNodes(onnx::GraphProto &graph);

} // namespace mlir::halftone::importer

#endif // HALFTONE_IMPORT_ONNX_SORTNODES_H
