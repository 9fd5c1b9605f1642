//===- Npy.cpp - NumPy's array files
//---------------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Npy.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Data/ProblemList.h"
#include "halftone/Support/Half.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

using namespace mlir::halftone;
namespace fs = llvm::sys::fs;

static constexpr llvm::StringLiteral kMagic("\x93NUMPY");

/// NumPy's code for a type; the order mark is '|' for single bytes.
static llvm::StringRef npyCode(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return "<f4";
  case ElementType::I8:
    return "|i1";
  case ElementType::U8:
    return "|u1";
  case ElementType::I32:
    return "<i4";
  case ElementType::I64:
    return "<i8";
  case ElementType::Bool:
    return "|b1";
  }
  return "";
}

static std::optional<ElementType> typeOfCode(llvm::StringRef code) {
  return llvm::StringSwitch<std::optional<ElementType>>(code)
      .Cases({"<f4", "<f2"}, ElementType::F32)
      .Cases({"|i1", "<i1"}, ElementType::I8)
      .Cases({"|u1", "<u1"}, ElementType::U8)
      .Case("<i4", ElementType::I32)
      .Case("<i8", ElementType::I64)
      .Cases({"|b1", "<b1"}, ElementType::Bool)
      .Default(std::nullopt);
}

/// NumPy's name for a type that is not supported, or its code.
static std::string nameOfCode(llvm::StringRef code) {
  llvm::StringRef name = llvm::StringSwitch<llvm::StringRef>(code.drop_front())
                             .Case("f4", "float32")
                             .Case("f8", "float64")
                             .Case("i2", "int16")
                             .Case("i4", "int32")
                             .Case("i8", "int64")
                             .Case("u2", "uint16")
                             .Case("u4", "uint32")
                             .Case("u8", "uint64")
                             .Case("c8", "complex64")
                             .Case("c16", "complex128")
                             .Case("O", "object")
                             .Default(code);
  return (code.front() == '>' ? "big-endian " : "") + name.str();
}

static llvm::Error describeBadType(llvm::StringRef code) {
  if (code.empty())
    return makeError("has a structured element type; save plain arrays");
  return makeError("has element type " + nameOfCode(code) +
                   "; convert the array, for example with "
                   ".astype(numpy.float32)");
}

llvm::Expected<size_t> mlir::halftone::npyHeaderBytes(llvm::StringRef prefix) {
  if (!prefix.starts_with(kMagic))
    return makeError("is not a NumPy array file");
  // Version 1 has a length of two bytes, the later ones of four.
  if (prefix.size() < 10 || (prefix[6] != 1 && prefix.size() < 12))
    return makeError("is truncated");
  const char *length = prefix.data() + 8;
  switch (prefix[6]) {
  case 1:
    return 10 + size_t(llvm::support::endian::read16le(length));
  case 2:
  case 3: {
    // NumPy itself refuses headers above 10,000 bytes unless told otherwise.
    size_t bytes = llvm::support::endian::read32le(length);
    if (bytes > (1 << 20))
      return makeError("has a damaged header");
    return 12 + bytes;
  }
  default:
    return makeError("has the unknown format version " +
                     llvm::Twine(int(prefix[6])));
  }
}

namespace {
/// Reads the Python dictionary of a header:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
public:
  explicit HeaderParser(llvm::StringRef text) : rest(text) {}

  /// False when the text is no such dictionary.
  bool parse() {
    if (!consume("{"))
      return false;
    while (!consume("}")) {
      llvm::StringRef key;
      if (!parseString(key) || !consume(":") || !parseValue(key))
        return false;
      consume(",");
    }
    return hasCode && hasOrder && hasShape;
  }

  llvm::StringRef code; // Empty for a structured type.
  bool isFortran = false;
  Shape shape;

private:
  bool consume(llvm::StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool parseString(llvm::StringRef &text) {
    rest = rest.ltrim();
    char quote = rest.empty() ? '\0' : rest.front();
    size_t end = rest.find(quote, 1);
    if ((quote != '\'' && quote != '"') || end == llvm::StringRef::npos)
      return false;
    text = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }

  bool parseValue(llvm::StringRef key) {
    if (key == "descr") {
      hasCode = true;
      return parseString(code) ? code.size() >= 2 : skipStructuredType();
    }
    if (key == "fortran_order") {
      hasOrder = true;
      isFortran = consume("True");
      return isFortran || consume("False");
    }
    hasShape = true;
    return key == "shape" && parseShape();
  }

  /// A list of fields: nothing in it matters but its end.
  bool skipStructuredType() {
    size_t end = rest.find("], 'fortran_order'");
    if (!rest.starts_with("[") || end == llvm::StringRef::npos)
      return false;
    rest = rest.drop_front(end + 1);
    return true;
  }

  bool parseShape() {
    if (!consume("("))
      return false;
    while (!consume(")")) {
      int64_t extent = 0;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, extent) || extent < 0)
        return false;
      consume("L"); // Python 2 wrote 3L.
      shape.push_back(extent);
      consume(",");
    }
    return true;
  }

  llvm::StringRef rest;
  bool hasCode = false, hasOrder = false, hasShape = false;
};
} // namespace

