//===- ArtefactNote.cpp - What a model file says before it is mapped ------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The note is looked for in the program headers and then in the section
// headers, so that a file without section headers (stripped) is read too.
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/ArtefactNote.h"
#include "halftone/Runtime/LastError.h"
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace mlir::halftone;

#if defined(__x86_64__)
static constexpr uint16_t kHostMachine = EM_X86_64;
static constexpr const char *kHostName = "x86-64";
#elif defined(__aarch64__)
static constexpr uint16_t kHostMachine = EM_AARCH64;
static constexpr const char *kHostName = "AArch64";
#else
#error "the runtime knows x86-64 and AArch64"
#endif

/// No honest note comes near this; it bounds what a garbage file makes us read.
static constexpr uint64_t kMaxNoteBytes = 1 << 20;

static constexpr const char *kNoLibrary = "is no compiled model (not an ELF shared library); `halftone build` makes one";

namespace {
/// A file that is read at offsets, with every range checked.
class FileBytes {
public:
  explicit FileBytes(const std::string &path)
      : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {} // a pipe is refused, not waited for
  ~FileBytes() {
    if (fd >= 0)
      close(fd);
  }
  FileBytes(const FileBytes &) = delete;
  FileBytes &operator=(const FileBytes &) = delete;

  /// Checks that it is an open, regular file; else sets errno.
  bool isReadable() {
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
      return false;
    if (!S_ISREG(status.st_mode)) {
      errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
      return false;
    }
    size = static_cast<uint64_t>(status.st_size);
    return true;
  }

  bool contains(uint64_t offset, uint64_t count) const {
    return offset <= size && count <= size - offset;
  }

  bool read(uint64_t offset, void *data, uint64_t count) const {
    if (!contains(offset, count))
      return false;
    auto *bytes = static_cast<char *>(data);
    while (count > 0) {
      ssize_t got = pread(fd, bytes, count, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return false;
      bytes += got, offset += got, count -= got;
    }
    return true;
  }

private:
  int fd;
  uint64_t size = 0;
};
} // namespace

static uint64_t alignTo4(uint64_t value) { return (value + 3) & ~uint64_t(3); }

/// Our notes among the notes of one segment or section.
static std::vector<ArtefactNote> findNotes(const std::vector<char> &bytes) {
  std::vector<ArtefactNote> notes;
  uint64_t offset = 0;
  while (offset + sizeof(Elf64_Nhdr) <= bytes.size()) {
    Elf64_Nhdr header;
    memcpy(&header, bytes.data() + offset, sizeof(header));
    uint64_t name = offset + sizeof(header);
    uint64_t descriptor = name + alignTo4(header.n_namesz);
    uint64_t end = descriptor + header.n_descsz;
    if (end > bytes.size())
      break;
    offset = descriptor + alignTo4(header.n_descsz);
    if (header.n_type != HALFTONE_NOTE_TYPE ||
        header.n_namesz != sizeof(HALFTONE_NOTE_NAME) ||
        memcmp(bytes.data() + name, HALFTONE_NOTE_NAME, header.n_namesz) != 0)
      continue;
    if (header.n_descsz < 2 * sizeof(uint32_t) + 1)
      break;
    ArtefactNote note;
    const char *text = bytes.data() + descriptor + 2 * sizeof(uint32_t);
    uint64_t room = end - descriptor - 2 * sizeof(uint32_t);
    memcpy(&note.abiVersion, bytes.data() + descriptor, sizeof(uint32_t));
    note.cpuFeatures.assign(text, strnlen(text, room));
    notes.push_back(note);
  }
  return notes;
}

/// Why `header` is not that of a shared library for this machine, or "".
static std::string describeBadHeader(const Elf64_Ehdr &header) {
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return kNoLibrary;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB)
    return "is not a 64-bit little-endian ELF file";
  if (header.e_type != ET_DYN)
    return "is an ELF file, but not a shared library";
  if (header.e_machine != kHostMachine)
    return std::string("is built for another architecture than this "
                       "machine's ") +
           kHostName;
  if (header.e_phnum == 0 || header.e_phentsize != sizeof(Elf64_Phdr))
    return "is damaged: it has no program headers";
  return "";
}

