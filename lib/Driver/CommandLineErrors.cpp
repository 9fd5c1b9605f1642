//===- CommandLineErrors.cpp - Mistakes on the command line, in this program's words ---===//
#include "CommandLineErrors.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <unistd.h>

using namespace mlir::halftone;
using llvm::Error, llvm::SmallVector, llvm::StringRef, llvm::Twine;
namespace cl = llvm::cl;

std::string mlir::halftone::catchPrinted(int descriptor, llvm::function_ref<void()> work) {
  std::FILE *file = std::tmpfile();
  const int saved = file ? dup(descriptor) : -1;
  llvm::scope_exit close([&] {
    if (file)
      std::fclose(file);
  });
  if (saved < 0) {
    work();
    return "";
  }
  llvm::outs().flush();
  dup2(fileno(file), descriptor);
  work();
  llvm::outs().flush();
  dup2(saved, descriptor);
  ::close(saved);
  std::rewind(file);
  std::string text;
  for (char buffer[4096]; size_t count = std::fread(buffer, 1, sizeof buffer, file);)
    text.append(buffer, count);
  return text;
}

std::string mlir::halftone::suggestName(StringRef name, llvm::ArrayRef<StringRef> names) {
  const auto distance = [&](StringRef other) { return name.edit_distance(other, /*AllowReplacements=*/true, /*MaxEditDistance=*/3); };
  const StringRef *nearest = std::min_element(names.begin(), names.end(), [&](StringRef a, StringRef b) { return distance(a) < distance(b); });
  if (nearest == names.end() || distance(*nearest) > std::min<size_t>(2, name.size() / 2))
    return "";
  return (" (did you mean '" + *nearest + "'?)").str();
}

/// "--data", "-o".
static std::string dashed(StringRef option) { return (option.size() == 1 ? "-" : "--") + option.str(); }

/// "halftone compare [options] A B".
static std::string usageOf(CommandOptions &command) {
  std::string usage = ("halftone " + command.getName() + " [options]").str();
  for (const cl::Option *option : command.PositionalOpts)
    usage += (" " + option->HelpStr).str();
  return usage;
}

/// The values that an option lists: its help has a line "=value" for each. Only there does LLVM give them for any type. The width
/// is that of the column of names, and has to hold them.
static SmallVector<std::string> valuesOf(const cl::Option &option) {
  constexpr size_t kHelpWidth = 200;
  const std::string help = catchPrinted(STDOUT_FILENO, [&] { option.printOptionInfo(kHelpWidth); });
  SmallVector<std::string> values;
  for (StringRef line : llvm::split(help, '\n'))
    if (StringRef value = line.ltrim(); value.consume_front("="))
      values.push_back(value.take_until([](char c) { return c == ' '; }).str());
  return values;
}

/// "for the --threads option: ..." in other words.
static std::string describeOption(StringRef name, StringRef finding, CommandOptions &command) {
  const cl::Option *option = command.OptionsMap.lookup(name);
  const std::string shown = dashed(name), value = option && !option->ValueStr.empty() ? option->ValueStr.str() : "value";
  SmallVector<StringRef> parts;
  if (finding.starts_with("must be specified"))
    return command.getName().str() + " needs " + shown + " <" + value + ">";
  if (finding.starts_with("requires a value"))
    return shown + " needs a value: " + shown + (name.size() == 1 ? " <" : "=<") + value + ">";
  if (llvm::Regex("does not allow a value! '(.*)' specified").match(finding, &parts))
    return shown + " takes no value, and has '" + parts[1].str() + "'";
  if (llvm::Regex("^'(.*)' is invalid value for boolean").match(finding, &parts))
    return shown + " takes no value, and has '" + parts[1].str() + "'";
  if (finding.starts_with("may only occur"))
    return shown + " is given twice";
  if (llvm::Regex("^'(.*)' value invalid for (.*) argument").match(finding, &parts))
    return shown + "=" + parts[1].str() + " is no " + (parts[2].starts_with("float") ? "number" : "whole number");
  if (llvm::Regex("Cannot find option named '(.*)'").match(finding, &parts) && option)
    return shown + "=" + parts[1].str() + " is none of " + llvm::join(valuesOf(*option), ", ");
  return shown + " " + finding.rtrim("!").str();
}

