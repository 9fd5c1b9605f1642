/* The limits of this machine, each measured: prints one JSON object. With a second CPU: how much more
 * dots from registers two threads make than one, and how fast a core reads 128 KB that the other has
 * just written (what a layer finds when threads share its input). The clock comes from a chain
 * of dependent multiplications (3 cycles each on every x86-64 core with AVX2); dots are
 * 8-bit multiplications and additions (two operations each) from registers, and for AMX from L1;
 * bandwidths are those of reading 64-byte vectors. `dots` is the theory: 512-bit dots that this CPU
 * begins in a cycle, by its family and model. AVX2 has no dot: its are the three instructions that other
 * tools take for one (vpmaddubsw, vpmaddwd, vpaddd), whose sums saturate, two multiplications a cycle.
 * Compiled with -march=native by kernels.py. */
#define _GNU_SOURCE
#include "halftone/Target/DotRate.h"
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least time of `code` over some repetitions. */
#define BEST(seconds, ...)                                                                      \
  double seconds = 1e9;                                                                            \
  for (int round = 0; round < 15; ++round) {                                                       \
    double start = now();                                                                          \
    __VA_ARGS__;                                                                                       \
    double taken = now() - start;                                                                  \
    seconds = taken < seconds ? taken : seconds;                                                   \
  }

static double clockGhz(void) {
  uint64_t x = 3;
  BEST(seconds, for (int i = 0; i < 3000000; ++i) __asm__ volatile("imul %0, %0" : "+r"(x)));
  return 3 * 3e6 / seconds * 1e-9;
}

static double readGBs(size_t bytes) {
  size_t passes = bytes < (64u << 20) ? (64u << 20) / bytes : 1;
  char *data = aligned_alloc(2u << 20, (bytes + (2u << 20) - 1) & ~((size_t)(2u << 20) - 1));
  memset(data, 1, bytes);
  BEST(seconds, for (size_t p = 0; p < passes; ++p) for (size_t i = 0; i < bytes; i += 512)
                    __asm__ volatile("vmovdqa (%0), %%ymm0\n vmovdqa 32(%0), %%ymm1\n"
                                     "vmovdqa 64(%0), %%ymm2\n vmovdqa 96(%0), %%ymm3\n"
                                     "vmovdqa 128(%0), %%ymm4\n vmovdqa 160(%0), %%ymm5\n"
                                     "vmovdqa 192(%0), %%ymm6\n vmovdqa 224(%0), %%ymm7\n"
                                     "vmovdqa 256(%0), %%ymm0\n vmovdqa 288(%0), %%ymm1\n"
                                     "vmovdqa 320(%0), %%ymm2\n vmovdqa 352(%0), %%ymm3\n"
                                     "vmovdqa 384(%0), %%ymm4\n vmovdqa 416(%0), %%ymm5\n"
                                     "vmovdqa 448(%0), %%ymm6\n vmovdqa 480(%0), %%ymm7\n" ::"r"(
                                         data + i)
                                     : "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6",
                                       "ymm7"));
  free(data);
  return (double)bytes * (double)passes / seconds * 1e-9;
}

#ifdef __AVX512VNNI__
static double vnniGops(void) {
  __m512i acc[12], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(2);
  for (int k = 0; k < 12; ++k)
    acc[k] = _mm512_setzero_si512();
  BEST(seconds, for (int i = 0; i < 200000; ++i) {
    for (int k = 0; k < 12; ++k)
      acc[k] = _mm512_dpbusd_epi32(acc[k], a, b);
    __asm__ volatile("" ::"v"(acc[0]));
  });
  for (int k = 0; k < 12; ++k)
    __asm__ volatile("" ::"v"(acc[k]));
  return 200000.0 * 12 * 128 / seconds * 1e-9;
}
#endif

#ifdef __AVX2__
static double avx2Gops(void) {
  __m256i acc[8], a[2] = {_mm256_set1_epi8(1), _mm256_set1_epi8(3)}, b = _mm256_set1_epi8(2), ones = _mm256_set1_epi16(1);
  for (int k = 0; k < 8; ++k)
    acc[k] = _mm256_setzero_si256();
  BEST(seconds, for (int i = 0; i < 200000; ++i) {
    for (int k = 0; k < 8; ++k) {
      acc[k] = _mm256_add_epi32(acc[k], _mm256_madd_epi16(_mm256_maddubs_epi16(a[k & 1], b), ones));
      __asm__ volatile("" : "+x"(a[k & 1])); /* as if another each time */
    }
    __asm__ volatile("" : "+x"(acc[0]));
  });
  for (int k = 0; k < 8; ++k)
    __asm__ volatile("" ::"x"(acc[k]));
  return 200000.0 * 8 * 64 / seconds * 1e-9;
}

/* The best dots on vectors. */
static double dotGops(void) {
#ifdef __AVX512VNNI__
  return vnniGops();
#else
  return avx2Gops();
#endif
}
#endif

#ifdef __AMX_INT8__
static uint8_t tiles[16384] __attribute__((aligned(64)));

static void configureTiles(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t columns[16];
    uint8_t rows[16];
  } __attribute__((packed)) config;
  memset(&config, 0, sizeof config);
  config.palette = 1;
  for (int i = 0; i < 8; ++i)
    config.columns[i] = 64, config.rows[i] = 16;
  syscall(SYS_arch_prctl, 0x1023, 18);
  _tile_loadconfig(&config);
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
  _tile_loadd(4, tiles, 64), _tile_loadd(5, tiles, 64);
  _tile_loadd(6, tiles, 64), _tile_loadd(7, tiles, 64);
}

