// CPU loops of the Binary-GRU tree. Included once per instruction set; no include guard.
#include "gemm_cpu.h"

#include "activations_cpu.h"

// With S = a + b and D = a - b the gates of both orders are sigmoid(u + v) and sigmoid(u - v), where
// u = (W_i + W_h) S / 2 + bias and v = (W_i - W_h) D / 2: 16 d^2 FLOP per combine instead of 24 d^2.
// The blocks of the rearranged weights: one after the other, first for products with elements, then with gradients.
template <class T>
struct LcmWeights {
  const T *plus, *minus, *fresh, *bias_gates, *bias_fresh, *plus_back, *minus_back, *fresh_back;

  LcmWeights(const T* packed, int64_t d) {
    const int64_t width = padded<T>(d), ahead = 2 * width * d, back = 2 * width * width;
    plus = packed;
    minus = plus + ahead;
    fresh = minus + ahead;
    bias_gates = fresh + ahead;
    bias_fresh = bias_gates + 2 * width;
    plus_back = bias_fresh + 2 * width;
    minus_back = plus_back + back;
    fresh_back = minus_back + back;
  }
};

// Fills zeroed storage of 6 * padded(d) * (d + padded(d)) + 4 * padded(d) values.
template <class T>
void lcm_pack(const T* weight_ih, const T* weight_hh, const T* bias_ih, const T* bias_hh, int64_t d, T* room,
              T* packed) {
  const LcmWeights<T> to(packed, d);
  const int64_t width = padded<T>(d), gates = 2 * d * d;
  auto both = [&](const T* w, const T* ahead, const T* back) {
    pack_transposed(w, 2, d, d, const_cast<T*>(ahead));
    pack(w, 2, d, d, const_cast<T*>(back));
  };
  for (int64_t k = 0; k < gates; ++k) room[k] = T(0.5) * (weight_ih[k] + weight_hh[k]);
  both(room, to.plus, to.plus_back);
  for (int64_t k = 0; k < gates; ++k) room[k] = T(0.5) * (weight_ih[k] - weight_hh[k]);
  both(room, to.minus, to.minus_back);
  for (int64_t k = 0; k < d * d; ++k) {
    room[k] = weight_ih[gates + k];
    room[d * d + k] = weight_hh[gates + k];
  }
  both(room, to.fresh, to.fresh_back);
  T *bias_gates = const_cast<T*>(to.bias_gates), *bias_fresh = const_cast<T*>(to.bias_fresh);
  for (int64_t j = 0; j < d; ++j) {
    bias_gates[j] = bias_ih[j] + bias_hh[j];
    bias_gates[width + j] = bias_ih[d + j] + bias_hh[d + j];
    bias_fresh[j] = bias_ih[2 * d + j];
    bias_fresh[width + j] = bias_hh[2 * d + j];
  }
}

// The buffers of a tile: operands (those of the right side after all of the left), their sums and differences,
// products.
template <class T>
struct LcmTile {
  T *pair, *mixed, *u, *v, *fresh, *back, *through;

  LcmTile(T* scratch, int64_t rows, int64_t width) {
    const int64_t size = rows * width;
    pair = scratch;
    mixed = pair + 2 * size;
    u = mixed + 2 * size;
    v = u + 2 * size;
    fresh = v + 2 * size;
    back = fresh + 4 * size;
    through = back + 2 * size;
  }
};

template <class T>
inline void lcm_read(const LcmTrees<T>& trees, int64_t first, int64_t rows, int64_t width, const LcmTile<T>& tile) {
  const int64_t d = trees.d, line = trees.batch * d;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t combine = (first + i) / trees.batch, part = (first + i) % trees.batch * d;
    const T* a = place_of_slot(trees.x, trees.made, trees.src, trees.elements, line, trees.left[combine]) + part;
    const T* b = place_of_slot(trees.x, trees.made, trees.src, trees.elements, line, trees.right[combine]) + part;
    for (int64_t j = 0; j < width; j += kLanes<T>) {
      const vec<T> left = load_some(a + j, d - j), right = load_some(b + j, d - j);
      store_vec(tile.pair + i * width + j, left);
      store_vec(tile.pair + (rows + i) * width + j, right);
      store_vec(tile.mixed + i * width + j, left + right);
      store_vec(tile.mixed + (rows + i) * width + j, left - right);
    }
  }
}

