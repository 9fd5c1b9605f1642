/* The time of reading some bytes once, in nanoseconds: what a layer that only waits for its weights
 * cannot beat. Compiled with -march=native by kernels.py and few_bits.py. */
#include <immintrin.h>
#include <stdint.h>
#include <time.h>

#ifdef __AVX512F__
typedef __m512i Vector;
static Vector load(const char *data) { return _mm512_loadu_si512(data); }
#else
typedef __m256i Vector;
static Vector load(const char *data) { return _mm256_loadu_si256((const __m256i *)data); }
#endif
enum { kVector = sizeof(Vector) };

double read_nanoseconds(const char *data, size_t bytes) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (size_t i = 0; i + 512 <= bytes; i += 512)
    for (int k = 0; k < 512; k += kVector) {
      Vector v = load(data + i + k);
      __asm__ volatile("" : : "x"(v));
    }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return 1e9 * (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec);
}
