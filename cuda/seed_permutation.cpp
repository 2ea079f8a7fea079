// A permutation of range(n) that no one holds: each value is computed from its position.
#include <bit>

#include "counter_rng.h"
#include "library.h"

namespace gl {
namespace {

constexpr int kRounds = 6;
// On fewer bits than these the permutations of a few items are not equally likely.
constexpr int kMinBits = 8;

// A balanced Feistel network on an even number of bits; what leaves [0, n) goes through it again.
class Permutation {
 public:
  Permutation(uint64_t n, uint64_t key) : n_(n) {
    half_ = (std::max<int>(kMinBits, n > 1 ? std::bit_width(n - 1) : 0) + 1) / 2;
    mask_ = (uint64_t{1} << half_) - 1;
    for (int round = 0; round < kRounds; ++round) keys_[round] = mix(key ^ mix(round));
  }

  uint64_t operator()(uint64_t position) const {
    do position = scramble(position);
    while (position >= n_);
    return position;
  }

 private:
  uint64_t scramble(uint64_t word) const {
    uint64_t left = word >> half_, right = word & mask_;
    for (const uint64_t key : keys_) {
      const uint64_t next = left ^ (mix(key ^ right) & mask_);
      left = right;
      right = next;
    }
    return left << half_ | right;
  }

  uint64_t n_, mask_, keys_[kRounds];
  int half_;
};

// Values start .. stop - 1 of the permutation of range(n) that the key names.
Tensor seed_permutation(int64_t n, int64_t key, int64_t start, int64_t stop) {
  STD_TORCH_CHECK(0 <= start && start <= stop && stop <= n, "'start' and 'stop' must be ordered in [0, ", n, "], got ",
                  start, " and ", stop);
  Tensor out = torch::stable::empty({stop - start}, ScalarType::Long);
  int64_t* values = mutable_data<int64_t>(out);
  const Permutation permutation(n, key);
  parallel(stop - start, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) values[i] = permutation(start + i);
  });
  return out;
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("seed_permutation(int n, int key, int start, int stop) -> Tensor");
}

// No argument is a tensor whose device could choose the kernel.
STABLE_TORCH_LIBRARY_IMPL(graphlab, CompositeExplicitAutograd, m) {
  m.impl("seed_permutation", TORCH_BOX(&gl::seed_permutation));
}