template <class T>
inline void lcm_products(const LcmWeights<T>& weights, int64_t rows, int64_t d, int64_t width, const LcmTile<T>& tile) {
  const T *sum = tile.mixed, *difference = tile.mixed + rows * width;
  multiply<T>(rows, 2 * width, d, sum, width, weights.plus, weights.bias_gates, 0, tile.u, 2 * width);
  multiply<T>(rows, 2 * width, d, difference, width, weights.minus, nullptr, 0, tile.v, 2 * width);
  multiply<T>(2 * rows, 2 * width, d, tile.pair, width, weights.fresh, weights.bias_fresh, 0, tile.fresh, 2 * width);
}

// One vector of a pair: the gates and the new states of both orders, first (x = a, h = b), then (x = b, h = a).
template <class T>
struct LcmGates {
  vec<T> a, b, reset1, update1, reset2, update2, hidden_a, hidden_b, new1, new2;

  GL_INLINE LcmGates(const LcmTile<T>& tile, int64_t i, int64_t rows, int64_t width, int64_t j) {
    const T *u = tile.u + i * 2 * width + j, *v = tile.v + i * 2 * width + j;
    const T *of_a = tile.fresh + i * 2 * width + j, *of_b = tile.fresh + (rows + i) * 2 * width + j;
    a = load_vec(tile.pair + i * width + j);
    b = load_vec(tile.pair + (rows + i) * width + j);
    reset1 = sigmoid_vec(load_vec(u) + load_vec(v));
    reset2 = sigmoid_vec(load_vec(u) - load_vec(v));
    update1 = sigmoid_vec(load_vec(u + width) + load_vec(v + width));
    update2 = sigmoid_vec(load_vec(u + width) - load_vec(v + width));
    hidden_a = load_vec(of_a + width);
    hidden_b = load_vec(of_b + width);
    new1 = tanh_vec(load_vec(of_a) + reset1 * hidden_b);
    new2 = tanh_vec(load_vec(of_b) + reset2 * hidden_a);
  }
};

// Combines [begin, end) of one level, parts counted one by one.
template <class T>
void lcm_forward(const LcmTrees<T>& trees, const T* packed, int64_t begin, int64_t end, T* made, T* scratch) {
  const int64_t d = trees.d, width = padded<T>(d), most = tile_rows<T>(d);
  const LcmWeights<T> weights(packed, d);
  const LcmTile<T> tile(scratch, most, width);
  for (int64_t first = begin; first < end; first += most) {
    const int64_t rows = end - first < most ? end - first : most;
    lcm_read(trees, first, rows, width, tile);
    lcm_products(weights, rows, d, width, tile);
    for (int64_t i = 0; i < rows; ++i) {
      // Parts of a row lie one after the other, as rows do.
      T* out = made + (first + i) * d;
      for (int64_t j = 0; j < d; j += kLanes<T>) {
        const LcmGates<T> g(tile, i, rows, width, j);
        const vec<T> one = g.new1 + g.update1 * (g.b - g.new1), other = g.new2 + g.update2 * (g.a - g.new2);
        store_some(out + j, d - j, T(0.5) * (one + other));
      }
    }
  }
}

// The sums of a piece: of plus, minus and fresh, (2 * width, width) each, and of both biases, (2 * width) each.
template <class T>
inline int64_t lcm_sums(int64_t d) {
  const int64_t width = padded<T>(d);
  return 6 * width * width + 4 * width;
}

// Turns the products of a tile into their gradients, adds up those of the biases, and starts those of the operands.
template <class T>
inline void lcm_gate_gradients(const LcmTile<T>& tile, const T* grad, int64_t rows, int64_t d, int64_t width, T* bias) {
  for (int64_t i = 0; i < rows; ++i) {
    T *u = tile.u + i * 2 * width, *v = tile.v + i * 2 * width;
    T *of_a = tile.fresh + i * 2 * width, *of_b = tile.fresh + (rows + i) * 2 * width;
    for (int64_t j = 0; j < width; j += kLanes<T>) {
      const LcmGates<T> g(tile, i, rows, width, j);
      const vec<T> half = T(0.5) * load_some(grad + i * d + j, d - j);
      const vec<T> keep1 = half * g.update1, keep2 = half * g.update2;
      const vec<T> new1 = (half - keep1) * (1 - g.new1 * g.new1), new2 = (half - keep2) * (1 - g.new2 * g.new2);
      const vec<T> update1 = (g.b - g.new1) * keep1 * (1 - g.update1),
                   update2 = (g.a - g.new2) * keep2 * (1 - g.update2);
      const vec<T> hidden_b = new1 * g.reset1, hidden_a = new2 * g.reset2;
      const vec<T> reset1 = hidden_b * g.hidden_b * (1 - g.reset1), reset2 = hidden_a * g.hidden_a * (1 - g.reset2);
      store_vec(u + j, reset1 + reset2);
      store_vec(u + width + j, update1 + update2);
      store_vec(v + j, reset1 - reset2);
      store_vec(v + width + j, update1 - update2);
      store_vec(of_a + j, new1);
      store_vec(of_a + width + j, hidden_a);
      store_vec(of_b + j, new2);
      store_vec(of_b + width + j, hidden_b);
      store_vec(tile.back + i * width + j, keep2);
      store_vec(tile.back + (rows + i) * width + j, keep1);
      add_vec(bias + j, reset1 + reset2);
      add_vec(bias + width + j, update1 + update2);
      add_vec(bias + 2 * width + j, new1 + new2);
      add_vec(bias + 3 * width + j, hidden_a + hidden_b);
    }
  }
}

