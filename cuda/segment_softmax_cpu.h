// CPU loops of the segment softmax family. Included once per instruction set; no include guard.
#include "exp_log_cpu.h"

// Rows are worked on in tiles of about this many values, which stay in the first-level cache.
constexpr int64_t kTile = 2048;

// Calls f(width) with the number of columns, as a constant for narrow rows: loops over 4 columns known to be 4 are
// single instructions. 0 stands for any number. Other precisions are not worth the machine code.
template <class T, class F>
inline void by_width(int64_t d, F f) {
  if constexpr (std::is_same_v<T, float>) {
    if (d == 1) return f(std::integral_constant<int, 1>{});
    if (d == 4) return f(std::integral_constant<int, 4>{});
    if (d == 16) return f(std::integral_constant<int, 16>{});
  }
  f(std::integral_constant<int, 0>{});
}

// into[k] = join(into[k], v[r, k]) over all rows r, in their order.
template <int D, class A, class F>
GL_INLINE void fold_rows(const A* v, int64_t n, int64_t d, A* into, F join) {
  if constexpr (D > 0) {
    A held[D];
    for (int k = 0; k < D; ++k) held[k] = into[k];
    for (int64_t r = 0; r < n; ++r)
      for (int k = 0; k < D; ++k) held[k] = join(held[k], v[r * D + k]);
    for (int k = 0; k < D; ++k) into[k] = held[k];
  } else {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t k = 0; k < d; ++k) into[k] = join(into[k], v[r * d + k]);
  }
}

// v[r, k] = change(v[r, k], by[k]).
template <int D, class A, class F>
GL_INLINE void map_rows(A* __restrict__ v, int64_t n, int64_t d, const A* __restrict__ by, F change) {
  const int64_t width = D > 0 ? D : d;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t k = 0; k < width; ++k) v[r * width + k] = change(v[r * width + k], by[k]);
}

// into[k] += p[r, k] g[r, k] over all rows r, in their order.
template <int D, class A>
GL_INLINE void add_products(const A* __restrict__ p, const A* __restrict__ g, int64_t n, int64_t d,
                            A* __restrict__ into) {
  if constexpr (D > 0) {
    A held[D];
    for (int k = 0; k < D; ++k) held[k] = into[k];
    for (int64_t r = 0; r < n; ++r)
      for (int k = 0; k < D; ++k) held[k] += p[r * D + k] * g[r * D + k];
    for (int k = 0; k < D; ++k) into[k] = held[k];
  } else {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t k = 0; k < d; ++k) into[k] += p[r * d + k] * g[r * d + k];
  }
}

// p[r, k] = g[r, k] - p[r, k] total[k] for a logarithm, else p[r, k] (g[r, k] - total[k]).
template <int D, class A>
GL_INLINE void apply_total(A* __restrict__ p, const A* __restrict__ g, int64_t n, int64_t d, bool log,
                           const A* __restrict__ total) {
  const int64_t width = D > 0 ? D : d;
  if (log) {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t k = 0; k < width; ++k) p[r * width + k] = g[r * width + k] - p[r * width + k] * total[k];
  } else {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t k = 0; k < width; ++k) p[r * width + k] *= g[r * width + k] - total[k];
  }
}

template <class A>
GL_INLINE void exp_all(A* v, int64_t count) {
  for (int64_t k = 0; k < count; ++k) v[k] = exp_of(v[k]);
}

