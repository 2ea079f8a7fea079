// The Binary-GRU tree and its derivative: schemas and CPU kernels.
#include "tree_reduce_lcm.h"

#include <cstring>

#include "tiles.h"

#define GL_KERNELS "tree_reduce_lcm_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

void check_slots(const Tensor& t, const char* name) {
  check_dim(t, name, 1);
  STD_TORCH_CHECK(t.scalar_type() == ScalarType::Long, "'", name, "' must be int64");
}

// The schedule and the cell, checked; reading them is safe from here on.
struct Forest {
  Tensor x, left, right, level_ptr, root, weight_ih, weight_hh, bias_ih, bias_hh;
  std::optional<Tensor> src, leaves;
  // The row of x in each leaf slot.
  std::vector<int64_t> rows;
  int64_t d, batch, elements, combines;

  Forest(const Tensor& x_, const std::optional<Tensor>& src_, const std::optional<Tensor>& leaves_, const Tensor& left_,
         const Tensor& right_, const Tensor& level_ptr_, const Tensor& root_, const Tensor& ih, const Tensor& hh,
         const Tensor& b_ih, const Tensor& b_hh)
      : x(dense(x_)),
        left(dense(left_)),
        right(dense(right_)),
        level_ptr(dense(level_ptr_)),
        root(dense(root_)),
        weight_ih(dense(ih)),
        weight_hh(dense(hh)),
        bias_ih(dense(b_ih)),
        bias_hh(dense(b_hh)),
        src(dense(src_)),
        leaves(dense(leaves_)) {
    check_dim(x, "x", 2);
    check_dim(weight_hh, "weight_hh", 2);
    d = weight_hh.size(1);
    STD_TORCH_CHECK(d > 0 && x.size(1) % d == 0, "'x' must have a multiple of d = ", d, " columns, got ", x.size(1));
    batch = x.size(1) / d;
    check_cell(weight_ih, "weight_ih", 2);
    check_cell(weight_hh, "weight_hh", 2);
    check_cell(bias_ih, "bias_ih", 1);
    check_cell(bias_hh, "bias_hh", 1);
    check_slots(left, "left");
    check_slots(right, "right");
    check_slots(level_ptr, "level_ptr");
    check_slots(root, "root");
    if (src) {
      check_slots(*src, "src");
      check_range(*src, "src", x.size(0));
    }
    elements = src ? src->numel() : x.size(0);
    if (leaves) {
      check_slots(*leaves, "leaves");
      check_range(*leaves, "leaves", elements);
      STD_TORCH_CHECK(leaves->numel() == elements, "'leaves' must have one entry for each of the ", elements,
                      " elements, got ", leaves->numel());
    }
    if (src && leaves)
      for (int64_t slot = 0; slot < elements; ++slot) rows.push_back(data<int64_t>(src)[data<int64_t>(leaves)[slot]]);
    combines = left.numel();
    STD_TORCH_CHECK(right.numel() == combines && combines <= elements,
                    "'left' and 'right' must have one entry for each combine, fewer than there are elements (",
                    elements, "), got ", combines, " and ", right.numel());
    check_ptr(level_ptr, "level_ptr", combines);
    check_levels();
  }

  void check_cell(const Tensor& t, const char* name, int64_t dim) const {
    check_dtype(t, name, x, "x");
    check_dim(t, name, dim);
    STD_TORCH_CHECK(t.size(0) == 3 * d && (dim == 1 || t.size(1) == d), "'", name, "' must have ", 3 * d,
                    dim == 1 ? " entries" : " rows and ", dim == 1 ? "" : std::to_string(d),
                    dim == 1 ? "" : " columns");
  }