template <class T>
inline void lcm_write(const LcmTrees<T>& trees, int64_t first, int64_t rows, int64_t width, const LcmTile<T>& tile,
                      bool add, T* grad_x, T* grad_made) {
  const int64_t d = trees.d, line = trees.batch * d;
  const T *sum = tile.through, *difference = tile.through + rows * width;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t combine = (first + i) / trees.batch, part = (first + i) % trees.batch * d;
    const int64_t left = trees.left[combine], right = trees.right[combine];
    T* a = place_of_slot(grad_x, grad_made, trees.leaves, trees.elements, line, left) + part;
    T* b = place_of_slot(grad_x, grad_made, trees.leaves, trees.elements, line, right) + part;
    const bool add_a = add && left >= trees.elements, add_b = add && right >= trees.elements;
    for (int64_t j = 0; j < d; j += kLanes<T>) {
      const vec<T> both = load_vec(sum + i * width + j), turn = load_vec(difference + i * width + j);
      vec<T> of_a = load_vec(tile.back + i * width + j) + (both + turn);
      vec<T> of_b = load_vec(tile.back + (rows + i) * width + j) + (both - turn);
      if (add_a) of_a += load_some(a + j, d - j);
      if (add_b) of_b += load_some(b + j, d - j);
      store_some(a + j, d - j, of_a);
      store_some(b + j, d - j, of_b);
    }
  }
}

// Each slot has one reader, which stores its gradient; with `add`, those of combines hold one already.
template <class T>
void lcm_backward(const LcmTrees<T>& trees, const T* packed, int64_t begin, int64_t end, bool add, T* grad_x,
                  T* grad_made, T* sums, T* scratch) {
  const int64_t d = trees.d, width = padded<T>(d), most = tile_rows<T>(d), block = 2 * width * width;
  const LcmWeights<T> weights(packed, d);
  const LcmTile<T> tile(scratch, most, width);
  for (int64_t first = begin; first < end; first += most) {
    const int64_t rows = end - first < most ? end - first : most;
    T *sum = tile.mixed, *difference = tile.mixed + rows * width;
    lcm_read(trees, first, rows, width, tile);
    lcm_products(weights, rows, d, width, tile);
    lcm_gate_gradients(tile, grad_made + first * d, rows, d, width, sums + 3 * block);
    add_product<T>(rows, 2 * width, width, tile.u, 2 * width, sum, width, sums, width);
    add_product<T>(rows, 2 * width, width, tile.v, 2 * width, difference, width, sums + block, width);
    add_product<T>(2 * rows, 2 * width, width, tile.fresh, 2 * width, tile.pair, width, sums + 2 * block, width);
    multiply<T>(2 * rows, width, 2 * width, tile.fresh, 2 * width, weights.fresh_back, tile.back, width, tile.back,
                width);
    multiply<T>(rows, width, 2 * width, tile.u, 2 * width, weights.plus_back, nullptr, 0, tile.through, width);
    multiply<T>(rows, width, 2 * width, tile.v, 2 * width, weights.minus_back, nullptr, 0, tile.through + rows * width,
                width);
    lcm_write(trees, first, rows, width, tile, add, grad_x, grad_made);
  }
}

template <class T>
void lcm_add_sums(const T* parts, int64_t pieces, int64_t d, T* sums) {
  add_pieces(parts, pieces, lcm_sums<T>(d), sums);
}
