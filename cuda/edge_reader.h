// Reads edges so that nothing outside an array is touched, whatever the indices hold: the device cannot raise an error.
#pragma once
#include "edges.h"
#include "pack.h"

namespace gl {

GL_HD int64_t nearest(int64_t i, int64_t size) { return i < 0 ? 0 : i >= size ? size - 1 : i; }
GL_HD bool outside(int64_t i, int64_t size) { return i < 0 || i >= size; }

// An index outside reads the nearest row with a weight of nan, so that a wrong graph shows in its result.
template <class T, class I>
struct EdgeReader {
  Edges<T, I> edges;
  int64_t columns;
  const I* degree;  // weighs by 1 / n_j, n_j = degree[j + 1] - degree[j], where it is not null

  GL_HD int64_t source(int64_t e) const { return nearest(edges.index[e], columns); }
  GL_HD int64_t place(int64_t e) const { return nearest(place_of(edges, e), edges.count); }

  GL_HD acc_t<T> scale(int64_t j) const {
    return degree ? acc_t<T>(1) / static_cast<acc_t<T>>(degree[j + 1] - degree[j]) : acc_t<T>(1);
  }
  GL_HD acc_t<T> weight(int64_t e) const {
    acc_t<T> w = 1;
    if (edges.weight) w = load(edges.weight + place(e));
    if (degree) w *= scale(source(e));
    return outside(edges.index[e], columns) || outside(place_of(edges, e), edges.count) ? nan_of<acc_t<T>>() : w;
  }
};

// Calls take(e, weight, pack) for the edges [begin, end) in order, with the loads of four of them in flight.
template <int W, class T, class I, class F>
GL_HD void for_each_edge(const EdgeReader<T, I>& reader, int64_t begin, int64_t end, const T* x, int64_t d, F take) {
  constexpr int kFlight = 4;
  int64_t e = begin;
  for (; e + kFlight <= end; e += kFlight) {
    Pack<T, W> pack[kFlight];
    acc_t<T> weight[kFlight];
#pragma unroll
    for (int u = 0; u < kFlight; ++u) {
      pack[u] = read_pack<T, W>(x + reader.source(e + u) * d);
      weight[u] = reader.weight(e + u);
    }
#pragma unroll
    for (int u = 0; u < kFlight; ++u) take(e + u, weight[u], pack[u]);
  }
  for (; e < end; ++e) take(e, reader.weight(e), read_pack<T, W>(x + reader.source(e) * d));
}

}  // namespace gl
