// CPU loops of segment_reduce and its derivatives. Included once per instruction set; no include guard.
#include "rows_cpu.h"

// Rows of look-ahead where rows are read in another order than they stand in.
constexpr int64_t kRowsAhead = 16;

template <class T>
inline const T* row_of(const Segments& s, const T* x, int64_t d, int64_t e) {
  if (!s.perm) return x + e * d;
  // Of numbers the processor has enough on their way by itself.
  if (d > 1) prefetch(x + s.perm[e + kRowsAhead < s.length ? e + kRowsAhead : s.length - 1] * d, d);
  return x + s.perm[e] * d;
}

// Calls f(block, first, width) for blocks of 64 and 16 columns; narrower rows are one block that is not full, unless
// they are numbers.
template <class F>
inline void by_columns(int64_t d, F f) {
  if (d == 1) return f(std::integral_constant<int, 1>{}, int64_t{0}, 1);
  if (d < 16) return f(std::integral_constant<int, 16>{}, int64_t{0}, static_cast<int>(d));
  int64_t at = 0;
  for (; at + 64 <= d; at += 64) f(std::integral_constant<int, 64>{}, at, 64);
  for (; at + 16 <= d; at += 16) f(std::integral_constant<int, 16>{}, at, 16);
  if (at < d) f(std::integral_constant<int, 16>{}, d - 16, 16);
}

template <class T, int B, bool MUL>
inline void fold_block(const Segments& s, int64_t begin, int64_t end, const T* x, int64_t d, int64_t first, int width,
                       bool mean, T* out) {
  using A = acc_t<T>;
  A total[B];
  for (int k = 0; k < B; ++k) total[k] = MUL ? 1 : 0;
  for (int64_t e = begin; e < end; ++e) {
    const T* row = row_of(s, x, d, e) + first;
    if (width == B)
      for (int k = 0; k < B; ++k) total[k] = MUL ? total[k] * load(row + k) : total[k] + load(row + k);
    else
      for (int k = 0; k < width; ++k) total[k] = MUL ? total[k] * load(row + k) : total[k] + load(row + k);
  }
  const A scale = mean && end > begin ? A(1) / static_cast<A>(end - begin) : A(1);
  for (int k = 0; k < width; ++k) store(out + first + k, total[k] * scale);
}

// The lowest position wins a tie; a nan wins over everything before it, and stays.
template <class T, int B, bool MAX>
inline void choose_block(const Segments& s, int64_t begin, int64_t end, const T* x, int64_t d, int64_t first, int width,
                         T* out, int32_t* arg) {
  using A = acc_t<T>;
  A best[B];
  int32_t at[B];
  const T* row = begin < end ? row_of(s, x, d, begin) + first : nullptr;
  for (int k = 0; k < B; ++k) {
    best[k] = row && k < width ? load(row + k) : A(0);
    at[k] = row ? 0 : -1;
  }
  for (int64_t e = begin + 1; e < end; ++e) {
    row = row_of(s, x, d, e) + first;
    const int32_t local = static_cast<int32_t>(e - begin);
    auto take = [&](int k) {
      const A value = load(row + k);
      const bool wins = !(MAX ? value <= best[k] : value >= best[k]) & (best[k] == best[k]);
      best[k] = wins ? value : best[k];
      at[k] = wins ? local : at[k];
    };
    if (width == B)
      for (int k = 0; k < B; ++k) take(k);
    else
      for (int k = 0; k < width; ++k) take(k);
  }
  for (int k = 0; k < width; ++k) {
    store(out + first + k, best[k]);
    arg[first + k] = at[k];
  }
}

// Sums, means and products: one pass over each group's rows.
template <class T>
void segment_fold(const Segments& s, const T* x, int64_t d, bool mul, bool mean, T* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    by_columns(d, [&](auto size, int64_t first, int width) {
      constexpr int B = decltype(size)::value;
      if (mul) fold_block<T, B, true>(s, s.ptr[i], s.ptr[i + 1], x, d, first, width, false, out + i * d);
      else fold_block<T, B, false>(s, s.ptr[i], s.ptr[i + 1], x, d, first, width, mean, out + i * d);
    });
}

template <class T>
void segment_choose(const Segments& s, const T* x, int64_t d, bool max, T* out, int32_t* arg, int64_t begin,
                    int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    by_columns(d, [&](auto size, int64_t first, int width) {
      constexpr int B = decltype(size)::value;
      if (max) choose_block<T, B, true>(s, s.ptr[i], s.ptr[i + 1], x, d, first, width, out + i * d, arg + i * d);
      else choose_block<T, B, false>(s, s.ptr[i], s.ptr[i + 1], x, d, first, width, out + i * d, arg + i * d);
    });
}

// out[e] = y[i], or y[i] / n_i, for each row e of group i.
template <class T>
void segment_spread(const Segments& s, const T* y, int64_t d, bool mean, T* out, int64_t begin, int64_t end) {
  using A = acc_t<T>;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t first = s.ptr[i], last = s.ptr[i + 1];
    const A scale = mean && last > first ? A(1) / static_cast<A>(last - first) : A(1);
    for (int64_t e = first; e < last; ++e) {
      T* to = out + row_at(s, e) * d;
      for (int64_t k = 0; k < d; ++k) store(to + k, load(y + i * d + k) * scale);
    }
  }
}

// out[i, f] = x[e, f] at the row e that group i chose; 0 where it chose none.
template <class T>
void segment_arg_gather(const Segments& s, const T* x, const int32_t* arg, int64_t d, T* out, int64_t begin,
                        int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    for (int64_t k = 0; k < d; ++k) {
      const int32_t local = arg[i * d + k];
      store(out + i * d + k, local < 0 ? acc_t<T>(0) : load(x + row_at(s, s.ptr[i] + local) * d + k));
    }
}

// out[e, f] = y[i, f] at the row e that group i chose, 0 at its other rows.
template <class T>
void segment_arg_scatter(const Segments& s, const T* y, const int32_t* arg, int64_t d, T* out, int64_t begin,
                         int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    for (int64_t e = s.ptr[i]; e < s.ptr[i + 1]; ++e) {
      T* to = out + row_at(s, e) * d;
      const int32_t local = static_cast<int32_t>(e - s.ptr[i]);
      for (int64_t k = 0; k < d; ++k)
        store(to + k, arg[i * d + k] == local ? load(y + i * d + k) : acc_t<T>(0));
    }
}

// out[e] = y[i] times the product of the group's other rows: those before it, then those after it. No division: zeros
// are values like any other.
template <class T>
void segment_mul_backward(const Segments& s, const T* y, const T* x, int64_t d, T* out, acc_t<T>* product,
                          int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t k = 0; k < d; ++k) product[k] = 1;
    for (int64_t e = s.ptr[i]; e < s.ptr[i + 1]; ++e) {
      const int64_t at = row_at(s, e) * d;
      for (int64_t k = 0; k < d; ++k) {
        store(out + at + k, product[k]);
        product[k] *= load(x + at + k);
      }
    }
    for (int64_t k = 0; k < d; ++k) product[k] = load(y + i * d + k);
    for (int64_t e = s.ptr[i + 1] - 1; e >= s.ptr[i]; --e) {
      const int64_t at = row_at(s, e) * d;
      for (int64_t k = 0; k < d; ++k) {
        store(out + at + k, load(out + at + k) * product[k]);
        product[k] *= load(x + at + k);
      }
    }
  }
}
