//===- Npz.cpp - NumPy's archives of arrays
//--------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Npz.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include <zip.h>

using namespace mlir::halftone;

namespace {
/// One array of an archive, open for reading.
class ArrayEntry {
public:
  ArrayEntry(zip *archive, llvm::StringRef name) : archive(archive) {
    std::string file = (name + ".npy").str();
    zip_stat_init(&status);
    if (zip_stat(archive, file.c_str(), ZIP_FL_ENC_UTF_8, &status) == 0)
      entry = zip_fopen_index(archive, status.index, 0);
  }
  ~ArrayEntry() {
    if (entry)
      zip_fclose(entry);
  }
  ArrayEntry(const ArrayEntry &) = delete;
  ArrayEntry &operator=(const ArrayEntry &) = delete;

  uint64_t bytes() const { return status.size; }

  llvm::Expected<NpyHeader> readHeader() {
    if (!entry)
      return makeError("cannot be read: " + llvm::Twine(zip_strerror(archive)));
    std::string prefix(std::min<uint64_t>(kNpyPreambleBytes, bytes()), '\0');
    if (llvm::Error error = read({prefix.data(), prefix.size()}))
      return error;
    llvm::Expected<size_t> size = npyHeaderBytes(prefix);
    if (!size)
      return size.takeError();
    if (*size > bytes())
      return makeError("is truncated");
    size_t first = prefix.size();
    prefix.resize(*size);
    if (llvm::Error error = read({&prefix[first], *size - first}))
      return error;
    return parseNpyHeader(prefix);
  }

  /// Reads exactly data.size() bytes.
  llvm::Error read(llvm::MutableArrayRef<char> data) {
    while (!data.empty()) {
      zip_int64_t got = zip_fread(entry, data.data(), data.size());
      if (got < 0)
        return makeError("cannot be read: " +
                         llvm::Twine(zip_file_strerror(entry)));
      if (got == 0)
        return makeError("is truncated");
      data = data.drop_front(static_cast<size_t>(got));
    }
    return llvm::Error::success();
  }

  bool isStored() const {
    return entry && status.comp_method == ZIP_CM_STORE &&
           status.encryption_method == ZIP_EM_NONE;
  }

  llvm::Error seek(uint64_t offset) {
    if (zip_fseek(entry, static_cast<zip_int64_t>(offset), SEEK_SET) == 0)
      return llvm::Error::success();
    return makeError("cannot be read: " + llvm::Twine(zip_file_strerror(entry)));
  }

  /// Reads to the end, where the library checks the checksum: a damaged stream may
  /// give more bytes than the array has.
  llvm::Error finish() {
    char rest[4096];
    zip_int64_t got;
    do
      got = zip_fread(entry, rest, sizeof(rest));
    while (got > 0);
    if (got < 0)
      return makeError("is damaged: " + llvm::Twine(zip_file_strerror(entry)));
    return llvm::Error::success();
  }

  /// Checks that the array has its bytes before room is made for them:
  /// deflate expands at most 1,032 times.
  llvm::Error checkBytes(const NpyHeader &header) const {
    uint64_t wanted = header.dataOffset + uint64_t(header.dataBytes());
    if (wanted <= bytes() && bytes() / 1032 <= status.comp_size + 64)
      return llvm::Error::success();
    return makeError("is truncated: it has " + llvm::Twine(bytes()) +
                     " bytes of " + llvm::Twine(wanted));
  }

private:
  zip *archive;
  zip_file_t *entry = nullptr;
  zip_stat_t status;
};
} // namespace

static llvm::Expected<zip *> openArchive(llvm::StringRef path) {
  int code = 0;
  zip *archive = zip_open(path.str().c_str(), ZIP_RDONLY, &code);
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS)
      return makeError("'" + path +
                       "' is not an .npz archive, or truncated: " + why);
    return makeError("cannot read '" + path + "': " + why);
  }
  return archive;
}