  // A combine reads leaves and the combines of the levels before its own.
  void check_levels() const {
    const int64_t *a = data<int64_t>(left), *b = data<int64_t>(right), *at = data<int64_t>(level_ptr);
    bool good = true;
    for (int64_t level = 0; level + 1 < level_ptr.numel(); ++level)
      for (int64_t k = at[level]; k < at[level + 1]; ++k)
        good &= (a[k] >= 0) & (a[k] < elements + at[level]) & (b[k] >= 0) & (b[k] < elements + at[level]);
    const int64_t* r = data<int64_t>(root);
    for (int64_t i = 0; i < root.numel(); ++i) good &= (r[i] >= -1) & (r[i] < elements + combines);
    STD_TORCH_CHECK(good, "'left', 'right' and 'root' must be slots that are filled before they are read");
  }

  // Gradients are stored, not added up: each slot must have one reader, and each element one leaf.
  void check_readers() const {
    std::vector<uint8_t> seen(elements + combines, 0);
    int64_t readers = 0;
    bool once = true;
    for (const Tensor* slots : {&left, &right, &root})
      for (int64_t k = 0; k < slots->numel(); ++k) {
        const int64_t slot = data<int64_t>(*slots)[k];
        if (slot < 0) continue;
        once &= !seen[slot];
        seen[slot] = 1;
        ++readers;
      }
    STD_TORCH_CHECK(once && readers == elements + combines,
                    "each slot must be read once, by 'left', 'right' or 'root'");
    if (!leaves) return;
    std::vector<uint8_t> taken(elements, 0);
    for (int64_t k = 0; k < elements; ++k) taken[data<int64_t>(*leaves)[k]] = 1;
    STD_TORCH_CHECK(std::count(taken.begin(), taken.end(), 1) == elements, "'leaves' must be a permutation");
  }

  int64_t levels() const { return level_ptr.numel() - 1; }
  template <class T>
  LcmTrees<T> of(const Tensor& made) const {
    const int64_t* read = !rows.empty() ? rows.data() : src ? data<int64_t>(src) : data<int64_t>(leaves);
    return {data<T>(x), data<T>(made), read, data<int64_t>(leaves), data<int64_t>(left), data<int64_t>(right),
            elements,   batch,         d};
  }
  template <class T>
  Tensor packed() const {
    const int64_t width = padded<T>(d);
    Tensor out = make_zeros(x, {6 * width * (d + width) + 4 * width}, x.scalar_type());
    std::vector<T> room(2 * d * d);
    GL_BEST(lcm_pack<T>)(data<T>(weight_ih), data<T>(weight_hh), data<T>(bias_ih), data<T>(bias_hh), d, room.data(),
                         mutable_data<T>(out));
    return out;
  }
};

template <class T>
void combine_all(const Forest& forest, Tensor& made) {
  const Tensor packed = forest.packed<T>();
  const int64_t d = forest.d, rows = tile_rows<T>(d), room = 15 * rows * padded<T>(d);
  const int64_t threads = torch::stable::get_num_threads();
  Tensor scratch = make(made, {threads * room});
  const int64_t* at = data<int64_t>(forest.level_ptr);
  const auto trees = forest.of<T>(made);
  const auto kernel = GL_BEST(lcm_forward<T>);
  T *out = mutable_data<T>(made), *rooms = mutable_data<T>(scratch);
  for (int64_t level = 0; level < forest.levels(); ++level) {
    const int64_t begin = at[level] * forest.batch, end = at[level + 1] * forest.batch;
    const int64_t tiles = (end - begin + rows - 1) / rows;
    each_piece(tiles, threads_for(tiles, (end - begin) * d * d), [&](int64_t tile, int64_t worker) {
      const int64_t first = begin + tile * rows;
      kernel(trees, data<T>(packed), first, std::min(end, first + rows), out, rooms + worker * room);
    });
  }
}

