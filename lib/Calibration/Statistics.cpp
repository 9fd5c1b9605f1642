//===- Statistics.cpp - the one calibration statistic -----------------------===//
//
// The file: {"halftone.statistics": 1, "source_hash", "samples", "runs",
// "values": [{"key", "minimum", "maximum", "minima", "maxima", "counts"}],
// "channels": [{"key", "positions", "sums", "lows", "highs", "ranges"}]}.
// Lows and highs are the bits of f32 as integers; minimum and maximum are the hexadecimal bits of the f32; counts and ranges are runs
// [first prefix, count, count, ...].
//
//===----------------------------------------------------------------------===//
#include "halftone/Calibration/Statistics.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static constexpr int64_t kFormat = 1;
static constexpr uint16_t kExponent = 0x7F80, kSign = 0x8000, kMantissa = 0x7F;

static bool isInfinity(uint16_t prefix) { return (prefix & ~kSign) == kExponent; }

// The lowest mantissa bits of a NaN are lost in the prefix; the compiled observers and numpy make quiet NaNs only.
static bool isNaN(uint16_t prefix) { return (prefix & kExponent) == kExponent && (prefix & kMantissa) != 0; }

template <typename Predicate>
static int64_t sumOfCounts(const ValueStatistics &value, Predicate predicate) {
  int64_t sum = 0;
  for (auto [prefix, count] : value.counts)
    if (predicate(prefix))
      sum += count;
  return sum;
}

int64_t ValueStatistics::total() const {
  return sumOfCounts(*this, [](uint16_t) { return true; });
}
int64_t ValueStatistics::nans() const { return sumOfCounts(*this, isNaN); }
int64_t ValueStatistics::infinities() const { return sumOfCounts(*this, isInfinity); }
int64_t ValueStatistics::negativeInfinities() const {
  return sumOfCounts(*this, [](uint16_t prefix) { return prefix == (kSign | kExponent); });
}

Statistics Statistics::ofKeys(llvm::ArrayRef<std::string> keys, StringRef sourceHash) {
  Statistics statistics;
  statistics.sourceHash = sourceHash.str();
  for (const std::string &key : keys) {
    ValueStatistics &value = statistics.values.emplace_back();
    value.key = key;
    value.minimum = INFINITY;
    value.maximum = -INFINITY;
  }
  return statistics;
}

void Statistics::setCounts(llvm::ArrayRef<int64_t> counts) {
  for (auto [i, value] : llvm::enumerate(values))
    for (int64_t prefix = 0; prefix < kPrefixes; ++prefix)
      if (int64_t count = counts[i * kPrefixes + prefix])
        value.counts.emplace_hint(value.counts.end(), prefix, count);
}

Statistics Statistics::fromBuffers(llvm::ArrayRef<std::string> keys, llvm::ArrayRef<int64_t> counts,
                                   llvm::ArrayRef<float> extrema, int64_t samples, StringRef sourceHash) {
  Statistics statistics = ofKeys(keys, sourceHash);
  statistics.samples = samples;
  statistics.setCounts(counts);
  for (auto [i, value] : llvm::enumerate(statistics.values)) {
    value.minimum = extrema[2 * i];
    value.maximum = extrema[2 * i + 1];
  }
  return statistics;
}

std::vector<float> ChannelStatistics::means() const {
  std::vector<float> means;
  for (int64_t sum : sums)
    means.push_back(positions ? static_cast<float>(std::ldexp(double(sum) / double(positions), -kFractionBits)) : 0.0f);
  return means;
}

std::optional<double> ChannelStatistics::rowError() const {
  double squares = 0, rows = 0;
  for (auto [prefix, count] : ranges) {
    // The middle of those with the prefix; a range of 0 is exact.
    const double range = prefix ? llvm::bit_cast<float>((uint32_t(prefix) << kRangeShift) + (1u << (kRangeShift - 1))) : 0;
    squares += count * range * range;
    rows += count;
  }
  return rows ? std::optional(squares / rows / (255.0 * 255.0 * 12.0)) : std::nullopt;
}

