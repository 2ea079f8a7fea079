// CPU loops of edge_attention and its derivatives. Included once per instruction set; no include guard.
// Edges are taken in chunks of one row: a loop per step, each over all edges and heads of the chunk, is what vectors
// need. Scores and weights of a chunk are (edges, heads).
#include "rows_cpu.h"

constexpr int64_t kChunk = 32;
constexpr int64_t kLanes = 16;

// Row `at` of x in the precision of sums; what has to be converted is put into `room`.
template <class T>
inline const acc_t<T>* row_of(const T* x, int64_t at, int64_t width, acc_t<T>* room) {
  const T* row = x + at * width;
  if constexpr (std::is_same_v<T, acc_t<T>>) return row;
  else {
    for (int64_t k = 0; k < width; ++k) room[k] = load(row + k);
    return room;
  }
}

template <class T>
inline void store_row(T* out, const acc_t<T>* row, int64_t width) {
  for (int64_t k = 0; k < width; ++k) store(out + k, row[k]);
}

// The rows of x that the edges [begin, begin + n) come from.
template <class T, class I>
inline void gather(const Edges<T, I>& edges, int64_t begin, int64_t n, int64_t far, const T* x, int64_t width,
                   const acc_t<T>** rows, acc_t<T>* room) {
  for (int64_t e = 0; e < n; ++e) {
    prefetch(ahead(edges, x, width, begin + e, far), width);
    rows[e] = row_of(x, edges.index[begin + e], width, room + e * width);
  }
}

// exp to 1 ulp or so, without branches: 2^n e^r with |r| <= ln(2) / 2, and a polynomial for e^r. What is too small
// gives 0 by way of denormals, what is too large infinity; nan stays.
inline float exp_of(float x) {
  constexpr float kRound = 12582912.0f;  // adding it leaves the integer part in the low bits
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  const float shifted = x * 1.44269504f + kRound, n = shifted - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t power;
  memcpy(&power, &shifted, sizeof power);
  power -= 0x4b400000;
  // Two factors: one power of two alone cannot reach the denormals.
  const int32_t half = power >> 1, bits0 = (half + 127) << 23, bits1 = (power - half + 127) << 23;
  float scale0, scale1;
  memcpy(&scale0, &bits0, sizeof scale0);
  memcpy(&scale1, &bits1, sizeof scale1);
  return p * scale0 * scale1;
}
inline double exp_of(double x) { return std::exp(x); }

// Whole vectors only: a value's result does not depend on where it stands.
template <class A>
inline void exp_all(A* x, int64_t count) {
  for (int64_t k = 0; k < count; k += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) x[k + lane] = exp_of(x[k + lane]);
}

// A maximum and a minimum rather than a choice, which would be a branch in loops that run on single numbers.
template <class A>
inline A leaky(A x, A slope) {
  const A above = x > 0 ? x : 0, below = 0 < x ? 0 : x;
  return above + slope * below;
}

// Loops over a fixed number of columns say `unroll 1`: gcc would otherwise write them out before it looks for vectors,
// and find branches where one comparison does for all.
template <class A, int L>
inline A total_of(const A* lane) {
  if constexpr (L == 1) return lane[0];
  else {
    A half[L / 2];
#pragma GCC unroll 1
    for (int k = 0; k < L / 2; ++k) half[k] = lane[k] + lane[k + L / 2];
    return total_of<A, L / 2>(half);
  }
}

// The sum of term(k) over k < D (or `width` where D is 0) in up to kLanes partial sums.
template <class A, int D, class F>
inline A sum_of(int64_t width, F term) {
  constexpr int L = D && D < kLanes ? D : kLanes;
  A lane[L];
  const int64_t whole = (D ? D : width) / L * L;
  for (int k = 0; k < L; ++k) lane[k] = 0;
  for (int64_t at = 0; at < whole; at += L)
#pragma GCC unroll 1
    for (int k = 0; k < L; ++k) lane[k] += term(at + k);
  if constexpr (D == 0)
    for (int64_t k = whole; k < width; ++k) lane[k - whole] += term(k);
  return total_of<A, L>(lane);
}

