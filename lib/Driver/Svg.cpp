//===- Svg.cpp - Small drawings for a page --------------------------------===//
#include "Svg.h"
#include "llvm/Support/Format.h"

using namespace mlir::halftone;

std::string mlir::halftone::escapeHtml(llvm::StringRef text) {
  std::string result;
  for (char c : text) {
    switch (c) {
    case '&': result += "&amp;"; break;
    case '<': result += "&lt;"; break;
    case '>': result += "&gt;"; break;
    case '"': result += "&quot;"; break;
    default: result += c;
    }
  }
  return result;
}

/// A coordinate, to a hundredth.
static std::string number(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2f", value);
  return text;
}

Svg::Svg(llvm::raw_ostream &os, double width, double height,
         llvm::StringRef label)
    : os(os) {
  os << "<svg viewBox=\"0 0 " << number(width) << " " << number(height)
     << "\" width=\"" << number(width) << "\" role=\"img\" aria-label=\""
     << escapeHtml(label) << "\">";
}

Svg::~Svg() { os << "</svg>\n"; }

void Svg::rect(double x, double y, double width, double height,
               llvm::StringRef style, llvm::StringRef hint) {
  os << "<rect x=\"" << number(x) << "\" y=\"" << number(y) << "\" width=\""
     << number(width) << "\" height=\"" << number(height) << "\" class=\""
     << style << "\">";
  if (!hint.empty())
    os << "<title>" << escapeHtml(hint) << "</title>";
  os << "</rect>";
}

void Svg::line(double x1, double y1, double x2, double y2,
               llvm::StringRef style) {
  os << "<line x1=\"" << number(x1) << "\" y1=\"" << number(y1) << "\" x2=\""
     << number(x2) << "\" y2=\"" << number(y2) << "\" class=\"" << style
     << "\"/>";
}

void Svg::text(double x, double y, llvm::StringRef text,
               llvm::StringRef style) {
  os << "<text x=\"" << number(x) << "\" y=\"" << number(y) << "\" class=\""
     << style << "\">" << escapeHtml(text) << "</text>";
}

void Svg::steps(double width, double height, llvm::ArrayRef<double> shares,
                llvm::StringRef style) {
  os << "<path class=\"" << style << "\" d=\"M0 " << number(height);
  double step = width / shares.size();
  for (auto [i, share] : llvm::enumerate(shares))
    os << "V" << number(height * (1 - share)) << "H" << number(step * (i + 1));
  os << "V" << number(height) << "\"/>";
}
