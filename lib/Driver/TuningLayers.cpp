//===- TuningLayers.cpp - Layers whose times tell a CPU's costs -----------===//
//
// Each shape is there for one number of the table: long and short reductions
// (dots against tiles), wide and narrow outputs (epilogues), few rows (latency
// and weights from far away), a residual, depthwise windows, next to nothing
// (the call).
//
// Layers of codes stand between two lookups, so that their inputs and outputs
// are where a network has them: in the arena, stored as the kernel likes them.
//
//===----------------------------------------------------------------------===//
#include "TuningLayers.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <vector>

using namespace mlir::halftone;
using llvm::ArrayRef, llvm::StringRef, llvm::formatv;

namespace {
struct TuningLayer {
  int64_t side, channels, columns, window; ///< side x side x channels; window 1: pointwise
  bool residual = false, depthwise = false;
};
} // namespace

// Weights of 0.9 MB together, and of 10 MB.
static constexpr TuningLayer kSmall[] = {
    {14, 256, 64, 1},       {4, 16, 16, 1},     {14, 512, 256, 1}, {28, 64, 256, 1},
    {28, 64, 256, 1, true}, {28, 256, 64, 1},   {56, 64, 64, 1},   {56, 32, 16, 1},
    {28, 64, 64, 3},        {14, 128, 128, 3},  {56, 64, 64, 3},   {1, 512, 256, 1},
    {14, 1024, 128, 1},     {2, 256, 128, 1},   {3, 256, 256, 1},
    {28, 96, 96, 3, false, true}, {14, 96, 96, 5, false, true}, {56, 64, 64, 3, false, true}};
static constexpr TuningLayer kLarge[] = {
    {14, 256, 256, 3},  {7, 512, 512, 3}, {14, 1024, 256, 1}, {14, 256, 1024, 1, true},
    {7, 2048, 512, 1},  {7, 512, 2048, 1, true}, {1, 2048, 1000, 1}, {28, 128, 128, 3},
    {28, 512, 128, 1},  {56, 256, 128, 1}, {28, 128, 512, 1, true}};

static std::string tensor(ArrayRef<int64_t> shape, StringRef element) {
  std::string text = "tensor<";
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text + element.str() + ">";
}

/// Whether a sparse weight is in one of the quads (4 input channels of a tap and
/// an output channel) that are not zero.
static bool isInQuad(int64_t index, int64_t columns, TuningWeights weights) {
  const int64_t quad = index / columns / 4 * columns + index % columns;
  return (uint32_t(quad) * 2654435761u >> 16) % 10 < (weights == TuningWeights::Sparse ? 1u : 5u);
}

/// Bytes of a resource of so many columns: codes in [-127, 127], those that the
/// kind of weights asks for, or floats near 1, from a congruential generator.
static std::string resource(int64_t count, int64_t columns, TuningWeights weights) {
  std::string bytes("\4\0\0\0", 4);
  uint32_t state = 1;
  const int most = weights == TuningWeights::UpTo64 ? 64 : weights == TuningWeights::UpTo32 ? 32 : 127;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    if (weights == TuningWeights::Floats) {
      float value = 0.5f + float(state >> 8) / float(1 << 24);
      bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    } else {
      const int code = int(state >> 8) % (2 * most + 1) - most;
      const bool isZero = isSparse(weights) && !isInQuad(i, columns, weights);
      bytes.push_back(char(isZero ? 0 : weights == TuningWeights::Few ? code / 16 * 16 : code));
    }
  }
  return llvm::toHex(bytes);
}

static constexpr char kRequantize[] = R"(
    %s0 = arith.addi %a, %b : i32
    %s1 = arith.sitofp %s0 : i32 to f32
    %s2 = arith.mulf %s1, %m : f32{0}
    %lo = arith.constant -125.0 : f32
    %hi = arith.constant 130.0 : f32
    %z = arith.constant -3 : i32
    %p0 = arith.cmpf ogt, {1}, %lo : f32
    %t0 = arith.select %p0, {1}, %lo : f32
    %p1 = arith.cmpf olt, %t0, %hi : f32
    %t1 = arith.select %p1, %t0, %hi : f32
    %t2 = math.roundeven %t1 : f32
    %t3 = arith.fptosi %t2 : f32 to i32
    %t4 = arith.addi %t3, %z : i32
    %t5 = arith.trunci %t4 : i32 to i8
    linalg.yield %t5 : i8)";
static constexpr char kResidual[] = R"(
    %r0 = arith.sitofp %r : i8 to f32
    %mr = arith.constant 0.75 : f32
    %r1 = arith.mulf %r0, %mr : f32
    %s3 = arith.addf %s2, %r1 : f32)";
static constexpr char kFloatBody[] = R"(
    %s0 = arith.addf %a, %b : f32{0}
    %z = arith.constant 0.0 : f32
    %s4 = arith.maximumf {1}, %z : f32
    linalg.yield %s4 : f32)";

static std::string epilogueBody(const TuningLayer &layer, bool isFloat) {
  if (isFloat)
    return formatv(kFloatBody, layer.residual ? "\n    %s3 = arith.addf %s0, %r : f32" : "",
                   layer.residual ? "%s3" : "%s0");
  return formatv(kRequantize, layer.residual ? kResidual : "", layer.residual ? "%s3" : "%s2");
}

static std::string lookup(StringRef source, StringRef result, StringRef type) {
  return formatv("  {1}_e = tensor.empty() : {2}\n  {1} = halftone.lookup ins({0}, %table : {2}, tensor<256xi8>) "
                 "outs({1}_e : {2}) -> {2}\n", source, result, type);
}