// out[e, h] = <rows[e], own>_h
template <class A, int D>
void dot_heads(const A* const* rows, const A* own, int64_t n, int64_t heads, int64_t width, A* out) {
  const int64_t d = D ? D : width;
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) {
      const A *a = rows[e] + h * d, *b = own + h * d;
      out[e * heads + h] = sum_of<A, D>(d, [&](int64_t k) { return a[k] * b[k]; });
    }
}

// out[e, h] = <att, LeakyReLU(rows[e] + own)>_h
template <class A, int D>
void gatv2_heads(const A* const* rows, const A* own, const A* att, A slope, int64_t n, int64_t heads, int64_t width,
                 A* out) {
  const int64_t d = D ? D : width;
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) {
      const A *a = rows[e] + h * d, *b = own + h * d, *c = att + h * d;
      out[e * heads + h] = sum_of<A, D>(d, [&](int64_t k) { return leaky(a[k] + b[k], slope) * c[k]; });
    }
}

// Calls f(D) with the number of channels where loops are made to measure for it, or with 0.
template <class A, class F>
inline void by_width(int64_t width, F f) {
  if constexpr (std::is_same_v<A, float>) {
    switch (width) {
      case 8: return f(std::integral_constant<int, 8>{});
      case 16: return f(std::integral_constant<int, 16>{});
      case 32: return f(std::integral_constant<int, 32>{});
      case 64: return f(std::integral_constant<int, 64>{});
    }
  }
  f(std::integral_constant<int, 0>{});
}

// Calls f(block, whole, first, size) for blocks of columns that cover [0, width); where `whole` is false the block is
// cut short to `size`.
template <class F>
inline void by_columns(int64_t width, F f) {
  int64_t at = 0;
  for (; at + 64 <= width; at += 64) f(std::integral_constant<int, 64>{}, std::true_type{}, at, 64);
  for (; at + 16 <= width; at += 16) f(std::integral_constant<int, 16>{}, std::true_type{}, at, 16);
  if (width - at == 8) f(std::integral_constant<int, 8>{}, std::true_type{}, at, 8);
  else if (at < width) f(std::integral_constant<int, 16>{}, std::false_type{}, at, static_cast<int>(width - at));
}

// sum[k] += sum_e w[e * stride] rows[e][first + k] over a block of B columns, or the first `size` of them where WHOLE
// is false: what is summed up stays in registers only while its size is known.
template <class A, int B, bool WHOLE>
void add_block(const A* const* rows, const A* w, int64_t n, int64_t stride, int64_t first, int size, A* sum) {
  A held[B];
  const int columns = WHOLE ? B : size;
  for (int k = 0; k < B; ++k) held[k] = 0;
  for (int64_t e = 0; e < n; ++e) {
    const A weight = w[e * stride];
    const A* row = rows[e] + first;
#pragma GCC unroll 1
    for (int k = 0; k < columns; ++k) held[k] += weight * row[k];
  }
  for (int k = 0; k < columns; ++k) sum[k] += held[k];
}

// sum[h] += sum_e w[e, h] rows[e, h]
template <class A>
inline void add_weighted(const A* const* rows, const A* w, int64_t n, int64_t heads, int64_t width, A* sum) {
  for (int64_t h = 0; h < heads; ++h)
    by_columns(width, [&](auto block, auto whole, int64_t first, int size) {
      constexpr int B = decltype(block)::value;
      const int64_t at = h * width + first;
      add_block<A, B, decltype(whole)::value>(rows, w + h, n, heads, at, size, sum + at);
    });
}

// With z = rows[e] + own: sum += w LeakyReLU'(z), and by_att += w LeakyReLU(z) where ATT says so.
template <class A, int B, bool WHOLE, bool ATT>
void add_slopes_block(const A* const* rows, const A* own, const A* w, A slope, int64_t n, int64_t stride, int64_t first,
                      int size, A* sum, A* by_att) {
  A held[B], att[B];
  const int columns = WHOLE ? B : size;
  for (int k = 0; k < B; ++k) held[k] = att[k] = 0;
  for (int64_t e = 0; e < n; ++e) {
    const A weight = w[e * stride], low = weight * slope;
    const A *row = rows[e] + first, *mine = own + first;
#pragma GCC unroll 1
    for (int k = 0; k < columns; ++k) {
      const A z = row[k] + mine[k];
      const A part = z > 0 ? weight : low;
      held[k] += part;
      if constexpr (ATT) att[k] += part * z;
    }
  }
  for (int k = 0; k < columns; ++k) sum[k] += held[k];
  if constexpr (ATT)
    for (int k = 0; k < columns; ++k) by_att[k] += att[k];
}

