// CPU loops of multi_reduce and its gradient. Included once per instruction set; no include guard.
#include "rows_cpu.h"

// Edges after which the centre of a row's deviations is moved to their mean, first and then at every doubling: with it
// the squares never sum up to more than twice what is left of them, however the values lie.
constexpr int64_t kRecentre = 16;

// As many columns as four registers of floats hold: each has up to seven numbers to follow from edge to edge.
constexpr int kColumns = kVectorBytes;

// Calls f(block, first) so that blocks of kColumns and 16 columns cover [0, d), d >= 16. The last one may reach back over
// columns that are done: they get the same values again.
template <class F>
inline void by_columns(int64_t d, F f) {
  int64_t at = 0;
  for (; at + kColumns <= d; at += kColumns) f(std::integral_constant<int, kColumns>{}, at);
  for (; at < d; at += 16) f(std::integral_constant<int, 16>{}, at + 16 <= d ? at : d - 16);
}

// What the edges of one row come to, for a block of columns.
template <class A>
struct Gathered {
  A total[kColumns], mean[kColumns], var[kColumns], low[kColumns], high[kColumns];
  int32_t at_low[kColumns], at_high[kColumns];
};

// MOMENTS: 0 none, 1 sums, 2 sums and squared deviations. SELECT: 0 none, 1 the maximum of sign * x, 2 minimum and
// maximum. Without FULL the block has `width` columns. `x` begins at the block's first column; the row has edges.
template <class T, class I, int B, bool FULL, int MOMENTS, int SELECT>
inline void multi_block(const Edges<T, I>& edges, int64_t begin, int64_t end, const T* x, int64_t d, int width,
                        acc_t<T> sign, Gathered<acc_t<T>>& result) {
  using A = acc_t<T>;
  const int columns = FULL ? B : width;
  const int64_t far = look_ahead<T>(columns);
  A total[B], centre[B], sum[B], square[B], low[B], high[B];
  int32_t at_low[B], at_high[B];
  const T* row = x + static_cast<int64_t>(edges.index[begin]) * d;
  for (int k = 0; k < columns; ++k) {
    const A value = load(row + k);
    if (MOMENTS > 0) total[k] = value;
    // Zero, but nan where the value is no number.
    if (MOMENTS == 2) centre[k] = value, sum[k] = square[k] = value - value;
    if (SELECT == 2) low[k] = value, at_low[k] = 0;
    if (SELECT > 0) high[k] = SELECT == 1 ? sign * value : value, at_high[k] = 0;
  }
  for (int64_t e = begin + 1, count = kRecentre; e < end; count *= 2) {
    const int64_t stop = MOMENTS == 2 && begin + count < end ? begin + count : end;
    for (; e < stop; ++e) {
      prefetch(ahead(edges, x, d, e, far), columns);
      row = x + static_cast<int64_t>(edges.index[e]) * d;
      const int32_t local = static_cast<int32_t>(e - begin);
      for (int k = 0; k < columns; ++k) {
        const A value = load(row + k);
        if (MOMENTS > 0) total[k] += value;
        if (MOMENTS == 2) {
          const A away = value - centre[k];
          sum[k] += away;
          square[k] += away * away;
        }
        // The lowest position wins a tie; a nan wins over everything before it, and stays.
        if (SELECT > 0) {
          const A candidate = SELECT == 1 ? sign * value : value;
          const bool open = high[k] == high[k];
          const bool wins = !(candidate <= high[k]) & open;
          high[k] = wins ? candidate : high[k];
          at_high[k] = wins ? local : at_high[k];
          if (SELECT == 2) {
            const bool loses = !(candidate >= low[k]) & open;
            low[k] = loses ? candidate : low[k];
            at_low[k] = loses ? local : at_low[k];
          }
        }
      }
    }
    if (MOMENTS == 2 && e < end) {
      const A n = static_cast<A>(e - begin);
      for (int k = 0; k < columns; ++k) {
        const A moved = centre[k] + sum[k] / n, step = moved - centre[k];
        square[k] -= step * (2 * sum[k] - n * step);
        sum[k] -= n * step;
        centre[k] = moved;
      }
    }
  }
  const A share = A(1) / static_cast<A>(end - begin);
  for (int k = 0; k < columns; ++k) {
    if (MOMENTS > 0) result.total[k] = total[k];
    if (MOMENTS == 2) {
      const A shift = sum[k] * share, var = square[k] * share - shift * shift;
      result.mean[k] = centre[k] + shift;
      result.var[k] = var < 0 ? 0 : var;
    }
    if (SELECT > 0) result.high[k] = high[k], result.at_high[k] = at_high[k];
    if (SELECT == 2) result.low[k] = low[k], result.at_low[k] = at_low[k];
  }
}

