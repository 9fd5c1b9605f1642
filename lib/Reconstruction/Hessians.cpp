//===- Hessians.cpp - the second calibration statistic ------------------------===//
#include "halftone/Reconstruction/Hessians.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;
using llvm::createStringError, llvm::Error, llvm::Expected;

static constexpr int64_t kFormat = 1, kAlignment = 64;

const Hessian *Hessians::find(StringRef key) const {
  auto found = llvm::find_if(layers, [&](const Hessian &layer) { return layer.key == key; });
  return found == layers.end() ? nullptr : &*found;
}

Error Hessians::merge(const Hessians &shard) {
  bool same = llvm::equal(layers, shard.layers, [](const Hessian &a, const Hessian &b) {
    return a.key == b.key && a.groups == b.groups && a.dimension == b.dimension;
  });
  if (shard.sourceHash != sourceHash || !same)
    return createStringError("the Hessians belong to different models");
  samples += shard.samples;
  for (auto [mine, others] : llvm::zip_equal(layers, shard.layers))
    for (auto [sum, more] : llvm::zip_equal(mine.sums, others.sums))
      sum += more;
  return Error::success();
}

static std::string header(const Hessians &hessians) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream);
  json.object([&] {
    json.attribute("halftone.hessians", kFormat);
    json.attribute("source_hash", hessians.sourceHash);
    json.attribute("samples", hessians.samples);
    json.attribute("origin", hessians.origin);
    json.attributeArray("layers", [&] {
      for (const Hessian &layer : hessians.layers)
        json.object([&] {
          json.attribute("key", layer.key);
          json.attribute("groups", layer.groups);
          json.attribute("dimension", layer.dimension);
          if (!layer.type.empty())
            json.attribute("type", layer.type);
        });
    });
  });
  text.append(kAlignment - 1 - text.size() % kAlignment, ' ');
  return text + "\n";
}

Error Hessians::write(StringRef path) const {
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << header(*this);
    for (const Hessian &layer : layers)
      stream.write(reinterpret_cast<const char *>(layer.sums.data()), layer.sums.size() * sizeof(int64_t));
    return Error::success();
  });
}

static Error malformed(StringRef path, StringRef what) {
  return createStringError("'" + path.str() + "' is not a file of Hessians: " + what.str());
}

static Expected<Hessian> parseLayer(const llvm::json::Value &json, StringRef path, StringRef &bytes) {
  const llvm::json::Object *object = json.getAsObject();
  std::optional<StringRef> key = object ? object->getString("key") : std::nullopt;
  std::optional<int64_t> groups = object ? object->getInteger("groups") : std::nullopt;
  std::optional<int64_t> dimension = object ? object->getInteger("dimension") : std::nullopt;
  constexpr int64_t limit = 1 << 20;
  if (!key || !groups || !dimension || *groups < 1 || *groups > limit || *dimension < 1 || *dimension > limit)
    return malformed(path, "a layer needs 'key', 'groups' and 'dimension'");
  Hessian layer{key->str(), *groups, *dimension, {}, object->getString("type").value_or("").str()};
  if (static_cast<int64_t>(bytes.size() / sizeof(int64_t)) / layer.groups < triangleSize(layer.dimension))
    return malformed(path, "it ends before the sums of '" + layer.key + "'");
  layer.sums.resize(layer.size());
  std::memcpy(layer.sums.data(), bytes.data(), layer.sums.size() * sizeof(int64_t));
  bytes = bytes.drop_front(layer.sums.size() * sizeof(int64_t));
  return layer;
}

Expected<Hessians> Hessians::read(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (std::error_code error = buffer.getError())
    return createStringError("cannot read '" + path.str() + "': " + error.message());
  auto [line, bytes] = (*buffer)->getBuffer().split('\n');
  Expected<llvm::json::Value> json = llvm::json::parse(line);
  if (!json)
    return malformed(path, llvm::toString(json.takeError()));
  const llvm::json::Object *object = json->getAsObject();
  std::optional<StringRef> hash = object ? object->getString("source_hash") : std::nullopt;
  std::optional<int64_t> samples = object ? object->getInteger("samples") : std::nullopt;
  const llvm::json::Array *list = object ? object->getArray("layers") : nullptr;
  if (!hash || !samples || !list || object->getInteger("halftone.hessians") != kFormat)
    return malformed(path, "'halftone.hessians' 1, 'source_hash', 'samples' and 'layers' are needed");
  Hessians hessians{hash->str(), *samples, {}, object->getString("origin").value_or("").str()};
  for (const llvm::json::Value &entry : *list) {
    Expected<Hessian> layer = parseLayer(entry, path, bytes);
    if (!layer)
      return layer.takeError();
    hessians.layers.push_back(std::move(*layer));
  }
  if (!bytes.empty())
    return malformed(path, "there is more behind the last layer");
  return hessians;
}

FailureOr<Hessians> Hessians::readFor(ModuleOp module, StringRef path) {
  Expected<Hessians> file = read(path);
  if (!file)
    return module.emitError(llvm::toString(file.takeError()));
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  if (hash && hash.getValue() != file->sourceHash)
    return module.emitError("has source hash '")
           << hash.getValue() << "', but the Hessians in '" << path << "' are of '" << file->sourceHash << "'";
  return std::move(*file);
}
