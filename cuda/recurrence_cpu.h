// CPU loops of the GRU and the LSTM over sequences. Included once per instruction set; no include guard.
#include "gemm_cpu.h"

#include "activations_cpu.h"

// A row of a tile holds four gates. For a GRU they are (new of the input, reset, update, new of the state), so that the
// input's product covers the first three and the state's the last three; for an LSTM (input, forget, cell, output).
template <bool LSTM>
constexpr int kGates = LSTM ? 4 : 3;
template <bool LSTM>
constexpr int kOfState = LSTM ? 0 : 1;

template <class T>
struct RecurrentWeights {
  const T *ih, *hh, *ih_back, *hh_back, *bias;

  RecurrentWeights(const T* packed, const RecurrentSizes& s) {
    const int64_t rows = s.gates * s.width;
    ih = packed;
    hh = ih + rows * s.in;
    ih_back = hh + rows * s.d;
    hh_back = ih_back + rows * s.in_width;
    bias = hh_back + rows * s.width;
  }
};

// Fills zeroed storage of sizes.packed() values.
template <class T, bool LSTM>
void recurrent_pack(const RecurrentSizes& s, const T* weight_ih, const T* weight_hh, const T* bias_ih, const T* bias_hh,
                    T* room, T* packed) {
  const RecurrentWeights<T> to(packed, s);
  const int64_t d = s.d, width = s.width;
  T* bias = const_cast<T*>(to.bias);
  for (int64_t gate = 0; gate < s.gates; ++gate) {
    const int64_t slot = LSTM ? gate : (gate + 1) % 3;
    for (int64_t k = 0; k < d * s.in; ++k) room[slot * d * s.in + k] = weight_ih[gate * d * s.in + k];
    for (int64_t j = 0; j < d; ++j) {
      const bool is_new = !LSTM && gate == 2;
      bias[slot * width + j] = bias_ih[gate * d + j] + (is_new ? T(0) : bias_hh[gate * d + j]);
      if (is_new) bias[3 * width + j] = bias_hh[gate * d + j];
    }
  }
  pack_transposed(room, s.gates, d, s.in, const_cast<T*>(to.ih));
  pack(room, s.gates, d, s.in, const_cast<T*>(to.ih_back));
  pack_transposed(weight_hh, s.gates, d, d, const_cast<T*>(to.hh));
  pack(weight_hh, s.gates, d, d, const_cast<T*>(to.hh_back));
}

template <class T>
inline void copy_padded(const T* from, int64_t d, int64_t width, T* to) {
  for (int64_t j = 0; j < width; j += kLanes<T>) store_vec(to + j, load_some(from + j, d - j));
}
template <class T>
inline void copy_back(const T* from, int64_t d, T* to) {
  for (int64_t j = 0; j < d; j += kLanes<T>) store_some(to + j, d - j, load_vec(from + j));
}

// The input's part of the gates, and the biases.
template <class T, bool LSTM>
inline void input_gates(const RecurrentSizes& s, const RecurrentWeights<T>& weights, int64_t rows, const T* x,
                        T* gates) {
  multiply<T>(rows, kGates<LSTM> * s.width, s.in, x, s.in_width, weights.ih, weights.bias, 0, gates, 4 * s.width);
  if (LSTM) return;
  for (int64_t i = 0; i < rows; ++i)
    copy_padded(weights.bias + 3 * s.width, s.width, s.width, gates + (4 * i + 3) * s.width);
}

template <class T, bool LSTM>
inline void add_state_gates(const RecurrentSizes& s, const RecurrentWeights<T>& weights, int64_t rows, const T* h,
                            T* gates) {
  T* at = gates + kOfState<LSTM> * s.width;
  multiply<T>(rows, kGates<LSTM> * s.width, s.d, h, s.width, weights.hh, at, 4 * s.width, at, 4 * s.width);
}

template <class T, bool LSTM>
GL_INLINE void cell_forward(const T* gates, int64_t width, T* h, T* c) {
  if constexpr (LSTM) {
    const vec<T> enter = sigmoid_vec(load_vec(gates)), forget = sigmoid_vec(load_vec(gates + width));
    const vec<T> value = tanh_vec(load_vec(gates + 2 * width)), leave = sigmoid_vec(load_vec(gates + 3 * width));
    const vec<T> cell = forget * load_vec(c) + enter * value;
    store_vec(c, cell);
    store_vec(h, leave * tanh_vec(cell));
  } else {
    const vec<T> reset = sigmoid_vec(load_vec(gates + width)), update = sigmoid_vec(load_vec(gates + 2 * width));
    const vec<T> fresh = tanh_vec(load_vec(gates) + reset * load_vec(gates + 3 * width));
    store_vec(h, fresh + update * (load_vec(h) - fresh));
  }
}