void Statistics::addChannels(llvm::ArrayRef<std::string> keys, llvm::ArrayRef<int64_t> widths,
                             llvm::ArrayRef<int64_t> sums) {
  auto real = [](int64_t bits) { return llvm::bit_cast<float>(static_cast<uint32_t>(bits)); };
  for (auto [key, width] : llvm::zip_equal(keys, widths)) {
    ChannelStatistics channel{key, sums.take_front(width).vec(), sums[width]};
    for (int64_t c = 0; c < width; ++c) {
      channel.highs.push_back(real(sums[width + 1 + c]));
      channel.lows.push_back(0.0f - real(sums[2 * width + 1 + c]));
    }
    for (auto [prefix, count] : llvm::enumerate(sums.slice(3 * width + 1, kRangePrefixes)))
      if (count)
        channel.ranges.emplace_hint(channel.ranges.end(), prefix, count);
    channels.push_back(std::move(channel));
    sums = sums.drop_front(channelNumbers(width));
  }
}

/// In steps of 2^-kFractionBits; nothing observed (an infinity of the wrong sign) adds nothing.
static int64_t toFixedPoint(float value) {
  return std::isfinite(value) ? std::llround(std::ldexp(std::clamp(double(value), -0x1p30, 0x1p30), kFractionBits)) : 0;
}

void Statistics::addRun(llvm::ArrayRef<float> extrema) {
  ++runs;
  for (auto [i, value] : llvm::enumerate(values)) {
    value.minimum = std::min(value.minimum, extrema[2 * i]);
    value.maximum = std::max(value.maximum, extrema[2 * i + 1]);
    value.minima += toFixedPoint(extrema[2 * i]);
    value.maxima += toFixedPoint(extrema[2 * i + 1]);
  }
}

const ValueStatistics *Statistics::find(StringRef key) const {
  for (const ValueStatistics &value : values)
    if (value.key == key)
      return &value;
  return nullptr;
}

/// Unknown as soon as one shard does not know them.
static void mergeExtrema(ChannelStatistics &mine, const ChannelStatistics &others) {
  if (mine.highs.size() != others.highs.size() || mine.lows.size() != others.lows.size()) {
    mine.highs.clear();
    mine.lows.clear();
  }
  for (size_t c = 0; c < mine.highs.size(); ++c) {
    mine.highs[c] = std::max(mine.highs[c], others.highs[c]);
    mine.lows[c] = std::min(mine.lows[c], others.lows[c]);
  }
}

/// Likewise.
static void mergeRanges(ChannelStatistics &mine, const ChannelStatistics &others) {
  if (mine.ranges.empty() || others.ranges.empty())
    return mine.ranges.clear();
  for (auto [prefix, count] : others.ranges)
    mine.ranges[prefix] += count;
}

Error Statistics::merge(const Statistics &shard) {
  if (shard.sourceHash != sourceHash)
    return createStringError("the statistics belong to different models: source hash '" + sourceHash + "' and '" +
                             shard.sourceHash + "'");
  if (shard.values.size() != values.size())
    return createStringError("the statistics observe %zu and %zu values", values.size(), shard.values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].key != shard.values[i].key)
      return createStringError("the statistics observe different values: '" + values[i].key + "' and '" +
                               shard.values[i].key + "'");
  bool sameChannels = llvm::equal(channels, shard.channels, [](const ChannelStatistics &a, const ChannelStatistics &b) {
    return a.key == b.key && a.sums.size() == b.sums.size();
  });
  if (!sameChannels)
    return createStringError("the statistics observe different channels");
  samples += shard.samples;
  bool knowsRuns = runs && shard.runs;
  runs = knowsRuns ? runs + shard.runs : 0;
  for (auto [mine, others] : llvm::zip_equal(channels, shard.channels)) {
    mine.positions += others.positions;
    for (auto [sum, more] : llvm::zip_equal(mine.sums, others.sums))
      sum += more;
    mergeExtrema(mine, others);
    mergeRanges(mine, others);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    values[i].minimum = std::min(values[i].minimum, shard.values[i].minimum);
    values[i].maximum = std::max(values[i].maximum, shard.values[i].maximum);
    values[i].minima = knowsRuns ? values[i].minima + shard.values[i].minima : 0;
    values[i].maxima = knowsRuns ? values[i].maxima + shard.values[i].maxima : 0;
    for (auto [prefix, count] : shard.values[i].counts)
      values[i].counts[prefix] += count;
  }
  return Error::success();
}

static std::string bitsOf(float value) { return "0x" + llvm::utohexstr(llvm::bit_cast<uint32_t>(value), true, 8); }