/// Where to look for more.
static std::string pointToHelp(const CommandOptions &command) { return "`halftone " + command.getName().str() + " --help` lists all options"; }

Error mlir::halftone::checkRepetitions(const CommandOptions &command) {
  SmallVector<std::string> names;
  for (const auto &[name, option] : command.OptionsMap)
    if (option->getNumOccurrences() > 1 && option->getNumOccurrencesFlag() == cl::Optional && option->getValueExpectedFlag() == cl::ValueRequired)
      names.push_back(dashed(name));
  if (names.empty())
    return Error::success();
  llvm::sort(names);
  return userError(llvm::join(names, ", ") + (names.size() == 1 ? " is" : " are") + " given more than once, and " +
                   (names.size() == 1 ? "takes" : "take") + " one value; " + pointToHelp(command));
}

Error mlir::halftone::checkOutputIsNoInput(llvm::ArrayRef<const char *> words, const CommandOptions &command) {
  const auto option = command.OptionsMap.find("o");
  if (option == command.OptionsMap.end())
    return Error::success();
  const StringRef output = static_cast<const cl::opt<std::string> *>(option->second)->getValue();
  if (!llvm::sys::fs::is_regular_file(output))
    return Error::success();
  bool isSeen = false; // the output itself is a word, too
  for (StringRef word : words) {
    if (word.starts_with("-"))
      word = word.split('=').second;
    if (!llvm::sys::fs::equivalent(word, output))
      continue;
    if (isSeen || word != output)
      return userError("'" + output + "' is read, and -o would replace it: give another -o");
    isSeen = true;
  }
  return Error::success();
}

/// The words that are no options and take the place of none's value: too many of them were given.
static std::string describeSurplus(llvm::ArrayRef<const char *> words, CommandOptions &command) {
  const auto isWord = [&](const char *word) { return *word != '-' || StringRef(word) == "-"; };
  std::string all;
  for (const char *word : llvm::make_filter_range(words, isWord))
    all += (all.empty() ? "'" : ", '") + std::string(word) + "'";
  return "too many words, " + all + ": " + usageOf(command) +
         "; an option's value follows its name as in --name=value, one with spaces in quotes";
}

/// One line of the parser's; empty if it only goes on with the line before.
static std::string describeLine(StringRef line, llvm::ArrayRef<const char *> words, CommandOptions &command) {
  SmallVector<StringRef> parts;
  if (llvm::Regex("Unknown command line argument '(.*)'\\.  Try: ").match(line, &parts))
    return "there is no option '" + parts[1].str() + "'";
  if (llvm::Regex("for the --?([a-z-]+) option: (.*)").match(line, &parts))
    return describeOption(parts[1], parts[2], command);
  if (line.contains("Not enough positional"))
    return "too few words: " + usageOf(command);
  if (line.contains("Too many positional"))
    return describeSurplus(words, command);
  if (line.starts_with("Must specify at least") || line.starts_with("Can specify at most"))
    return "";
  return line.str();
}

Error mlir::halftone::describeMistakes(StringRef printed, llvm::ArrayRef<const char *> words, CommandOptions &command) {
  SmallVector<std::string> mistakes;
  for (StringRef line : llvm::split(printed.trim(), '\n')) {
    SmallVector<StringRef> parts;
    if (llvm::Regex("Did you mean '(.*)'").match(line, &parts) && !mistakes.empty()) {
      mistakes.back() += " (did you mean '" + parts[1].str() + "'?)";
      continue;
    }
    std::string mistake = describeLine(line, words, command);
    if (!mistake.empty() && !llvm::is_contained(mistakes, mistake))
      mistakes.push_back(std::move(mistake));
  }
  const std::string help = pointToHelp(command);
  if (mistakes.size() == 1)
    return userError(mistakes.front() + "; " + help);
  ProblemList problems;
  for (const std::string &mistake : mistakes)
    problems.add(mistake);
  return problems.take("the command line cannot be used; " + help + ":");
}