// Brings n rows from position e on together. `later`, where the result will go, is called for in advance.
template <int D, class T>
GL_INLINE void load_rows(const Segments& s, const T* x, int64_t e, int64_t n, int64_t d, acc_t<T>* v,
                      const T* later = nullptr) {
  const int64_t width = D > 0 ? D : d;
  if (!s.perm) {
    for (int64_t k = 0; k < n * width; ++k) v[k] = load(x + e * width + k);
    return;
  }
  constexpr int64_t kAhead = 24;
  for (int64_t r = 0; r < n; ++r) {
    const int64_t next = s.perm[e + r + kAhead < s.length ? e + r + kAhead : s.length - 1] * width;
    for (int64_t k = 0; k < width; k += 64 / static_cast<int64_t>(sizeof(T))) {
      __builtin_prefetch(x + next + k, 0, 3);
      if (later) __builtin_prefetch(later + next + k, 1, 3);
    }
    const T* from = x + s.perm[e + r] * width;
    for (int64_t k = 0; k < width; ++k) v[r * width + k] = load(from + k);
  }
}

template <int D, class T>
GL_INLINE void store_rows(const Segments& s, const acc_t<T>* v, int64_t e, int64_t n, int64_t d, T* out) {
  const int64_t width = D > 0 ? D : d;
  if (!s.perm) {
    for (int64_t k = 0; k < n * width; ++k) store(out + e * width + k, v[k]);
    return;
  }
  for (int64_t r = 0; r < n; ++r) {
    T* to = out + s.perm[e + r] * width;
    for (int64_t k = 0; k < width; ++k) store(to + k, v[r * width + k]);
  }
}

// Calls small(first, last) for runs of groups that fit a tile together, and large(i) for a group that does not fit.
template <class F, class G>
inline void by_tile(const Segments& s, int64_t d, int64_t group_begin, int64_t group_end, F small, G large) {
  const int64_t most = kTile / d;
  for (int64_t i = group_begin; i < group_end;) {
    int64_t last = i;
    while (last < group_end && s.ptr[last + 1] - s.ptr[i] <= most) ++last;
    if (last > i) small(i, last);
    else large(last++);
    i = last;
  }
}

// Calls f(e, n) for pieces of one large group.
template <class F>
inline void by_piece(const Segments& s, int64_t d, int64_t i, F f) {
  const int64_t most = kTile / d > 0 ? kTile / d : 1;
  for (int64_t e = s.ptr[i]; e < s.ptr[i + 1]; e += most) f(e, s.ptr[i + 1] - e < most ? s.ptr[i + 1] - e : most);
}

// Passes over nan, which the sum of exponentials will not: a branch here would cost more than all the rest.
struct Larger {
  template <class A>
  GL_INLINE A operator()(A a, A b) const {
    return b > a ? b : a;
  }
};
struct Plus {
  template <class A>
  GL_INLINE A operator()(A a, A b) const {
    return a + b;
  }
};
struct Minus {
  template <class A>
  GL_INLINE A operator()(A a, A b) const {
    return a - b;
  }
};
struct Times {
  template <class A>
  GL_INLINE A operator()(A a, A b) const {
    return a * b;
  }
};

// What the loops below work in: two tiles, and two numbers per column.
template <class A>
struct Workspace {
  explicit Workspace(int64_t d) : size(d > kTile ? d : kTile), held(2 * size + 2 * d), d(d) {}
  A* tile() { return held.data(); }
  A* other() { return held.data() + size; }
  A* column() { return held.data() + 2 * size; }
  A* other_column() { return held.data() + 2 * size + d; }
  int64_t size;
  std::vector<A> held;
  int64_t d;
};

template <class A>
GL_INLINE void fill(A* v, int64_t count, A value) {
  for (int64_t k = 0; k < count; ++k) v[k] = value;
}

// What the sums of exponentials turn into: what each row is scaled by, or lowered by.
template <class A>
GL_INLINE void finish(A* total, int64_t d, bool log) {
  if (log)
    for (int64_t k = 0; k < d; ++k) total[k] = log_of(total[k]);
  else
    for (int64_t k = 0; k < d; ++k) total[k] = A(1) / total[k];
}

