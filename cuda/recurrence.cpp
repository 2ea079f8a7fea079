// segment_gru and segment_lstm and their derivatives: schemas and CPU kernels.
#include "recurrence.h"

#include <cstring>

#include "tiles.h"

#define GL_KERNELS "recurrence_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

// The schedule and the cell, checked; reading them is safe from here on. The cell is an LSTM where there is an initial
// cell state, a GRU otherwise.
struct Recurrence {
  Tensor x, gather, position, begin, size, order, weight_ih, weight_hh, bias_ih, bias_hh, initial;
  std::optional<Tensor> initial_cell;
  int64_t gates, in, d, batch, elements, ranks, num_groups;

  Recurrence(const Tensor& x_, const Tensor& gather_, const Tensor& position_, const Tensor& begin_,
             const Tensor& size_, const Tensor& order_, int64_t num_groups_, const Tensor& ih, const Tensor& hh,
             const Tensor& b_ih, const Tensor& b_hh, const Tensor& initial_, const std::optional<Tensor>& cell_)
      : x(dense(x_)),
        gather(dense(gather_)),
        position(dense(position_)),
        begin(dense(begin_)),
        size(dense(size_)),
        order(dense(order_)),
        weight_ih(dense(ih)),
        weight_hh(dense(hh)),
        bias_ih(dense(b_ih)),
        bias_hh(dense(b_hh)),
        initial(dense(initial_)),
        initial_cell(dense(cell_)),
        gates(cell_ ? 4 : 3),
        num_groups(num_groups_) {
    check_dim(x, "x", 2);
    check_dim(weight_ih, "weight_ih", 2);
    check_dim(weight_hh, "weight_hh", 2);
    in = weight_ih.size(1);
    d = weight_hh.size(1);
    elements = x.size(0);
    ranks = order.numel();
    STD_TORCH_CHECK(num_groups >= 0, "'num_groups' must not be negative, got ", num_groups);
    STD_TORCH_CHECK(in > 0 && d > 0 && x.size(1) % in == 0, "'x' must have a multiple of in_channels = ", in,
                    " columns, got ", x.size(1));
    batch = x.size(1) / in;
    check_cell(weight_ih, "weight_ih", gates * d, in);
    check_cell(weight_hh, "weight_hh", gates * d, d);
    check_cell(bias_ih, "bias_ih", gates * d);
    check_cell(bias_hh, "bias_hh", gates * d);
    check_cell(initial, "initial", d);
    if (initial_cell) check_cell(*initial_cell, "initial_cell", d);
    check_places(gather, "gather", elements, elements);
    check_places(position, "position", elements, elements);
    check_places(order, "order", ranks, num_groups);
    check_lengths();
  }

  void check_cell(const Tensor& t, const char* name, int64_t rows, int64_t columns = 0) const {
    check_dtype(t, name, x, "x");
    check_dim(t, name, columns ? 2 : 1);
    STD_TORCH_CHECK(t.size(0) == rows && (!columns || t.size(1) == columns), "'", name, "' must have ", rows,
                    columns ? " rows of " + std::to_string(columns) + " values" : " entries", ", got ", t.size(0),
                    columns ? " rows of " + std::to_string(t.size(1)) : "");
  }

  // Rows are stored, not added up: no two may meet.
  void check_places(const Tensor& t, const char* name, int64_t count, int64_t below) const {
    check_dim(t, name, 1);
    STD_TORCH_CHECK(t.scalar_type() == ScalarType::Long, "'", name, "' must be int64");
    STD_TORCH_CHECK(t.numel() == count, "'", name, "' must have ", count, " entries, got ", t.numel());
    check_range(t, name, below);
    std::vector<uint8_t> taken(below, 0);
    const int64_t* place = data<int64_t>(t);
    for (int64_t k = 0; k < count; ++k) taken[place[k]] = 1;
    STD_TORCH_CHECK(std::count(taken.begin(), taken.end(), 1) == count, "'", name, "' must name no place twice");
  }

