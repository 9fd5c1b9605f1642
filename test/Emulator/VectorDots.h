//===- VectorDots.h - the dots of AVX-VNNI, in plain C++ --------------------===//
#ifndef HALFTONE_TEST_EMULATOR_VECTORDOTS_H
#define HALFTONE_TEST_EMULATOR_VECTORDOTS_H

#include <cstdint>

namespace mlir::halftone::emulator {

/// vpdpbusd and vpdpbusds: to each of `lanes` sums, four products of an unsigned byte of `first` and a signed one of `second`.
void byteDot(int32_t *sums, const uint8_t *first, const int8_t *second, unsigned lanes, bool saturates);

/// vpdpwssd and vpdpwssds: two products of signed words.
void wordDot(int32_t *sums, const int16_t *first, const int16_t *second, unsigned lanes, bool saturates);

} // namespace mlir::halftone::emulator

#endif // HALFTONE_TEST_EMULATOR_VECTORDOTS_H