llvm::Expected<std::unique_ptr<NpzReader>>
NpzReader::open(llvm::StringRef path) {
  llvm::Expected<zip *> archive = openArchive(path);
  if (!archive)
    return archive.takeError();
  std::unique_ptr<NpzReader> reader(new NpzReader(path, *archive));
  zip_int64_t count = zip_get_num_entries(*archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char *file = zip_get_name(*archive, i, ZIP_FL_ENC_GUESS);
    llvm::StringRef name = file ? file : "";
    if (name.consume_back(".npy"))
      reader->arrayNames.push_back(name.str());
  }
  return reader;
}

NpzReader::~NpzReader() { zip_discard(archive); }

/// The error of an array, with its place.
static llvm::Error describe(llvm::StringRef path, llvm::StringRef name, llvm::Error error) {
  return makeError("array '" + name + "' in '" + path + "' " + llvm::toString(std::move(error)));
}

static llvm::Error checkHas(llvm::StringRef path, llvm::ArrayRef<std::string> names, llvm::StringRef name) {
  if (llvm::is_contained(names, name))
    return llvm::Error::success();
  return makeError("'" + path + "' has no array '" + name + "'; there is " +
                   (names.empty() ? "none" : "'" + llvm::join(names, "', '") + "'"));
}

llvm::Expected<NpyHeader> NpzReader::readHeader(llvm::StringRef name) const {
  if (llvm::Error error = checkHas(path, arrayNames, name))
    return std::move(error);
  ArrayEntry entry(archive, name);
  llvm::Expected<NpyHeader> header = entry.readHeader();
  if (!header)
    return describe(path, name, header.takeError());
  return header;
}

static llvm::Expected<Tensor> readArray(zip *archive, llvm::StringRef name) {
  ArrayEntry entry(archive, name);
  llvm::Expected<NpyHeader> header = entry.readHeader();
  if (!header)
    return header.takeError();
  if (llvm::Error error = entry.checkBytes(*header))
    return error;
  Tensor tensor(name, header->type, header->shape);
  auto stored = [&](int64_t, llvm::MutableArrayRef<char> bytes) { return entry.read(bytes); };
  if (llvm::Error error = readElements(*header, 0, tensor.bytes, stored))
    return error;
  if (llvm::Error error = entry.finish())
    return error;
  return tensor;
}

llvm::Expected<Tensor> NpzReader::read(llvm::StringRef name) const {
  if (llvm::Error error = checkHas(path, arrayNames, name))
    return std::move(error);
  llvm::Expected<Tensor> tensor = readArray(archive, name);
  if (!tensor)
    return describe(path, name, tensor.takeError());
  return tensor;
}

/// An archive of its own, because the library's are for one reader at a time.
class NpzArray::Impl {
public:
  Impl(llvm::StringRef path, zip *archive, llvm::StringRef name)
      : path(path), name(name), archive(archive), entry(std::make_unique<ArrayEntry>(archive, name)) {}
  ~Impl() {
    entry.reset();
    zip_discard(archive);
  }

  /// Reads everything, for the checksum.
  llvm::Error check(const NpyHeader &header) {
    if (llvm::Error error = entry->checkBytes(header))
      return error;
    std::vector<char> part(1 << 20);
    for (int64_t left = header.dataBytes(); left > 0;) {
      int64_t count = std::min<int64_t>(left, part.size());
      if (llvm::Error error = entry->read(llvm::MutableArrayRef(part).take_front(count)))
        return error;
      left -= count;
    }
    return entry->finish();
  }

  std::string path, name;
  zip *archive;
  std::unique_ptr<ArrayEntry> entry;
};