  void check_lengths() const {
    for (const Tensor* t : {&begin, &size})
      STD_TORCH_CHECK(t->dim() == 1 && t->numel() == ranks && t->scalar_type() == ScalarType::Long,
                      "'begin' and 'size' must be int64 vectors with one entry for each entry of 'order', ", ranks);
    const int64_t *first = data<int64_t>(begin), *count = data<int64_t>(size);
    int64_t sum = 0;
    bool good = true;
    for (int64_t r = 0; r < ranks && good; ++r) {
      good = first[r] == sum && count[r] > 0 && count[r] <= elements - sum && (r == 0 || count[r] <= count[r - 1]);
      sum += count[r];
    }
    STD_TORCH_CHECK(good && sum == elements,
                    "'size' must be positive, never increase and sum up to the number of elements, ", elements,
                    "; 'begin' must be the sum of the sizes before");
  }

  int64_t items() const { return ranks * batch; }
  Sequences sequences() const {
    return {data<int64_t>(gather), data<int64_t>(position), data<int64_t>(begin), data<int64_t>(size), batch};
  }
  template <class T>
  RecurrentSizes sizes() const {
    return {gates, in, d, padded<T>(in), padded<T>(d)};
  }
  template <class T>
  RecurrentTensors<T> tensors() const {
    return {data<T>(x), data<T>(initial), data<T>(initial_cell)};
  }
  template <class T>
  int64_t most() const {
    return tile_rows<T>(std::max(in, d));
  }
  template <class T>
  Tensor packed() const {
    const auto s = sizes<T>();
    Tensor out = make_zeros(x, {s.packed()}, x.scalar_type());
    std::vector<T> room(gates * d * in);
    const auto fill = gates == 4 ? GL_BEST(recurrent_pack<T, true>) : GL_BEST(recurrent_pack<T, false>);
    fill(s, data<T>(weight_ih), data<T>(weight_hh), data<T>(bias_ih), data<T>(bias_hh), room.data(),
         mutable_data<T>(out));
    return out;
  }

  // Items of similar length, as many as fit a tile, fewer where they are long: the ends of tiles.
  std::vector<int64_t> tiles(int64_t most) const {
    const int64_t* count = data<int64_t>(size);
    std::vector<int64_t> ends{0};
    int64_t steps = 0;
    for (int64_t item = 0; item < items(); ++item) {
      steps += count[item / batch];
      if (item + 1 < items() && item + 1 - ends.back() < most && steps < most * 64) continue;
      ends.push_back(item + 1);
      steps = 0;
    }
    return ends;
  }

  // Cuts tiles into pieces of about equally many elements: the first tile of each.
  std::vector<int64_t> pieces(const std::vector<int64_t>& ends, int64_t count) const {
    const int64_t* first = data<int64_t>(begin);
    std::vector<int64_t> cut{0};
    for (int64_t tile = 1; tile + 1 < static_cast<int64_t>(ends.size()); ++tile)
      if (first[ends[tile] / batch] >= elements * static_cast<int64_t>(cut.size()) / count) cut.push_back(tile);
    cut.push_back(ends.size() - 1);
    return cut;
  }
};

template <class T, bool LSTM>
void run(const Recurrence& r, Tensor& states, Tensor& cells) {
  const auto s = r.sizes<T>();
  const Tensor packed = r.packed<T>();
  const int64_t most = r.most<T>(), room = most * (s.in_width + 6 * s.width);
  const auto ends = r.tiles(most);
  const int64_t count = ends.size() - 1, threads = threads_for(count, r.elements * r.batch * r.d * r.d);
  Tensor scratch = make(states, {threads * room});
  T *h = mutable_data<T>(states), *c = mutable_data<T>(cells), *rooms = mutable_data<T>(scratch);
  const auto kernel = GL_BEST(recurrent_forward<T, LSTM>);
  each_piece(count, threads, [&](int64_t tile, int64_t worker) {
    kernel(r.sequences(), s, r.tensors<T>(), data<T>(packed), most, ends[tile], ends[tile + 1], h, c,
           rooms + worker * room);
  });
}

// The last state of each group; an empty one keeps the initial state.
template <class T>
void last_states(const Recurrence& r, const T* states, T* out) {
  const int64_t row = r.batch * r.d;
  const T* initial = data<T>(r.initial);
  const Sequences q = r.sequences();
  const int64_t* group = data<int64_t>(r.order);
  parallel(r.num_groups, row, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      for (int64_t k = 0; k < row; ++k) out[i * row + k] = initial[k % r.d];
  });
  parallel(r.ranks, row, [&](int64_t first, int64_t last) {
    for (int64_t rank = first; rank < last; ++rank)
      std::memcpy(out + group[rank] * row, states + q.place(rank * r.batch, q.size[rank] - 1) * row, row * sizeof(T));
  });
}

