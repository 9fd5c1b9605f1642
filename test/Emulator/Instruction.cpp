//===- Instruction.cpp - decodes the instructions that the emulator knows ---===//
#include "Instruction.h"
#include <cstring>

using namespace mlir::halftone::emulator;

static constexpr Feature kTile = Feature::AmxTile, kTileBytes = Feature::AmxInt8, kVectors = Feature::AvxVnni;

static constexpr Encoding kEncodings[] = {
    {"ldtilecfg", kTile, 0, 0x49, Form::Memory, Operation::LoadConfig},
    {"sttilecfg", kTile, 1, 0x49, Form::Memory, Operation::StoreConfig},
    {"tilerelease", kTile, 0, 0x49, Form::Nothing, Operation::Release},
    {"tilezero", kTile, 3, 0x49, Form::Tile, Operation::Zero},
    {"tileloadd", kTile, 3, 0x4b, Form::TileAndMemory, Operation::LoadTile},
    {"tileloaddt1", kTile, 1, 0x4b, Form::TileAndMemory, Operation::LoadTile},
    {"tilestored", kTile, 2, 0x4b, Form::TileAndMemory, Operation::StoreTile},
    {"tdpbssd", kTileBytes, 3, 0x5e, Form::Tiles, Operation::TileDot, true, true},
    {"tdpbsud", kTileBytes, 2, 0x5e, Form::Tiles, Operation::TileDot, true, false},
    {"tdpbusd", kTileBytes, 1, 0x5e, Form::Tiles, Operation::TileDot, false, true},
    {"tdpbuud", kTileBytes, 0, 0x5e, Form::Tiles, Operation::TileDot, false, false},
    {"vpdpbusd", kVectors, 1, 0x50, Form::Vectors, Operation::ByteDot},
    {"vpdpbusds", kVectors, 1, 0x51, Form::Vectors, Operation::ByteDot, false, false, true},
    {"vpdpwssd", kVectors, 1, 0x52, Form::Vectors, Operation::WordDot},
    {"vpdpwssds", kVectors, 1, 0x53, Form::Vectors, Operation::WordDot, false, false, true},
};

namespace {

/// Reads an instruction from its first byte on.
class Decoder {
public:
  explicit Decoder(const uint8_t *bytes) : begin(bytes), next(bytes) {}
  bool run(Instruction &instruction);

private:
  bool readPrefix();
  const Encoding *findEncoding(uint8_t opcode) const;
  bool fits(Form form) const;
  Address readAddress();
  int64_t readDisplacement(unsigned size);

  const uint8_t *begin, *next;
  // The fields of VEX, none of them inverted, and of ModRM; reg, index and rm (or base) have their fourth bits.
  unsigned prefix = 0, extendReg = 0, extendIndex = 0, extendBase = 0, second = 0;
  bool is256 = false;
  unsigned mode = 0, reg = 0, rm = 0;
};

} // namespace

bool mlir::halftone::emulator::decode(const uint8_t *bytes, Instruction &instruction) { return Decoder(bytes).run(instruction); }

/// C4, map 2 (0F 38), W = 0.
bool Decoder::readPrefix() {
  if (*next++ != 0xc4)
    return false;
  const unsigned one = *next++;
  if ((one & 31) != 2)
    return false;
  const unsigned two = *next++;
  extendReg = ~one >> 4 & 8;
  extendIndex = ~one >> 3 & 8;
  extendBase = ~one >> 2 & 8;
  second = ~two >> 3 & 15;
  is256 = two >> 2 & 1;
  prefix = two & 3;
  return two >> 7 == 0;
}

bool Decoder::fits(Form form) const {
  const bool isMemory = mode != 3;
  if (form == Form::Vectors)
    return true;
  if (is256 || extendReg || (form != Form::Tiles && second))
    return false;
  switch (form) {
  case Form::Nothing: return !isMemory && reg == 0 && rm == 0;
  case Form::Memory: return isMemory && reg == 0;
  case Form::Tile: return !isMemory && rm == 0;
  case Form::TileAndMemory: return isMemory && rm == 4;
  case Form::Tiles: return !isMemory && !extendBase && second < 8;
  case Form::Vectors: break;
  }
  return true;
}

const Encoding *Decoder::findEncoding(uint8_t opcode) const {
  for (const Encoding &encoding : kEncodings)
    if (encoding.opcode == opcode && encoding.prefix == prefix && fits(encoding.form))
      return &encoding;
  return nullptr;
}

/// Little-endian and signed.
int64_t Decoder::readDisplacement(unsigned size) {
  int32_t word = 0;
  std::memcpy(&word, next, size);
  next += size;
  return size == 1 ? static_cast<int8_t>(word) : word;
}

Address Decoder::readAddress() {
  Address address;
  unsigned base = rm;
  if (rm == 4) {
    const unsigned sib = *next++;
    const unsigned index = (sib >> 3 & 7) | extendIndex;
    address.scale = sib >> 6;
    address.index = index == 4 ? -1 : static_cast<int>(index); // rsp is none
    base = sib & 7;
  }
  const bool hasBase = mode != 0 || base != 5;
  if (hasBase)
    address.base = static_cast<int>(base | extendBase);
  address.nextInstruction = !hasBase && rm == 5;
  address.displacement = mode == 1 ? readDisplacement(1) : mode == 2 || !hasBase ? readDisplacement(4) : 0;
  return address;
}

bool Decoder::run(Instruction &instruction) {
  if (!readPrefix())
    return false;
  const uint8_t opcode = *next++;
  if (opcode < 0x49 || opcode > 0x5e) // others may end here
    return false;
  const unsigned modrm = *next++;
  mode = modrm >> 6;
  reg = modrm >> 3 & 7;
  rm = modrm & 7;
  const Encoding *encoding = findEncoding(opcode);
  if (!encoding)
    return false;
  instruction = {encoding, 0, reg | extendReg, second, rm | extendBase, mode != 3, is256, {}};
  if (instruction.isMemory)
    instruction.address = readAddress();
  instruction.length = next - begin;
  return true;
}
