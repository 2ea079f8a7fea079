// CPU loops of bag_sums and bag_spread. Included once per instruction set; no include guard.
#include "lanes_cpu.h"

// Of each place of a bag: what its pair with itself has, the sum of its row, the sum of its column.
template <class T, class I>
void bag_sums(const BagSquares<I>& bags, const BagWeights<T>& w, int64_t channels, const T* x, T* y,
              const BagPiece& piece) {
  for (int64_t v = piece.begin; v < piece.end; ++v) {
    const int64_t m = bags.size(v);
    const I* pair = bags.pair + bags.pair_ptr[v];
    ask_ahead<T>(bags, piece, v, channels, x);
    by_lanes<T, kVectorBytes / sizeof(T)>(piece.first, piece.last, [&](auto lanes, int64_t c) {
      constexpr int L = decltype(lanes)::value;
      using V = typename Lanes<T, L>::type;
      T* to = y + bags.ptr[v] * 3 * channels + c;
      for (int64_t p = 0; p < m; ++p) {
        V row{};
        for (int64_t q = 0; q < m; ++q) {
          const I k = pair[p * m + q];
          const V value = w.of_pair(k) * load_lanes<L>(x + k * channels + c);
          row += value;
          V before{};
          if (p > 0) before = load_lanes<L>(to + (3 * q + 2) * channels);
          lanes_at<L>(to + (3 * q + 2) * channels) = before + value;
          if (p == q) lanes_at<L>(to + 3 * p * channels) = w.of_bag(v, 0) * value;
        }
        lanes_at<L>(to + (3 * p + 1) * channels) = w.of_bag(v, 1) * row;
      }
      for (int64_t q = 0; q < m; ++q) lanes_at<L>(to + (3 * q + 2) * channels) *= w.of_bag(v, 2);
    });
  }
}

// To each pair of a bag: what its row and its column have, and that of a place to its pair with itself.
template <class T, class I>
void bag_spread(const BagSquares<I>& bags, const BagWeights<T>& w, int64_t channels, const T* y, T* out,
                const BagPiece& piece) {
  for (int64_t v = piece.begin; v < piece.end; ++v) {
    const int64_t m = bags.size(v);
    const I* pair = bags.pair + bags.pair_ptr[v];
    ask_ahead<T>(bags, piece, v, channels, out);
    by_lanes<T, kVectorBytes / sizeof(T)>(piece.first, piece.last, [&](auto lanes, int64_t c) {
      constexpr int L = decltype(lanes)::value;
      using V = typename Lanes<T, L>::type;
      const T* from = y + bags.ptr[v] * 3 * channels + c;
      for (int64_t p = 0; p < m; ++p) {
        const V row = w.of_bag(v, 1) * load_lanes<L>(from + (3 * p + 1) * channels);
        for (int64_t q = 0; q < m; ++q) {
          const I k = pair[p * m + q];
          V value = row + w.of_bag(v, 2) * load_lanes<L>(from + (3 * q + 2) * channels);
          if (p == q) value += w.of_bag(v, 0) * load_lanes<L>(from + 3 * p * channels);
          lanes_at<L>(out + k * channels + c) += w.of_pair(k) * value;
        }
      }
    });
  }
}
