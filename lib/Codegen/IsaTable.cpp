//===- IsaTable.cpp - the instruction sets that kernels are generated for ---===//
#include "halftone/Codegen/IsaTable.h"

using namespace mlir;
using namespace mlir::halftone;

// name, dot, lanes, step, vectors of the widest panel and of one for an unknown number of rows, rows of the tile for 0, 1, 2, 3
// and 4 vectors
static constexpr DotKernel kVpdpbusd512 = {"vpdpbusd_512", DotKind::Vpdpbusd, 16, 4, 4, 2, {0, 16, 14, 9, 6}};
static constexpr DotKernel kVpdpbusd256 = {"vpdpbusd_256", DotKind::Vpdpbusd, 8, 4, 2, 2, {0, 10, 5, 0, 0}};
static constexpr DotKernel kMaddubs256 = {"maddubs_256", DotKind::Maddubs, 8, 4, 4, 4, {0, 6, 4, 3, 2}};
static constexpr DotKernel kNarrow256[] = {{"maddubs_joined_256", DotKind::Narrow, 8, 4, 2, 2, {0, 6, 4, 0, 0}, /*joined=*/2},
                                           {"maddubs_narrow_256", DotKind::Narrow, 8, 4, 2, 2, {0, 6, 5, 0, 0}}};
static constexpr DotKernel kWinograd512[] = {{"winograd4_512", DotKind::Winograd, 16, 2, 2, 2, {0, 16, 14, 0, 0}, /*joined=*/1, /*side=*/4}};
static constexpr DotKernel kWinograd256[] = {{"winograd4_256", DotKind::Winograd, 8, 2, 2, 2, {0, 12, 6, 0, 0}, /*joined=*/1, /*side=*/4},
                                             {"winograd2_256", DotKind::Winograd, 8, 2, 2, 2, {0, 12, 6, 0, 0}, /*joined=*/1, /*side=*/2}};
static constexpr ArrayRef<DotKernel> kWinogradVnni256 = {kWinograd256, 1};
static constexpr DotKernel kWiden = {"widen", DotKind::Widen, 16, 1, 1, 1, {0, 4, 0, 0, 0}};
static constexpr DotKernel kFma512 = {"fma_512", DotKind::Fma, 16, 1, 4, 2, {0, 16, 14, 9, 6}};
static constexpr DotKernel kFma256 = {"fma_256", DotKind::Fma, 8, 1, 2, 2, {0, 10, 6, 0, 0}};
static constexpr DotKernel kFma128 = {"fma_128", DotKind::Fma, 4, 1, 4, 4, {0, 12, 8, 6, 5}};

// Tiles: a panel is one of them wide, so that each tile of weights is one run of memory.
static constexpr DotKernel kAmx = {"amx", DotKind::Tile, 16, 4, 1, 1, {0, 16, 0, 0, 0}};

// AArch64 has 32 vectors of 16 bytes.
static constexpr DotKernel kSdot128 = {"sdot_128", DotKind::Sdot, 4, 4, 4, 4, {0, 16, 12, 8, 6}};
static constexpr DotKernel kSmmla128 = {"smmla_128", DotKind::Smmla, 4, 8, 4, 4, {0, 16, 12, 8, 6}};
static constexpr DotKernel kFmaNeon = {"fma_neon", DotKind::Fma, 4, 1, 4, 4, {0, 16, 12, 8, 6}};

static constexpr StringLiteral kAvx512 = "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd";
static constexpr StringLiteral kAvx512Vnni =
    "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd,+avx512vnni,+avx512vbmi";

static constexpr StringLiteral kAmxInt8 =
    "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd,+avx512vnni,+avx512vbmi,+amx-tile,+amx-int8";

static constexpr StringLiteral kV3 = "x86-64-v3", kV4 = "x86-64-v4", kArm = "aarch64";

