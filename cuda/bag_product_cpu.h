// CPU loops of bag_product. Included once per instruction set; no include guard.
#include "rows_cpu.h"

// Pairs of look-ahead, and the most bytes of each operand that are asked for at a time.
constexpr int64_t kPairsAhead = 32, kAheadBytes = 65536;

// L channels, which the processor works on at once.
template <class T, int L>
struct Lanes {
  typedef T type __attribute__((vector_size(L * sizeof(T))));
  typedef T loose __attribute__((vector_size(L * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T>
struct Lanes<T, 1> {
  typedef T type;
  typedef T loose;
};

// Sums held at once: 4 x 4 where there are 32 registers, 4 x 3 where there are 16.
constexpr int kTileRows = 4;
constexpr int kTileColumns = kVectorBytes == 64 ? 4 : 3;

// Where the features of a bag's pairs begin: of a with a column of the square after the other, of b and out by rows.
struct BagPlaces {
  const int64_t *a, *b, *out;
  int64_t size;
};

// out(p, q) += w sum_k a(p, k) b(k, q) for R rows and Q columns of a bag's square from (p, q) on.
template <class T, int L, int R, int Q>
inline void product_tile(const BagPlaces& at, int64_t p, int64_t q, const T* a, const T* b, T w, T* out) {
  using V = typename Lanes<T, L>::type;
  using Loose = typename Lanes<T, L>::loose;
  V sum[R][Q];
#pragma GCC unroll 4
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Q; ++j) sum[i][j] = V{};
  const int64_t *left = at.a + p, *right = at.b + q;
  for (int64_t k = 0; k < at.size; ++k) {
    V of_b[Q];
#pragma GCC unroll 4
    for (int j = 0; j < Q; ++j) of_b[j] = *reinterpret_cast<const Loose*>(b + right[j]);
#pragma GCC unroll 4
    for (int i = 0; i < R; ++i) {
      const V of_a = *reinterpret_cast<const Loose*>(a + left[i]);
#pragma GCC unroll 4
      for (int j = 0; j < Q; ++j) sum[i][j] += of_a * of_b[j];
    }
    left += at.size;
    right += at.size;
  }
#pragma GCC unroll 4
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Q; ++j) {
      Loose* to = reinterpret_cast<Loose*>(out + at.out[(p + i) * at.size + q + j]);
      *to += w * sum[i][j];
    }
}

template <int N, class F>
GL_INLINE void by_extent(int64_t n, F f) {
  if constexpr (N > 1)
    if (n < N) return by_extent<N - 1>(n, f);
  f(std::integral_constant<int, N>{});
}

// All of a bag, for L channels. Columns outside: a strip of b then stays in the cache nearest to the processor.
template <class T, int L>
inline void product_square(const BagPlaces& at, const T* a, const T* b, T w, T* out) {
  const int64_t m = at.size, rows = (m + kTileRows - 1) / kTileRows, columns = (m + kTileColumns - 1) / kTileColumns;
  // About equally large tiles: one of 3 and one of 2 for 5.
  for (int64_t y = 0; y < columns; ++y) {
    const int64_t q = m * y / columns;
    by_extent<kTileColumns>(m * (y + 1) / columns - q, [&](auto width) {
      for (int64_t x = 0; x < rows; ++x) {
        const int64_t p = m * x / rows;
        by_extent<kTileRows>(m * (x + 1) / rows - p, [&](auto height) {
          product_tile<T, L, decltype(height)::value, decltype(width)::value>(at, p, q, a, b, w, out);
        });
      }
    });
  }
}

// Calls f(lanes, first) so that blocks of channels cover [begin, end), wide ones first.
template <class T, int L, class F>
GL_INLINE void by_lanes(int64_t begin, int64_t end, F f) {
  for (; begin + L <= end; begin += L) f(std::integral_constant<int, L>{}, begin);
  // Half a register of 16 bytes is none.
  if constexpr (L > 1) by_lanes<T, (L * sizeof(T) > 16 ? L / 2 : 1)>(begin, end, f);
}

// Asks for what a while later will be read of as many pairs as this bag has; of few, so that it does not drive this bag
// out of the caches.
template <class T, class I>
inline void ask_ahead(const BagProduct<T, I>& f, const BagPiece& piece, int64_t v) {
  const int64_t width = piece.last - piece.first, begin = f.pair_ptr[v] + kPairsAhead;
  const int64_t size = f.pair_ptr[v + 1] - f.pair_ptr[v], stop = f.pair_ptr[piece.end];
  if (size * width * static_cast<int64_t>(sizeof(T)) > kAheadBytes) return;
  for (int64_t e = begin; e < begin + size && e < stop; ++e) {
    const int64_t row = f.pair[e] * f.channels + piece.first;
    prefetch(f.a + row, width);
    prefetch(f.b + row, width);
    prefetch(f.out + row, width);
  }
}

template <class T, class I>
void bag_product(const BagProduct<T, I>& f, const BagPiece& piece, std::vector<int64_t>& scratch) {
  for (int64_t v = piece.begin; v < piece.end; ++v) {
    const int64_t m = f.ptr[v + 1] - f.ptr[v], size = m * m;
    ask_ahead(f, piece, v);
    if (static_cast<int64_t>(scratch.size()) < 2 * size) scratch.resize(2 * size);
    int64_t *straight = scratch.data(), *turned = straight + size;
    const I* pair = f.pair + f.pair_ptr[v];
    for (int64_t p = 0; p < m; ++p)
      for (int64_t q = 0; q < m; ++q) straight[p * m + q] = turned[q * m + p] = pair[p * m + q] * f.channels;
    const BagPlaces at{f.transpose_a ? straight : turned, f.transpose_b ? turned : straight, straight, m};
    const T w = f.weight ? f.weight[v] : T(1);
    by_lanes<T, kVectorBytes / sizeof(T)>(piece.first, piece.last, [&](auto lanes, int64_t c) {
      product_square<T, decltype(lanes)::value>(at, f.a + c, f.b + c, w, f.out + c);
    });
  }
}
