// Reads the rows of groups on the device; what points outside comes out as nan, or as 0 among integers.
#pragma once
#include <type_traits>

#include "edge_reader.h"
#include "fold.h"
#include "segments.h"

namespace gl {

template <class T, int W>
struct SegmentReader {
  using A = acc_t<T>;
  Segments segments;
  int64_t d;

  GL_HD Pieces<int64_t> pieces() const { return {segments.ptr, segments.groups, segments.length, d / W}; }
  GL_HD int64_t row(int64_t e) const { return nearest(row_at(segments, e), segments.length); }

  GL_HD void read(const T* x, int64_t e, int64_t first, A (&values)[W]) const {
    const Pack<T, W> pack = read_pack<T, W>(x + row(e) * d + first);
    const bool wrong = outside(row_at(segments, e), segments.length);
#pragma unroll
    for (int k = 0; k < W; ++k) values[k] = wrong ? bad() : load(&pack.at[k]);
  }
  GL_HD void write(T* x, int64_t e, int64_t first, const A (&values)[W]) const {
    if (!outside(row_at(segments, e), segments.length)) write_pack<T, W>(x + row(e) * d + first, values);
  }
  static GL_HD A bad() {
    if constexpr (std::is_floating_point_v<A>) return nan_of<A>();
    else return 0;
  }
};

// Calls take(e, values) for the positions [begin, end) in order, with the loads of four of them in flight.
template <class T, int W, class F>
GL_HD void for_each_row(const SegmentReader<T, W>& reader, const T* x, int64_t begin, int64_t end, int64_t first,
                        F take) {
  constexpr int kFlight = 4;
  int64_t e = begin;
  for (; e + kFlight <= end; e += kFlight) {
    acc_t<T> values[kFlight][W];
#pragma unroll
    for (int u = 0; u < kFlight; ++u) reader.read(x, e + u, first, values[u]);
#pragma unroll
    for (int u = 0; u < kFlight; ++u) take(e + u, values[u]);
  }
  for (; e < end; ++e) {
    acc_t<T> values[W];
    reader.read(x, e, first, values);
    take(e, values);
  }
}

// Positions that one thread goes through where there is nothing to add up, so that one search for the group serves all.
constexpr int64_t kWalk = 16;

// Calls op(e, group, first) for each position of each group: op.reader says which. For a launch of threads().
template <class Op>
struct WalkRows {
  Op op;

  int64_t threads() const { return (op.reader.segments.length + kWalk - 1) / kWalk * (op.reader.d / Op::kWidth); }

  GL_HD void operator()(int64_t thread) const {
    const Segments& s = op.reader.segments;
    const int64_t lanes = op.reader.d / Op::kWidth, walk = quotient(thread, lanes);
    const int64_t first = (thread - walk * lanes) * Op::kWidth;
    const int64_t from = walk * kWalk, to = from + kWalk < s.length ? from + kWalk : s.length;
    int64_t i = row_at(s.ptr, s.groups, from);
    for (int64_t e = from; e < to; ++e) {
      while (i + 1 < s.groups && s.ptr[i + 1] <= e) ++i;
      op(e, i, first);
    }
  }
};

}  // namespace gl