// Writes what was asked of the columns from `first` on.
template <class T>
void multi_write(const Gathered<acc_t<T>>& result, int columns, int64_t count, acc_t<T> sign, bool both, int64_t i,
                 int64_t d, int64_t first, const Aggregates<T>& out, const MultiSaved<T>& saved) {
  using A = acc_t<T>;
  const A share = A(1) / static_cast<A>(count);
  const int64_t at = i * out.stride + first, place = i * d + first;
  if (out.sum)
    for (int k = 0; k < columns; ++k) store(out.sum + at + k, result.total[k]);
  if (out.mean)
    for (int k = 0; k < columns; ++k) store(out.mean + at + k, result.total[k] * share);
  if (out.var)
    for (int k = 0; k < columns; ++k) store(out.var + at + k, result.var[k]);
  if (out.std)
    for (int k = 0; k < columns; ++k) {
      const A root = std::sqrt(result.var[k]);
      store(out.std + at + k, root <= static_cast<A>(kLeastStd) ? A(0) : root);
    }
  if (saved.mean)
    for (int k = 0; k < columns; ++k) saved.mean[place + k] = result.mean[k];
  auto put = [&](T* to, int32_t* arg, const A* value, const int32_t* chosen) {
    if (!to) return;
    for (int k = 0; k < columns; ++k) store(to + at + k, sign * value[k]);
    for (int k = 0; k < columns; ++k) arg[place + k] = chosen[k];
  };
  put(out.max, saved.argmax, result.high, result.at_high);
  put(out.min, saved.argmin, both ? result.low : result.high, both ? result.at_low : result.at_high);
}

template <class T>
inline void multi_empty_row(int64_t d, int64_t i, const Aggregates<T>& out, const MultiSaved<T>& saved) {
  for (T* to : {out.sum, out.mean, out.var, out.std, out.min, out.max})
    if (to)
      for (int64_t k = 0; k < d; ++k) store(to + i * out.stride + k, acc_t<T>(0));
  if (saved.mean)
    for (int64_t k = 0; k < d; ++k) saved.mean[i * d + k] = 0;
  for (int32_t* arg : {saved.argmin, saved.argmax})
    if (arg)
      for (int64_t k = 0; k < d; ++k) arg[i * d + k] = -1;
}

template <class T, class I, bool NARROW, int MOMENTS, int SELECT>
void multi_rows(const Edges<T, I>& edges, const T* x, int64_t d, const Aggregates<T>& out, const MultiSaved<T>& saved,
                int64_t row_begin, int64_t row_end) {
  const acc_t<T> sign = SELECT == 1 && out.min ? -1 : 1;
  Gathered<acc_t<T>> result;
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1];
    if (begin == end) {
      multi_empty_row(d, i, out, saved);
      continue;
    }
    auto block = [&](auto size, auto full, int64_t first, int width) {
      multi_block<T, I, decltype(size)::value, decltype(full)::value, MOMENTS, SELECT>(edges, begin, end, x + first, d,
                                                                                       width, sign, result);
      multi_write(result, width, end - begin, sign, SELECT == 2, i, d, first, out, saved);
    };
    if constexpr (NARROW) block(std::integral_constant<int, 16>{}, std::false_type{}, 0, static_cast<int>(d));
    else by_columns(d, [&](auto size, int64_t first) { block(size, std::true_type{}, first, decltype(size)::value); });
  }
}

// All the aggregates that `out` asks for, in one pass over the edges. To compile in reasonable time there is one loop for
// everything in narrow rows, in double precision, and for the 64-bit indices that only huge graphs need.
template <class T, class I>
void multi_reduce(const Edges<T, I>& edges, const T* x, int64_t d, const Aggregates<T>& out, const MultiSaved<T>& saved,
                  int64_t row_begin, int64_t row_end) {
  const int moments = out.var || out.std ? 2 : out.sum || out.mean ? 1 : 0;
  const int select = (out.min ? 1 : 0) + (out.max ? 1 : 0);
  auto run = [&](auto rows) { rows(edges, x, d, out, saved, row_begin, row_end); };
  if (d < 16) return run(multi_rows<T, I, true, 2, 2>);
  if constexpr (sizeof(I) == 4 && sizeof(T) < 8) switch (moments * 3 + select) {
      case 1: return run(multi_rows<T, I, false, 0, 1>);
      case 2: return run(multi_rows<T, I, false, 0, 2>);
      case 3: return run(multi_rows<T, I, false, 1, 0>);
      case 4: return run(multi_rows<T, I, false, 1, 1>);
      case 5: return run(multi_rows<T, I, false, 1, 2>);
      case 6: return run(multi_rows<T, I, false, 2, 0>);
      case 7: return run(multi_rows<T, I, false, 2, 1>);
    }
  run(multi_rows<T, I, false, 2, 2>);
}

