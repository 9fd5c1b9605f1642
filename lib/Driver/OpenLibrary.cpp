//===- OpenLibrary.cpp - A library whose layers' constants can be exchanged ===//
#include "OpenLibrary.h"
#include "Command.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef;

/// N of "layer_N_...constant.K"; nothing for other symbols.
static std::optional<unsigned> layerOf(StringRef symbol) {
  unsigned layer = 0;
  if (!symbol.contains(".constant.") || !symbol.consume_front("layer_") || symbol.consumeInteger(10, layer))
    return std::nullopt;
  return layer;
}

Expected<OpenLibrary> OpenLibrary::read(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return userError("cannot read '" + path + "': " + buffer.getError().message());
  auto object = llvm::object::ObjectFile::createELFObjectFile((*buffer)->getMemBufferRef());
  if (!object)
    return object.takeError();
  StringRef text = (*buffer)->getBuffer();
  OpenLibrary library;
  library.bytes.assign(text.begin(), text.end());
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    Expected<StringRef> name = symbol.getName();
    auto section = symbol.getSection();
    auto address = symbol.getAddress();
    if (!name || !section || !address)
      return llvm::joinErrors(name.takeError(), llvm::joinErrors(section.takeError(), address.takeError()));
    std::optional<unsigned> layer = layerOf(*name);
    if (!layer)
      continue;
    // A section's contents are in the file at the same distance from its start as in memory.
    Expected<StringRef> contents = (*section)->getContents();
    if (!contents)
      return contents.takeError();
    uint64_t offset = contents->data() - text.data() + (*address - (*section)->getAddress());
    library.constants[name->str()] = {*layer, offset, llvm::object::ELFSymbolRef(symbol).getSize()};
  }
  return library;
}

bool OpenLibrary::isLike(const OpenLibrary &other) const {
  if (bytes.size() != other.bytes.size() || constants != other.constants)
    return false;
  std::vector<char> mine = bytes, its = other.bytes;
  for (const auto &[name, place] : constants)
    for (std::vector<char> *all : {&mine, &its})
      std::fill_n(all->begin() + place.offset, place.size, 0);
  return mine == its;
}

std::vector<char> OpenLibrary::with(const OpenLibrary &other, llvm::ArrayRef<unsigned> layers) const {
  std::vector<char> mixed = bytes;
  for (const auto &[name, place] : constants)
    if (llvm::is_contained(layers, place.layer))
      std::copy_n(other.bytes.begin() + place.offset, place.size, mixed.begin() + place.offset);
  return mixed;
}