std::tuple<Tensor, Tensor, Tensor> recurrence_forward(Tensor x, Tensor gather, Tensor position, Tensor begin,
                                                      Tensor size, Tensor order, int64_t num_groups, Tensor weight_ih,
                                                      Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor initial,
                                                      std::optional<Tensor> initial_cell) {
  const Recurrence r(x, gather, position, begin, size, order, num_groups, weight_ih, weight_hh, bias_ih, bias_hh,
                     initial, initial_cell);
  const bool lstm = initial_cell.has_value();
  const int64_t row = r.batch * r.d;
  Tensor out = make(x, {num_groups, row}), states = make(x, {r.elements, row});
  Tensor cells = make(x, {lstm ? r.elements : 0, row});
  by_precision(x, [&](auto value) {
    using T = decltype(value);
    if (lstm) run<T, true>(r, states, cells);
    else run<T, false>(r, states, cells);
    last_states(r, data<T>(states), mutable_data<T>(out));
  });
  return {out, states, cells};
}

// The gradients of the cell, as the user's tensors hold them.
struct CellGradients {
  Tensor ih, hh, bias_ih, bias_hh, initial, initial_cell;

  explicit CellGradients(const Recurrence& r)
      : ih(make(r.x, {r.gates * r.d, r.in})),
        hh(make(r.x, {r.gates * r.d, r.d})),
        bias_ih(make(r.x, {r.gates * r.d})),
        bias_hh(make(r.x, {r.gates * r.d})),
        initial(make(r.x, {r.d})),
        initial_cell(make(r.x, {r.initial_cell ? r.d : 0})) {}

  template <class T>
  void fill(const RecurrentSizes& s, const T* sums) {
    const bool lstm = s.gates == 4;
    const T *of_hh = sums + s.gates * s.width * s.in_width, *bias = of_hh + s.gates * s.width * s.width;
    for (int64_t gate = 0; gate < s.gates; ++gate) {
      const int64_t slot = lstm ? gate : (gate + 1) % 3, hidden = lstm ? gate : gate + 1;
      for (int64_t j = 0; j < s.d; ++j) {
        const int64_t row = gate * s.d + j;
        std::memcpy(mutable_data<T>(ih) + row * s.in, sums + (slot * s.width + j) * s.in_width, s.in * sizeof(T));
        std::memcpy(mutable_data<T>(hh) + row * s.d, of_hh + (gate * s.width + j) * s.width, s.d * sizeof(T));
        mutable_data<T>(bias_ih)[row] = bias[slot * s.width + j];
        mutable_data<T>(bias_hh)[row] = bias[hidden * s.width + j];
      }
    }
    std::memcpy(mutable_data<T>(initial), bias + 4 * s.width, s.d * sizeof(T));
    if (lstm) std::memcpy(mutable_data<T>(initial_cell), bias + 5 * s.width, s.d * sizeof(T));
  }
};

template <class T, bool LSTM>
Tensor run_back(const Recurrence& r, const RecurrentGradients<T>& grad, const T* states, const T* cells, T* grad_x) {
  const auto s = r.sizes<T>();
  const Tensor packed = r.packed<T>();
  const int64_t most = r.most<T>(), room = most * (s.in_width + 8 * s.width);
  const auto ends = r.tiles(most);
  const auto cut = r.pieces(ends, pieces_of(r.elements * r.batch, r.d, s.sums()));
  const int64_t count = cut.size() - 1, threads = threads_for(count, r.elements * r.batch * r.d * r.d);
  Tensor scratch = make(r.x, {threads * room}), parts = make_zeros(r.x, {count, s.sums()}, r.x.scalar_type());
  Tensor sums = make_zeros(r.x, {s.sums()}, r.x.scalar_type());
  T *rooms = mutable_data<T>(scratch), *part = mutable_data<T>(parts), *total = mutable_data<T>(sums);
  const auto kernel = GL_BEST(recurrent_backward<T, LSTM>);
  each_piece(count, threads, [&](int64_t piece, int64_t worker) {
    for (int64_t tile = cut[piece]; tile < cut[piece + 1]; ++tile)
      kernel(r.sequences(), s, r.tensors<T>(), data<T>(packed), most, ends[tile], ends[tile + 1], grad, states, cells,
             grad_x, part + piece * s.sums(), rooms + worker * room);
  });
  GL_BEST(recurrent_add_sums<T>)(part, count, s.sums(), total);
  return sums;
}