namespace {
/// Collects the parts of the module's text.
struct Writer {
  TuningWeights weights = TuningWeights::Codes;
  std::string arguments, results, returned, types, body, resources;

  void add(const TuningLayer &layer, int index);
};
} // namespace

void Writer::add(const TuningLayer &layer, int i) {
  const bool isFloat = this->weights == TuningWeights::Floats;
  StringRef element = isFloat ? "f32" : "i8", sum = isFloat ? "f32" : "i32";
  const int64_t wide = layer.side + layer.window - 1;
  std::vector<int64_t> in = {1, wide, wide, layer.channels};
  std::vector<int64_t> out = {1, layer.side, layer.side, layer.columns};
  std::vector<int64_t> kernel = {layer.window, layer.window, layer.channels, layer.columns};
  if (layer.depthwise)
    kernel.pop_back();
  int64_t weights = 1;
  for (int64_t extent : kernel)
    weights *= extent;
  std::string x = tensor(in, element), w = tensor(kernel, element), y = tensor(out, element);
  std::string acc = tensor(out, sum), vector = tensor({layer.columns}, sum), real = tensor({layer.columns}, "f32");
  auto list = [](std::string &all, const std::string &one) { all += (all.empty() ? "" : ", ") + one; };
  list(arguments, formatv("%x{0}: {1} {{halftone.name = \"x{0}\"}", i, x));
  if (layer.residual)
    list(arguments, formatv("%r{0}: {1} {{halftone.name = \"r{0}\"}", i, y));
  list(results, formatv("{1} {{halftone.name = \"y{0}\"}", i, y));
  list(returned, formatv("%y{0}", i));
  list(types, y);
  std::string source = formatv("%x{0}", i), made = formatv("%y{0}", i);
  if (!isFloat) {
    body += lookup(source, formatv("%u{0}", i).str(), x);
    source = formatv("%u{0}", i);
    made = formatv("%v{0}", i);
  }
  StringRef name = layer.depthwise ? "depthwise_conv_2d_nhwc_hwc" : "conv_2d_nhwc_hwcf";
  body += formatv("  %w{0} = arith.constant dense_resource<w{0}> : {1}\n", i, w);
  body += formatv("  %e{0} = tensor.empty() : {1}\n"
                  "  %f{0} = linalg.fill ins(%zero : {2}) outs(%e{0} : {1}) -> {1}\n", i, acc, sum);
  body += formatv("  %a{0} = linalg.{1} {{strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} "
                  "ins({5}, %w{0} : {2}, {3}) outs(%f{0} : {4}) -> {4} loc(\"layer{0}\")\n", i, name, x, w, acc, source);
  body += formatv("  %b{0} = arith.constant dense<{1}> : {2}\n  %q{0} = tensor.empty() : {3}\n", i,
                  isFloat ? "1.5" : "77", vector, y);
  std::string maps = "#id, #channel", inputs = formatv("%a{0}, %b{0}", i), kinds = acc + ", " + vector;
  std::string scalars = formatv("%a: {0}, %b: {0}", sum);
  if (!isFloat) {
    body += formatv("  %m{0} = arith.constant dense<0.0001> : {1}\n", i, real);
    maps += ", #channel";
    inputs += formatv(", %m{0}", i);
    kinds += ", " + real;
    scalars += ", %m: f32";
  }
  if (layer.residual) {
    maps += ", #id";
    inputs += formatv(", %r{0}", i);
    kinds += ", " + y;
    scalars += formatv(", %r: {0}", element);
  }
  body += formatv("  {8} = linalg.generic {{indexing_maps = [{1}, #id], iterator_types = [\"parallel\", \"parallel\", "
                  "\"parallel\", \"parallel\"]} ins({2} : {3}) outs(%q{0} : {4}) {{\n  ^bb0({5}, %o: {6}):{7}\n  } -> {4}\n",
                  i, maps, inputs, kinds, y, scalars, element, epilogueBody(layer, isFloat), made);
  if (!isFloat)
    body += lookup(made, formatv("%y{0}", i).str(), y);
  list(resources, formatv("w{0}: \"0x{1}\"", i, resource(weights, layer.columns, this->weights)));
}

std::string mlir::halftone::makeTuningModule(int set, TuningWeights weights) {
  const bool isFloat = weights == TuningWeights::Floats;
  Writer writer;
  writer.weights = weights;
  ArrayRef<TuningLayer> layers = set == 0 ? ArrayRef<TuningLayer>(kSmall) : ArrayRef<TuningLayer>(kLarge);
  for (size_t i = 0; i < layers.size(); ++i)
    writer.add(layers[i], int(i));
  return formatv("#id = affine_map<(n, h, w, c) -> (n, h, w, c)>\n#channel = affine_map<(n, h, w, c) -> (c)>\n"
                 "module attributes {{halftone.source_hash = \"tuning\"} {{\nfunc.func @main({0}) -> ({1}) {{\n"
                 "  %zero = arith.constant {2}\n  %table = arith.constant dense<1> : tensor<256xi8>\n{3}  return {4} : {5}\n}\n}\n"
                 "{{-# dialect_resources: {{ builtin: {{ {6} } } #-}\n",
                 writer.arguments, writer.results, isFloat ? "0.0 : f32" : "0 : i32", writer.body, writer.returned,
                 writer.types, writer.resources);
}