namespace {
/// What the walk over program and section headers found.
enum class NoteSearch { found, absent, truncated };
} // namespace

/// Walks one table of `count` headers of type Header at `tableOffset`. Checks
/// that every part with bytes in the file is within the file.
template <typename Header, typename IsNote, typename Extent>
static NoteSearch searchTable(const FileBytes &file, uint64_t tableOffset,
                              unsigned count, IsNote isNote, Extent extent,
                              std::vector<ArtefactNote> &notes) {
  NoteSearch result = NoteSearch::absent;
  for (unsigned i = 0; i < count; ++i) {
    Header header;
    if (!file.read(tableOffset + uint64_t(i) * sizeof(Header), &header,
                   sizeof(Header)))
      return NoteSearch::truncated;
    auto [offset, bytes] = extent(header);
    if (!file.contains(offset, bytes))
      return NoteSearch::truncated;
    if (!isNote(header) || bytes > kMaxNoteBytes || result == NoteSearch::found)
      continue;
    std::vector<char> contents(bytes);
    if (!file.read(offset, contents.data(), bytes))
      return NoteSearch::truncated;
    notes = findNotes(contents);
    if (!notes.empty())
      result = NoteSearch::found;
  }
  return result;
}

static NoteSearch searchFile(const FileBytes &file, const Elf64_Ehdr &header,
                             std::vector<ArtefactNote> &notes) {
  using Extent = std::pair<uint64_t, uint64_t>;
  NoteSearch segments = searchTable<Elf64_Phdr>(
      file, header.e_phoff, header.e_phnum,
      [](const Elf64_Phdr &segment) { return segment.p_type == PT_NOTE; },
      [](const Elf64_Phdr &segment) {
        return Extent(segment.p_offset, segment.p_filesz);
      },
      notes);
  if (segments == NoteSearch::truncated || header.e_shoff == 0)
    return segments;

  std::vector<ArtefactNote> sectionNotes;
  NoteSearch sections = searchTable<Elf64_Shdr>(
      file, header.e_shoff, header.e_shnum,
      [](const Elf64_Shdr &section) { return section.sh_type == SHT_NOTE; },
      [](const Elf64_Shdr &section) {
        bool hasBytes = section.sh_type != SHT_NOBITS;
        return Extent(hasBytes ? section.sh_offset : 0,
                      hasBytes ? section.sh_size : 0);
      },
      sectionNotes);
  if (segments == NoteSearch::found && sections != NoteSearch::truncated)
    return segments;
  notes = sectionNotes;
  return sections;
}

HalftoneStatus
mlir::halftone::readArtefactNotes(const std::string &path,
                                  std::vector<ArtefactNote> &notes) {
  FileBytes file(path);
  if (!file.isReadable())
    return fail(HALFTONE_CANNOT_READ,
                "cannot read '" + path + "': " + (errno == EINVAL ? "not a regular file" : strerror(errno)));
  auto reject = [&](const std::string &why) {
    return fail(HALFTONE_NOT_AN_ARTEFACT, "'" + path + "' " + why);
  };

  Elf64_Ehdr header;
  char magic[SELFMAG];
  if (!file.read(0, magic, SELFMAG) || memcmp(magic, ELFMAG, SELFMAG) != 0)
    return reject(kNoLibrary);
  if (!file.read(0, &header, sizeof(header)))
    return reject("is truncated: copy or build it again");
  if (std::string why = describeBadHeader(header); !why.empty())
    return reject(why);

  switch (searchFile(file, header, notes)) {
  case NoteSearch::found:
    return HALFTONE_OK;
  case NoteSearch::truncated:
    return reject("is truncated: copy or build it again");
  case NoteSearch::absent:
    break;
  }
  return reject("is a shared library, but not a compiled Halftone model (it "
                "has no " HALFTONE_NOTE_SECTION " note)");
}
