// Random numbers of samplers: functions of (seed, epoch, batch, relation, hop, node), of no state and no order.
// graphlab/ops/counter_rng.py is the specification and gives the same bits.
#pragma once
#include <bit>
#include <cstdint>

// Sums and products that must round one by one: on some processors compilers fuse them, which changes the bits.
#if defined(__GNUC__) && !defined(__clang__)
#define GL_ROUND_EACH __attribute__((optimize("fp-contract=off")))
#else
#define GL_ROUND_EACH
#endif

namespace gl {

constexpr int64_t kMaxHops = 64;

// The step of SplitMix64.
inline uint64_t mix(uint64_t z) {
  z += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

inline uint64_t tree_key(uint64_t key, uint64_t tree) { return mix(key ^ mix(tree + 1)); }

// The numbers that one node draws in one hop.
class Stream {
 public:
  Stream(uint64_t key, uint64_t relation, uint64_t hop, uint64_t node)
      : start_(mix(key ^ mix((node * kMaxHops + hop) ^ mix(relation)))) {}

  uint64_t at(uint64_t counter) const { return mix(start_ + counter * 0xD1342543DE82EF95); }

  // Each integer below the bound equally likely; the numbers are drawn one after the other.
  int64_t below(uint64_t bound) {
    unsigned __int128 product = product_of(bound);
    if (static_cast<uint64_t>(product) < bound) {
      const uint64_t least = (0 - bound) % bound;
      while (static_cast<uint64_t>(product) < least) product = product_of(bound);
    }
    return static_cast<int64_t>(product >> 64);
  }

 private:
  unsigned __int128 product_of(uint64_t bound) { return static_cast<unsigned __int128>(at(next_++)) * bound; }

  uint64_t start_, next_ = 0;
};

// In [0, 1).
inline double uniform(uint64_t x) { return static_cast<double>(x >> 11) * 0x1p-53; }

// The logarithm of a number in (0, 1], from sums and products alone: libraries round theirs in different ways.
GL_ROUND_EACH inline double log_uniform(uint64_t x) {
#ifdef __clang__
#pragma clang fp contract(off)
#endif
  // The number is m * 2^exponent with m in [1/2, 1), as frexp would say.
  const uint64_t bits = std::bit_cast<uint64_t>(uniform(x) + 0x1p-54);
  int64_t exponent = static_cast<int64_t>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000);
  if (m < 0.7071067811865476) {
    m += m;
    --exponent;
  }
  const double s = (m - 1) / (m + 1), square = s * s;
  double series = 0;
  for (int odd = 23; odd > 0; odd -= 2) {
    series = series * square;
    series = series + 1.0 / odd;
  }
  return static_cast<double>(exponent) * 0.6931471805599453 + (s + s) * series;
}

}  // namespace gl