std::tuple<Tensor, Tensor> lcm_forward_of(Tensor x, std::optional<Tensor> src, std::optional<Tensor> leaves,
                                          Tensor left, Tensor right, Tensor level_ptr, Tensor root, Tensor weight_ih,
                                          Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor identity) {
  const Forest forest(x, src, leaves, left, right, level_ptr, root, weight_ih, weight_hh, bias_ih, bias_hh);
  check_dtype(identity, "identity", x, "x");
  STD_TORCH_CHECK(identity.numel() == forest.d, "'identity' must have d = ", forest.d, " entries, got ",
                  identity.numel());
  identity = dense(identity);
  const int64_t groups = root.numel(), width = forest.d * forest.batch;
  Tensor out = make(x, {groups, width}), made = make(x, {forest.elements, width});
  by_precision(x, [&](auto value) {
    using T = decltype(value);
    combine_all<T>(forest, made);
    T *results = mutable_data<T>(out), *rows = mutable_data<T>(made);
    std::memset(rows + forest.combines * width, 0, (forest.elements - forest.combines) * width * sizeof(T));
    const auto trees = forest.of<T>(made);
    const int64_t* slots = data<int64_t>(forest.root);
    parallel(groups, width, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* row = results + i * width;
        if (slots[i] >= 0) {
          const T* from = place_of_slot(trees.x, trees.made, trees.src, trees.elements, width, slots[i]);
          std::memcpy(row, from, width * sizeof(T));
        } else
          for (int64_t k = 0; k < width; ++k) row[k] = data<T>(identity)[k % forest.d];
      }
    });
  });
  return {out, made};
}

// Undoes the rearrangement of the weights.
template <class T>
void split_sums(const T* sums, int64_t d, T* grad_ih, T* grad_hh, T* grad_bias_ih, T* grad_bias_hh) {
  const int64_t width = padded<T>(d), block = 2 * width * width;
  const T *bias = sums + 3 * block;
  for (int64_t gate = 0; gate < 3; ++gate)
    for (int64_t j = 0; j < d; ++j) {
      const int64_t row = gate * d + j;
      for (int64_t k = 0; k < d; ++k) {
        const int64_t at = (gate * width + j) * width + k;
        const bool is_new = gate == 2;
        const T *fresh = sums + 2 * block + j * width + k;
        grad_ih[row * d + k] = is_new ? fresh[0] : T(0.5) * (sums[at] + sums[block + at]);
        grad_hh[row * d + k] = is_new ? fresh[width * width] : T(0.5) * (sums[at] - sums[block + at]);
      }
      grad_bias_ih[row] = bias[gate * width + j];
      grad_bias_hh[row] = bias[(gate == 2 ? 3 : gate) * width + j];
    }
}

// Puts the gradients of the results where their slots lie; those of empty groups are the identity's.
template <class T>
void start_gradients(const Forest& forest, const T* grad_out, bool add, T* grad_x, T* grad_made, T* grad_identity) {
  const int64_t width = forest.d * forest.batch, groups = forest.root.numel();
  const int64_t *slots = data<int64_t>(forest.root), *leaves = data<int64_t>(forest.leaves);
  parallel(groups, width, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (slots[i] < 0) continue;
      const T* row = grad_out + i * width;
      T* to = place_of_slot(grad_x, grad_made, leaves, forest.elements, width, slots[i]);
      if (add && slots[i] >= forest.elements)
        for (int64_t k = 0; k < width; ++k) to[k] += row[k];
      else std::memcpy(to, row, width * sizeof(T));
    }
  });
  for (int64_t i = 0; i < groups; ++i)
    if (slots[i] < 0)
      for (int64_t k = 0; k < width; ++k) grad_identity[k % forest.d] += grad_out[i * width + k];
}

template <class T>
Tensor descend(const Forest& forest, const Tensor& made, bool add, T* grad_x, T* grad_made) {
  const Tensor packed = forest.packed<T>();
  const int64_t d = forest.d, rows = tile_rows<T>(d), room = 17 * rows * padded<T>(d), batch = forest.batch;
  const int64_t width = padded<T>(d), size = 6 * width * width + 4 * width;
  const int64_t pieces = pieces_of(forest.combines * batch, d, size);
  const int64_t threads = torch::stable::get_num_threads();
  Tensor scratch = make(made, {threads * room});
  Tensor parts = make_zeros(made, {pieces, size}, made.scalar_type()),
         sums = make_zeros(made, {size}, made.scalar_type());
  const int64_t* at = data<int64_t>(forest.level_ptr);
  const auto trees = forest.of<T>(made);
  const auto kernel = GL_BEST(lcm_backward<T>);
  T *rooms = mutable_data<T>(scratch), *part = mutable_data<T>(parts);
  for (int64_t level = forest.levels() - 1; level >= 0; --level) {
    const int64_t begin = at[level] * batch, end = at[level + 1] * batch, tiles = (end - begin + rows - 1) / rows;
    each_piece(pieces, threads_for(std::min(pieces, tiles), (end - begin) * d * d), [&](int64_t piece, int64_t worker) {
      const int64_t first = begin + tiles * piece / pieces * rows, last = begin + tiles * (piece + 1) / pieces * rows;
      kernel(trees, data<T>(packed), first, std::min(end, last), add, grad_x, grad_made, part + piece * size,
             rooms + worker * room);
    });
  }
  GL_BEST(lcm_add_sums<T>)(part, pieces, d, mutable_data<T>(sums));
  return sums;
}