// table[i] = [a_i | c_i]: along the edge j -> i the gradient of x[j] is a_i + c_i x[j]. Without var and std there is no
// c_i. `std` holds the deviations as the forward pass gave them.
template <class T, class I>
void multi_slopes(const I* ptr, int64_t d, const Aggregates<const T>& grad, const T* std, const acc_t<T>* mean,
                  acc_t<T>* table, int64_t row_begin, int64_t row_end) {
  using A = acc_t<T>;
  const bool curved = grad.var || grad.std;
  for (int64_t i = row_begin; i < row_end; ++i) {
    if (ptr[i] == ptr[i + 1]) continue;
    const A share = A(1) / static_cast<A>(ptr[i + 1] - ptr[i]);
    const int64_t at = i * grad.stride;
    A *a = table + i * d * (curved ? 2 : 1), *c = a + d;
    for (int64_t k = 0; k < d; ++k) a[k] = 0;
    if (grad.sum)
      for (int64_t k = 0; k < d; ++k) a[k] = load(grad.sum + at + k);
    if (grad.mean)
      for (int64_t k = 0; k < d; ++k) a[k] += share * load(grad.mean + at + k);
    if (!curved) continue;
    for (int64_t k = 0; k < d; ++k) c[k] = 0;
    if (grad.var)
      for (int64_t k = 0; k < d; ++k) c[k] = 2 * share * load(grad.var + at + k);
    if (grad.std)
      for (int64_t k = 0; k < d; ++k) {
        const A deviation = load(std + at + k);
        c[k] += deviation == 0 ? A(0) : share * load(grad.std + at + k) / deviation;
      }
    for (int64_t k = 0; k < d; ++k) a[k] -= c[k] * mean[i * d + k];
  }
}

template <class T, class I, int B, bool FULL, bool CURVED>
inline void multi_gather_block(const Edges<acc_t<T>, I>& edges, int64_t begin, int64_t end, const acc_t<T>* table,
                               const T* x, int64_t d, int64_t first, int width, acc_t<T>* grad_x) {
  using A = acc_t<T>;
  const int columns = FULL ? B : width;
  const int64_t stride = CURVED ? 2 * d : d, far = look_ahead<A>(CURVED ? 2 * columns : columns);
  A total[B], value[B];
  for (int k = 0; k < columns; ++k) total[k] = 0, value[k] = CURVED ? load(x + first + k) : A(0);
  for (int64_t e = begin; e < end; ++e) {
    const A* next = ahead(edges, table, stride, e, far) + first;
    prefetch(next, columns);
    if (CURVED) prefetch(next + d, columns);
    const A *a = table + static_cast<int64_t>(edges.index[e]) * stride + first, *c = a + d;
    // Term by term: a and c x nearly cancel where the values are large and spread little.
    for (int k = 0; k < columns; ++k) total[k] += CURVED ? a[k] + c[k] * value[k] : a[k];
  }
  for (int k = 0; k < columns; ++k) grad_x[first + k] = total[k];
}

template <class T, class I, bool CURVED>
inline void multi_gather_rows(const Edges<acc_t<T>, I>& edges, const acc_t<T>* table, const T* x, int64_t d,
                              acc_t<T>* grad_x, int64_t row_begin, int64_t row_end) {
  for (int64_t j = row_begin; j < row_end; ++j) {
    const int64_t begin = edges.ptr[j], end = edges.ptr[j + 1];
    const T* own = x + j * d;
    acc_t<T>* to = grad_x + j * d;
    auto block = [&](auto size, auto full, int64_t first) {
      multi_gather_block<T, I, decltype(size)::value, decltype(full)::value, CURVED>(
          edges, begin, end, table, own, d, first, static_cast<int>(d), to);
    };
    if (d < 16) block(std::integral_constant<int, 16>{}, std::false_type{}, 0);
    else by_columns(d, [&](auto size, int64_t first) { block(size, std::true_type{}, first); });
  }
}

