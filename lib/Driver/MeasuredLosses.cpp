//===- MeasuredLosses.cpp - What each format costs each layer, as a file --===//
//
// {"halftone.losses": 1, "key": "...", "losses": [{"layer", "format", "loss"}]}
//
//===----------------------------------------------------------------------===//
#include "MeasuredLosses.h"
#include "Command.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::StringRef, llvm::Twine;

static Error notLosses(StringRef path, const Twine &reason) {
  return userError("--measurements: '" + path + "' " + reason);
}

Error MeasuredLosses::parse(StringRef text) {
  Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return notLosses(path, "is no file of measurements: " +
                               llvm::toString(value.takeError()));
  const llvm::json::Object *object = value->getAsObject();
  const llvm::json::Array *list = object ? object->getArray("losses") : nullptr;
  if (!list || object->getInteger("halftone.losses") != 1)
    return notLosses(path, "is no file of measurements");
  if (object->getString("key") != StringRef(key))
    return notLosses(path, "was measured on another model, other samples or "
                           "with other options; name another file");
  for (const llvm::json::Value &entry : *list) {
    const llvm::json::Object *fields = entry.getAsObject();
    auto layer = fields ? fields->getString("layer") : std::nullopt;
    auto format = fields ? fields->getString("format") : std::nullopt;
    auto loss = fields ? fields->getNumber("loss") : std::nullopt;
    if (!layer || !format || !loss)
      return notLosses(path, "has a loss without layer, format or number");
    losses[{layer->str(), format->str()}] = *loss;
  }
  return Error::success();
}

Expected<MeasuredLosses> MeasuredLosses::open(StringRef path, StringRef key) {
  MeasuredLosses result(path, key);
  if (path.empty() || !llvm::sys::fs::exists(path))
    return result;
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return notLosses(path, "cannot be read: " + buffer.getError().message());
  if (Error error = result.parse((*buffer)->getBuffer()))
    return std::move(error);
  return result;
}

std::optional<double> MeasuredLosses::find(StringRef layer,
                                           StringRef format) const {
  auto found = losses.find({layer.str(), format.str()});
  return found == losses.end() ? std::nullopt : std::optional(found->second);
}

Error MeasuredLosses::add(StringRef layer, StringRef format, double loss) {
  losses[{layer.str(), format.str()}] = loss;
  if (path.empty())
    return Error::success();
  llvm::json::Array list;
  for (const auto &[name, value] : losses)
    list.push_back(llvm::json::Object{
        {"layer", name.first}, {"format", name.second}, {"loss", value}});
  llvm::json::Object object{
      {"halftone.losses", 1}, {"key", key}, {"losses", std::move(list)}};
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    os << llvm::json::Value(std::move(object)) << "\n";
    return Error::success();
  });
}