template <class T>
void softmax_of_large(const Segments& s, const T* x, int64_t d, bool log, T* out, int64_t i, Workspace<acc_t<T>>& work) {
  using A = acc_t<T>;
  A *v = work.tile(), *top = work.column(), *total = work.other_column();
  fill(top, d, -std::numeric_limits<A>::infinity());
  fill(total, d, A(0));
  by_piece(s, d, i, [&](int64_t e, int64_t n) {
    load_rows<0>(s, x, e, n, d, v);
    fold_rows<0>(v, n, d, top, Larger{});
  });
  by_piece(s, d, i, [&](int64_t e, int64_t n) {
    load_rows<0>(s, x, e, n, d, v);
    map_rows<0>(v, n, d, top, Minus{});
    exp_all(v, n * d);
    fold_rows<0>(v, n, d, total, Plus{});
  });
  finish(total, d, log);
  by_piece(s, d, i, [&](int64_t e, int64_t n) {
    load_rows<0>(s, x, e, n, d, v);
    map_rows<0>(v, n, d, top, Minus{});
    if (!log) exp_all(v, n * d);
    if (log) map_rows<0>(v, n, d, total, Minus{});
    else map_rows<0>(v, n, d, total, Times{});
    store_rows<0>(s, v, e, n, d, out);
  });
}

template <class T, int D>
void softmax_of_small(const Segments& s, const T* x, int64_t d, bool log, T* out, int64_t first, int64_t last,
                      Workspace<acc_t<T>>& work) {
  using A = acc_t<T>;
  A *v = work.tile(), *top = work.column(), *total = work.other_column();
  const int64_t begin = s.ptr[first], rows = s.ptr[last] - begin;
  load_rows<D>(s, x, begin, rows, d, v, out);
  for (int64_t i = first; i < last; ++i) {
    const int64_t n = s.ptr[i + 1] - s.ptr[i];
    A* own = v + (s.ptr[i] - begin) * d;
    fill(top, d, -std::numeric_limits<A>::infinity());
    fold_rows<D>(own, n, d, top, Larger{});
    map_rows<D>(own, n, d, top, Minus{});
  }
  // The logarithm needs both, what lies above the maximum and its exponential.
  A* powers = log ? work.other() : v;
  if (log) memcpy(powers, v, rows * d * sizeof(A));
  exp_all(powers, rows * d);
  for (int64_t i = first; i < last; ++i) {
    const int64_t n = s.ptr[i + 1] - s.ptr[i], at = (s.ptr[i] - begin) * d;
    fill(total, d, A(0));
    fold_rows<D>(powers + at, n, d, total, Plus{});
    finish(total, d, log);
    if (log) map_rows<D>(v + at, n, d, total, Minus{});
    else map_rows<D>(v + at, n, d, total, Times{});
  }
  store_rows<D>(s, v, begin, rows, d, out);
}

template <class T>
void segment_softmax(const Segments& s, const T* x, int64_t d, bool log, T* out, int64_t group_begin,
                     int64_t group_end) {
  Workspace<acc_t<T>> work(d);
  by_width<T>(d, [&](auto width) {
    constexpr int D = decltype(width)::value;
    by_tile(
        s, d, group_begin, group_end,
        [&](int64_t first, int64_t last) { softmax_of_small<T, D>(s, x, d, log, out, first, last, work); },
        [&](int64_t i) { softmax_of_large(s, x, d, log, out, i, work); });
  });
}

