// What one thread does for the segment softmax family.
#pragma once
#include "segment_reader.h"

namespace gl {

GL_HD float exp_at(float x) { return expf(x); }
GL_HD double exp_at(double x) { return exp(x); }
GL_HD float log_at(float x) { return logf(x); }
GL_HD double log_at(double x) { return log(x); }

// The largest value so far, and the sum of exponentials of what lies above it.
template <class A>
struct Exponentials {
  A top, total;

  // An infinite maximum is subtracted like others: exp(inf - inf) is nan, as the formula has it. -inf is nothing yet.
  GL_HD void merge(const Exponentials& other) {
    const A level = other.top > top || other.top != other.top ? other.top : top;
    const A shift = level == static_cast<A>(-INFINITY) ? A(0) : level;
    total = total * exp_at(top - shift) + other.total * exp_at(other.top - shift);
    top = level;
  }
};

// Maxima and sums of exponentials of each group and column, as `stats`: (groups, columns) twice.
template <class T, int W>
struct SegmentExponentials {
  using A = acc_t<T>;
  using State = Exponentials<A>;
  static constexpr int kWidth = W;
  Pieces<int64_t> pieces;
  SegmentReader<T, W> reader;
  const T* x;
  State* stats;

  GL_HD void clear(State& s) const { s = {static_cast<A>(-INFINITY), 0}; }
  GL_HD void merge(State& s, const State& later) const { s.merge(later); }
  GL_HD void fold(const Piece& p, int64_t first, State (&s)[W]) const {
    for_each_row(reader, x, p.begin, p.end, first, [&](int64_t, const A (&values)[W]) {
#pragma unroll
      for (int k = 0; k < W; ++k) s[k].merge({values[k], 1});
    });
  }
  GL_HD void finish(int64_t i, int64_t, int64_t first, const State (&s)[W]) const {
#pragma unroll
    for (int k = 0; k < W; ++k) stats[i * reader.d + first + k] = s[k];
  }
};

template <class T, int W>
struct SegmentSoftmax {
  using A = acc_t<T>;
  static constexpr int kWidth = W;
  SegmentReader<T, W> reader;
  bool log;
  const T* x;
  const Exponentials<A>* stats;
  T* out;

  GL_HD void operator()(int64_t e, int64_t i, int64_t first) const {
    A values[W];
    reader.read(x, e, first, values);
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const Exponentials<A> s = stats[i * reader.d + first + k];
      values[k] = log ? (values[k] - s.top) - log_at(s.total) : exp_at(values[k] - s.top) / s.total;
    }
    reader.write(out, e, first, values);
  }
};

// log(sum exp x) of each group and column; an infinite maximum is the result.
template <class T, int W>
struct SegmentLogsumexp : SegmentExponentials<T, W> {
  using Base = SegmentExponentials<T, W>;
  using A = acc_t<T>;
  T* out;

  GL_HD void finish(int64_t i, int64_t, int64_t first, const Exponentials<A> (&s)[W]) const {
    A values[W];
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const bool finite = s[k].top - s[k].top == 0;
      values[k] = finite ? s[k].top + log_at(s[k].total) : s[k].top;
    }
    write_pack<T, W>(out + i * Base::reader.d + first, values);
  }
};

// Of each group and column: sum g y for a softmax, sum g for a log-softmax.
template <class T, int W>
struct SegmentSoftmaxSums {
  using A = acc_t<T>;
  using State = A;
  static constexpr int kWidth = W;
  Pieces<int64_t> pieces;
  SegmentReader<T, W> reader;
  bool log;
  const T *y, *grad;
  A* sums;

  GL_HD void clear(A& sum) const { sum = 0; }
  GL_HD void merge(A& sum, A later) const { sum += later; }
  GL_HD void fold(const Piece& p, int64_t first, A (&sum)[W]) const {
    for_each_row(reader, grad, p.begin, p.end, first, [&](int64_t e, const A (&g)[W]) {
      A own[W];
      if (!log) reader.read(y, e, first, own);
#pragma unroll
      for (int k = 0; k < W; ++k) sum[k] += log ? g[k] : g[k] * own[k];
    });
  }
  GL_HD void finish(int64_t i, int64_t, int64_t first, const A (&sum)[W]) const {
#pragma unroll
    for (int k = 0; k < W; ++k) sums[i * reader.d + first + k] = sum[k];
  }
};

// Softmax: out = y (g - sum g y); log-softmax: out = g - exp(y) sum g.
template <class T, int W>
struct SegmentSoftmaxBackward {
  using A = acc_t<T>;
  static constexpr int kWidth = W;
  SegmentReader<T, W> reader;
  bool log;
  const T *y, *grad;
  const A* sums;
  T* out;

  GL_HD void operator()(int64_t e, int64_t i, int64_t first) const {
    A p[W], g[W];
    reader.read(y, e, first, p);
    reader.read(grad, e, first, g);
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const A sum = sums[i * reader.d + first + k];
      g[k] = log ? g[k] - exp_at(p[k]) * sum : p[k] * (g[k] - sum);
    }
    reader.write(out, e, first, g);
  }
};

// out = exp(x - lse) g; 0 where the group has no finite value.
template <class T, int W>
struct SegmentLogsumexpBackward {
  using A = acc_t<T>;
  static constexpr int kWidth = W;
  SegmentReader<T, W> reader;
  const T *x, *lse, *grad;
  T* out;

  GL_HD void operator()(int64_t e, int64_t i, int64_t first) const {
    A values[W];
    reader.read(x, e, first, values);
    const int64_t group = i * reader.d + first;
    const Pack<T, W> level = read_pack<T, W>(lse + group), g = read_pack<T, W>(grad + group);
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const A top = load(&level.at[k]);
      const bool nothing = top == static_cast<A>(-INFINITY);
      values[k] = nothing ? A(0) : exp_at(values[k] - top) * load(&g.at[k]);
    }
    reader.write(out, e, first, values);
  }
};

}  // namespace gl
