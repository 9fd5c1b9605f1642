//===- Smoothing.h - how much of channels' ranges moves to weights ----------===//
#ifndef HALFTONE_QUANTIZATION_SMOOTHING_H
#define HALFTONE_QUANTIZATION_SMOOTHING_H

#include "llvm/ADT/StringRef.h"
#include <optional>

namespace mlir::halftone {

/// What halftone-smooth-activations is to do, as options say it.
struct Smoothing {
  bool isOn = false;
  bool isAutomatic = false; ///< alpha is chosen for each value
  double alpha = 0.5;

  /// "none", "auto", or alpha from 0 to 1; nothing for anything else.
  static std::optional<Smoothing> parse(llvm::StringRef text) {
    Smoothing smoothing{text != "none", text == "auto"};
    const bool isNumber = smoothing.isOn && !smoothing.isAutomatic;
    if (isNumber && (text.getAsDouble(smoothing.alpha) || !(smoothing.alpha >= 0 && smoothing.alpha <= 1)))
      return std::nullopt;
    return smoothing;
  }
};

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_SMOOTHING_H
