// What the loops of bag_product get to know: bags of pairs, and the features of all pairs.
#pragma once
#include <cstdint>

namespace gl {

// The pairs of bag v are the square pair[pair_ptr[v]], ..., row by row; without weight each bag weighs 1.
template <class T, class I>
struct BagProduct {
  const int64_t *ptr, *pair_ptr;
  const I* pair;
  const T *weight, *a, *b;
  bool transpose_a, transpose_b;
  int64_t channels;
  T* out;
};

// Bags and channels that one thread works on: from the first on, before the second.
struct BagPiece {
  int64_t begin, end, first, last;
};

}  // namespace gl
