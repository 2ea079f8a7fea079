// Inner loops over one row of features, shared by the CPU kernels. Included once per instruction set; no include guard.

// Edges of look-ahead: the next rows are on their way from memory while this one is added.
constexpr int64_t kAhead = 8;

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

// The row of x that the edge a few positions further on will read.
template <class T, class I>
inline const T* ahead(const Edges<T, I>& edges, const T* x, int64_t d, int64_t e) {
  const int64_t next = e + kAhead < edges.count ? e + kAhead : edges.count - 1;
  return x + static_cast<int64_t>(edges.index[next]) * d;
}
