// What one thread does for segment_reduce and its derivatives.
#pragma once
#include "segment_reader.h"

namespace gl {

// Sums, means and products.
template <class T, int W, bool MUL>
struct SegmentFold {
  using A = acc_t<T>;
  using State = A;
  static constexpr int kWidth = W;
  Pieces<int64_t> pieces;
  SegmentReader<T, W> reader;
  bool mean;
  const T* x;
  T* out;

  GL_HD void clear(A& total) const { total = MUL ? 1 : 0; }
  GL_HD void merge(A& total, A later) const { total = MUL ? total * later : total + later; }
  GL_HD void fold(const Piece& p, int64_t first, A (&total)[W]) const {
    for_each_row(reader, x, p.begin, p.end, first, [&](int64_t, const A (&values)[W]) {
#pragma unroll
      for (int k = 0; k < W; ++k) merge(total[k], values[k]);
    });
  }
  GL_HD void finish(int64_t i, int64_t count, int64_t first, A (&total)[W]) const {
    const A scale = mean && count > 0 ? A(1) / static_cast<A>(count) : A(1);
#pragma unroll
    for (int k = 0; k < W; ++k) total[k] *= scale;
    write_pack<T, W>(out + i * reader.d + first, total);
  }
};

template <class T, int W>
struct SegmentChoose {
  using A = acc_t<T>;
  using State = Choice<A>;
  static constexpr int kWidth = W;
  Pieces<int64_t> pieces;
  SegmentReader<T, W> reader;
  bool max;
  const T* x;
  T* out;
  int32_t* arg;

  GL_HD void clear(State& best) const { best = {0, -1}; }
  GL_HD void merge(State& best, const State& later) const { best.merge(later, max); }
  GL_HD void fold(const Piece& p, int64_t first, State (&best)[W]) const {
    const int64_t begin = pieces.begin_of(p.row);
    for_each_row(reader, x, p.begin, p.end, first, [&](int64_t e, const A (&values)[W]) {
#pragma unroll
      for (int k = 0; k < W; ++k) best[k].take(values[k], static_cast<int32_t>(e - begin), max);
    });
  }
  GL_HD void finish(int64_t i, int64_t, int64_t first, const State (&best)[W]) const {
    A value[W];
#pragma unroll
    for (int k = 0; k < W; ++k) {
      value[k] = best[k].value;
      arg[i * reader.d + first + k] = best[k].at;
    }
    write_pack<T, W>(out + i * reader.d + first, value);
  }
};

// out[e] = y[i], or y[i] / n_i, for each row e of group i.
template <class T, int W>
struct SegmentSpread {
  using A = acc_t<T>;
  static constexpr int kWidth = W;
  SegmentReader<T, W> reader;
  bool mean;
  const T* y;
  T* out;

  GL_HD void operator()(int64_t e, int64_t i, int64_t first) const {
    const Segments& s = reader.segments;
    const A scale = mean ? A(1) / static_cast<A>(s.ptr[i + 1] - s.ptr[i]) : A(1);
    const Pack<T, W> pack = read_pack<T, W>(y + i * reader.d + first);
    A values[W];
#pragma unroll
    for (int k = 0; k < W; ++k) values[k] = load(&pack.at[k]) * scale;
    reader.write(out, e, first, values);
  }
};

// out[e, f] = y[i, f] at the row e that group i chose, 0 at its other rows.
template <class T, int W>
struct SegmentArgScatter {
  using A = acc_t<T>;
  static constexpr int kWidth = W;
  SegmentReader<T, W> reader;
  const T* y;
  const int32_t* arg;
  T* out;

  GL_HD void operator()(int64_t e, int64_t i, int64_t first) const {
    const int64_t local = e - reader.segments.ptr[i];
    const Pack<int32_t, W> chosen = read_pack<int32_t, W>(arg + i * reader.d + first);
    const Pack<T, W> pack = read_pack<T, W>(y + i * reader.d + first);
    A values[W];
#pragma unroll
    for (int k = 0; k < W; ++k) values[k] = chosen.at[k] == local ? load(&pack.at[k]) : A(0);
    reader.write(out, e, first, values);
  }
};

// out[i, f] = x[e, f] at the row e that group i chose; 0 where it chose none. A thread owns one value.
template <class T>
struct SegmentArgGather {
  using A = acc_t<T>;
  SegmentReader<T, 1> reader;
  const T* x;
  const int32_t* arg;
  T* out;

  GL_HD void operator()(int64_t thread) const {
    const Segments& s = reader.segments;
    const int64_t i = quotient(thread, reader.d), first = thread - i * reader.d;
    const int64_t local = arg[thread], e = s.ptr[i] + local;
    A value[1] = {0};
    if (local >= 0 && local < s.ptr[i + 1] - s.ptr[i] && !outside(e, s.length)) reader.read(x, e, first, value);
    else if (local != -1) value[0] = reader.bad();
    store(out + thread, value[0]);
  }
};

// out[e] = y[i] times the product of the group's other rows: those before it, then those after it. No division: zeros
// are values like any other. A thread owns a column of a group: long groups are not cut.
template <class T>
struct SegmentMulBackward {
  using A = acc_t<T>;
  SegmentReader<T, 1> reader;
  const T *y, *x;
  T* out;

  GL_HD void operator()(int64_t thread) const {
    const Pieces<int64_t> pieces = reader.pieces();
    const int64_t i = quotient(thread, reader.d), first = thread - i * reader.d;
    const int64_t begin = pieces.begin_of(i), end = pieces.end_of(i);
    A value[1], product = 1;
    for (int64_t e = begin; e < end; ++e) {
      const A before[1] = {product};
      reader.write(out, e, first, before);
      reader.read(x, e, first, value);
      product *= value[0];
    }
    product = load(y + thread);
    for (int64_t e = end - 1; e >= begin; --e) {
      T* to = out + reader.row(e) * reader.d + first;
      store(to, load(to) * product);
      reader.read(x, e, first, value);
      product *= value[0];
    }
  }
};

}  // namespace gl
