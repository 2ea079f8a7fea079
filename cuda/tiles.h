// How the learnable aggregators cut their work: into tiles that fit a core's cache, and these into pieces for threads.
#pragma once
#include <atomic>

#include "library.h"

namespace gl {

// Calls f(T{}) for the precision of `x`: states are carried too far for less than these.
template <class F>
void by_precision(const Tensor& x, F f) {
  if (x.scalar_type() == ScalarType::Float) return f(float{});
  STD_TORCH_CHECK(x.scalar_type() == ScalarType::Double,
                  "'x' must be float32 or float64; convert it, or use the reference");
  f(double{});
}

// The width of a row of d values in a tile: whole cache lines, so that all instruction sets share one layout.
template <class T>
int64_t padded(int64_t d) {
  constexpr int64_t line = 64 / sizeof(T);
  return (d + line - 1) / line * line;
}

constexpr int64_t kMostTileRows = 96;

// Rows per tile: with its gates, a tile takes half of a second-level cache, and the weights the other half.
template <class T>
int64_t tile_rows(int64_t d) {
  const int64_t bytes = padded<T>(d) * sizeof(T);
  return bytes <= 256 ? kMostTileRows : bytes <= 512 ? 48 : 24;
}

// Sums that cross rows, the gradients of weights, are taken piece by piece. How many there are depends on the size of
// the task alone, so that results do not depend on the threads; together their sums take no more room than the rows.
inline int64_t pieces_of(int64_t rows, int64_t d, int64_t sums) {
  return std::max<int64_t>(1, std::min<int64_t>({rows / 512, rows * d / std::max<int64_t>(1, sums), 64}));
}

inline int64_t threads_for(int64_t pieces, int64_t work) {
  return work < (1 << 18) ? 1 : std::min<int64_t>(torch::stable::get_num_threads(), pieces);
}

// Runs f(piece, worker) once per piece; a free worker takes the next one, so that long pieces do not hold up the rest.
template <class F>
void each_piece(int64_t pieces, int64_t threads, F f) {
  if (threads <= 1) {
    for (int64_t piece = 0; piece < pieces; ++piece) f(piece, int64_t{0});
    return;
  }
  std::atomic<int64_t> next{0}, workers{0};
  torch::stable::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    const int64_t worker = workers++;
    for (int64_t piece = next++; piece < pieces; piece = next++) f(piece, worker);
  });
}

}  // namespace gl
