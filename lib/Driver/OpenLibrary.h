//===- OpenLibrary.h - A library whose layers' constants can be exchanged -===//
//
// A format of weights decides which codes occur, not what code reads them: with
// weights stored as bytes, models in different formats differ in the contents
// of their constants only. So of one library for each format, the library of
// any mixture is made by copying bytes, in milliseconds instead of the seconds
// of a compilation. Whether two libraries are alike in everything else is
// checked byte by byte; where they are not, the caller compiles.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_OPENLIBRARY_H
#define HALFTONE_LIB_DRIVER_OPENLIBRARY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace mlir::halftone {

class OpenLibrary {
public:
  /// A library of compileOpenModule.
  static llvm::Expected<OpenLibrary> read(llvm::StringRef path);

  /// Whether both have the same code, and constants at the same places.
  bool isLike(const OpenLibrary &other) const;

  /// This library's bytes with the constants of some layers, numbered in the
  /// order of running, of another one that is like it.
  std::vector<char> with(const OpenLibrary &other,
                         llvm::ArrayRef<unsigned> layers) const;

private:
  /// Where in the file a layer's constant is.
  struct Place {
    unsigned layer;
    uint64_t offset, size;
    bool operator==(const Place &p) const {
      return layer == p.layer && offset == p.offset && size == p.size;
    }
  };

  std::vector<char> bytes;
  std::map<std::string, Place> constants; ///< By their symbols.
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_OPENLIBRARY_H
