//===- CostTable.cpp - a family of CPUs in numbers --------------------------===//
#include "halftone/Codegen/CostTable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

namespace {

/// The kernels that have a number.
enum class Has { All, Dots, Bytes, Vectors /*of bytes*/, Winograd };
/// What a number may be.
enum class Allowed { Positive, NotNegative };

/// A number of a struct and its key.
template <typename Owner> struct NumberKey {
  StringLiteral key;
  double Owner::*member;
  Has has = Has::All;
  Allowed allowed = Allowed::Positive;

  bool isIn(const DotKernel &kernel) const {
    if (has == Has::All || kernel.dot == DotKind::Winograd)
      return has == Has::All || has == Has::Winograd;
    return has == Has::Dots || (kernel.dot != DotKind::Fma && (has == Has::Bytes || (has == Has::Vectors && kernel.dot != DotKind::Tile)));
  }
};

} // namespace

static constexpr NumberKey<CostTable> kTableNumbers[] = {{"layer_cycles", &CostTable::layerCycles},
                                                         {"thread_cycles", &CostTable::threadCycles},
                                                         {"prefetch_bytes", &CostTable::prefetchBytes, Has::All, Allowed::NotNegative},
                                                         {"row_prefetch_bytes", &CostTable::rowPrefetchBytes, Has::All, Allowed::NotNegative},
                                                         {"vector_bytes_per_cycle", &CostTable::vectorBytesPerCycle}};

static constexpr NumberKey<KernelCosts> kKernelNumbers[] = {{"dot_cycles", &KernelCosts::dotCycles},
                                                            {"load_cycles", &KernelCosts::loadCycles},
                                                            {"latency_cycles", &KernelCosts::latencyCycles},
                                                            {"tile_cycles", &KernelCosts::tileCycles},
                                                            {"vector_cycles", &KernelCosts::vectorCycles},
                                                            {"operand_cycles", &KernelCosts::operandCycles},
                                                            {"depthwise_cycles", &KernelCosts::depthwiseCycles, Has::Dots},
                                                            {"decode_cycles", &KernelCosts::decodeCycles, Has::Bytes},
                                                            {"sparse_dot_cycles", &KernelCosts::sparseDotCycles, Has::Vectors},
                                                            {"sparse_quad_cycles", &KernelCosts::sparseQuadCycles, Has::Vectors},
                                                            {"sparse_list_cycles", &KernelCosts::sparseListCycles, Has::Vectors},
                                                            {"sparse_sum_cycles", &KernelCosts::sparseSumCycles, Has::Vectors},
                                                            {"sparse_block_cycles", &KernelCosts::sparseBlockCycles, Has::Vectors},
                                                            {"sparse_output_cycles", &KernelCosts::sparseOutputCycles, Has::Vectors},
                                                            {"sparse_operand_cycles", &KernelCosts::sparseOperandCycles, Has::Vectors},
                                                            {"transform_cycles", &KernelCosts::transformCycles, Has::Winograd}};

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads a table and keeps a list of what is wrong.
class TableReader {
public:
  llvm::Expected<CostTable> read(StringRef json);

private:
  const llvm::json::Value *take(const llvm::json::Object &object, StringRef key, const Twine &where);
  void refuseOthers(const llvm::json::Object &object, ArrayRef<StringRef> known, const Twine &where);
  std::string text(const llvm::json::Object &object, StringRef key, const Twine &where);
  double number(const llvm::json::Object &object, StringRef key, const Twine &where, Allowed allowed = Allowed::Positive);
  void readLevels(const llvm::json::Array &list);
  void readKernels(const llvm::json::Object &list);
  void add(const Twine &problem) { problems.push_back(problem.str()); }

  CostTable table = {};
  std::vector<std::string> problems;
};

} // namespace

const llvm::json::Value *TableReader::take(const llvm::json::Object &object, StringRef key, const Twine &where) {
  const llvm::json::Value *value = object.get(key);
  if (!value)
    add("no '" + key + "'" + where);
  return value;
}

void TableReader::refuseOthers(const llvm::json::Object &object, ArrayRef<StringRef> known, const Twine &where) {
  for (const auto &entry : object)
    if (!llvm::is_contained(known, StringRef(entry.first)))
      add("unknown key '" + StringRef(entry.first) + "'" + where);
}

std::string TableReader::text(const llvm::json::Object &object, StringRef key, const Twine &where) {
  const llvm::json::Value *value = take(object, key, where);
  if (value && !value->getAsString())
    add("'" + key + "'" + where + " is not a text");
  return value ? value->getAsString().value_or("").str() : "";
}