static void writeCounts(llvm::json::OStream &json, StringRef name, const std::map<uint16_t, int64_t> &counts) {
  json.attributeArray(name, [&] {
    int64_t next = -1;
    for (auto [prefix, count] : counts) {
      if (prefix != next) {
        if (next >= 0)
          json.arrayEnd();
        json.arrayBegin();
        json.value(prefix);
      }
      json.value(count);
      next = prefix + 1;
    }
    if (next >= 0)
      json.arrayEnd();
  });
}

static void writeChannels(llvm::json::OStream &json, llvm::raw_ostream &stream,
                          llvm::ArrayRef<ChannelStatistics> channels) {
  json.attributeArray("channels", [&] {
    for (const ChannelStatistics &channel : channels) {
      stream << "\n";
      json.object([&] {
        json.attribute("key", channel.key);
        json.attribute("positions", channel.positions);
        json.attributeArray("sums", [&] {
          for (int64_t sum : channel.sums)
            json.value(sum);
        });
        for (auto [name, extrema] : {std::make_pair("lows", &channel.lows), std::make_pair("highs", &channel.highs)})
          if (!extrema->empty())
            json.attributeArray(name, [&, values = extrema] {
              for (float value : *values)
                json.value(static_cast<int64_t>(llvm::bit_cast<uint32_t>(value)));
            });
        if (!channel.ranges.empty())
          writeCounts(json, "ranges", channel.ranges);
      });
    }
  });
}

std::string Statistics::toJSON() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 0);
  json.objectBegin();
  json.attribute("halftone.statistics", kFormat);
  json.attribute("source_hash", sourceHash);
  json.attribute("samples", samples);
  if (runs)
    json.attribute("runs", runs);
  json.attributeBegin("values");
  json.arrayBegin();
  for (const ValueStatistics &value : values) {
    stream << "\n";
    json.objectBegin();
    json.attribute("key", value.key);
    json.attribute("minimum", bitsOf(value.minimum));
    json.attribute("maximum", bitsOf(value.maximum));
    if (runs) {
      json.attribute("minima", value.minima);
      json.attribute("maxima", value.maxima);
    }
    writeCounts(json, "counts", value.counts);
    json.objectEnd();
  }
  json.arrayEnd();
  json.attributeEnd();
  writeChannels(json, stream, channels);
  json.objectEnd();
  stream << "\n";
  return text;
}

static Error malformed(const llvm::Twine &what) { return createStringError("not a statistics file: " + what); }

static Expected<float> parseBits(const llvm::json::Object &object, StringRef name) {
  uint32_t bits;
  std::optional<StringRef> text = object.getString(name);
  if (!text || text->getAsInteger(0, bits))
    return malformed("'" + name + "' must be the bits of an f32 as a hexadecimal string");
  return llvm::bit_cast<float>(bits);
}

/// One run of 'counts' or 'ranges' of the key, of so many prefixes.
static Error parseRun(const llvm::json::Value &run, StringRef name, StringRef key, int64_t prefixes, std::map<uint16_t, int64_t> &counts) {
  const llvm::json::Array *numbers = run.getAsArray();
  std::optional<int64_t> prefix = numbers && !numbers->empty() ? (*numbers)[0].getAsInteger() : std::nullopt;
  if (!prefix || *prefix < 0 || *prefix + int64_t(numbers->size()) - 1 > prefixes)
    return malformed("'" + name + "' of '" + key + "' needs runs [first prefix, count, ...]");
  for (size_t i = 1; i < numbers->size(); ++i) {
    std::optional<int64_t> count = (*numbers)[i].getAsInteger();
    if (!count || *count <= 0)
      return malformed("'" + name + "' of '" + key + "' needs positive integers");
    counts[*prefix + i - 1] = *count;
  }
  return Error::success();
}

static Expected<ValueStatistics> parseValue(const llvm::json::Value &json) {
  ValueStatistics value;
  const llvm::json::Object *object = json.getAsObject();
  std::optional<StringRef> key = object ? object->getString("key") : std::nullopt;
  const llvm::json::Array *counts = object ? object->getArray("counts") : nullptr;
  if (!key || !counts)
    return malformed("a value needs 'key' and 'counts'");
  value.key = key->str();
  Expected<float> minimum = parseBits(*object, "minimum");
  if (!minimum)
    return minimum.takeError();
  Expected<float> maximum = parseBits(*object, "maximum");
  if (!maximum)
    return maximum.takeError();
  value.minima = object->getInteger("minima").value_or(0);
  value.maxima = object->getInteger("maxima").value_or(0);
  value.minimum = *minimum;
  value.maximum = *maximum;
  for (const llvm::json::Value &run : *counts)
    if (Error error = parseRun(run, "counts", value.key, kPrefixes, value.counts))
      return std::move(error);
  return value;
}

