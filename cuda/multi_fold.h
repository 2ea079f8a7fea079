// What one thread does for multi_reduce and its gradient.
#pragma once
#include "edge_reader.h"
#include "fold.h"
#include "multi_reduce.h"

namespace gl {

// Edges after which the centre of deviations is moved to their mean, first and then at every doubling, so that squares
// do not sum up to much more than is left of them.
constexpr int64_t kRecentreAt = 16;

// Of some edges and one column: sum, deviations from a centre, smallest and largest.
template <class A>
struct Moments {
  A total, centre, sum, square;
  Choice<A> low, high;
  int32_t count;

  GL_HD void recentre(A n) {
    const A moved = centre + sum / n, step = moved - centre;
    square -= step * (2 * sum - n * step);
    sum -= n * step;
    centre = moved;
  }
};

template <class T, class I, int W>
struct MultiReduce {
  using A = acc_t<T>;
  using State = Moments<A>;
  static constexpr int kWidth = W;
  Pieces<I> pieces;
  EdgeReader<T, I> reader;
  const T* x;
  int64_t d;
  Aggregates<T> out;
  MultiSaved<T> saved;

  GL_HD void clear(State& s) const { s = {0, 0, 0, 0, {0, -1}, {0, -1}, 0}; }

  GL_HD void fold(const Piece& p, int64_t first, State (&s)[W]) const {
    const int64_t row_begin = pieces.begin_of(p.row);
    for (int64_t e = p.begin, count = kRecentreAt; e < p.end; count *= 2) {
      const int64_t stop = p.begin + count < p.end ? p.begin + count : p.end;
      for_each_edge<W>(reader, e, stop, x + first, d, [&](int64_t at, A w, const Pack<T, W>& pack) {
#pragma unroll
        for (int k = 0; k < W; ++k) {
          const A value = w * load(&pack.at[k]);
          if (at == p.begin) s[k].centre = value;
          const A away = value - s[k].centre;
          s[k].total += value;
          s[k].sum += away;
          s[k].square += away * away;
          s[k].low.take(value, static_cast<int32_t>(at - row_begin), false);
          s[k].high.take(value, static_cast<int32_t>(at - row_begin), true);
        }
      });
      e = stop;
#pragma unroll
      for (int k = 0; k < W; ++k) s[k].recentre(static_cast<A>(e - p.begin));
    }
#pragma unroll
    for (int k = 0; k < W; ++k) s[k].count = static_cast<int32_t>(p.end - p.begin);
  }

  // Both have their mean as centre: Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983.
  GL_HD void merge(State& s, const State& later) const {
    const A n = static_cast<A>(s.count), more = static_cast<A>(later.count), all = n + more;
    const A step = later.centre - s.centre;
    s.square += later.square + step * step * (n / all) * more;
    s.centre = s.count ? s.centre + step * (more / all) : later.centre;
    s.total += later.total;
    s.low.merge(later.low, false);
    s.high.merge(later.high, true);
    s.count += later.count;
  }

  GL_HD void finish(int64_t i, int64_t count, int64_t first, const State (&s)[W]) const {
    const A share = count > 0 ? A(1) / static_cast<A>(count) : A(0);
    const int64_t at = i * out.stride + first, place = i * d + first;
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const A var = s[k].square * share, positive = var < 0 ? A(0) : var;
      const A root = sqrt(positive);
      if (out.sum) store(out.sum + at + k, s[k].total);
      if (out.mean) store(out.mean + at + k, s[k].total * share);
      if (out.var) store(out.var + at + k, positive);
      if (out.std) store(out.std + at + k, root <= static_cast<A>(kLeastStd) ? A(0) : root);
      if (out.min) store(out.min + at + k, s[k].low.value);
      if (out.max) store(out.max + at + k, s[k].high.value);
      if (saved.mean) saved.mean[place + k] = s[k].centre;
      if (saved.argmin) saved.argmin[place + k] = s[k].low.at;
      if (saved.argmax) saved.argmax[place + k] = s[k].high.at;
    }
  }
};

// table[i] = [a_i | c_i]: along the edge j -> i the gradient of x[j] is a_i + c_i x[j]. A thread owns one value.
template <class T, class I>
struct MultiSlopes {
  using A = acc_t<T>;
  const I* ptr;
  int64_t d;
  Aggregates<const T> grad;
  const T* std;
  const A* mean;
  A* table;

  GL_HD void operator()(int64_t thread) const {
    const int64_t i = quotient(thread, d), k = thread - i * d, at = i * grad.stride + k;
    const bool curved = grad.var || grad.std;
    const int64_t count = static_cast<int64_t>(ptr[i + 1]) - ptr[i];
    const A share = count > 0 ? A(1) / static_cast<A>(count) : A(0);
    A a = grad.sum ? load(grad.sum + at) : A(0), c = 0;
    if (grad.mean) a += share * load(grad.mean + at);
    if (grad.var) c = 2 * share * load(grad.var + at);
    if (grad.std) {
      const A deviation = load(std + at);
      if (deviation != 0) c += share * load(grad.std + at) / deviation;
    }
    A* to = table + i * d * (curved ? 2 : 1) + k;
    if (curved) {
      to[d] = c;
      a -= c * mean[i * d + k];
    }
    to[0] = a;
  }
};

// grad_x[j] = sum over the transposed edges of a_i + c_i x[j], and of the gradients of the extremes that row i took
// from this edge. `table`, `position` and `grad` may be null.
template <class T, class I>
struct MultiBackward {
  using A = acc_t<T>;
  using State = A;
  static constexpr int kWidth = 1;
  Pieces<I> pieces;  // of the transposed edges
  const I *row, *position, *rowptr;
  int64_t rows, count;
  const A* table;
  bool curved;
  const T* x;
  Aggregates<const T> grad;
  const int32_t *argmin, *argmax;
  int64_t d;
  T* grad_x;

  GL_HD void clear(A& sum) const { sum = 0; }
  GL_HD void merge(A& sum, A later) const { sum += later; }
  GL_HD void fold(const Piece& p, int64_t f, A (&sum)[1]) const {
    const A own = curved ? load(x + p.row * d + f) : A(0);
    const int64_t stride = curved ? 2 * d : d;
#pragma unroll 4
    for (int64_t e = p.begin; e < p.end; ++e) {
      const int64_t i = nearest(row[e], rows);
      A part = 0;
      // Term by term: a and c x nearly cancel where the values are large and spread little.
      if (table) part = table[i * stride + f] + (curved ? table[i * stride + d + f] * own : A(0));
      if (position) {
        const int64_t local = nearest(position[e], count) - rowptr[i];
        if (argmin && argmin[i * d + f] == local) part += load(grad.min + i * grad.stride + f);
        if (argmax && argmax[i * d + f] == local) part += load(grad.max + i * grad.stride + f);
      }
      sum[0] += outside(row[e], rows) ? nan_of<A>() : part;
    }
  }
  GL_HD void finish(int64_t j, int64_t, int64_t f, const A (&sum)[1]) const { store(grad_x + j * d + f, sum[0]); }
};

}  // namespace gl
