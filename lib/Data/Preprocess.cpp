//===- Preprocess.cpp - The line that describes an image input
//-------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Preprocess.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include <charconv>
#include <cmath>

using namespace mlir::halftone;

static constexpr llvm::StringLiteral
    kForm("write 'NAME: u8|f32 nchw|nhwc rgb|bgr|gray [resize=N|HxW] "
          "[crop=N|HxW] [mean=M,M,M] [std=S,S,S] [scale=S]'");

static constexpr int64_t kMaxSide = 1 << 16;

namespace {
/// Reads the words of one line into the steps.
class LineParser {
public:
  LineParser(Preprocess &steps, ProblemList &problems)
      : steps(steps), problems(problems) {}

  void parse(llvm::StringRef words) {
    llvm::SmallVector<llvm::StringRef> parts;
    llvm::SplitString(words, parts);
    for (llvm::StringRef word : parts)
      parseWord(word);
    checkLists();
  }

private:
  void parseWord(llvm::StringRef word) {
    if (word.contains('='))
      return parseOption(word);
    using Type = std::optional<ElementType>;
    using Layout = std::optional<Preprocess::Layout>;
    using Colour = std::optional<Preprocess::Colour>;
    auto type = llvm::StringSwitch<Type>(word)
                    .Case("u8", ElementType::U8)
                    .Case("f32", ElementType::F32)
                    .Default(std::nullopt);
    auto layout = llvm::StringSwitch<Layout>(word)
                      .Case("nchw", Preprocess::Layout::NCHW)
                      .Case("nhwc", Preprocess::Layout::NHWC)
                      .Default(std::nullopt);
    auto colour = llvm::StringSwitch<Colour>(word)
                      .Case("rgb", Preprocess::Colour::RGB)
                      .Case("bgr", Preprocess::Colour::BGR)
                      .Case("gray", Preprocess::Colour::Gray)
                      .Default(std::nullopt);
    if (type && isFirst("an element type", word))
      steps.type = *type;
    else if (layout && isFirst("a layout", word))
      steps.layout = *layout;
    else if (colour && isFirst("a colour order", word))
      steps.colour = *colour;
    else if (!type && !layout && !colour)
      problems.add("'" + word + "' is not known");
  }

  void parseOption(llvm::StringRef word) {
    auto [key, value] = word.split('=');
    if (!llvm::is_contained({"resize", "crop", "mean", "std", "scale"}, key)) {
      problems.add("'" + word + "' is not known");
      return;
    }
    if (!isFirst(key, word))
      return;
    if (key == "resize")
      steps.resize = parseSize(word, value);
    else if (key == "crop")
      steps.crop = parseSize(word, value);
    else if (key == "mean")
      steps.mean = parseFloats(word, value);
    else if (key == "std")
      steps.std = parseFloats(word, value);
    else if (auto floats = parseFloats(word, value); !floats.empty())
      parseScale(word, floats);
  }

  void parseScale(llvm::StringRef word, llvm::ArrayRef<float> floats) {
    steps.scale = floats.front();
    if (floats.size() != 1 || steps.scale <= 0)
      problems.add("'" + word + "' must be one number above 0");
  }

  bool isFirst(llvm::StringRef kind, llvm::StringRef word) {
    if (seen.insert(kind).second)
      return true;
    problems.add("'" + word + "' is " + kind + " given again");
    return false;
  }

  std::optional<Preprocess::Size> parseSize(llvm::StringRef word,
                                            llvm::StringRef value) {
    Preprocess::Size size;
    auto [rows, columns] = value.split('x');
    bool isPair = value.contains('x');
    llvm::StringRef last = isPair ? columns : rows;
    bool isBad = (isPair && rows.getAsInteger(10, size.height)) ||
                 last.getAsInteger(10, size.width) || size.width < 1 ||
                 (isPair && size.height < 1) || size.width > kMaxSide ||
                 size.height > kMaxSide;
    if (!isBad)
      return size;
    problems.add("'" + word + "' must be a number of pixels, or HEIGHTxWIDTH");
    return std::nullopt;
  }

  llvm::SmallVector<float, 3> parseFloats(llvm::StringRef word,
                                          llvm::StringRef value) {
    llvm::SmallVector<float, 3> floats;
    for (llvm::StringRef part : llvm::split(value, ',')) {
      float number = 0;
      auto [end, code] = std::from_chars(part.begin(), part.end(), number);
      if (code == std::errc() && end == part.end() && std::isfinite(number)) {
        floats.push_back(number);
        continue;
      }
      problems.add("'" + word + "' must be numbers, with commas and no space");
      return {};
    }
    return floats;
  }

  void checkLists() {
    size_t channels = static_cast<size_t>(steps.numChannels());
    auto check = [&](llvm::StringRef key, llvm::ArrayRef<float> list) {
      if (list.size() > 1 && list.size() != channels)
        problems.add(key + " has " + llvm::Twine(list.size()) +
                     " numbers for " + llvm::Twine(channels) + " channels");
    };
    check("mean", steps.mean);
    check("std", steps.std);
    if (llvm::any_of(steps.std, [](float value) { return value <= 0; }))
      problems.add("std must be above 0");
    bool isOfPixels = llvm::any_of(
        steps.mean, [](float value) { return std::fabs(value) > 2; });
    if (isOfPixels && !seen.contains("scale"))
      problems.add("mean looks like one of pixels 0..255: say scale=1 then "
                   "(scale=255, the default, divides pixels by 255 first)");
  }

  Preprocess &steps;
  ProblemList &problems;
  llvm::StringSet<> seen;
};
} // namespace

/// The name ends at the first colon before a space: "input:0: u8 nhwc".
static std::pair<llvm::StringRef, llvm::StringRef>
splitName(llvm::StringRef line) {
  for (size_t i = 0; i + 1 < line.size(); ++i)
    if (line[i] == ':' && llvm::isSpace(line[i + 1]))
      return {line.take_front(i).trim(), line.drop_front(i + 1)};
  return {"", line};
}

llvm::Expected<Preprocess> Preprocess::parse(llvm::StringRef line) {
  Preprocess steps;
  ProblemList problems;
  auto [name, words] = splitName(line);
  steps.input = name.str();
  if (name.empty())
    problems.add("there is no name of an input, with a colon and a space "
                 "after it");
  else
    LineParser(steps, problems).parse(words);
  if (llvm::Error error = problems.take("cannot read the input line '" + line +
                                        "' (" + kForm + "):"))
    return error;
  return steps;
}

static std::string printFloat(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

static std::string printFloats(llvm::ArrayRef<float> values) {
  std::string text;
  for (float value : values)
    text += (text.empty() ? "" : ",") + printFloat(value);
  return text;
}

static std::string printSize(const Preprocess::Size &size) {
  std::string width = std::to_string(size.width);
  return size.height ? std::to_string(size.height) + "x" + width : width;
}

std::string Preprocess::print() const {
  std::string line = input + ": " + elementName(type).str();
  line += layout == Layout::NCHW ? " nchw" : " nhwc";
  line += colour == Colour::Gray  ? " gray"
          : colour == Colour::BGR ? " bgr"
                                  : " rgb";
  if (resize)
    line += " resize=" + printSize(*resize);
  if (crop)
    line += " crop=" + printSize(*crop);
  if (!mean.empty())
    line += " mean=" + printFloats(mean);
  if (!std.empty())
    line += " std=" + printFloats(std);
  return line + " scale=" + printFloat(scale);
}
