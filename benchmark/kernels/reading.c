/* The time of reading some bytes once, in nanoseconds: what a layer that only waits for its weights
 * cannot beat. Compiled with -march=native by kernels.py and few_bits.py. */
#include <immintrin.h>
#include <stdint.h>
#include <time.h>

double read_nanoseconds(const char *data, size_t bytes) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (size_t i = 0; i + 512 <= bytes; i += 512)
    for (int k = 0; k < 512; k += 64) {
      __m512i v = _mm512_loadu_si512(data + i + k);
      __asm__ volatile("" : : "v"(v));
    }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return 1e9 * (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec);
}
