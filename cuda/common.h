// What every kernel shares, on the host and on the device: precisions, loads and stores. No torch header here.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#ifdef __CUDACC__
#define GL_HD __host__ __device__ __forceinline__
#else
#define GL_HD inline
#endif

// For what must be part of the loop around it, which else would not run on vectors.
#if defined(__GNUC__) || defined(__clang__)
#define GL_INLINE __attribute__((always_inline)) inline
#else
#define GL_INLINE inline
#endif

namespace gl {

// The bits of a bfloat16, the upper half of a float.
struct bf16 {
  uint16_t bits;
};

// The precision in which values of type T are added up.
template <class T>
struct Accumulator {
  using type = float;
};
template <>
struct Accumulator<double> {
  using type = double;
};
template <>
struct Accumulator<int32_t> {
  using type = int32_t;
};
template <>
struct Accumulator<int64_t> {
  using type = int64_t;
};
template <class T>
using acc_t = typename Accumulator<T>::type;

GL_HD float load(const float* p) { return *p; }
GL_HD double load(const double* p) { return *p; }
GL_HD int32_t load(const int32_t* p) { return *p; }
GL_HD int64_t load(const int64_t* p) { return *p; }
GL_HD float load(const bf16* p) {
  uint32_t bits = static_cast<uint32_t>(p->bits) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

GL_HD void store(float* p, float value) { *p = value; }
GL_HD void store(double* p, double value) { *p = value; }
GL_HD void store(int32_t* p, int32_t value) { *p = value; }
GL_HD void store(int64_t* p, int64_t value) { *p = value; }
// Rounds to nearest, ties to even; a nan stays one.
GL_HD void store(bf16* p, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  if ((bits & 0x7fffffff) > 0x7f800000) rounded = 0x7fc00000;
  p->bits = static_cast<uint16_t>(rounded >> 16);
}

// a / b for numbers that are not negative; most fit in 32 bits, where a device divides much faster.
GL_HD int64_t quotient(int64_t a, int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

enum Reduce : int { kSum = 0, kMean = 1, kMin = 2, kMax = 3 };

}  // namespace gl