NpzArray::NpzArray(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
NpzArray::~NpzArray() = default;

llvm::Expected<std::unique_ptr<NpzArray>>
NpzArray::open(llvm::StringRef path, llvm::StringRef name) {
  llvm::Expected<zip *> archive = openArchive(path);
  if (!archive)
    return archive.takeError();
  std::unique_ptr<NpzArray> array(
      new NpzArray(std::make_unique<Impl>(path, *archive, name)));
  llvm::Expected<NpyHeader> header = array->impl->entry->readHeader();
  if (!header)
    return describe(path, name, header.takeError());
  if (!array->impl->entry->isStored())
    return nullptr;
  array->arrayHeader = std::move(*header);
  if (llvm::Error error = array->impl->check(array->arrayHeader))
    return describe(path, name, std::move(error));
  return array;
}

llvm::Error NpzArray::read(int64_t offset, llvm::MutableArrayRef<char> data) {
  llvm::Error error = readElements(arrayHeader, offset, data, [&](int64_t place, llvm::MutableArrayRef<char> bytes) {
    llvm::Error failed = impl->entry->seek(arrayHeader.dataOffset + place);
    return failed ? std::move(failed) : impl->entry->read(bytes);
  });
  return error ? describe(impl->path, impl->name, std::move(error)) : llvm::Error::success();
}

llvm::Expected<std::vector<Tensor>>
mlir::halftone::readNpz(llvm::StringRef path) {
  llvm::Expected<std::unique_ptr<NpzReader>> reader = NpzReader::open(path);
  if (!reader)
    return reader.takeError();
  std::vector<Tensor> tensors;
  for (const std::string &name : (*reader)->names()) {
    llvm::Expected<Tensor> tensor = (*reader)->read(name);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

/// Adds one array, its header and its bytes, to an archive that is being made.
static bool addArray(zip *archive, const Tensor &tensor,
                     std::string &header) {
  // 1980-01-01 00:00:00, the first time that a zip entry can have; the
  // library converts from local time.
  tm first = {};
  first.tm_year = 80;
  first.tm_mday = 1;
  first.tm_isdst = -1;
  // The library writes to no fragment.
  zip_buffer_fragment_t fragments[] = {
      {reinterpret_cast<zip_uint8_t *>(header.data()), header.size()},
      {reinterpret_cast<zip_uint8_t *>(const_cast<char *>(tensor.bytes.data())),
       tensor.bytes.size()}};
  zip_source_t *source = zip_source_buffer_fragment(archive, fragments, 2, 0);
  if (!source)
    return false;
  zip_int64_t index = zip_file_add(archive, (tensor.name + ".npy").c_str(),
                                   source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return false;
  }
  return zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_mtime(archive, index, mktime(&first), 0) == 0;
}

/// Makes the archive in \p memory, whose reference the caller keeps.
static llvm::Error buildArchive(zip_source_t *memory,
                                llvm::MutableArrayRef<std::string> headers,
                                llvm::ArrayRef<Tensor> tensors) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_keep(memory);
  zip *archive = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
  if (!archive) {
    zip_source_free(memory);
    return makeError(zip_error_strerror(&error));
  }
  for (auto [tensor, header] : llvm::zip(tensors, headers))
    if (!addArray(archive, tensor, header)) {
      llvm::Error failure =
          makeError("array '" + tensor.name + "': " + zip_strerror(archive));
      zip_discard(archive);
      return failure;
    }
  if (zip_close(archive) == 0)
    return llvm::Error::success();
  llvm::Error failure = makeError(zip_strerror(archive));
  zip_discard(archive);
  return failure;
}

/// Copies the finished archive out.
static llvm::Error copyArchive(zip_source_t *memory,
                               llvm::raw_ostream &stream) {
  if (zip_source_open(memory) < 0)
    return makeError(zip_error_strerror(zip_source_error(memory)));
  std::vector<char> chunk(1 << 16);
  zip_int64_t got;
  while ((got = zip_source_read(memory, chunk.data(), chunk.size())) > 0)
    stream.write(chunk.data(), static_cast<size_t>(got));
  zip_source_close(memory);
  return got == 0 ? llvm::Error::success()
                  : makeError(zip_error_strerror(zip_source_error(memory)));
}

llvm::Error mlir::halftone::writeNpz(llvm::StringRef path,
                                     llvm::ArrayRef<Tensor> tensors) {
  std::vector<std::string> headers;
  for (const Tensor &tensor : tensors)
    headers.push_back(formatNpyHeader(tensor.type, tensor.shape));
  zip_source_t *memory = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  if (!memory)
    return makeError("cannot write '" + path + "': no memory");
  auto release = llvm::scope_exit([&] { zip_source_free(memory); });
  if (llvm::Error error = buildArchive(memory, headers, tensors))
    return makeError("cannot write '" + path +
                     "': " + llvm::toString(std::move(error)));
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    return copyArchive(memory, stream);
  });
}
