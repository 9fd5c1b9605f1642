//===- MeasuredLosses.cpp - What each format costs each layer, as a file --===//
//
// {"halftone.losses": 1, "key": "...", "losses": [{"layer", "format", "loss"}],
//  "costs": [{"code", "format", "bytes": [...], "nanoseconds": [...]}]}
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

bool MeasuredLosses::parseCosts(const llvm::json::Value &entry) {
  const llvm::json::Object *fields = entry.getAsObject();
  auto code = fields ? fields->getString("code") : std::nullopt;
  auto format = fields ? fields->getString("format") : std::nullopt;
  const llvm::json::Array *bytes = fields ? fields->getArray("bytes") : nullptr;
  const llvm::json::Array *times = fields ? fields->getArray("nanoseconds") : nullptr;
  if (!code || !format || !bytes || !times || bytes->size() != times->size())
    return false;
  FormatCosts &found = costs[{code->str(), format->str()}];
  for (auto [one, time] : llvm::zip_equal(*bytes, *times)) {
    if (!one.getAsInteger() || !time.getAsInteger())
      return false;
    found.push_back({*one.getAsInteger(), *time.getAsInteger()});
  }
  return true;
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
  // Files of before have none.
  if (const llvm::json::Array *all = object->getArray("costs"))
    for (const llvm::json::Value &entry : *all)
      if (!parseCosts(entry))
        return notLosses(path, "has costs without code, format, bytes or times");
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

std::optional<FormatCosts> MeasuredLosses::findCosts(StringRef code, StringRef format, size_t layers) const {
  auto found = costs.find({code.str(), format.str()});
  return found == costs.end() || found->second.size() != layers ? std::nullopt : std::optional(found->second);
}

Error MeasuredLosses::add(StringRef layer, StringRef format, double loss) {
  losses[{layer.str(), format.str()}] = loss;
  return write();
}

Error MeasuredLosses::addCosts(StringRef code, StringRef format, const FormatCosts &measured) {
  costs[{code.str(), format.str()}] = measured;
  return write();
}

Error MeasuredLosses::write() const {
  if (path.empty())
    return Error::success();
  llvm::json::Array list, all;
  for (const auto &[name, value] : losses)
    list.push_back(llvm::json::Object{
        {"layer", name.first}, {"format", name.second}, {"loss", value}});
  for (const auto &[name, layers] : costs) {
    llvm::json::Array bytes, times;
    for (const Costs &layer : layers) {
      bytes.push_back(layer.bytes);
      times.push_back(layer.nanoseconds);
    }
    all.push_back(llvm::json::Object{
        {"code", name.first}, {"format", name.second}, {"bytes", std::move(bytes)}, {"nanoseconds", std::move(times)}});
  }
  llvm::json::Object object{
      {"halftone.losses", 1}, {"key", key}, {"losses", std::move(list)}, {"costs", std::move(all)}};
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    os << llvm::json::Value(std::move(object)) << "\n";
    return Error::success();
  });
}
