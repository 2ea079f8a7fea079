// What one thread, or one tile of threads, does for gather_reduce and its derivatives.
#pragma once
#include "edge_reader.h"
#include "fold.h"
#include "tile.h"

namespace gl {

// out[i] = s_i * sum_e w_e x[index_e], s_i = 1 or 1 / n_i.
template <class T, class I, int W>
struct GatherSum {
  using A = acc_t<T>;
  using State = A;
  static constexpr int kWidth = W;
  Pieces<I> pieces;
  EdgeReader<T, I> reader;
  bool mean;
  const T* x;
  int64_t d;
  T* out;

  GL_HD void clear(A& sum) const { sum = 0; }
  GL_HD void merge(A& sum, A later) const { sum += later; }
  GL_HD void fold(const Piece& p, int64_t first, A (&sum)[W]) const {
    for_each_edge<W>(reader, p.begin, p.end, x + first, d, [&](int64_t, A w, const Pack<T, W>& pack) {
#pragma unroll
      for (int k = 0; k < W; ++k) sum[k] += w * load(&pack.at[k]);
    });
  }
  GL_HD void finish(int64_t row, int64_t count, int64_t first, A (&sum)[W]) const {
    const A scale = mean && count > 0 ? A(1) / static_cast<A>(count) : A(1);
#pragma unroll
    for (int k = 0; k < W; ++k) sum[k] *= scale;
    write_pack<T, W>(out + row * d + first, sum);
  }
};

template <class T, class I, int W>
struct GatherSelect {
  using A = acc_t<T>;
  using State = Choice<A>;
  static constexpr int kWidth = W;
  Pieces<I> pieces;
  EdgeReader<T, I> reader;
  bool max;
  const T* x;
  int64_t d;
  T* out;
  int32_t* arg;

  GL_HD void clear(State& best) const { best = {0, -1}; }
  GL_HD void merge(State& best, const State& later) const { best.merge(later, max); }
  GL_HD void fold(const Piece& p, int64_t first, State (&best)[W]) const {
    const int64_t begin = pieces.begin_of(p.row);
    for_each_edge<W>(reader, p.begin, p.end, x + first, d, [&](int64_t e, A w, const Pack<T, W>& pack) {
#pragma unroll
      for (int k = 0; k < W; ++k) best[k].take(w * load(&pack.at[k]), static_cast<int32_t>(e - begin), max);
    });
  }
  GL_HD void finish(int64_t row, int64_t, int64_t first, const State (&best)[W]) const {
    A value[W];
#pragma unroll
    for (int k = 0; k < W; ++k) {
      value[k] = best[k].value;
      arg[row * d + first + k] = best[k].at;
    }
    write_pack<T, W>(out + row * d + first, value);
  }
};

// How many edges in a row a tile takes, so that one search for the row serves them all.
constexpr int64_t kTileEdges = 16;

// grad_w[e] = s_i <g[i], x[j]> over the transposed edges j -> i.
template <class T, class I, int W>
struct EdgeDot {
  using A = acc_t<T>;
  EdgeReader<T, I> reader;
  int64_t rows;
  const T *grad, *x;
  int64_t d;
  T* grad_weight;

  GL_HD void operator()(int64_t tile) const {
    const Edges<T, I>& edges = reader.edges;
    const int64_t from = tile * kTileEdges, to = from + kTileEdges < edges.count ? from + kTileEdges : edges.count;
    int64_t j = row_at(edges.ptr, rows, from);
    for (int64_t e = from; e < to; ++e) {
      while (j + 1 < rows && static_cast<int64_t>(edges.ptr[j + 1]) <= e) ++j;
      const int64_t i = reader.source(e);
      const A scale = reader.scale(i);
      PerLane<A> dot;
      each_lane([&](int lane) {
        dot[lane] = 0;
        for (int64_t f = lane * W; f < d; f += kTile * W) {
          const Pack<T, W> g = read_pack<T, W>(grad + i * d + f), own = read_pack<T, W>(x + j * d + f);
#pragma unroll
          for (int k = 0; k < W; ++k) dot[lane] += load(&g.at[k]) * load(&own.at[k]);
        }
      });
      const A total = scale * sum_lanes(dot);
      const bool wrong = outside(edges.index[e], reader.columns);
      each_lane([&](int lane) {
        if (lane == 0) store(grad_weight + reader.place(e), wrong ? nan_of<A>() : total);
      });
    }
  }
};

// out[i, f] = w_e x[index_e, f] at the edge e = ptr[i] + arg[i, f]; 0 where arg is -1. A thread owns one value.
template <class T, class I>
struct ArgGather {
  using A = acc_t<T>;
  EdgeReader<T, I> reader;
  const T* x;
  const int32_t* arg;
  int64_t d;
  T* out;

