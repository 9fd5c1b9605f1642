//===- Attention.h - what the attentions of ONNX and onnxruntime share --------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_ATTENTION_H
#define HALFTONE_LIB_IMPORT_ONNX_ATTENTION_H

#include "Expansion.h"

namespace mlir::halftone::importer {

/// A tensor of batch x heads x length x size.
struct Heads {
  std::string name;
  int64_t heads, length, size;
};

/// One operator's attention: softmax(scale query keys^T + terms) values, for each head.
struct Attention {
  Heads query, keys, values;
  float scale = 0;                     ///< 0: one over the root of the size of the query's heads
  float cap = 0;                       ///< above 0: scores become cap tanh(scores / cap)
  SmallVector<std::string> terms = {}; ///< added to the scores
  std::string kept = {};               ///< truth values: what is false gets nothing, in a row of none, too; "": all true
  std::string sink = {};               ///< a score that takes its share of each row and has no value; "": none
};

/// What hides a key where it is added to its score.
inline constexpr float kLowest = std::numeric_limits<float>::lowest();

/// Which keys a query sees: those up to `right` behind its own position and `left` before it, which is `offset` behind its index.
struct Window {
  int64_t rows, columns, offset;
  std::optional<int64_t> left, right; ///< nothing: no bound

  /// Whether a query does not see all keys.
  bool hides() const;
  bool sees(int64_t row, int64_t column) const {
    const int64_t distance = column - (row + offset);
    return !(left && distance < -*left) && !(right && distance > *right);
  }
  /// A number for each query and key, by whether it is seen.
  std::string add(Expansion &expansion, Type element, double seen, double hidden) const;
};

/// batch x length x width as heads.
Heads splitHeads(Expansion &expansion, MLIRContext *context, const std::string &name, int64_t heads, int64_t length, int64_t width);
/// batch x heads x length x size as batch x length x width, result 0.
void joinHeads(Expansion &expansion, MLIRContext *context, const std::string &heads, int64_t width);
/// Each head `times` times.
void repeatHeads(Expansion &expansion, MLIRContext *context, Heads &heads, int64_t times);
/// 0 where the tensor of truth values is true, `otherwise` elsewhere.
std::string makeTerm(Expansion &expansion, MLIRContext *context, const std::string &isKept, float otherwise);
/// The term of a window, if it hides anything.
void addWindow(Expansion &expansion, MLIRContext *context, Attention &attention, const Window &window);
/// The result of all heads, batch x heads x length x size.
std::string attend(Expansion &expansion, MLIRContext *context, const Attention &attention);

/// The pairs of the first `turned` elements of what has four dimensions, the last being `size`, turned by angles that broadcast: pairs are neighbours, or an
/// element of the first half and one of the second.
std::string turnPairs(Expansion &expansion, MLIRContext *context, const std::string &x, int64_t size, int64_t turned, bool areNeighbours,
                      const std::string &cosine, const std::string &sine);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_ATTENTION_H