double TableReader::number(const llvm::json::Object &object, StringRef key, const Twine &where, Allowed allowed) {
  const llvm::json::Value *value = take(object, key, where);
  std::optional<double> found = value ? value->getAsNumber() : std::nullopt;
  const bool mayBeZero = allowed == Allowed::NotNegative;
  if (value && (!found || !std::isfinite(*found) || *found < 0 || (*found == 0 && !mayBeZero)))
    add("'" + key + "'" + where + (mayBeZero ? " is not a finite number from 0" : " is not a finite number above 0"));
  return found.value_or(0);
}

void TableReader::readLevels(const llvm::json::Array &list) {
  if (list.empty())
    add("'levels' is empty");
  for (auto [i, entry] : llvm::enumerate(list)) {
    std::string where = " of level " + std::to_string(i);
    const llvm::json::Object *object = entry.getAsObject();
    if (!object) {
      add("level " + Twine(i) + " is not an object");
      continue;
    }
    const bool isLast = i + 1 == list.size();
    refuseOthers(*object, {"name", "bytes", "bytes_per_cycle"}, where);
    if (isLast && object->get("bytes"))
      add("the last level is memory and has no 'bytes'");
    MemoryLevel level = {text(*object, "name", where), isLast ? 0 : number(*object, "bytes", where),
                         number(*object, "bytes_per_cycle", where)};
    if (!table.levels.empty() && !isLast && level.bytes <= table.levels.back().bytes)
      add("level " + Twine(i) + " is not larger than the one before it");
    table.levels.push_back(level);
  }
}

void TableReader::readKernels(const llvm::json::Object &list) {
  for (const auto &[key, entry] : list) {
    StringRef name = key;
    std::string where = (" of kernel '" + name + "'").str();
    const DotKernel *kernel = findDotKernel(name);
    const llvm::json::Object *object = entry.getAsObject();
    if (!kernel || !object) {
      add(kernel ? "kernel '" + name + "' is not an object" : "unknown kernel '" + name + "'");
      continue;
    }
    SmallVector<StringRef> known;
    KernelCosts &costs = table.kernels[name.str()];
    for (const NumberKey<KernelCosts> &field : kKernelNumbers)
      if (field.isIn(*kernel)) {
        known.push_back(field.key);
        costs.*field.member = number(*object, field.key, where);
      }
    refuseOthers(*object, known, where);
  }
}

llvm::Expected<CostTable> TableReader::read(StringRef json) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(json);
  if (!value)
    return llvm::createStringError("is not JSON: " + llvm::toString(value.takeError()));
  const llvm::json::Object *object = value->getAsObject();
  if (!object)
    return llvm::createStringError("is no cost table: not a JSON object");
  SmallVector<StringRef> known = {"name", "source", "levels", "kernels"};
  table.name = text(*object, "name", "");
  table.source = text(*object, "source", "");
  for (const NumberKey<CostTable> &field : kTableNumbers) {
    known.push_back(field.key);
    table.*field.member = number(*object, field.key, "", field.allowed);
  }
  if (const llvm::json::Value *levels = take(*object, "levels", ""))
    levels->getAsArray() ? readLevels(*levels->getAsArray()) : add("'levels' is not a list");
  if (const llvm::json::Value *kernels = take(*object, "kernels", ""))
    kernels->getAsObject() ? readKernels(*kernels->getAsObject()) : add("'kernels' is not an object");
  refuseOthers(*object, known, "");
  if (problems.empty())
    return std::move(table);
  llvm::sort(problems);
  return llvm::createStringError("is no cost table: " + llvm::join(problems, "; "));
}

llvm::Expected<CostTable> CostTable::parse(StringRef json) { return TableReader().read(json); }

llvm::Expected<CostTable> CostTable::read(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read '" + path + "': " + buffer.getError().message());
  llvm::Expected<CostTable> table = parse((*buffer)->getBuffer());
  if (!table)
    return llvm::createStringError("'" + path + "' " + llvm::toString(table.takeError()));
  return table;
}

//===----------------------------------------------------------------------===//
// Built-in tables
//===----------------------------------------------------------------------===//

namespace {
struct BuiltInTable {
  StringLiteral name, json;
};
} // namespace

static constexpr BuiltInTable kBuiltIn[] = {
#include "CostTables.inc"
};

const CostTable &CostTable::builtIn(const Isa &isa) {
  static const std::map<StringRef, CostTable> tables = [] {
    std::map<StringRef, CostTable> all;
    for (const BuiltInTable &row : kBuiltIn)
      all.emplace(row.name, llvm::cantFail(parse(row.json)));
    return all;
  }();
  return tables.at(isa.costs);
}