// Softmax: out = y (g - sum g y); log-softmax: out = g - exp(y) sum g.
template <class T>
void segment_softmax_backward(const Segments& s, const T* y, const T* grad, int64_t d, bool log, T* out,
                              int64_t group_begin, int64_t group_end) {
  using A = acc_t<T>;
  Workspace<A> work(d);
  A *p = work.tile(), *g = work.other(), *total = work.column();
  by_width<T>(d, [&](auto constant) {
    constexpr int D = decltype(constant)::value;
    auto load_both = [&](int64_t e, int64_t n) {
      load_rows<D>(s, y, e, n, d, p, out);
      load_rows<D>(s, grad, e, n, d, g);
      if (log) exp_all(p, n * d);
    };
    auto add = [&](int64_t at, int64_t n) {
      if (log) fold_rows<D>(g + at, n, d, total, Plus{});
      else add_products<D>(p + at, g + at, n, d, total);
    };
    auto small = [&](int64_t first, int64_t last) {
      const int64_t begin = s.ptr[first], rows = s.ptr[last] - begin;
      load_both(begin, rows);
      for (int64_t i = first; i < last; ++i) {
        const int64_t at = (s.ptr[i] - begin) * d, n = s.ptr[i + 1] - s.ptr[i];
        fill(total, d, A(0));
        add(at, n);
        apply_total<D>(p + at, g + at, n, d, log, total);
      }
      store_rows<D>(s, p, begin, rows, d, out);
    };
    auto large = [&](int64_t i) {
      fill(total, d, A(0));
      by_piece(s, d, i, [&](int64_t e, int64_t n) {
        load_both(e, n);
        add(0, n);
      });
      by_piece(s, d, i, [&](int64_t e, int64_t n) {
        load_both(e, n);
        apply_total<D>(p, g, n, d, log, total);
        store_rows<D>(s, p, e, n, d, out);
      });
    };
    by_tile(s, d, group_begin, group_end, small, large);
  });
}

template <class T>
void segment_logsumexp(const Segments& s, const T* x, int64_t d, T* out, int64_t group_begin, int64_t group_end) {
  using A = acc_t<T>;
  Workspace<A> work(d);
  A *v = work.tile(), *shift = work.other(), *top = work.column(), *total = work.other_column();
  for (int64_t i = group_begin; i < group_end; ++i) {
    fill(top, d, -std::numeric_limits<A>::infinity());
    fill(total, d, A(0));
    const bool fits = (s.ptr[i + 1] - s.ptr[i]) * d <= kTile;
    by_piece(s, d, i, [&](int64_t e, int64_t n) {
      load_rows<0>(s, x, e, n, d, v);
      fold_rows<0>(v, n, d, top, Larger{});
    });
    for (int64_t k = 0; k < d; ++k) shift[k] = top[k] - top[k] == 0 ? top[k] : A(0);
    by_piece(s, d, i, [&](int64_t e, int64_t n) {
      if (!fits) load_rows<0>(s, x, e, n, d, v);
      map_rows<0>(v, n, d, shift, Minus{});
      exp_all(v, n * d);
      fold_rows<0>(v, n, d, total, Plus{});
    });
    for (int64_t k = 0; k < d; ++k) {
      // An infinity stays one, unless there is a nan.
      const A infinite = total[k] == total[k] ? top[k] : total[k];
      store(out + i * d + k, top[k] - top[k] == 0 ? top[k] + log_of(total[k]) : infinite);
    }
  }
}

// out = exp(x - lse) g; 0 where the group has no finite value.
template <class T>
void segment_logsumexp_backward(const Segments& s, const T* x, const T* lse, const T* grad, int64_t d, T* out,
                                int64_t group_begin, int64_t group_end) {
  using A = acc_t<T>;
  Workspace<A> work(d);
  A *v = work.tile(), *level = work.column(), *g = work.other_column();
  for (int64_t i = group_begin; i < group_end; ++i) {
    for (int64_t k = 0; k < d; ++k) {
      const bool nothing = load(lse + i * d + k) == -std::numeric_limits<A>::infinity();
      level[k] = nothing ? std::numeric_limits<A>::infinity() : load(lse + i * d + k);
      g[k] = nothing ? A(0) : load(grad + i * d + k);
    }
    by_piece(s, d, i, [&](int64_t e, int64_t n) {
      load_rows<0>(s, x, e, n, d, v);
      map_rows<0>(v, n, d, level, Minus{});
      exp_all(v, n * d);
      map_rows<0>(v, n, d, g, Times{});
      store_rows<0>(s, v, e, n, d, out);
    });
  }
}
