//===- Driver.cpp - Command table, help and dispatch ----------------------===//
#include "halftone/Driver/Driver.h"
#include "CommandLineErrors.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <unistd.h>

using namespace mlir::halftone;
using llvm::Error, llvm::SmallVector, llvm::StringRef;

char Reported::ID;
void Reported::log(llvm::raw_ostream &os) const { os << "reported above"; }
std::error_code Reported::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

Error mlir::halftone::userError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static void printHelp(llvm::raw_ostream &os) {
  os << "Halftone: a float neural network in, an exact int8 CPU library out.\n"
        "\nUSAGE: halftone COMMAND [options]\n\nCOMMANDS:\n";
  for (const Command &command : allCommands())
    os << llvm::format("  %-10s %s\n", command.name, command.summary);
  os << "\nEXAMPLES:\n"
        "  halftone build model.onnx --data samples.npz -o model.so\n"
        "  halftone run model.so --input x.npz -o y.npz\n"
        "\n`halftone COMMAND --help` shows a command's options and examples;\n"
        "`halftone --version` the versions of Halftone and of LLVM.\n";
}

/// Prints what has not been printed yet; the exit status.
static int report(Error error) {
  int status = 0;
  handleAllErrors(
      std::move(error), [&](const Reported &) { status = 1; },
      [&](const llvm::ErrorInfoBase &info) {
        llvm::WithColor::error(llvm::errs(), "halftone")
            << info.message() << "\n";
        status = 1;
      });
  return status;
}

/// LLVM's own options would be found too: --stats, which is one of other commands, would be accepted by all, as a flag.
static void forgetLLVMOptions() {
  auto &options = llvm::cl::getRegisteredOptions(llvm::cl::SubCommand::getTopLevel());
  llvm::cl::Option *version = options.lookup("version");
  options.clear();
  if (version)
    options["version"] = version;
}

static bool isHelp(StringRef word) {
  return word == "-h" || word.ltrim('-').starts_with("help");
}

void CommandLine::parse() {
  std::string text = "\nEXAMPLES:\n" + examples.str();
  llvm::cl::extrahelp help(text);
  llvm::cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << versionText() << "\n"; });
  forgetLLVMOptions();
  const llvm::ArrayRef<const char *> words = llvm::ArrayRef(argv, argc).drop_front(2);
  bool isGood = false;
  // The stream makes the parser return instead of exiting. What options say of their values goes to standard error all the same.
  const auto parseWords = [&] { isGood = llvm::cl::ParseCommandLineOptions(argc, argv, /*Overview=*/"", &llvm::errs()); };
  std::string printed;
  if (llvm::any_of(words, isHelp))
    parseWords(); // Prints and exits; what then goes wrong is nobody's to catch.
  else
    printed = catchPrinted(STDERR_FILENO, parseWords);
  if (!isGood)
    std::exit(printed.empty() ? 1 : report(describeMistakes(printed, words, command)));
  if (Error error = checkRepetitions(command))
    std::exit(report(std::move(error)));
  if (Error error = checkOutputIsNoInput(words, command))
    std::exit(report(std::move(error)));
  command.keepValues();
}

/// What standard output did not take, unless there is an error already.
static Error closeOutput(Error error) {
  llvm::raw_fd_ostream &out = llvm::outs();
  out.flush();
  std::error_code code = out.error();
  out.clear_error();
  if (error || !code)
    return error;
  return userError("cannot write to standard output: " + code.message());
}

int mlir::halftone::runDriver(int argc, const char **argv) {
  llvm::InitLLVM init(argc, argv);
  // Else a file that is opened takes the place of a closed stream, and gets what is printed.
  if (std::error_code code = llvm::sys::Process::FixupStandardFileDescriptors())
    return report(userError("cannot open /dev/null: " + code.message()));
  // A limit of file sizes is an error of the write, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  StringRef name = argc > 1 ? argv[1] : "";
  if (name.empty() || name == "--help" || name == "-h" || name == "help") {
    printHelp(name.empty() ? llvm::errs() : llvm::outs());
    return name.empty();
  }
  if (name == "--version") {
    llvm::outs() << versionText() << "\n";
    return 0;
  }
  for (const Command &command : allCommands()) {
    if (name != command.name)
      continue;
    CommandOptions subCommand(command.name, command.summary);
    CommandLine line(argc, argv, subCommand, command.examples);
    const int status = report(closeOutput(command.run(line)));
    llvm::errs().clear_error(); // A log that is full fails nothing: LLVM would exit with 1.
    return status;
  }
  SmallVector<StringRef> names = llvm::map_to_vector(allCommands(), [](const Command &command) { return StringRef(command.name); });
  return report(userError("there is no command '" + name + "'" + suggestName(name, names) + "; `halftone --help` lists all"));
}