// A CPU that has a cost table of its own, as znver4, has a row: the instruction set is that of the row below.
static constexpr Isa kIsas[] = {
    {"amx", kV4, kAmxInt8, 64, true, true, kVpdpbusd512, kFma512, kV4, &kAmx},
    {"znver4", kV4, kAvx512Vnni, 64, true, true, kVpdpbusd512, kFma512, "znver4", nullptr, kWinograd512},
    {"avx512vnni", kV4, kAvx512Vnni, 64, true, true, kVpdpbusd512, kFma512, kV4, nullptr, kWinograd512},
    {"avxvnni", kV3, "+avxvnni", 32, false, true, kVpdpbusd256, kFma256, kV3, nullptr, kWinogradVnni256},
    {"avx512", kV4, kAvx512, 64, false, true, kMaddubs256, kFma512, kV4, nullptr, kWinograd256, kNarrow256},
    {"avx2", kV3, "", 32, false, true, kMaddubs256, kFma256, kV3, nullptr, kWinograd256, kNarrow256},
    {"i8mm", "generic", "+v8.2a,+dotprod,+i8mm", 16, false, false, kSdot128, kFmaNeon, kArm, &kSmmla128, {}, {}, Architecture::AArch64},
    {"dotprod", "generic", "+v8.2a,+dotprod", 16, false, false, kSdot128, kFmaNeon, kArm, nullptr, {}, {}, Architecture::AArch64},
    {"neon", "generic", "", 16, false, false, kWiden, kFmaNeon, kArm, nullptr, {}, {}, Architecture::AArch64},
    {"portable", "", "", 16, false, false, kWiden, kFma128, kV3},
};

ArrayRef<Isa> mlir::halftone::allIsas() { return kIsas; }

const Isa *mlir::halftone::findIsa(StringRef name) {
  const Isa *isa = llvm::find_if(kIsas, [&](const Isa &row) { return row.name == name; });
  return isa == std::end(kIsas) ? nullptr : isa;
}

const Isa *mlir::halftone::requireIsa(Operation *op, StringRef name) {
  const Isa *isa = findIsa(name);
  if (!isa)
    op->emitError("unknown target '") << name << "'";
  return isa;
}

double DotKernel::products() const {
  // Each output takes 9 products, or one for each of the (side + 2)^2 places of a tile's inputs.
  const double ofWinograd = 9.0 * double(side * side) / double((side + 2) * (side + 2));
  return lanes * step * (dot == DotKind::Tile ? 256 : dot == DotKind::Winograd ? ofWinograd : 1);
}

double DotKernel::instructions() const {
  switch (dot) {
  case DotKind::Maddubs: // vpsignb, vpmaddubsw, vpmaddwd, vpaddd
    return 4;
  case DotKind::Narrow: // vpmaddubsw, and for all of them vpaddw between them, vpmaddwd, vpaddd
    return (2 * joined + 1) / double(joined);
  case DotKind::Winograd: // vpdpwssd; vpmaddwd, vpaddd
    return lanes == 16 ? 1 : 2;
  case DotKind::Widen: // whatever the machine has
    return lanes;
  default:
    return 1;
  }
}

double DotKernel::multiplications() const {
  return dot == DotKind::Maddubs ? 2 : dot == DotKind::Narrow ? (joined + 1) / double(joined) : 1;
}

const DotKernel *mlir::halftone::findDotKernel(StringRef kind) {
  static constexpr const DotKernel *kKernels[] = {&kVpdpbusd512, &kVpdpbusd256, &kMaddubs256, &kNarrow256[0], &kNarrow256[1], &kSdot128,
                                                  &kSmmla128,    &kWiden,       &kAmx,        &kFma512, &kWinograd512[0], &kWinograd256[0], &kWinograd256[1],
                                                  &kFma256,      &kFma128,      &kFmaNeon};
  for (const DotKernel *kernel : kKernels)
    if (kernel->name == kind)
      return kernel;
  return nullptr;
}
