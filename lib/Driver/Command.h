//===- Command.h - What every command of the driver shares ----------------===//
//
// A command is a function that registers its options with its cl::SubCommand,
// parses, works, and returns an error to be printed. Diagnostics with
// locations are printed while the work goes on; the error is then `Reported`.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_COMMAND_H
#define HALFTONE_LIB_DRIVER_COMMAND_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// The options of one command. After parsing they are taken away from LLVM's
/// parser, which the linker would make reset them.
class CommandOptions : public llvm::cl::SubCommand {
public:
  using SubCommand::SubCommand;
  void keepValues() { unregisterSubCommand(); }
};

/// The words after the program's name, with the parser's state.
class CommandLine {
public:
  CommandLine(int argc, const char **argv, CommandOptions &command,
              llvm::StringRef examples)
      : command(command), argc(argc), argv(argv), examples(examples) {}

  /// Fills the options that were registered with `command`; prints help and
  /// exits for --help, prints the mistake and exits with 1 for bad options.
  void parse();

  CommandOptions &command;

private:
  int argc;
  const char **argv;
  llvm::StringRef examples;
};

/// A command of the program.
struct Command {
  const char *name;
  const char *summary;
  const char *examples;
  llvm::Error (*run)(CommandLine &line);
};

/// All commands, in the order of the help text.
llvm::ArrayRef<Command> allCommands();

llvm::Error runBuild(CommandLine &line);
llvm::Error runImport(CommandLine &line);
llvm::Error runCalibrate(CommandLine &line);
llvm::Error runQuantize(CommandLine &line);
llvm::Error runPrune(CommandLine &line);
llvm::Error runTrain(CommandLine &line);
llvm::Error runExport(CommandLine &line);
llvm::Error runCompile(CommandLine &line);
llvm::Error runRun(CommandLine &line);
llvm::Error runBench(CommandLine &line);
llvm::Error runCompare(CommandLine &line);
llvm::Error runCheck(CommandLine &line);
llvm::Error runInfo(CommandLine &line);

/// An error whose message has been printed already, as diagnostics.
class Reported : public llvm::ErrorInfo<Reported> {
public:
  static char ID;
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;
};

/// A message for the user, without a final period.
llvm::Error userError(const llvm::Twine &message);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_COMMAND_H