// Turns gates into their gradients; what reaches the states before by other ways than the gates is left in grad_h,
// grad_c.
template <class T, bool LSTM>
GL_INLINE void cell_backward(T* gates, int64_t width, const T* h, const T* c, T* grad_h, T* grad_c) {
  const vec<T> g = load_vec(grad_h);
  if constexpr (LSTM) {
    const vec<T> enter = sigmoid_vec(load_vec(gates)), forget = sigmoid_vec(load_vec(gates + width));
    const vec<T> value = tanh_vec(load_vec(gates + 2 * width)), leave = sigmoid_vec(load_vec(gates + 3 * width));
    const vec<T> before = load_vec(c), squashed = tanh_vec(forget * before + enter * value);
    const vec<T> of_cell = load_vec(grad_c) + g * leave * (1 - squashed * squashed);
    store_vec(gates, of_cell * value * enter * (1 - enter));
    store_vec(gates + width, of_cell * before * forget * (1 - forget));
    store_vec(gates + 2 * width, of_cell * enter * (1 - value * value));
    store_vec(gates + 3 * width, g * squashed * leave * (1 - leave));
    store_vec(grad_c, of_cell * forget);
    store_vec(grad_h, vec<T>{});
  } else {
    const vec<T> hidden = load_vec(gates + 3 * width);
    const vec<T> reset = sigmoid_vec(load_vec(gates + width)), update = sigmoid_vec(load_vec(gates + 2 * width));
    const vec<T> fresh = tanh_vec(load_vec(gates) + reset * hidden);
    const vec<T> kept = g * update, of_new = (g - kept) * (1 - fresh * fresh), of_hidden = of_new * reset;
    store_vec(gates, of_new);
    store_vec(gates + width, of_hidden * hidden * (1 - reset));
    store_vec(gates + 2 * width, kept * (load_vec(h) - fresh) * (1 - update));
    store_vec(gates + 3 * width, of_hidden);
    store_vec(grad_h, kept);
  }
}

// Items [begin, end), longest first, from their first step to their last. The input's part of the gates is taken for
// several steps at once, as many as a tile holds: the tail of a long sequence is then not one row after the other.
template <class T, bool LSTM>
void recurrent_forward(const Sequences& q, const RecurrentSizes& s, const RecurrentTensors<T>& t, const T* packed,
                       int64_t most, int64_t begin, int64_t end, T* states, T* cells, T* scratch) {
  const RecurrentWeights<T> weights(packed, s);
  const int64_t width = s.width;
  T *x = scratch, *gates = x + most * s.in_width, *h = gates + most * 4 * width, *c = h + most * width;
  for (int64_t i = 0; i < end - begin; ++i) {
    copy_padded(t.initial, s.d, width, h + i * width);
    if (LSTM) copy_padded(t.initial_cell, s.d, width, c + i * width);
  }
  auto still = [&](int64_t running, int64_t step) {
    while (running > 0 && q.length(begin + running - 1) <= step) --running;
    return running;
  };
  int64_t running = end - begin;
  for (int64_t step = 0; running > 0;) {
    int64_t rows = 0, ahead = step;
    for (int64_t count = running; count > 0 && rows + count <= most; count = still(count, ++ahead))
      for (int64_t i = 0; i < count; ++i, ++rows) {
        const int64_t item = begin + i, line = q.gather[q.place(item, ahead)] * q.batch + item % q.batch;
        copy_padded(t.x + line * s.in, s.in, s.in_width, x + rows * s.in_width);
      }
    input_gates<T, LSTM>(s, weights, rows, x, gates);
    T* at = gates;
    for (; step < ahead; running = still(running, ++step)) {
      add_state_gates<T, LSTM>(s, weights, running, h, at);
      for (int64_t i = 0; i < running; ++i, at += 4 * width) {
        for (int64_t j = 0; j < width; j += kLanes<T>)
          cell_forward<T, LSTM>(at + j, width, h + i * width + j, c + i * width + j);
        const int64_t line = q.place(begin + i, step) * q.batch + (begin + i) % q.batch;
        copy_back(h + i * width, s.d, states + line * s.d);
        if (LSTM) copy_back(c + i * width, s.d, cells + line * s.d);
      }
    }
  }
}

template <class T>
inline void add_row(const T* from, int64_t d, T* to) {
  for (int64_t j = 0; j < d; j += kLanes<T>) add_vec(to + j, load_some(from + j, d - j));
}