/// One extremum of each channel; empty if the file has none.
static Error parseExtrema(const llvm::json::Object &object, StringRef name, ChannelStatistics &channel, std::vector<float> &extrema) {
  const llvm::json::Array *array = object.getArray(name);
  if (!array)
    return Error::success();
  for (const llvm::json::Value &bits : *array) {
    std::optional<int64_t> number = bits.getAsInteger();
    if (!number || *number < 0 || *number > UINT32_MAX)
      return malformed("'" + name + "' of '" + channel.key + "' needs the bits of f32 as integers");
    extrema.push_back(llvm::bit_cast<float>(static_cast<uint32_t>(*number)));
  }
  if (extrema.size() != channel.sums.size())
    return malformed("'" + name + "' of '" + channel.key + "' needs one number for each channel");
  return Error::success();
}

static Expected<ChannelStatistics> parseChannel(const llvm::json::Value &json) {
  const llvm::json::Object *object = json.getAsObject();
  std::optional<StringRef> key = object ? object->getString("key") : std::nullopt;
  std::optional<int64_t> positions = object ? object->getInteger("positions") : std::nullopt;
  const llvm::json::Array *sums = object ? object->getArray("sums") : nullptr;
  if (!key || !positions || *positions < 0 || !sums)
    return malformed("an entry of 'channels' needs 'key', 'positions' and 'sums'");
  ChannelStatistics channel{key->str(), {}, *positions};
  for (const llvm::json::Value &sum : *sums) {
    if (!sum.getAsInteger())
      return malformed("'sums' of '" + channel.key + "' needs integers");
    channel.sums.push_back(*sum.getAsInteger());
  }
  for (auto [name, extrema] : {std::make_pair("lows", &channel.lows), std::make_pair("highs", &channel.highs)})
    if (Error error = parseExtrema(*object, name, channel, *extrema))
      return std::move(error);
  if (const llvm::json::Array *ranges = object->getArray("ranges"))
    for (const llvm::json::Value &run : *ranges)
      if (Error error = parseRun(run, "ranges", channel.key, kRangePrefixes, channel.ranges))
        return std::move(error);
  return channel;
}

Expected<Statistics> Statistics::fromJSON(StringRef text) {
  Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return malformed(llvm::toString(json.takeError()));
  const llvm::json::Object *object = json->getAsObject();
  std::optional<int64_t> format = object ? object->getInteger("halftone.statistics") : std::nullopt;
  if (!format)
    return malformed("'halftone.statistics' is missing");
  if (*format != kFormat)
    return createStringError("the statistics file has format %d, this version reads %d", int(*format), int(kFormat));
  std::optional<StringRef> hash = object->getString("source_hash");
  std::optional<int64_t> samples = object->getInteger("samples");
  const llvm::json::Array *values = object->getArray("values");
  if (!hash || !samples || !values)
    return malformed("'source_hash', 'samples' and 'values' are needed");
  Statistics statistics;
  statistics.sourceHash = hash->str();
  statistics.samples = *samples;
  statistics.runs = object->getInteger("runs").value_or(0);
  if (*samples < 0 || statistics.runs < 0)
    return malformed("'samples' and 'runs' are not negative");
  for (const llvm::json::Value &entry : *values) {
    Expected<ValueStatistics> value = parseValue(entry);
    if (!value)
      return value.takeError();
    statistics.values.push_back(std::move(*value));
  }
  if (const llvm::json::Array *channels = object->getArray("channels"))
    for (const llvm::json::Value &entry : *channels) {
      Expected<ChannelStatistics> channel = parseChannel(entry);
      if (!channel)
        return channel.takeError();
      statistics.channels.push_back(std::move(*channel));
    }
  return statistics;
}

Error Statistics::write(StringRef path) const {
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << toJSON();
    return Error::success();
  });
}

Expected<Statistics> Statistics::read(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (std::error_code error = buffer.getError())
    return createStringError("cannot read '" + path + "': " + error.message());
  Expected<Statistics> statistics = fromJSON((*buffer)->getBuffer());
  if (!statistics)
    return createStringError("'" + path + "': " + llvm::toString(statistics.takeError()));
  return statistics;
}