template <class A>
inline void add_slopes(const A* const* rows, const A* own, const A* w, A slope, int64_t n, int64_t heads, int64_t width,
                       A* sum, A* by_att) {
  for (int64_t h = 0; h < heads; ++h)
    by_columns(width, [&](auto block, auto whole, int64_t first, int size) {
      constexpr int B = decltype(block)::value;
      constexpr bool W = decltype(whole)::value;
      const int64_t at = h * width + first;
      if (by_att) add_slopes_block<A, B, W, true>(rows, own, w + h, slope, n, heads, at, size, sum + at, by_att + at);
      else add_slopes_block<A, B, W, false>(rows, own, w + h, slope, n, heads, at, size, sum + at, by_att);
    });
}

// What is known of a chunk's edges: for each the other end's rows, and its place where the user keeps it.
template <class A>
struct Chunk {
  int64_t n;
  const A* scored[kChunk];  // rows that scores are made from
  const A* valued[kChunk];  // rows of values, or of their gradients
  const A* stats[kChunk];   // rows (lse, delta) of the target
  int64_t place[kChunk];
};

// keep[e, h]: 0 where the weight is dropped, else what makes up for those that are.
template <class A>
void keep_of(const Dropout& dropout, const Chunk<A>& chunk, int64_t heads, A* keep) {
  uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int64_t first = 0; first < chunk.n; first += kLanes)
    for (int64_t group = 0; group < heads; group += 4) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        const uint64_t place = first + lane < chunk.n ? chunk.place[first + lane] : 0;
        c0[lane] = static_cast<uint32_t>(place);
        c1[lane] = static_cast<uint32_t>(place >> 32);
        c2[lane] = static_cast<uint32_t>(group / 4);
        c3[lane] = 0;
      }
      uint32_t key0 = dropout.key0, key1 = dropout.key1;
      for (int round = 0; round < kRounds; ++round, key0 += kKeyStep0, key1 += kKeyStep1)
        for (int64_t lane = 0; lane < kLanes; ++lane) philox_round(c0[lane], c1[lane], c2[lane], c3[lane], key0, key1);
      const uint32_t* words[4] = {c0, c1, c2, c3};
      const A choices[2] = {0, static_cast<A>(dropout.scale)};  // looked up: a coin toss is no branch to predict
      for (int64_t e = first; e < chunk.n && e < first + kLanes; ++e)
        for (int64_t h = group; h < heads && h < group + 4; ++h)
          keep[e * heads + h] = choices[dropout.keeps(words[h - group][e - first])];
    }
}

// Where a pass keeps what it works on, and the edges of the chunk at hand.
template <class T>
struct Desk {
  using A = acc_t<T>;
  Chunk<A> chunk;
  A *weight, *grad, *keep, *argument;                // (edges, heads); `argument` is what GAT's LeakyReLU is taken of
  A *by_score, *by_value, *own_scored, *own_valued;  // a row
  A *top, *before, *total;                           // (heads,)
  A *scored_room, *valued_room, *att_room;           // converted rows
  const A* att;

  int64_t size = 0;

  // Takes its parts from `memory`; without any it only counts their size.
  Desk(const Attention<T>& a, A* memory) {
    const int64_t width = a.heads * a.width, channels = a.heads * a.channels;
    auto take = [&](int64_t count) {
      A* part = memory ? memory + size : nullptr;
      size += (count + kLanes - 1) / kLanes * kLanes;
      return part;
    };
    weight = take(kChunk * a.heads);
    grad = take(kChunk * a.heads);
    keep = take(kChunk * a.heads);
    argument = take(kChunk * a.heads);
    by_score = take(width);
    by_value = take(channels);
    own_scored = take(width);
    own_valued = take(channels);
    top = take(a.heads);
    before = take(a.heads);
    total = take(a.heads);
    scored_room = take(kChunk * width);
    valued_room = take(kChunk * channels);
    att_room = take(width);
    if (!memory) return;
    att = a.att ? row_of(a.att, 0, width, att_room) : nullptr;
    // What stands behind the last edge goes through exp with the rest.
    for (int64_t k = 0; k < kChunk * a.heads; ++k) weight[k] = 0;
  }
};