// The first gradient is that of the elements: of x, or of x[src].
std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> lcm_backward_of(
    Tensor grad_out, std::optional<Tensor> grad_made, Tensor x, Tensor made, std::optional<Tensor> src,
    std::optional<Tensor> leaves, Tensor left,
    Tensor right, Tensor level_ptr, Tensor root, Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh) {
  const Forest forest(x, src, leaves, left, right, level_ptr, root, weight_ih, weight_hh, bias_ih, bias_hh);
  forest.check_readers();
  const int64_t width = forest.d * forest.batch;
  auto check_rows = [&](const Tensor& t, const char* name, int64_t rows) {
    check_dtype(t, name, x, "x");
    check_dim(t, name, 2);
    STD_TORCH_CHECK(t.size(0) == rows && t.size(1) == width, "'", name, "' must be of shape (", rows, ", ", width,
                    "), got (", t.size(0), ", ", t.size(1), ")");
  };
  check_rows(made, "made", forest.elements);
  check_rows(grad_out, "grad_out", root.numel());
  if (grad_made) check_rows(*grad_made, "grad_made", forest.elements);
  grad_out = dense(grad_out);
  grad_made = dense(grad_made);
  made = dense(made);
  const ScalarType dtype = x.scalar_type();
  Tensor grad_x = make(x, {forest.elements, width}), grad = make(x, {forest.combines, width});
  Tensor grad_ih = make(x, {3 * forest.d, forest.d}), grad_hh = make(x, {3 * forest.d, forest.d});
  Tensor grad_bias_ih = make(x, {3 * forest.d}), grad_bias_hh = make(x, {3 * forest.d});
  Tensor grad_identity = make_zeros(x, {forest.d}, dtype);
  by_precision(x, [&](auto value) {
    using T = decltype(value);
    T *of_x = mutable_data<T>(grad_x), *of_made = mutable_data<T>(grad);
    if (grad_made) std::memcpy(of_made, data<T>(grad_made), forest.combines * width * sizeof(T));
    start_gradients(forest, data<T>(grad_out), grad_made.has_value(), of_x, of_made, mutable_data<T>(grad_identity));
    const Tensor sums = descend<T>(forest, made, grad_made.has_value(), of_x, of_made);
    split_sums(data<T>(sums), forest.d, mutable_data<T>(grad_ih), mutable_data<T>(grad_hh),
               mutable_data<T>(grad_bias_ih), mutable_data<T>(grad_bias_hh));
  });
  return {grad_x, grad_ih, grad_hh, grad_bias_ih, grad_bias_hh, grad_identity};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("lcm_forward(Tensor x, Tensor? src, Tensor? leaves, Tensor left, Tensor right, Tensor level_ptr, Tensor root, Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh, Tensor identity) -> (Tensor, Tensor)");
  m.def("lcm_backward(Tensor grad_out, Tensor? grad_made, Tensor x, Tensor made, Tensor? src, Tensor? leaves, Tensor left, Tensor right, Tensor level_ptr, Tensor root, Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("lcm_forward", TORCH_BOX(&gl::lcm_forward_of));
  m.impl("lcm_backward", TORCH_BOX(&gl::lcm_backward_of));
}
