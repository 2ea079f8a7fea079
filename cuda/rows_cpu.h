// Inner loops over one row of features, shared by the CPU kernels. Included once per instruction set; no include guard.

// How many edges ahead a row is asked for, so that 16 KB are on their way from memory while a row is added: a third to
// a half of the first-level cache, and enough for random reads to overlap.
template <class T>
constexpr int64_t look_ahead(int64_t columns) {
  const int64_t rows = 16384 / (columns * static_cast<int64_t>(sizeof(T)) + 1);
  return rows < 8 ? 8 : rows > 64 ? 64 : rows;
}

template <class T>
inline void prefetch(const T* p, int64_t count) {
  const char* c = reinterpret_cast<const char*>(p);
  for (int64_t k = 0; k < count * static_cast<int64_t>(sizeof(T)); k += 64) __builtin_prefetch(c + k, 0, 3);
}

// Calls f(block, first) so that blocks of 128, 64, 32 and 16 columns cover [0, d). The last block may reach back over
// columns that are done: they get the same value again. Rows narrower than 16 columns are left to the caller.
template <class F>
inline void by_block(int64_t d, F f) {
  int64_t at = 0;
  for (; at + 128 <= d; at += 128) f(std::integral_constant<int, 128>{}, at);
  for (; at + 64 <= d; at += 64) f(std::integral_constant<int, 64>{}, at);
  for (; at + 32 <= d; at += 32) f(std::integral_constant<int, 32>{}, at);
  for (; at + 16 <= d; at += 16) f(std::integral_constant<int, 16>{}, at);
  if (at < d) f(std::integral_constant<int, 16>{}, d - 16);
}

// The edge a few positions further on.
template <class T, class I>
inline int64_t next_edge(const Edges<T, I>& edges, int64_t e, int64_t far) {
  return e + far < edges.count ? e + far : edges.count - 1;
}

// The row of x that the edge a few positions further on will read.
template <class T, class I>
inline const T* ahead(const Edges<T, I>& edges, const T* x, int64_t d, int64_t e, int64_t far = 32) {
  return x + static_cast<int64_t>(edges.index[next_edge(edges, e, far)]) * d;
}

// Weights in the user's order are read at random, too.
template <class T, class I>
inline void prefetch_weight(const Edges<T, I>& edges, int64_t e, int64_t far = 32) {
  if (edges.perm) __builtin_prefetch(edges.weight + edges.perm[next_edge(edges, e, far)], 0, 3);
}
