//===- MeasuredLosses.h - What each format costs each layer, as a file ----===//
//
// Measuring is nearly all of a selection's time. Kept in a file, the losses
// serve other budgets on the same model, and a selection that was interrupted
// goes on where it stopped.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H
#define HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>

namespace mlir::halftone {

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

private:
  MeasuredLosses(llvm::StringRef path, llvm::StringRef key)
      : path(path), key(key) {}
  llvm::Error parse(llvm::StringRef text);

  std::string path, key;
  std::map<std::pair<std::string, std::string>, double> losses;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MEASUREDLOSSES_H
