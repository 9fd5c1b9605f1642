//===- Instruction.h - the instructions that the emulator knows -------------===//
//
// Those of AMX-TILE, AMX-INT8 and AVX-VNNI, all with the three-byte VEX prefix, as the Intel 64 manual, volume 2, encodes them.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TEST_EMULATOR_INSTRUCTION_H
#define HALFTONE_TEST_EMULATOR_INSTRUCTION_H

#include <cstdint>

namespace mlir::halftone::emulator {

/// In the order of featureName.
enum class Feature { AmxTile, AmxInt8, AvxVnni };

enum class Operation { LoadConfig, StoreConfig, Release, Zero, LoadTile, StoreTile, TileDot, ByteDot, WordDot };

/// What operands an encoding has.
enum class Form {
  Nothing,
  Memory,        ///< in ModRM.rm
  Tile,          ///< in ModRM.reg
  TileAndMemory, ///< in ModRM.reg, and ModRM.rm with a SIB byte
  Tiles,         ///< in ModRM.reg, ModRM.rm and VEX.vvvv
  Vectors        ///< in ModRM.reg, VEX.vvvv and ModRM.rm, which may be memory
};

/// A row of the table of instructions.
struct Encoding {
  const char *name;
  Feature feature;
  uint8_t prefix;      ///< VEX.pp: 0 none, 1 for 66, 2 for F3, 3 for F2
  uint8_t opcode;      ///< behind 0F 38
  Form form;
  Operation operation;
  bool firstSigned = false, secondSigned = false; ///< bytes of a TileDot
  bool saturates = false;                         ///< a ByteDot or WordDot
};

/// base + (index << scale) + displacement; registers by number, negative for none.
struct Address {
  int base = -1, index = -1;
  unsigned scale = 0;
  int64_t displacement = 0;
  bool nextInstruction = false; ///< relative to it, without a base
};

struct Instruction {
  const Encoding *encoding;
  unsigned length; ///< in bytes
  unsigned first;  ///< ModRM.reg: tile or vector, also the destination
  unsigned second; ///< VEX.vvvv
  unsigned third;  ///< ModRM.rm, unless it is memory
  bool isMemory, is256;
  Address address;
};

/// Decodes what stands at `bytes`; reads no byte behind the instruction. Returns false for an instruction of no row of the
/// table, and for encodings that no CPU takes.
bool decode(const uint8_t *bytes, Instruction &instruction);

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_INSTRUCTION_H
