// What a tile of threads does for edge_attention and its gradients: one head of a row, or of a piece of a hub.
#pragma once
#include "edge_attention.h"
#include "edge_reader.h"
#include "pieces.h"
#include "tile.h"

namespace gl {

GL_HD float exp_of_score(float x) { return expf(x); }
GL_HD double exp_of_score(double x) { return exp(x); }
GL_HD float log_of_total(float x) { return logf(x); }
GL_HD double log_of_total(double x) { return log(x); }

// Columns of a head that a lane keeps; wider heads are gone through in several turns.
constexpr int kHeld = 8;
constexpr int kTurn = kTile * kHeld;

template <class A>
struct Held {
  A at[kHeld];
};

// The column of a lane's n-th pack of W in a turn.
template <int W>
GL_HD int64_t column_of(int64_t base, int n, int lane) {
  return base + static_cast<int64_t>(n * kTile + lane) * W;
}

template <class A>
GL_HD A leaky(A z, A slope) {
  return z > 0 ? z : slope * z;
}

template <int W, class T>
GL_HD acc_t<T> dot_of(const T* one, const T* other, int64_t width) {
  using A = acc_t<T>;
  PerLane<A> part;
  each_lane([&](int lane) {
    A sum = 0;
#pragma unroll 1  // more loads at a time would take more registers than there are
    for (int64_t f = lane * W; f < width; f += kTile * W) {
      const Pack<T, W> x = read_pack<T, W>(one + f), y = read_pack<T, W>(other + f);
#pragma unroll
      for (int k = 0; k < W; ++k) sum += load(&x.at[k]) * load(&y.at[k]);
    }
    part[lane] = sum;
  });
  return sum_lanes(part);
}

// The score of two rows of a head, the same on every lane.
template <int W, class T>
GL_HD acc_t<T> score_between(const Attention<T>& a, const T* one, const T* other, int64_t head) {
  using A = acc_t<T>;
  if (a.score == kGat) return leaky(load(one) + load(other), a.parameter);
  if (a.score == kDot) return a.parameter * dot_of<W>(one, other, a.width);
  const T* att = a.att + head * a.width;
  PerLane<A> part;
  each_lane([&](int lane) {
    A sum = 0;
#pragma unroll 1  // more loads at a time would take more registers than there are
    for (int64_t f = lane * W; f < a.width; f += kTile * W) {
      const Pack<T, W> x = read_pack<T, W>(one + f), y = read_pack<T, W>(other + f), c = read_pack<T, W>(att + f);
#pragma unroll
      for (int k = 0; k < W; ++k) sum += load(&c.at[k]) * leaky(load(&x.at[k]) + load(&y.at[k]), a.parameter);
    }
    part[lane] = sum;
  });
  return sum_lanes(part);
}

// What dropout multiplies the weight of an edge and head with. The seed stays on the device.
GL_HD double keep_of(const Dropout& dropout, const int64_t* seed, int64_t place, int64_t head) {
  if (!dropout.on()) return 1;
  const uint64_t key = static_cast<uint64_t>(*seed);
  uint32_t key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  uint32_t c0 = static_cast<uint32_t>(place), c1 = static_cast<uint32_t>(static_cast<uint64_t>(place) >> 32);
  uint32_t c2 = static_cast<uint32_t>(head / 4), c3 = 0;
  for (int round = 0; round < kRounds; ++round, key0 += kKeyStep0, key1 += kKeyStep1)
    philox_round(c0, c1, c2, c3, key0, key1);
  const int word = static_cast<int>(head % 4);
  const uint32_t drawn = word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
  return drawn >= dropout.threshold ? dropout.scale : 0;
}

// What forward and backward passes share: the edges, cut into pieces with one tile per head.
template <class T, class I>
struct Heads {
  using A = acc_t<T>;
  Attention<T> a;
  EdgeReader<T, I> reader;
  Pieces<I> pieces;
  const int64_t* seed;

  GL_HD const T* row(const T* x, int64_t i, int64_t head, int64_t width) const {
    return x + (i * a.heads + head) * width;
  }
  GL_HD A keep(int64_t e, int64_t head) const {
    return static_cast<A>(keep_of(a.dropout, seed, reader.place(e), head));
  }
  GL_HD A poison(int64_t e) const {
    const bool wrong = outside(reader.edges.index[e], reader.columns) ||
                       outside(place_of(reader.edges, e), reader.edges.count);
    return wrong ? nan_of<A>() : A(0);
  }
};

// Largest score so far, and the sum of exponentials of scores above it.
template <class A>
struct RunningSoftmax {
  A top, total;