// The same items from their last step to their first. `sums` collects the gradients of the input weights, the hidden
// weights, the four gates' biases and both initial states.
template <class T, bool LSTM>
void recurrent_backward(const Sequences& q, const RecurrentSizes& s, const RecurrentTensors<T>& t, const T* packed,
                        int64_t most, int64_t begin, int64_t end, const RecurrentGradients<T>& grad, const T* states,
                        const T* cells, T* grad_x, T* sums, T* scratch) {
  const RecurrentWeights<T> weights(packed, s);
  const int64_t width = s.width, size = most * width, wide = kGates<LSTM> * width;
  T *x = scratch, *gates = x + most * s.in_width, *h = gates + 4 * size, *c = h + size, *grad_h = c + size;
  T *grad_c = grad_h + size, *sums_hh = sums + wide * s.in_width, *bias = sums_hh + wide * width;
  for (int64_t i = 0; i < end - begin; ++i) {
    const int64_t line = grad.order[(begin + i) / q.batch] * q.batch + (begin + i) % q.batch;
    copy_padded(grad.out + line * s.d, s.d, width, grad_h + i * width);
    for (int64_t j = 0; j < width; ++j) grad_c[i * width + j] = 0;
  }
  auto started = [&](int64_t running, int64_t step) {
    while (running < end - begin && q.length(begin + running) > step) ++running;
    return running;
  };
  int64_t running = 0, lines[kMostTileRows];
  for (int64_t step = q.length(begin) - 1; step >= 0;) {
    int64_t rows = 0, back = step;
    for (int64_t count = started(running, back); back >= 0 && rows + count <= most; count = started(count, --back))
      for (int64_t i = 0; i < count; ++i, ++rows) {
        const int64_t item = begin + i, part = item % q.batch;
        const int64_t line = q.gather[q.place(item, back)] * q.batch + part;
        const int64_t before = back > 0 ? q.place(item, back - 1) * q.batch + part : 0;
        lines[rows] = line;
        copy_padded(t.x + line * s.in, s.in, s.in_width, x + rows * s.in_width);
        copy_padded(back > 0 ? states + before * s.d : t.initial, s.d, width, h + rows * width);
        if (LSTM) copy_padded(back > 0 ? cells + before * s.d : t.initial_cell, s.d, width, c + rows * width);
      }
    input_gates<T, LSTM>(s, weights, rows, x, gates);
    add_state_gates<T, LSTM>(s, weights, rows, h, gates);
    int64_t row = 0;
    for (running = started(running, step); step > back; running = started(running, --step)) {
      const int64_t first = row;
      for (int64_t i = 0; i < running; ++i, ++row) {
        const int64_t line = q.place(begin + i, step) * q.batch + (begin + i) % q.batch;
        if (grad.states) add_row(grad.states + line * s.d, s.d, grad_h + i * width);
        if (grad.cells) add_row(grad.cells + line * s.d, s.d, grad_c + i * width);
        T* at = gates + row * 4 * width;
        for (int64_t j = 0; j < width; j += kLanes<T>) {
          const int64_t here = i * width + j;
          cell_backward<T, LSTM>(at + j, width, h + row * width + j, c + row * width + j, grad_h + here, grad_c + here);
#pragma GCC unroll 4
          for (int gate = 0; gate < 4; ++gate) add_vec(bias + gate * width + j, load_vec(at + gate * width + j));
        }
      }
      multiply<T>(running, width, wide, gates + (first * 4 + kOfState<LSTM>)*width, 4 * width, weights.hh_back, grad_h,
                  width, grad_h, width);
    }
    add_product<T>(rows, wide, s.in_width, gates, 4 * width, x, s.in_width, sums, s.in_width);
    add_product<T>(rows, wide, width, gates + kOfState<LSTM> * width, 4 * width, h, width, sums_hh, width);
    multiply<T>(rows, s.in_width, wide, gates, 4 * width, weights.ih_back, nullptr, 0, x, s.in_width);
    for (int64_t i = 0; i < rows; ++i) copy_back(x + i * s.in_width, s.in, grad_x + lines[i] * s.in);
  }
  for (int64_t i = 0; i < end - begin; ++i) {
    add_row(grad_h + i * width, width, bias + 4 * width);
    if (LSTM) add_row(grad_c + i * width, width, bias + 5 * width);
  }
}

template <class T>
void recurrent_add_sums(const T* parts, int64_t pieces, int64_t count, T* sums) {
  add_pieces(parts, pieces, count, sums);
}
