// Features of pairs, as many channels at once as the processor works on. Included once per instruction set; no guard.
#include "rows_cpu.h"

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
template <int L, class T>
GL_INLINE typename Lanes<T, L>::type load_lanes(const T* p) {
  return *reinterpret_cast<const typename Lanes<T, L>::loose*>(p);
}
template <int L, class T>
GL_INLINE typename Lanes<T, L>::loose& lanes_at(T* p) {
  return *reinterpret_cast<typename Lanes<T, L>::loose*>(p);
}

// Calls f(lanes, first) so that blocks of channels cover [begin, end), wide ones first.
template <class T, int L, class F>
GL_INLINE void by_lanes(int64_t begin, int64_t end, F f) {
  for (; begin + L <= end; begin += L) f(std::integral_constant<int, L>{}, begin);
  // Half a register of 16 bytes is none.
  if constexpr (L > 1) by_lanes<T, (L * sizeof(T) > 16 ? L / 2 : 1)>(begin, end, f);
}

// Pairs of look-ahead, and the most bytes of each operand that are asked for at a time.
constexpr int64_t kPairsAhead = 32, kAheadBytes = 65536;

// Asks for the rows that will be worked on a while later, as many as this bag has pairs; few, so that they do not drive
// those of this bag out of the caches.
template <class T, class I, class... Rows>
inline void ask_ahead(const BagSquares<I>& bags, const BagPiece& piece, int64_t v, int64_t channels, Rows... rows) {
  const int64_t width = piece.last - piece.first, begin = bags.pair_ptr[v] + kPairsAhead;
  const int64_t size = bags.entries(v), stop = bags.pair_ptr[piece.end];
  if (size * width * static_cast<int64_t>(sizeof(T)) > kAheadBytes) return;
  for (int64_t e = begin; e < begin + size && e < stop; ++e)
    (prefetch(rows + bags.pair[e] * channels + piece.first, width), ...);
}