#define FOUR_DOTS                                                                                  \
  _tile_dpbusd(0, 6, 4), _tile_dpbusd(1, 6, 5), _tile_dpbusd(2, 7, 4), _tile_dpbusd(3, 7, 5)

static double amxGops(int fromL1) {
  configureTiles();
  BEST(seconds, for (int i = 0; i < 20000; ++i) {
    if (fromL1) {
      const uint8_t *a = tiles + 4096 * (i & 3);
      _tile_loadd(4, a, 64), _tile_loadd(5, a + 1024, 64);
      _tile_loadd(6, a + 2048, 64), _tile_loadd(7, a + 3072, 64);
    }
    FOUR_DOTS;
  });
  _tile_release();
  return 20000.0 * 4 * 32768 / seconds * 1e-9;
}
#endif

#ifdef __AVX2__
static int pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

static void *dots(void *rate) {
  *(double *)rate = dotGops();
  return NULL;
}

/* A CPU beside this one, or -1; leaves this thread on its own. */
static int otherCpu(int own) {
  int count = (int)sysconf(_SC_NPROCESSORS_ONLN), other = -1;
  for (int cpu = 0; cpu < count && other < 0; ++cpu)
    if (cpu != own && pin(cpu))
      other = cpu;
  pin(own);
  return other;
}

enum { kShared = 128 << 10, kTurns = 200 };
static char shared[kShared] __attribute__((aligned(4096)));
static atomic_int turn;
static int writerCpu;

static void *writeShared(void *unused) {
  (void)unused;
  pin(writerCpu);
  for (int i = 0; i < kTurns; ++i) {
    while (atomic_load(&turn) == 0)
      _mm_pause();
    memset(shared, i, kShared);
    atomic_store(&turn, 0);
  }
  return NULL;
}

static double otherCoreGBs(void) {
  pthread_t writer;
  double sum = 0;
  pthread_create(&writer, NULL, writeShared, NULL);
  for (int i = 0; i < kTurns; ++i) {
    atomic_store(&turn, 1);
    while (atomic_load(&turn) != 0)
      _mm_pause();
    double start = now();
    for (int k = 0; k < kShared; k += 64)
      __asm__ volatile("vmovdqa (%0), %%ymm0\n vmovdqa 32(%0), %%ymm1" ::"r"(shared + k) : "xmm0", "xmm1");
    _mm_lfence();
    sum += now() - start;
  }
  pthread_join(writer, NULL);
  return (double)kShared * kTurns / sum * 1e-9;
}

static void printTwoThreads(void) {
  int own = sched_getcpu();
  writerCpu = otherCpu(own);
  if (writerCpu < 0)
    return;
  double alone = dotGops(), here = 0, there = 0;
  pthread_t thread;
  pthread_attr_t attributes;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(writerCpu, &set);
  pthread_attr_init(&attributes);
  pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
  pthread_create(&thread, &attributes, dots, &there);
  dots(&here);
  pthread_join(thread, NULL);
  printf("\"two_threads\": %.2f, \"other_core_gbs\": %.1f, ", (here + there) / alone, otherCoreGBs());
}
#endif

/* Of the cache `index` of the first CPU; 0: not known. sysconf counts L3 several times on some CPUs. */
static long cacheBytes(int index) {
  char path[80];
  long kilobytes = 0;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
  FILE *file = fopen(path, "r");
  if (file && fscanf(file, "%ldK", &kilobytes) != 1)
    kilobytes = 0;
  if (file)
    fclose(file);
  return kilobytes * 1024;
}

/* --two-threads: only how many times the dots of one thread two make. */
int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "--two-threads")) {
    printf("{");
#ifdef __AVX2__
    printTwoThreads();
#endif
    printf("\"ghz\": %.3f}\n", clockGhz());
    return 0;
  }
  double before = clockGhz();
  const HalftoneDotRate *rate = halftoneDotRate();
  printf("{\"cpu\": \"%s\", \"dots\": %d, \"dots_source\": \"%s\", ", rate->name, rate->dots512, rate->source);
#ifdef __AVX512VNNI__
  printf("\"vnni_gops\": %.1f, ", vnniGops());
#endif
#ifdef __AVX2__
  printf("\"avx2_gops\": %.1f, ", avx2Gops());
#endif
#ifdef __AMX_INT8__
  printf("\"amx_gops\": %.1f, \"amx_l1_gops\": %.1f, ", amxGops(0), amxGops(1));
#endif
  long l2 = cacheBytes(2), l3 = cacheBytes(3);
  printf("\"l2_bytes\": %ld, \"l3_bytes\": %ld, ", l2, l3);
  printf("\"l2_gbs\": %.1f, \"l3_gbs\": %.1f, \"memory_gbs\": %.1f, ",
         readGBs(l2 > 0 ? (size_t)l2 / 2 : 512u << 10), readGBs(16u << 20), readGBs(1u << 30));
#ifdef __AVX2__
  printTwoThreads();
#endif
  double after = clockGhz();
  printf("\"ghz\": %.3f}\n", after > before ? after : before);
  return 0;
}
