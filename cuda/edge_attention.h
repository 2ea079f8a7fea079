// What edge_attention is made of, on the host and on the device: its arguments, and random numbers for dropout.
#pragma once
#include "edges.h"

namespace gl {

enum Score : int { kGat, kGatv2, kDot };

// One of the ten rounds of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3;
// 2011): random words from a counter and a key alone, so that every pass and every backend draws the same.
constexpr int kRounds = 10;
constexpr uint32_t kKeyStep0 = 0x9E3779B9, kKeyStep1 = 0xBB67AE85;
GL_HD void philox_round(uint32_t& c0, uint32_t& c1, uint32_t& c2, uint32_t& c3, uint32_t key0, uint32_t key1) {
  const uint64_t a = uint64_t(0xD2511F53) * c0, b = uint64_t(0xCD9E8D57) * c2;
  c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ key0;
  c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ key1;
  c1 = static_cast<uint32_t>(b);
  c3 = static_cast<uint32_t>(a);
}

// Weight h of the edge that the user keeps at `place` is dropped where word h % 4 of the counter (place, h / 4) lies
// below `threshold`; those that stay are multiplied by `scale`.
struct Dropout {
  uint32_t key0 = 0, key1 = 0;
  uint64_t threshold = 0;
  double scale = 1;

  GL_HD bool keeps(uint32_t word) const { return word >= threshold; }
  GL_HD bool on() const { return threshold > 0; }
};

// Scores are compared by head: `source` and `target` are (rows, heads, width), `value` is (rows, heads, channels).
template <class T>
struct Attention {
  Score score;
  int64_t heads, width, channels;
  const T *source, *target, *value;
  const T* att;        // (heads, width) for GATv2
  acc_t<T> parameter;  // slope of GAT's and GATv2's LeakyReLU, factor of the dot product
  Dropout dropout;
};

}  // namespace gl