// The result of an empty group is the initial state.
template <class T>
void add_empty(const Recurrence& r, const T* grad_out, T* grad_initial) {
  std::vector<uint8_t> full(r.num_groups, 0);
  for (int64_t rank = 0; rank < r.ranks; ++rank) full[data<int64_t>(r.order)[rank]] = 1;
  const int64_t row = r.batch * r.d;
  for (int64_t i = 0; i < r.num_groups; ++i)
    if (!full[i])
      for (int64_t k = 0; k < row; ++k) grad_initial[k % r.d] += grad_out[i * row + k];
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> recurrence_backward(
    Tensor grad_out, std::optional<Tensor> grad_states, std::optional<Tensor> grad_cells, Tensor states, Tensor cells,
    Tensor x, Tensor gather, Tensor position, Tensor begin, Tensor size, Tensor order, Tensor weight_ih,
    Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor initial, std::optional<Tensor> initial_cell) {
  check_dim(grad_out, "grad_out", 2);
  const Recurrence r(x, gather, position, begin, size, order, grad_out.size(0), weight_ih, weight_hh, bias_ih, bias_hh,
                     initial, initial_cell);
  const bool lstm = initial_cell.has_value();
  const int64_t row = r.batch * r.d;
  auto check_rows = [&](const Tensor& t, const char* name, int64_t rows) {
    check_dtype(t, name, x, "x");
    check_dim(t, name, 2);
    STD_TORCH_CHECK(t.size(0) == rows && t.size(1) == row, "'", name, "' must be of shape (", rows, ", ", row,
                    "), got (", t.size(0), ", ", t.size(1), ")");
  };
  check_rows(grad_out, "grad_out", r.num_groups);
  check_rows(states, "states", r.elements);
  check_rows(cells, "cells", lstm ? r.elements : 0);
  if (grad_states) check_rows(*grad_states, "grad_states", r.elements);
  STD_TORCH_CHECK(lstm || !grad_cells, "'grad_cells' is for an LSTM, which needs 'initial_cell'");
  if (grad_cells) check_rows(*grad_cells, "grad_cells", r.elements);
  grad_out = dense(grad_out);
  grad_states = dense(grad_states);
  grad_cells = dense(grad_cells);
  states = dense(states);
  cells = dense(cells);
  Tensor grad_x = make(x, {r.elements, x.size(1)});
  CellGradients of(r);
  by_precision(x, [&](auto value) {
    using T = decltype(value);
    const RecurrentGradients<T> grad{data<T>(grad_out), data<T>(grad_states), data<T>(grad_cells),
                                     data<int64_t>(r.order)};
    const auto go = lstm ? run_back<T, true> : run_back<T, false>;
    const Tensor sums = go(r, grad, data<T>(states), data<T>(cells), mutable_data<T>(grad_x));
    of.fill(r.sizes<T>(), data<T>(sums));
    add_empty(r, data<T>(grad_out), mutable_data<T>(of.initial));
  });
  return {grad_x, of.ih, of.hh, of.bias_ih, of.bias_hh, of.initial, of.initial_cell};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("recurrence_forward(Tensor x, Tensor gather, Tensor position, Tensor begin, Tensor size, Tensor order, int num_groups, Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor initial, Tensor? initial_cell) -> (Tensor, Tensor, Tensor)");
  m.def("recurrence_backward(Tensor grad_out, Tensor? grad_states, Tensor? grad_cells, Tensor states, Tensor cells, Tensor x, Tensor gather, Tensor position, Tensor begin, Tensor size, Tensor order, Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor initial, Tensor? initial_cell) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("recurrence_forward", TORCH_BOX(&gl::recurrence_forward));
  m.impl("recurrence_backward", TORCH_BOX(&gl::recurrence_backward));
}