  GL_HD static A shift(A level) { return level == static_cast<A>(-INFINITY) ? A(0) : level; }
  // Takes a new level; returns what all that was summed up before is multiplied with.
  GL_HD A rise(A level) {
    const A shrink = exp_of_score(top - shift(level));
    top = level;
    total *= shrink;
    return shrink;
  }
};

// out[i] = sum_e softmax(scores)_e value[index_e]; lse[i] is the logarithm of the softmax's denominator. S and V: how
// many columns of scored rows and of values are read at once.
template <class T, class I, int S, int V>
struct AttentionForward {
  using A = acc_t<T>;
  Heads<T, I> heads;
  T* out;
  A* lse;
  A* partial;  // per slot and head: top, total, sums

  GL_HD void operator()(int64_t tile) const {
    const Attention<T>& a = heads.a;
    const Piece p = heads.pieces.piece(tile);
    if (p.row < 0) return;
    const int64_t head = p.lane;
    const T* own = heads.row(a.target, p.row, head, a.width);
    for (int64_t base = 0; base < a.channels; base += kTurn) {
      RunningSoftmax<A> running{static_cast<A>(-INFINITY), 0};
      PerLane<Held<A>> sum;
      each_lane([&](int lane) {
#pragma unroll
        for (int k = 0; k < kHeld; ++k) sum[lane].at[k] = 0;
      });
      for (int64_t e = p.begin; e < p.end; e += kFlight) step(p, e, head, own, base, running, sum);
      write(p, head, base, running, sum);
    }
  }

  static constexpr int kFlight = 4;

  GL_HD void step(const Piece& p, int64_t e, int64_t head, const T* own, int64_t base, RunningSoftmax<A>& running,
                  PerLane<Held<A>>& sum) const {
    const Attention<T>& a = heads.a;
    A weight[kFlight], level = running.top;
    int64_t source[kFlight];
#pragma unroll
    for (int u = 0; u < kFlight; ++u) {
      // Behind the end the last edge stands in, with no weight.
      const int64_t at = e + u < p.end ? e + u : p.end - 1;
      source[u] = heads.reader.source(at);
      weight[u] = score_between<S>(a, own, heads.row(a.source, source[u], head, a.width), head) + heads.poison(at);
      level = weight[u] > level || weight[u] != weight[u] ? weight[u] : level;
    }
    const A shrink = running.rise(level), shift = running.shift(level);
#pragma unroll
    for (int u = 0; u < kFlight; ++u) {
      weight[u] = e + u < p.end ? exp_of_score(weight[u] - shift) : A(0);
      running.total += weight[u];
      if (a.dropout.on() && e + u < p.end) weight[u] *= heads.keep(e + u, head);
    }
    each_lane([&](int lane) {
#pragma unroll
      for (int n = 0; n < kHeld / V; ++n) {
        const int64_t f = column_of<V>(base, n, lane);
        if (f >= a.channels) break;
#pragma unroll
        for (int k = 0; k < V; ++k) sum[lane].at[n * V + k] *= shrink;
#pragma unroll
        for (int u = 0; u < kFlight; ++u) {
          const Pack<T, V> pack = read_pack<T, V>(heads.row(a.value, source[u], head, a.channels) + f);
#pragma unroll
          for (int k = 0; k < V; ++k)
            if (e + u < p.end) sum[lane].at[n * V + k] += weight[u] * load(&pack.at[k]);
        }
      }
    });
  }

  GL_HD void write(const Piece& p, int64_t head, int64_t base, const RunningSoftmax<A>& running,
                   PerLane<Held<A>>& sum) const {
    const Attention<T>& a = heads.a;
    A* to = partial + (p.slot * a.heads + head) * (a.channels + 2);
    const A inverse = p.begin < p.end ? A(1) / running.total : A(0);
    each_lane([&](int lane) {
#pragma unroll
      for (int n = 0; n < kHeld / V; ++n) {
        const int64_t f = column_of<V>(base, n, lane);
        if (f >= a.channels) break;
#pragma unroll
        for (int k = 0; k < V; ++k) {
          const A value = sum[lane].at[n * V + k];
          if (p.slot < 0) store(out + (p.row * a.heads + head) * a.channels + f + k, value * inverse);
          else to[2 + f + k] = value;
        }
      }
      if (lane != 0 || base != 0) return;
      if (p.slot < 0) lse[p.row * a.heads + head] = running.top + log_of_total(running.total);
      else to[0] = running.top, to[1] = running.total;
    });
  }
};

// Puts the pieces of a hub together; a thread owns one channel of a head.
template <class T, class I>
struct AttentionMerge {
  using A = acc_t<T>;
  Pieces<I> pieces;
  int64_t heads, channels;
  const A* partial;
  T* out;
  A* lse;