// grad_x[j] = sum over the transposed edges of a_i + c_i x[j].
template <class T, class I>
void multi_gather(const Edges<acc_t<T>, I>& edges, const acc_t<T>* table, bool curved, const T* x, int64_t d,
                  acc_t<T>* grad_x, int64_t row_begin, int64_t row_end) {
  if (curved) multi_gather_rows<T, I, true>(edges, table, x, d, grad_x, row_begin, row_end);
  else multi_gather_rows<T, I, false>(edges, table, x, d, grad_x, row_begin, row_end);
}

// Rows of up to this many edges compare each edge with all choices, on vectors; longer ones look each choice up.
constexpr int64_t kCompared = 32;

// The choices of one row for minimum or maximum, and their gradients.
template <class T>
struct Choices {
  const int32_t* arg;
  const T* grad;
};

// to[f] += the gradients of the choices that fell on the edge at `local`.
template <class T, int SIDES>
inline void scatter_edge(const Choices<T>& one, const Choices<T>& other, int32_t local, int64_t first, int64_t last,
                         acc_t<T>* __restrict to) {
  using A = acc_t<T>;
  // Loads stand outside the conditions: GCC 12 gets masked ones wrong here.
  auto chosen = [&](int64_t f) {
    const A value = load(one.grad + f);
    const A sum = one.arg[f] == local ? value : A(0);
    if (SIDES == 1) return sum;
    const A more = load(other.grad + f);
    return sum + (other.arg[f] == local ? more : A(0));
  };
  int64_t f = first;
  for (; f + 16 <= last; f += 16)
    for (int k = 0; k < 16; ++k) to[f + k] += chosen(f + k);
  for (; f < last; ++f) to[f] += chosen(f);
}

// Whether all choices of the columns [first, last) lie among `count` edges.
inline bool choices_fit(const int32_t* arg, int64_t first, int64_t last, int64_t count) {
  const uint32_t limit = static_cast<uint32_t>(count);
  int bad = 0;
  for (int64_t f = first; f < last; ++f) bad |= static_cast<uint32_t>(arg[f]) >= limit;
  return !bad;
}

template <class T, class I, int SIDES>
bool scatter_rows(const Edges<acc_t<T>, I>& edges, int64_t rows, Choices<T> one, Choices<T> other, int64_t stride,
                  int64_t d, acc_t<T>* grad_x, int64_t first, int64_t last) {
  auto target = [&](int64_t e) { return grad_x + static_cast<int64_t>(edges.index[e]) * d; };
  auto look_up = [&](const Choices<T>& side, int64_t begin) {
    for (int64_t f = first; f < last; ++f) target(begin + side.arg[f])[f] += load(side.grad + f);
  };
  bool fits = true;
  const int64_t far = look_ahead<acc_t<T>>(last - first);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1], count = end - begin;
    if (count > 0) {
      const bool fit = choices_fit(one.arg, first, last, count) && (SIDES == 1 || choices_fit(other.arg, first, last, count));
      fits = fits && fit;
      for (int64_t e = begin; e < end && count <= kCompared; ++e) {
        prefetch(ahead(edges, grad_x, d, e, far) + first, last - first);
        scatter_edge<T, SIDES>(one, other, static_cast<int32_t>(e - begin), first, last, target(e));
      }
      if (count > kCompared && fit) {
        look_up(one, begin);
        if (SIDES == 2) look_up(other, begin);
      }
    }
    one = {one.arg + d, one.grad + stride};
    if (SIDES == 2) other = {other.arg + d, other.grad + stride};
  }
  return fits;
}

// Adds the gradients of minimum and maximum to the rows that they came from, for the columns [first, last) alone: threads
// share columns out among them, so that each sum has one owner and one order. False where a choice is no edge of its row.
template <class T, class I>
bool multi_scatter(const Edges<acc_t<T>, I>& edges, int64_t rows, const Aggregates<const T>& grad, const int32_t* argmin,
                   const int32_t* argmax, int64_t d, acc_t<T>* grad_x, int64_t first, int64_t last) {
  const Choices<T> low{argmin, grad.min}, high{argmax, grad.max};
  if (grad.min && grad.max)
    return scatter_rows<T, I, 2>(edges, rows, low, high, grad.stride, d, grad_x, first, last);
  return scatter_rows<T, I, 1>(edges, rows, grad.min ? low : high, high, grad.stride, d, grad_x, first, last);
}