// Looks up the edges [begin, begin + n): rows of `scored` and `valued`, and the places that dropout goes by.
template <class T, class I>
inline void look_up(const Attention<T>& a, const Edges<T, I>& edges, int64_t begin, int64_t n, const T* scored,
                    const T* valued, Desk<T>& desk) {
  Chunk<acc_t<T>>& chunk = desk.chunk;
  chunk.n = n;
  const int64_t far = look_ahead<T>(a.heads * (a.width + a.channels));
  gather(edges, begin, n, far, scored, a.heads * a.width, chunk.scored, desk.scored_room);
  if (valued == scored)
    for (int64_t e = 0; e < n; ++e) chunk.valued[e] = chunk.scored[e];
  else gather(edges, begin, n, far, valued, a.heads * a.channels, chunk.valued, desk.valued_room);
  if (a.dropout.on())
    for (int64_t e = 0; e < n; ++e) chunk.place[e] = place_of(edges, begin + e);
}

// desk.weight: the chunk's scores against the row that all its edges have in common.
template <class T, class A>
void scores(const Attention<T>& a, const A* own, Desk<T>& desk) {
  const Chunk<A>& chunk = desk.chunk;
  const int64_t n = chunk.n, heads = a.heads;
  A* out = desk.weight;
  if (a.score == kGat) {
    for (int64_t e = 0; e < n; ++e)
      for (int64_t h = 0; h < heads; ++h) desk.argument[e * heads + h] = chunk.scored[e][h] + own[h];
    for (int64_t k = 0; k < n * heads; ++k) out[k] = leaky(desk.argument[k], a.parameter);
    return;
  }
  by_width<A>(a.width, [&](auto width) {
    constexpr int D = decltype(width)::value;
    if (a.score == kGatv2) gatv2_heads<A, D>(chunk.scored, own, desk.att, a.parameter, n, heads, a.width, out);
    else dot_heads<A, D>(chunk.scored, own, n, heads, a.width, out);
  });
  if (a.score == kDot)
    for (int64_t k = 0; k < n * heads; ++k) out[k] *= a.parameter;
}

template <class T, class I>
inline void look_up_stats(const Attention<T>& a, const Edges<T, I>& edges, int64_t begin, const acc_t<T>* stats,
                          Chunk<acc_t<T>>& chunk) {
  const int64_t width = 2 * a.heads, far = look_ahead<T>(a.heads * (a.width + a.channels));
  for (int64_t e = 0; e < chunk.n; ++e) {
    prefetch(stats + static_cast<int64_t>(edges.index[next_edge(edges, begin + e, far)]) * width, width);
    chunk.stats[e] = stats + static_cast<int64_t>(edges.index[begin + e]) * width;
  }
}

// desk.weight: what the value is weighted with, after dropout; desk.grad: the derivative by the score. From the rows of
// the chunk and those that all its edges have in common.
template <class T, class A>
void chunk_gradients(const Attention<T>& a, const A* own_scored, const A* own_valued, Desk<T>& desk) {
  const Chunk<A>& chunk = desk.chunk;
  A *weight = desk.weight, *grad = desk.grad, *keep = desk.keep;
  const int64_t n = chunk.n, heads = a.heads;
  scores(a, own_scored, desk);
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) weight[e * heads + h] -= chunk.stats[e][h];
  exp_all(weight, n * heads);
  by_width<A>(a.channels, [&](auto width) {
    constexpr int D = decltype(width)::value;
    dot_heads<A, D>(chunk.valued, own_valued, n, heads, a.channels, grad);
  });
  if (a.dropout.on()) {
    keep_of(a.dropout, chunk, heads, keep);
    for (int64_t k = 0; k < n * heads; ++k) grad[k] *= keep[k];
  }
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) grad[e * heads + h] -= chunk.stats[e][heads + h];
  for (int64_t k = 0; k < n * heads; ++k) grad[k] *= weight[k];
  if (a.score == kDot)
    for (int64_t k = 0; k < n * heads; ++k) grad[k] *= a.parameter;
  if (a.score == kGat)
    for (int64_t k = 0; k < n * heads; ++k) grad[k] *= desk.argument[k] > 0 ? A(1) : a.parameter;
  if (a.dropout.on())
    for (int64_t k = 0; k < n * heads; ++k) weight[k] *= keep[k];
}