llvm::Expected<NpyHeader>
mlir::halftone::parseNpyHeader(llvm::StringRef prefix) {
  llvm::Expected<size_t> bytes =
      npyHeaderBytes(prefix.take_front(kNpyPreambleBytes));
  if (!bytes)
    return bytes.takeError();
  if (prefix.size() < *bytes)
    return makeError("is truncated");
  size_t textOffset = prefix[6] == 1 ? 10 : 12;
  HeaderParser parser(prefix.slice(textOffset, *bytes));
  if (!parser.parse())
    return makeError("has a damaged header");

  NpyHeader header;
  std::optional<ElementType> type = typeOfCode(parser.code);
  if (!type)
    return describeBadType(parser.code);
  if (parser.isFortran)
    return makeError("is in Fortran order; save "
                     "numpy.ascontiguousarray(array)");
  header.type = *type;
  header.isHalf = parser.code == "<f2";
  header.shape = parser.shape;
  header.dataOffset = static_cast<int64_t>(*bytes);
  std::optional<int64_t> count = countElements(header.shape);
  if (!count || *count > INT64_MAX / 16)
    return makeError("has a damaged header");
  return header;
}

std::string mlir::halftone::formatNpyHeader(ElementType type,
                                            llvm::ArrayRef<int64_t> shape) {
  std::string text = "{'descr': '" + npyCode(type).str() +
                     "', 'fortran_order': False, 'shape': (";
  for (auto [axis, extent] : llvm::enumerate(shape))
    text += (axis ? ", " : "") + std::to_string(extent);
  text += shape.size() == 1 ? ",), }" : "), }";
  // Magic, version and length are 10 bytes; data starts at a multiple of 64.
  text.append(63 - (text.size() + 10) % 64, ' ');
  text += '\n';
  char preamble[4] = {1, 0};
  llvm::support::endian::write16le(preamble + 2,
                                   static_cast<uint16_t>(text.size()));
  return kMagic.str() + std::string(preamble, 4) + text;
}

llvm::Expected<std::unique_ptr<NpyFile>> NpyFile::open(llvm::StringRef path) {
  auto fail = [&](const llvm::Twine &why) {
    return makeError("'" + path + "' " + why);
  };
  fs::file_status status;
  if (std::error_code code = fs::status(path, status))
    return makeError("cannot read '" + path + "': " + code.message());
  llvm::Expected<fs::file_t> file = fs::openNativeFileForRead(path);
  if (!file)
    return makeError("cannot read '" + path +
                     "': " + llvm::toString(file.takeError()));
  std::unique_ptr<NpyFile> result(new NpyFile(path, *file));
  if (llvm::Error error = result->readHeader(status.getSize()))
    return fail(llvm::toString(std::move(error)));
  return result;
}

NpyFile::~NpyFile() { fs::closeFile(file); }

llvm::Error NpyFile::readHeader(uint64_t fileBytes) {
  std::string prefix(std::min<uint64_t>(kNpyPreambleBytes, fileBytes), '\0');
  if (llvm::Error error = readAt(0, {prefix.data(), prefix.size()}))
    return error;
  llvm::Expected<size_t> bytes = npyHeaderBytes(prefix);
  if (!bytes)
    return bytes.takeError();
  if (*bytes > fileBytes)
    return makeError("is truncated");
  prefix.resize(*bytes);
  if (llvm::Error error = readAt(0, {prefix.data(), prefix.size()}))
    return error;
  llvm::Expected<NpyHeader> header = parseNpyHeader(prefix);
  if (!header)
    return header.takeError();
  parsed = std::move(*header);
  uint64_t wanted = parsed.dataOffset + uint64_t(parsed.dataBytes());
  if (fileBytes < wanted)
    return makeError("is truncated: it has " + llvm::Twine(fileBytes) +
                     " bytes of " + llvm::Twine(wanted));
  return llvm::Error::success();
}

llvm::Error NpyFile::readAt(uint64_t offset,
                            llvm::MutableArrayRef<char> data) const {
  while (!data.empty()) {
    llvm::Expected<size_t> got = fs::readNativeFileSlice(file, data, offset);
    if (!got)
      return got.takeError();
    if (*got == 0)
      return makeError("is truncated");
    data = data.drop_front(*got);
    offset += *got;
  }
  return llvm::Error::success();
}

llvm::Error mlir::halftone::readElements(
    const NpyHeader &header, int64_t offset, llvm::MutableArrayRef<char> data,
    llvm::function_ref<llvm::Error(int64_t, llvm::MutableArrayRef<char>)> read) {
  if (!header.isHalf)
    return read(offset, data);
  std::vector<char> halves(data.size() / 2);
  if (llvm::Error error = read(offset / 2, halves))
    return error;
  for (size_t i = 0; i < data.size() / sizeof(float); ++i) {
    float wide = widenHalf(llvm::support::endian::read16le(&halves[2 * i]));
    std::memcpy(&data[i * sizeof(float)], &wide, sizeof(float));
  }
  return llvm::Error::success();
}

llvm::Error NpyFile::read(int64_t offset,
                          llvm::MutableArrayRef<char> data) const {
  auto stored = [&](int64_t place, llvm::MutableArrayRef<char> bytes) {
    return readAt(parsed.dataOffset + place, bytes);
  };
  if (llvm::Error error = readElements(parsed, offset, data, stored))
    return makeError("'" + path + "' " + llvm::toString(std::move(error)));
  return llvm::Error::success();
}

llvm::Expected<Tensor> mlir::halftone::readNpy(llvm::StringRef path,
                                               llvm::StringRef name) {
  llvm::Expected<std::unique_ptr<NpyFile>> file = NpyFile::open(path);
  if (!file)
    return file.takeError();
  const NpyHeader &header = (*file)->header();
  Tensor tensor(name, header.type, header.shape);
  if (llvm::Error error = (*file)->read(0, tensor.bytes))
    return error;
  return tensor;
}

llvm::Error mlir::halftone::writeNpy(llvm::StringRef path,
                                     const Tensor &tensor) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << formatNpyHeader(tensor.type, tensor.shape);
    stream.write(tensor.bytes.data(), tensor.bytes.size());
    return llvm::Error::success();
  });
}
