/*===- DotRate.h - 512-bit dots that a core begins in one cycle -------------===*\
|*
|* What a percentage of the peak refers to. CPUs that execute a 512-bit vector
|* instruction as two halves of 256 bits begin one dot (vpdpbusd) or one fused
|* multiply-add in a cycle, the others two. In C, for benchmark/kernels/peaks.c.
|*
\*===----------------------------------------------------------------------===*/
#ifndef HALFTONE_TARGET_DOTRATE_H
#define HALFTONE_TARGET_DOTRATE_H

#include <stddef.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/** CPUs of one vendor and family, of the models `first` to `last`. */
typedef struct {
  const char *vendor;       /**< As cpuid's leaf 0 gives it. */
  unsigned family, first, last;
  int dots512;              /**< 512-bit dots in a cycle. */
  const char *name, *source;
} HalftoneDotRate;

#define HALFTONE_ZEN4                                                          \
  1, "Zen 4",                                                                  \
      "AMD, Software Optimization Guide for the AMD Zen4 Microarchitecture, "  \
      "publication 57647: the data paths of vectors are 256 bits wide"

/* Family 25 is Zen 3 too, which has no 512-bit vectors. */
static const HalftoneDotRate kHalftoneDotRates[] = {
    {"AuthenticAMD", 25, 0x10, 0x1f, HALFTONE_ZEN4}, /* servers */
    {"AuthenticAMD", 25, 0x60, 0x7f, HALFTONE_ZEN4}, /* desktops, notebooks */
    {"AuthenticAMD", 25, 0xa0, 0xaf, HALFTONE_ZEN4}, /* dense servers */
};

/* Any other CPU: two ports take 512-bit dots. */
static const HalftoneDotRate kHalftoneTwoPorts = {
    "", 0, 0, 0, 2, "not in the table", "two ports are assumed"};

#undef HALFTONE_ZEN4

/** The row of this CPU. */
static inline const HalftoneDotRate *halftoneDotRate(void) {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  union {
    unsigned words[3];
    char text[13];
  } vendor = {{0}};
  if (!__get_cpuid(0, &a, &vendor.words[0], &vendor.words[2], &vendor.words[1]) || !__get_cpuid(1, &a, &b, &c, &d))
    return &kHalftoneTwoPorts;
  vendor.text[12] = 0;
  unsigned family = (a >> 8 & 15) == 15 ? 15 + (a >> 20 & 255) : a >> 8 & 15;
  unsigned model = (a >> 4 & 15) | (a >> 16 & 15) << 4;
  for (size_t i = 0; i < sizeof kHalftoneDotRates / sizeof *kHalftoneDotRates; ++i) {
    const HalftoneDotRate *row = &kHalftoneDotRates[i];
    size_t same = 0;
    while (same < 12 && row->vendor[same] == vendor.text[same])
      ++same;
    if (same == 12 && row->family == family && row->first <= model && model <= row->last)
      return row;
  }
#endif
  return &kHalftoneTwoPorts;
}

#endif /* HALFTONE_TARGET_DOTRATE_H */