// desk.by_score += the derivatives of the chunk's scores by the own row, but for GATv2's factor att; by_att likewise.
template <class T, class A>
inline void add_score_gradients(const Attention<T>& a, const A* own, Desk<T>& desk, A* by_att) {
  const Chunk<A>& chunk = desk.chunk;
  if (a.score == kGatv2)
    add_slopes(chunk.scored, own, desk.grad, a.parameter, chunk.n, a.heads, a.width, desk.by_score, by_att);
  else if (a.score == kDot) add_weighted(chunk.scored, desk.grad, chunk.n, a.heads, a.width, desk.by_score);
  else
    for (int64_t e = 0; e < chunk.n; ++e)
      for (int64_t h = 0; h < a.heads; ++h) desk.by_score[h] += desk.grad[e * a.heads + h];
}

template <class T>
inline void scale_by_att(const Attention<T>& a, Desk<T>& desk) {
  if (a.score != kGatv2) return;
  for (int64_t k = 0; k < a.heads * a.width; ++k) desk.by_score[k] *= desk.att[k];
}

// Turns the chunk's scores, in desk.weight, into exp(score - top) with the row's largest score so far, and brings what
// was summed up before to the same maximum.
template <class T>
inline void running_softmax(const Attention<T>& a, bool first, Desk<T>& desk) {
  using A = acc_t<T>;
  A *weight = desk.weight, *top = desk.top, *before = desk.before;
  const int64_t n = desk.chunk.n, heads = a.heads;
  for (int64_t h = 0; h < heads; ++h) before[h] = top[h];
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) top[h] = weight[e * heads + h] > top[h] ? weight[e * heads + h] : top[h];
  // Nothing but -inf so far: -inf less -inf would be nan, which later edges could not mend.
  auto shift = [&](int64_t h) { return top[h] == -std::numeric_limits<A>::infinity() ? A(0) : top[h]; };
  for (int64_t h = 0; h < heads; ++h) {
    const A by = shift(h);
    for (int64_t e = 0; e < n; ++e) weight[e * heads + h] -= by;
    if (first) continue;
    const A shrink = exp_of(before[h] - by);
    desk.total[h] *= shrink;
    for (int64_t k = 0; k < a.channels; ++k) desk.by_value[h * a.channels + k] *= shrink;
  }
  exp_all(weight, n * heads);
  for (int64_t e = 0; e < n; ++e)
    for (int64_t h = 0; h < heads; ++h) desk.total[h] += weight[e * heads + h];
}

// out[i] = sum_e softmax(scores)_e value[index_e], one chunk after the other; lse[i] is the logarithm of the softmax's
// denominator.
template <class T, class I>
void attention_forward(const Attention<T>& a, const Edges<T, I>& edges, T* out, acc_t<T>* lse, acc_t<T>* memory,
                       int64_t row_begin, int64_t row_end) {
  using A = acc_t<T>;
  Desk<T> desk(a, memory);
  const int64_t heads = a.heads, channels = heads * a.channels;
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1];
    const A* own = row_of(a.target, i, heads * a.width, desk.own_scored);
    for (int64_t k = 0; k < channels; ++k) desk.by_value[k] = 0;
    for (int64_t h = 0; h < heads; ++h) {
      desk.top[h] = -std::numeric_limits<A>::infinity();
      desk.total[h] = 0;
    }
    for (int64_t at = begin; at < end; at += kChunk) {
      const int64_t n = end - at < kChunk ? end - at : kChunk;
      look_up(a, edges, at, n, a.source, a.value, desk);
      scores(a, own, desk);
      running_softmax(a, at == begin, desk);
      if (a.dropout.on()) {
        keep_of(a.dropout, desk.chunk, heads, desk.keep);
        for (int64_t k = 0; k < n * heads; ++k) desk.weight[k] *= desk.keep[k];
      }
      add_weighted(desk.chunk.valued, desk.weight, n, heads, a.channels, desk.by_value);
    }
    for (int64_t h = 0; h < heads; ++h) {
      const A inverse = begin < end ? 1 / desk.total[h] : A(0);
      for (int64_t k = 0; k < a.channels; ++k) desk.by_value[h * a.channels + k] *= inverse;
      lse[i * heads + h] = desk.top[h] + std::log(desk.total[h]);
    }
    store_row(out + i * channels, desk.by_value, channels);
  }
}

