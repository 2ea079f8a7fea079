// CPU loops of gather_reduce and its derivatives. Included once per instruction set; no include guard.
#include "rows_cpu.h"

template <class T, class I, int B, bool W>
inline void sum_block(const Edges<T, I>& edges, int64_t begin, int64_t end, const T* x, int64_t d, int64_t first, int width,
                      acc_t<T> scale, T* out) {
  acc_t<T> sum[B];
  for (int k = 0; k < B; ++k) sum[k] = 0;
  for (int64_t e = begin; e < end; ++e) {
    prefetch(ahead(edges, x, d, e, look_ahead<T>(B)) + first, B);
    if (W) prefetch_weight(edges, e);
    const T* row = x + static_cast<int64_t>(edges.index[e]) * d + first;
    const acc_t<T> w = W ? weight_of(edges, e) : acc_t<T>(1);
    if (width == B)
      for (int k = 0; k < B; ++k) sum[k] += W ? w * load(row + k) : load(row + k);
    else
      for (int k = 0; k < width; ++k) sum[k] += W ? w * load(row + k) : load(row + k);
  }
  for (int k = 0; k < width; ++k) store(out + first + k, sum[k] * scale);
}

// The lowest position wins a tie; a nan wins over everything before it, and stays.
template <class T, class I, int B, bool W, bool MAX>
inline void select_block(const Edges<T, I>& edges, int64_t begin, int64_t end, const T* x, int64_t d, int64_t first,
                         int width, T* out, int32_t* arg) {
  using A = acc_t<T>;
  A best[B];
  int32_t at[B];
  for (int k = 0; k < B; ++k) {
    best[k] = MAX ? -std::numeric_limits<A>::infinity() : std::numeric_limits<A>::infinity();
    at[k] = begin < end ? 0 : -1;
  }
  for (int64_t e = begin; e < end; ++e) {
    prefetch(ahead(edges, x, d, e, look_ahead<T>(B)) + first, B);
    if (W) prefetch_weight(edges, e);
    const T* row = x + static_cast<int64_t>(edges.index[e]) * d + first;
    const A w = W ? weight_of(edges, e) : A(1);
    const int32_t local = static_cast<int32_t>(e - begin);
    auto take = [&](int k) {
      const A value = W ? w * load(row + k) : load(row + k);
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
    store(out + first + k, begin < end ? best[k] : A(0));
    arg[first + k] = at[k];
  }
}

// out[i] = scale_i * sum_e w_e x[index_e], scale_i = 1 or 1 / n_i.
template <class T, class I>
void gather_sum(const Edges<T, I>& edges, const T* x, int64_t d, bool mean, T* out, int64_t row_begin, int64_t row_end) {
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1];
    const acc_t<T> scale = mean && end > begin ? acc_t<T>(1) / static_cast<acc_t<T>>(end - begin) : acc_t<T>(1);
    auto block = [&](auto size, int64_t first, int width) {
      constexpr int B = decltype(size)::value;
      if (edges.weight) sum_block<T, I, B, true>(edges, begin, end, x, d, first, width, scale, out + i * d);
      else sum_block<T, I, B, false>(edges, begin, end, x, d, first, width, scale, out + i * d);
    };
    if (d < 16) block(std::integral_constant<int, 16>{}, 0, static_cast<int>(d));
    else by_block(d, [&](auto size, int64_t first) { block(size, first, decltype(size)::value); });
  }
}

template <class T, class I, bool MAX>
void gather_select(const Edges<T, I>& edges, const T* x, int64_t d, T* out, int32_t* arg, int64_t row_begin,
                   int64_t row_end) {
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1];
    auto block = [&](auto size, int64_t first, int width) {
      constexpr int B = decltype(size)::value;
      if (edges.weight) select_block<T, I, B, true, MAX>(edges, begin, end, x, d, first, width, out + i * d, arg + i * d);
      else select_block<T, I, B, false, MAX>(edges, begin, end, x, d, first, width, out + i * d, arg + i * d);
    };
    if (d < 16) block(std::integral_constant<int, 16>{}, 0, static_cast<int>(d));
    else by_block(d, [&](auto size, int64_t first) { block(size, first, decltype(size)::value); });
  }
}

// Over the transposed edges: grad_x[j] = sum_e s_i w_e g[i], grad_w[e] = s_i <g[i], x[j]> with i = index[e].
// `degree` gives s_i = 1 / n_i by the rows of the untransposed structure; null for s_i = 1.
template <class T, class I, int B>
inline void sum_backward_row(const Edges<T, I>& edges, const I* degree, int64_t begin, int64_t end, const T* grad,
                             const T* x, int64_t d, T* grad_x, T* grad_w, acc_t<T>* sum) {
  using A = acc_t<T>;
  A held[B ? B : 1];
  A* total = B ? held : sum;
  const int64_t width = B ? B : d, far = look_ahead<T>(width);
  for (int64_t k = 0; k < width; ++k) total[k] = 0;
  for (int64_t e = begin; e < end; ++e) {
    prefetch(ahead(edges, grad, d, e, far), width);
    prefetch_weight(edges, e);
    if (edges.perm) __builtin_prefetch(grad_w + edges.perm[next_edge(edges, e, 32)], 1, 3);
    const int64_t i = edges.index[e];
    const T* g = grad + i * d;
    const A scale = degree ? A(1) / static_cast<A>(degree[i + 1] - degree[i]) : A(1);
    const int64_t at = place_of(edges, e);
    const A w = scale * load(edges.weight + at);
    A dot[16];
    for (int k = 0; k < 16; ++k) dot[k] = 0;
    int64_t f = 0;
    for (; f + 16 <= width; f += 16)
      for (int k = 0; k < 16; ++k) {
        const A value = load(g + f + k);
        dot[k] += value * load(x + f + k);
        total[f + k] += w * value;
      }
    for (; f < width; ++f) {
      const A value = load(g + f);
      dot[0] += value * load(x + f);
      total[f] += w * value;
    }
    for (int half = 8; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) dot[k] += dot[k + half];
    store(grad_w + at, scale * dot[0]);
  }
  for (int64_t k = 0; k < width; ++k) store(grad_x + k, total[k]);
}