  GL_HD void operator()(int64_t thread) const {
    const int64_t i = quotient(thread, d), f = thread - i * d;
    const Edges<T, I>& edges = reader.edges;
    const int64_t local = arg[thread], e = static_cast<int64_t>(edges.ptr[i]) + local;
    A value = 0;
    if (local >= 0 && local < static_cast<int64_t>(edges.ptr[i + 1]) - edges.ptr[i] && !outside(e, edges.count))
      value = reader.weight(e) * load(x + reader.source(e) * d + f);
    else if (local != -1) value = nan_of<A>();
    store(out + thread, value);
  }
};

// grad_x[j, f] = sum of w_e g[i, f] over the edges e = (j -> i) that row i chose in column f.
template <class T, class I, int W>
struct ArgScatter {
  using A = acc_t<T>;
  using State = A;
  static constexpr int kWidth = W;
  Pieces<I> pieces;         // of the transposed edges
  const I *row, *position;  // the target of each transposed edge, and its place among the untransposed ones
  EdgeReader<T, I> reader;  // of the untransposed edges
  int64_t rows;
  const T* grad;
  const int32_t* arg;
  int64_t d;
  T* out;

  GL_HD void clear(A& sum) const { sum = 0; }
  GL_HD void merge(A& sum, A later) const { sum += later; }
  GL_HD void fold(const Piece& p, int64_t first, A (&sum)[W]) const {
#pragma unroll 4
    for (int64_t at = p.begin; at < p.end; ++at) {
      const int64_t i = nearest(row[at], rows), e = nearest(position[at], reader.edges.count);
      const int64_t local = e - reader.edges.ptr[i];
      const Pack<int32_t, W> chosen = read_pack<int32_t, W>(arg + i * d + first);
      bool any = false;
#pragma unroll
      for (int k = 0; k < W; ++k) any |= chosen.at[k] == local;
      if (!any) continue;
      const A w = reader.weight(e);
      const Pack<T, W> g = read_pack<T, W>(grad + i * d + first);
#pragma unroll
      for (int k = 0; k < W; ++k)
        if (chosen.at[k] == local) sum[k] += w * load(&g.at[k]);
    }
  }
  GL_HD void finish(int64_t j, int64_t, int64_t first, const A (&sum)[W]) const {
    write_pack<T, W>(out + j * d + first, sum);
  }
};

// grad_w[e] = sum of g[i, f] x[index_e, f] over the columns f in which row i chose e.
template <class T, class I>
struct ArgDot {
  using A = acc_t<T>;
  EdgeReader<T, I> reader;
  int64_t rows;
  const T *grad, *x;
  const int32_t* arg;
  int64_t d;
  T* grad_weight;

  GL_HD void operator()(int64_t tile) const {
    const Edges<T, I>& edges = reader.edges;
    const int64_t from = tile * kTileEdges, to = from + kTileEdges < edges.count ? from + kTileEdges : edges.count;
    int64_t i = row_at(edges.ptr, rows, from);
    for (int64_t e = from; e < to; ++e) {
      while (i + 1 < rows && static_cast<int64_t>(edges.ptr[i + 1]) <= e) ++i;
      const int64_t local = e - edges.ptr[i], j = reader.source(e);
      PerLane<A> dot;
      each_lane([&](int lane) {
        dot[lane] = 0;
        for (int64_t f = lane; f < d; f += kTile)
          if (arg[i * d + f] == local) dot[lane] += load(grad + i * d + f) * load(x + j * d + f);
      });
      const A total = sum_lanes(dot);
      const bool wrong = outside(edges.index[e], reader.columns);
      each_lane([&](int lane) {
        if (lane == 0) store(grad_weight + reader.place(e), wrong ? nan_of<A>() : total);
      });
    }
  }
};

}  // namespace gl