llvm::Expected<CostTable> CostTable::forTarget(StringRef path, const Isa &isa) {
  if (path.empty())
    return builtIn(isa);
  llvm::Expected<CostTable> table = read(path);
  if (!table)
    return table.takeError();
  if (llvm::Error error = table->checkFor(isa))
    return std::move(error);
  return table;
}

FailureOr<CostTable> CostTable::of(Operation *op, const Isa &isa) {
  auto module = llvm::isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
  auto text = module ? module->getAttrOfType<StringAttr>(kCostTableAttr) : StringAttr();
  if (!text)
    return builtIn(isa);
  llvm::Expected<CostTable> table = parse(text.getValue());
  if (!table)
    return module.emitError() << "attribute " << kCostTableAttr << " " << llvm::toString(table.takeError());
  if (llvm::Error error = table->checkFor(isa))
    return module.emitError() << llvm::toString(std::move(error));
  return std::move(*table);
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

llvm::Error CostTable::checkFor(const Isa &isa) const {
  SmallVector<StringRef> missing;
  // Where a dot may saturate, some weights take the widening one.
  const DotKernel *other = isa.bytes.dot == DotKind::Maddubs ? findDotKernel("widen") : nullptr;
  SmallVector<const DotKernel *> kernels = {&isa.bytes, &isa.floats, isa.tiles, other};
  for (ArrayRef<DotKernel> special : {isa.winograd, isa.narrow})
    for (const DotKernel &kernel : special)
      kernels.push_back(&kernel);
  for (const DotKernel *kernel : kernels)
    if (kernel && !find(kernel->name))
      missing.push_back(kernel->name);
  if (missing.empty())
    return llvm::Error::success();
  return llvm::createStringError("the cost table '" + name + "' lists no kernel " + llvm::join(missing, ", ") +
                                 ", which target '" + isa.name + "' has: give a table of such a CPU");
}

/// The fewest digits that read as the same number.
static std::string shortest(double value) {
  for (int digits = 1;; ++digits) {
    std::string text = llvm::formatv("{0}", llvm::format("%.*g", digits, value));
    if (digits >= 17 || std::strtod(text.c_str(), nullptr) == value)
      return text;
  }
}

std::string CostTable::text(unsigned indent) const {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::json::OStream json(os, indent);
  auto number = [&](StringRef key, double value) {
    json.attributeBegin(key);
    json.rawValue(shortest(value));
    json.attributeEnd();
  };
  json.object([&] {
    json.attribute("name", name);
    json.attribute("source", source);
    for (const NumberKey<CostTable> &field : kTableNumbers)
      number(field.key, this->*field.member);
    json.attributeArray("levels", [&] {
      for (const MemoryLevel &level : levels)
        json.object([&] {
          json.attribute("name", level.name);
          if (level.bytes > 0)
            number("bytes", level.bytes);
          number("bytes_per_cycle", level.bytesPerCycle);
        });
    });
    json.attributeObject("kernels", [&] {
      for (const auto &[kernel, costs] : kernels)
        json.attributeObject(kernel, [&, &name = kernel, &row = costs] {
          for (const NumberKey<KernelCosts> &field : kKernelNumbers)
            if (field.isIn(*findDotKernel(name)))
              number(field.key, row.*field.member);
        });
    });
  });
  return result;
}

std::string CostTable::hash() const {
  std::string json = text();
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(json)), /*LowerCase=*/true).substr(0, 16);
}

const KernelCosts *CostTable::find(StringRef kernel) const {
  auto found = kernels.find(kernel.str());
  return found == kernels.end() ? nullptr : &found->second;
}

const MemoryLevel &CostTable::levelOf(double bytes) const {
  for (const MemoryLevel &level : levels)
    if (level.bytes == 0 || bytes <= level.bytes)
      return level;
  return levels.back();
}

double CostTable::spreadCycles(double bytes) const {
  double cycles = 0, held = 0;
  for (const MemoryLevel &level : levels) {
    const double reach = level.bytes == 0 ? bytes : std::min(bytes, level.bytes);
    cycles += std::max(0.0, reach - held) / level.bytesPerCycle;
    held = std::max(held, reach);
  }
  return cycles;
}

std::string mlir::halftone::costTableId(ModuleOp module) {
  auto text = module->getAttrOfType<StringAttr>(kCostTableAttr);
  llvm::Expected<CostTable> table = CostTable::parse(text ? text.getValue() : StringRef());
  if (table)
    return table->id();
  llvm::consumeError(table.takeError());
  return "";
}