  GL_HD void operator()(int64_t thread) const {
    const Partials p = pieces.partials(thread);
    if (p.row < 0) return;
    const int64_t head = p.lane / channels, c = p.lane - head * channels;
    RunningSoftmax<A> running{static_cast<A>(-INFINITY), 0};
    A sum = 0;
    for (int64_t slot = p.first; slot <= p.last; slot = p.after(slot)) {
      const A* from = partial + (slot * heads + head) * (channels + 2);
      const A top = from[0], level = top > running.top || top != top ? top : running.top;
      const A shrink = running.rise(level), own = exp_of_score(top - running.shift(level));
      running.total += from[1] * own;
      sum = sum * shrink + from[2 + c] * own;
    }
    store(out + p.row * heads * channels + p.lane, sum / running.total);
    if (c == 0) lse[p.row * heads + head] = running.top + log_of_total(running.total);
  }
};

// delta[i, h] = <grad, out>, for a tile per row and head.
template <class T, int V>
struct AttentionDelta {
  const T *grad, *out;
  int64_t channels;
  acc_t<T>* delta;

  GL_HD void operator()(int64_t tile) const {
    const acc_t<T> total = dot_of<V>(grad + tile * channels, out + tile * channels, channels);
    each_lane([&](int lane) {
      if (lane == 0) delta[tile] = total;
    });
  }
};

// Where the gradients of a row's columns go. Over the edges by target: the gradient of the target, and the row's share
// in that of `att`. Over the transposed edges: the gradients of source and value; GATv2's source is the value as well.
template <class T, bool BY_SOURCE>
struct AttentionGradients {
  using A = acc_t<T>;
  T *own, *value;
  A* att;

  // `second` goes with GATv2's scores alone: the share in att, or the gradient of the value.
  GL_HD void put_score(const Attention<T>& a, int64_t row, int64_t head, int64_t f, A score, A second) const {
    const int64_t at = (row * a.heads + head) * a.width + f;
    if (a.score == kGatv2) {
      score *= load(a.att + head * a.width + f);
      if (BY_SOURCE) score += second;
      else att[at] = second;
    }
    store(own + at, score);
  }
  GL_HD void put_value(const Attention<T>& a, int64_t row, int64_t head, int64_t f, A sum) const {
    if (BY_SOURCE && a.score != kGatv2) store(value + (row * a.heads + head) * a.channels + f, sum);
  }
};

template <class T, class I, int S, int V, bool BY_SOURCE>
struct AttentionBackward {
  using A = acc_t<T>;
  Heads<T, I> heads;
  const T* grad;
  const A *lse, *delta;
  AttentionGradients<T, BY_SOURCE> gradients;
  A* partial;  // per slot and head: two sums for each column

  static GL_HD int64_t columns(const Attention<T>& a) { return a.width > a.channels ? a.width : a.channels; }

  GL_HD void operator()(int64_t tile) const {
    const Attention<T>& a = heads.a;
    const Piece p = heads.pieces.piece(tile);
    if (p.row < 0) return;
    for (int64_t base = 0; base < columns(a); base += kTurn) {
      PerLane<Held<A>> score, second;
      each_lane([&](int lane) {
#pragma unroll
        for (int k = 0; k < kHeld; ++k) score[lane].at[k] = second[lane].at[k] = 0;
      });
      for (int64_t e = p.begin; e < p.end; ++e) step(p, e, base, score, second);
      write(p, base, score, second);
    }
  }

