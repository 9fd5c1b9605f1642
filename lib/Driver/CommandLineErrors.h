//===- CommandLineErrors.h - Mistakes on the command line, in this program's words ---===//
//
// LLVM's parser prints its findings one by one, in words for programmers ("Not enough positional command line arguments
// specified!"), and only as text. Here they are caught and said again: all in one message, with what the help says of the
// options, and with the way out.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_COMMANDLINEERRORS_H
#define HALFTONE_LIB_DRIVER_COMMANDLINEERRORS_H

#include "Command.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::halftone {

/// What \p work prints to a file descriptor; empty without a place to keep it, then it is printed.
std::string catchPrinted(int descriptor, llvm::function_ref<void()> work);

/// The parser's findings as one error; \p printed is its text, and \p words are those of the command line.
llvm::Error describeMistakes(llvm::StringRef printed, llvm::ArrayRef<const char *> words, CommandOptions &command);

/// Options of one value that have several, of which the parser takes the last; nothing if there are none.
llvm::Error checkRepetitions(const CommandOptions &command);

/// The file of -o is one that the command reads: it would be lost; nothing if it is not.
llvm::Error checkOutputIsNoInput(llvm::ArrayRef<const char *> words, const CommandOptions &command);

/// " (did you mean 'build'?)", or nothing if no name is near.
std::string suggestName(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> names);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_COMMANDLINEERRORS_H
