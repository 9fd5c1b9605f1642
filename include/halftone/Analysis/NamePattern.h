//===- NamePattern.h - operations by an expression ---------------------------===//
#ifndef HALFTONE_ANALYSIS_NAMEPATTERN_H
#define HALFTONE_ANALYSIS_NAMEPATTERN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/Regex.h"
#include <memory>
#include <string>

namespace mlir::halftone {

/// A regular expression that matches whole names. Can be copied, as passes are.
class NamePattern {
public:
  /// An error that names the text, or what the user wrote of which it is a part, if it is no regular expression.
  static llvm::Expected<NamePattern> compile(llvm::StringRef text, llvm::StringRef written = "") {
    NamePattern pattern(std::make_shared<llvm::Regex>(("^(" + llvm::Twine(text) + ")$").str()));
    std::string reason;
    if (!pattern.regex->isValid(reason))
      return llvm::createStringError("'" + llvm::Twine(written.empty() ? text : written) + "' is no regular expression: " + reason);
    return pattern;
  }
  bool matches(llvm::StringRef name) const { return regex->match(name); }

private:
  explicit NamePattern(std::shared_ptr<llvm::Regex> regex) : regex(std::move(regex)) {}
  std::shared_ptr<llvm::Regex> regex;
};

/// "'a', 'b' and 12 more", each name once: what an expression that matches none of them could have meant.
inline std::string listNames(llvm::ArrayRef<std::string> names, size_t limit = 12) {
  llvm::SetVector<llvm::StringRef> distinct(names.begin(), names.end());
  std::string text;
  for (llvm::StringRef name : llvm::ArrayRef(distinct.getArrayRef()).take_front(limit))
    text += (text.empty() ? "'" : ", '") + name.str() + "'";
  if (distinct.size() > limit)
    text += " and " + std::to_string(distinct.size() - limit) + " more";
  return text;
}

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_NAMEPATTERN_H