  GL_HD void write(const Piece& p, int64_t base, PerLane<Held<A>>& score, PerLane<Held<A>>& second) const {
    const Attention<T>& a = heads.a;
    const int64_t wide = columns(a), head = p.lane;
    A* to = partial + (p.slot * a.heads + head) * 2 * wide;
    each_lane([&](int lane) {
#pragma unroll
      for (int n = 0; n < kHeld / S; ++n)
#pragma unroll
        for (int k = 0; k < S; ++k) {
          const int64_t f = column_of<S>(base, n, lane) + k;
          const A one = score[lane].at[n * S + k], other = second[lane].at[n * S + k];
          if (f >= a.width) continue;
          if (p.slot < 0) gradients.put_score(a, p.row, head, f, one, other);
          else to[f] = one;
          // With GATv2, whose values are the scored rows, both sums lie in the same columns.
          if (p.slot >= 0 && a.score == kGatv2) to[wide + f] = other;
        }
      if (a.score == kGatv2 || !BY_SOURCE) return;
#pragma unroll
      for (int n = 0; n < kHeld / V; ++n)
#pragma unroll
        for (int k = 0; k < V; ++k) {
          const int64_t f = column_of<V>(base, n, lane) + k;
          if (f >= a.channels) continue;
          if (p.slot < 0) gradients.put_value(a, p.row, head, f, second[lane].at[n * V + k]);
          else to[wide + f] = second[lane].at[n * V + k];
        }
    });
  }

  GL_HD void step(const Piece& p, int64_t e, int64_t base, PerLane<Held<A>>& score, PerLane<Held<A>>& second) const {
    const Attention<T>& a = heads.a;
    const int64_t head = p.lane, other = heads.reader.source(e), target = (BY_SOURCE ? other : p.row) * a.heads + head;
    const T* own = heads.row(BY_SOURCE ? a.source : a.target, p.row, head, a.width);
    const T* far = heads.row(BY_SOURCE ? a.target : a.source, other, head, a.width);
    const T* far_valued = heads.row(BY_SOURCE ? grad : a.value, other, head, a.channels);
    const A keep = heads.keep(e, head);
    const A weight = exp_of_score(score_between<S>(a, own, far, head) + heads.poison(e) - lse[target]);
    const T* own_valued = heads.row(BY_SOURCE ? a.value : grad, p.row, head, a.channels);
    const A by_weight = dot_of<V>(own_valued, far_valued, a.channels);
    A slope = weight * (by_weight * keep - delta[target]);
    if (a.score == kDot || (a.score == kGat && !(load(own) + load(far) > 0))) slope *= a.parameter;
    each_lane([&](int lane) {
#pragma unroll
      for (int n = 0; n < kHeld / S; ++n) {
        const int64_t f = column_of<S>(base, n, lane);
        if (f >= a.width) break;
        const Pack<T, S> x = read_pack<T, S>(own + f), y = read_pack<T, S>(far + f);
#pragma unroll
        for (int k = 0; k < S; ++k) {
          const A z = load(&x.at[k]) + load(&y.at[k]);
          const A part = a.score == kGat ? slope : a.score == kDot ? slope * load(&y.at[k]) : leaky_slope(z, slope);
          score[lane].at[n * S + k] += part;
          if (!BY_SOURCE && a.score == kGatv2) second[lane].at[n * S + k] += part * z;
        }
      }
      if constexpr (BY_SOURCE) {
#pragma unroll
        for (int n = 0; n < kHeld / V; ++n) {
          const int64_t f = column_of<V>(base, n, lane);
          if (f >= a.channels) break;
          const Pack<T, V> v = read_pack<T, V>(far_valued + f);
#pragma unroll
          for (int k = 0; k < V; ++k) second[lane].at[n * V + k] += weight * keep * load(&v.at[k]);
        }
      }
    });
  }

  GL_HD A leaky_slope(A z, A slope) const { return z > 0 ? slope : slope * heads.a.parameter; }
};

// Adds up the pieces of a hub; a thread owns one column of a head.
template <class T, class I, bool BY_SOURCE>
struct AttentionBackwardMerge {
  using A = acc_t<T>;
  Attention<T> a;
  Pieces<I> pieces;
  int64_t wide;
  AttentionGradients<T, BY_SOURCE> gradients;
  const A* partial;

  GL_HD void operator()(int64_t thread) const {
    const Partials p = pieces.partials(thread);
    if (p.row < 0) return;
    const int64_t head = p.lane / wide, f = p.lane - head * wide;
    const bool has_second = a.score == kGatv2 ? f < a.width : BY_SOURCE && f < a.channels;
    A score = 0, second = 0;
    for (int64_t slot = p.first; slot <= p.last; slot = p.after(slot)) {
      const A* from = partial + (slot * a.heads + head) * 2 * wide + f;
      if (f < a.width) score += from[0];
      if (has_second) second += from[wide];
    }
    if (f < a.width) gradients.put_score(a, p.row, head, f, score, second);
    if (f < a.channels) gradients.put_value(a, p.row, head, f, second);
  }
};

}  // namespace gl
