//===- MeasuredLosses.h - What each format costs each layer, as a file ----===//
//
// Measuring is nearly all of a selection's time. Kept in a file, losses, bytes
// and times serve other budgets on the same model, and a selection that was
// interrupted goes on where it stopped.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H
#define HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::halftone {

/// What a choice costs.
struct Costs {
  int64_t bytes = 0, nanoseconds = 0;
  int64_t loss = 0; ///< In billionths: far below what samples can tell.
};

/// Bytes and times of the layers in one format, in the layers' order.
using FormatCosts = std::vector<Costs>;

class MeasuredLosses {
public:
  /// Of the file at `path` if it is there; "" keeps nothing. `key` stands for
  /// all that losses depend on; a file with another one is an error.
  static llvm::Expected<MeasuredLosses> open(llvm::StringRef path,
                                             llvm::StringRef key);

  std::optional<double> find(llvm::StringRef layer,
                             llvm::StringRef format) const;
  /// Writes the file again, with one loss more.
  llvm::Error add(llvm::StringRef layer, llvm::StringRef format, double loss);

  /// Bytes and times of a format; `code` stands for what they depend on beside
  /// the key. Nothing if there are none of so many layers.
  std::optional<FormatCosts> findCosts(llvm::StringRef code,
                                       llvm::StringRef format,
                                       size_t layers) const;
  /// Writes the file again, with the costs of one format more.
  llvm::Error addCosts(llvm::StringRef code, llvm::StringRef format,
                       const FormatCosts &costs);

private:
  MeasuredLosses(llvm::StringRef path, llvm::StringRef key)
      : path(path), key(key) {}
  llvm::Error parse(llvm::StringRef text);
  bool parseCosts(const llvm::json::Value &entry);
  llvm::Error write() const;

  std::string path, key;
  std::map<std::pair<std::string, std::string>, double> losses;
  std::map<std::pair<std::string, std::string>, FormatCosts> costs;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H
