//===- Svg.h - Small drawings for a page ----------------------------------===//
//
// Rectangles, polygons and text; colours are classes of the page's style sheet,
// so that a drawing follows the reader's light or dark mode. No C++ library of
// Debian draws SVG without a window system, and this is all that is needed.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_SVG_H
#define HALFTONE_LIB_DRIVER_SVG_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::halftone {

/// Text between tags or in an attribute: & < > " are written as entities.
std::string escapeHtml(llvm::StringRef text);

/// A drawing; it ends with the object.
class Svg {
public:
  /// `label` is what a screen reader says.
  Svg(llvm::raw_ostream &os, double width, double height,
      llvm::StringRef label);
  ~Svg();

  /// `hint` is shown by the browser over it; may be empty.
  void rect(double x, double y, double width, double height,
            llvm::StringRef style, llvm::StringRef hint = "");
  void line(double x1, double y1, double x2, double y2, llvm::StringRef style);
  void text(double x, double y, llvm::StringRef text, llvm::StringRef style);
  /// Steps of equal width over [0, width]; heights are shares of `height`,
  /// above the base line y = height.
  void steps(double width, double height, llvm::ArrayRef<double> shares,
             llvm::StringRef style);

private:
  llvm::raw_ostream &os;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SVG_H
