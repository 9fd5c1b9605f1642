//===- OpReport.cpp - Which operations became int8, which stay float ------===//
#include "OpReport.h"
#include "ReasonGroups.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Integer/MultiplyAccumulates.h"
#include "halftone/Pipelines/Pipelines.h"
#include "halftone/Support/ConstantPool.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <map>

using namespace mlir;
using namespace mlir::halftone;

static int64_t countMacs(Operation *op) {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  return structured ? countMultiplyAccumulates(structured) : 0;
}

/// Casts only say where codes are, they compute nothing of the source's.
static bool isCast(Operation *op) {
  return isa<QuantizeOp, DequantizeOp, halftone::StorageCastOp,
             quant::StorageCastOp>(op);
}

/// Whether it computes integers from integers, as the source wrote it (MatMulInteger).
static bool hasIntegersOnly(Operation *op) {
  auto isFloat = [](Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); };
  return llvm::none_of(op->getOperandTypes(), isFloat) && llvm::none_of(op->getResultTypes(), isFloat);
}

static std::string kindOf(Operation *op) {
  if (auto composite = dyn_cast<CompositeOp>(op))
    return composite.getName().str();
  OpKind kind = classify(op);
  return kind == OpKind::Other ? op->getName().getStringRef().str()
                               : kindName(kind).str();
}

OpReport OpReport::of(ModuleOp module) {
  OpReport report;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isDeclaration())
    return report;
  for (Operation &op : main.getBody().front().without_terminator()) {
    if (!isCompute(&op) || isCast(&op))
      continue;
    auto reason = op.getAttrOfType<StringAttr>(kReasonAttr);
    bool integers = isInt8(&op) || isDynamic(&op) || hasIntegersOnly(&op);
    report.ownRanges += isDynamic(&op) && hasQuantizedWeights(&op);
    report.all.push_back({locationName(op.getLoc()), kindOf(&op), integers,
                          reason ? reason.str() : "", countMacs(&op)});
  }
  return report;
}

int64_t OpReport::macs() const {
  int64_t sum = 0;
  for (const OpRow &row : all)
    sum += row.macs;
  return sum;
}

int64_t OpReport::integerMacs() const {
  int64_t sum = 0;
  for (const OpRow &row : all)
    sum += row.int8 ? row.macs : 0;
  return sum;
}

std::string OpReport::toJSON() const {
  llvm::json::Array operations;
  for (const OpRow &row : all) {
    llvm::json::Object object{{"name", row.name},
                              {"kind", row.kind},
                              {"precision", row.int8 ? "int8" : "float"},
                              {"macs", row.macs}};
    if (!row.reason.empty())
      object["reason"] = row.reason;
    operations.push_back(std::move(object));
  }
  llvm::json::Object report{{"macs", macs()},
                            {"integer_macs", integerMacs()},
                            {"operations", std::move(operations)}};
  return llvm::formatv("{0}", llvm::json::Value(std::move(report)));
}

static double percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * part / whole;
}

void OpReport::printTable(llvm::raw_ostream &os) const {
  struct Counts {
    int64_t int8 = 0, floating = 0, macs = 0;
  };
  llvm::MapVector<StringRef, Counts> kinds;
  for (const OpRow &row : all) {
    Counts &counts = kinds[row.kind];
    ++(row.int8 ? counts.int8 : counts.floating);
    counts.macs += row.macs;
  }
  os << llvm::format("%-24s %6s %6s %8s\n", "operation", "int8", "float",
                     "MACs");
  for (auto &[kind, counts] : kinds)
    os << llvm::format("%-24s %6lld %6lld %6.1f %%\n", kind.str().c_str(),
                       (long long)counts.int8, (long long)counts.floating,
                       percent(counts.macs, macs()));
}

/// A line for each name, kind and reason.
static void printEach(llvm::ArrayRef<OpRow> floats, llvm::raw_ostream &os) {
  for (const auto &[row, count] : countEqual(floats)) {
    os << "  " << row.kind << " '" << row.name << "': " << row.reason;
    if (count > 1)
      os << " (" << count << " operations)";
    os << "\n";
  }
}

/// A line for each reason, and where all operations are listed.
static void printGroups(llvm::ArrayRef<OpRow> floats, llvm::raw_ostream &os) {
  ReasonGroups groups;
  for (const OpRow &row : floats)
    groups.add(row.kind + " '" + row.name + "'", row.reason);
  for (const std::string &line : groups.lines())
    os << "  " << line << "\n";
  if (groups.isShortened())
    os << kWholeList << "\n";
}

void OpReport::printSummary(llvm::raw_ostream &os, FloatList list) const {
  os << llvm::format(
      "%.2f %% of %lld multiply-accumulates (batch 1) run in integers\n",
      percent(integerMacs(), macs()), (long long)macs());
  if (ownRanges)
    os << ownRanges << (ownRanges == 1 ? " contraction finds its range when it runs\n" : " contractions find their ranges when they run\n");
  auto isFloat = [](const OpRow &row) { return !row.int8; };
  auto isExplained = [](const OpRow &row) { return !row.reason.empty(); };
  const auto floats = llvm::to_vector(llvm::make_filter_range(all, isFloat));
  if (llvm::none_of(all, isExplained) && !floats.empty()) {
    if (floats.size() == all.size())
      os << "all " << floats.size() << " operations are float\n";
    else
      os << floats.size() << " of " << all.size() << " operations are float\n";
    return;
  }
  os << floats.size() << (floats.size() == 1 ? " operation stays" : " operations stay") << " float"
     << (floats.empty() ? "" : ":") << "\n";
  if (list == FloatList::Each)
    printEach(floats, os);
  else
    printGroups(floats, os);
}

std::vector<std::pair<OpRow, int64_t>> mlir::halftone::countEqual(llvm::ArrayRef<OpRow> rows) {
  std::vector<std::pair<OpRow, int64_t>> counted;
  std::map<std::tuple<StringRef, StringRef, StringRef>, size_t> places;
  for (const OpRow &row : rows) {
    auto [place, isNew] = places.try_emplace({row.name, row.kind, row.reason}, counted.size());
    if (isNew)
      counted.push_back({row, 0});
    ++counted[place->second].second;
  }
  return counted;
}

int64_t mlir::halftone::floatConstantBytes(ModuleOp module) {
  int64_t bytes = 0;
  ConstantPool pool;
  DenseSet<Attribute> counted;
  module.walk([&](arith::ConstantOp constant) {
    auto type = dyn_cast<RankedTensorType>(constant.getType());
    if (!type || !type.getElementType().isF32())
      return;
    auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue());
    if (counted.insert(resource ? pool.unique(resource) : constant.getValue()).second)
      bytes += type.getNumElements() * 4;
  });
  return bytes;
}

LogicalResult mlir::halftone::assumeCalibrated(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return module.emitError("has no function @main");
  for (const QuantizableValue &value : getQuantizableValues(main))
    setRange(value.value, -1.0f, 1.0f);
  PassManager pm(module.getContext());
  buildPrecisionPipeline(pm, PrecisionOptions());
  return pm.run(module);
}