// Over the edges by target: grad_target, the statistics (lse, delta) of each row with delta = <grad, out>, and the
// share of these rows in the gradient of att.
template <class T, class I>
void attention_backward_target(const Attention<T>& a, const Edges<T, I>& edges, const T* grad, const T* out,
                               const acc_t<T>* lse, T* grad_target, acc_t<T>* stats, acc_t<T>* by_att, acc_t<T>* memory,
                               int64_t row_begin, int64_t row_end) {
  using A = acc_t<T>;
  Desk<T> desk(a, memory);
  const int64_t heads = a.heads, width = heads * a.width, channels = heads * a.channels;
  for (int64_t i = row_begin; i < row_end; ++i) {
    const int64_t begin = edges.ptr[i], end = edges.ptr[i + 1];
    const A* own = row_of(a.target, i, width, desk.own_scored);
    const A* own_grad = row_of(grad, i, channels, desk.own_valued);
    const A* result = row_of(out, i, channels, desk.valued_room);
    A* stat = stats + i * 2 * heads;
    dot_heads<A, 0>(&result, own_grad, 1, heads, a.channels, stat + heads);
    for (int64_t h = 0; h < heads; ++h) stat[h] = lse[i * heads + h];
    for (int64_t k = 0; k < width; ++k) desk.by_score[k] = 0;
    for (int64_t at = begin; at < end; at += kChunk) {
      look_up(a, edges, at, end - at < kChunk ? end - at : kChunk, a.source, a.value, desk);
      for (int64_t e = 0; e < desk.chunk.n; ++e) desk.chunk.stats[e] = stat;
      chunk_gradients(a, own, own_grad, desk);
      add_score_gradients(a, own, desk, by_att);
    }
    scale_by_att(a, desk);
    store_row(grad_target + i * width, desk.by_score, width);
  }
}

// Over the edges by source, whose rows are targets: grad_source and grad_value; GATv2's source is the value as well.
template <class T, class I>
void attention_backward_source(const Attention<T>& a, const Edges<T, I>& edges, const T* grad, const acc_t<T>* stats,
                               T* grad_source, T* grad_value, acc_t<T>* memory, int64_t row_begin, int64_t row_end) {
  using A = acc_t<T>;
  Desk<T> desk(a, memory);
  const int64_t heads = a.heads, width = heads * a.width, channels = heads * a.channels;
  for (int64_t j = row_begin; j < row_end; ++j) {
    const int64_t begin = edges.ptr[j], end = edges.ptr[j + 1];
    const A* own = row_of(a.source, j, width, desk.own_scored);
    const A* own_value = row_of(a.value, j, channels, desk.own_valued);
    for (int64_t k = 0; k < width; ++k) desk.by_score[k] = 0;
    for (int64_t k = 0; k < channels; ++k) desk.by_value[k] = 0;
    for (int64_t at = begin; at < end; at += kChunk) {
      look_up(a, edges, at, end - at < kChunk ? end - at : kChunk, a.target, grad, desk);
      look_up_stats(a, edges, at, stats, desk.chunk);
      chunk_gradients(a, own, own_value, desk);
      add_weighted(desk.chunk.valued, desk.weight, desk.chunk.n, heads, a.channels, desk.by_value);
      add_score_gradients(a, own, desk, static_cast<A*>(nullptr));
    }
    scale_by_att(a, desk);
    if (a.score == kGatv2)
      for (int64_t k = 0; k < width; ++k) desk.by_score[k] += desk.by_value[k];
    else store_row(grad_value + j * channels, desk.by_value, channels);
    store_row(grad_source + j * width, desk.by_score, width);
  }
}