template <class T, class I>
void gather_sum_backward(const Edges<T, I>& edges, const I* degree, const T* grad, const T* x, int64_t d, T* grad_x,
                         T* grad_w, acc_t<T>* sum, int64_t row_begin, int64_t row_end) {
  for (int64_t j = row_begin; j < row_end; ++j) {
    const int64_t begin = edges.ptr[j], end = edges.ptr[j + 1];
    auto row = [&](auto size) {
      constexpr int B = decltype(size)::value;
      sum_backward_row<T, I, B>(edges, degree, begin, end, grad, x + j * d, d, grad_x + j * d, grad_w, sum);
    };
    switch (d) {
      case 16: row(std::integral_constant<int, 16>{}); break;
      case 32: row(std::integral_constant<int, 32>{}); break;
      case 64: row(std::integral_constant<int, 64>{}); break;
      case 128: row(std::integral_constant<int, 128>{}); break;
      default: row(std::integral_constant<int, 0>{});
    }
  }
}

// grad_x[j] = sum_e s_i w_e g[i] over the transposed edges, for a mean whose rows have n_i = degree edges.
template <class T, class I>
void gather_mean_backward(const Edges<T, I>& edges, const I* degree, const T* grad, int64_t d, T* grad_x, acc_t<T>* sum,
                          int64_t row_begin, int64_t row_end) {
  const int64_t far = look_ahead<T>(d);
  for (int64_t j = row_begin; j < row_end; ++j) {
    for (int64_t k = 0; k < d; ++k) sum[k] = 0;
    for (int64_t e = edges.ptr[j]; e < edges.ptr[j + 1]; ++e) {
      prefetch(ahead(edges, grad, d, e, far), d);
      const int64_t i = edges.index[e];
      const acc_t<T> scale = acc_t<T>(1) / static_cast<acc_t<T>>(degree[i + 1] - degree[i]);
      const acc_t<T> w = scale * weight_of(edges, e);
      for (int64_t k = 0; k < d; ++k) sum[k] += w * load(grad + i * d + k);
    }
    for (int64_t k = 0; k < d; ++k) store(grad_x + j * d + k, sum[k]);
  }
}

// out[i, f] = w_e x[index_e, f] at the edge e = ptr[i] + arg[i, f]; 0 where arg is -1.
template <class T, class I>
void arg_gather(const Edges<T, I>& edges, const T* x, const int32_t* arg, int64_t d, T* out, int64_t row_begin,
                int64_t row_end) {
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i];
    if (i + 1 < row_end)
      for (int64_t e = edges.ptr[i + 1]; e < edges.ptr[i + 2]; ++e) prefetch(x + static_cast<int64_t>(edges.index[e]) * d, d);
    for (int64_t f = 0; f < d; ++f) {
      const int64_t local = arg[i * d + f];
      acc_t<T> value = 0;
      if (local >= 0) {
        value = load(x + static_cast<int64_t>(edges.index[begin + local]) * d + f);
        if (edges.weight) value *= weight_of(edges, begin + local);
      }
      store(out + i * d + f, value);
    }
  }
}

// grad_x[index_e, f] += w_e g[i, f] at e = ptr[i] + arg[i, f], for the columns [first, last) alone: threads share columns
// out among them, so that each sum has one owner and one order.
template <class T, class I>
void arg_scatter(const Edges<T, I>& edges, int64_t rows, const T* grad, const int32_t* arg, int64_t d,
                 acc_t<T>* grad_x, int64_t first, int64_t last) {
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t begin = edges.ptr[i];
    if (i + 2 < rows)
      for (int64_t e = edges.ptr[i + 2]; e < edges.ptr[i + 3 <= rows ? i + 3 : rows]; ++e)
        prefetch(grad_x + static_cast<int64_t>(edges.index[e]) * d + first, last - first);
    for (int64_t f = first; f < last; ++f) {
      const int64_t local = arg[i * d + f];
      if (local < 0) continue;
      acc_t<T> value = load(grad + i * d + f);
      if (edges.weight) value *= weight_of(edges, begin + local);
      grad_x[static_cast<int64_t>(edges.index[begin + local]) * d + f] += value;
    }
  }
}

// grad_w[e] = sum of g[i, f] x[index_e, f] over the columns f that chose e; grad_w starts at zero.
template <class T, class I>
void arg_scatter_weight(const Edges<T, I>& edges, const T* grad, const int32_t* arg, const T* x, int64_t d,
                        acc_t<T>* grad_w, int64_t row_begin, int64_t row_end) {
  for (int64_t i = row_begin; i < row_end; ++i) {
    if (i + 2 < row_end)
      for (int64_t e = edges.ptr[i + 2]; e < edges.ptr[i + 3]; ++e) prefetch(x + static_cast<int64_t>(edges.index[e]) * d, d);
    for (int64_t f = 0; f < d; ++f) {
      const int64_t local = arg[i * d + f], e = edges.ptr[i] + local;
      if (local < 0) continue;
      const int64_t at = place_of(edges, e);
      grad_w[at] += load(grad + i * d + f) * load(x + static_cast<int64_t>(edges.index[e]) * d + f);
    }
  }
}
