// Sums of rows and columns inside bags, and the reverse: schemas and CPU kernels.
#include "bag_squares.h"
#include "edges.h"

namespace gl {
namespace {

// Of a bag's pairs with themselves, rows and columns, and of pairs; where null, 1.
template <class T>
struct BagWeights {
  const T *bag, *pair;

  T of_bag(int64_t v, int part) const { return bag ? bag[3 * v + part] : T(1); }
  T of_pair(int64_t k) const { return pair ? pair[k] : T(1); }
};

}  // namespace
}  // namespace gl

#define GL_KERNELS "bag_sums_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

struct WeightTensors {
  std::optional<Tensor> weight, scale;

  template <class T>
  BagWeights<T> plain() const {
    return {data<T>(weight), data<T>(scale)};
  }
};

WeightTensors weight_tensors(const std::optional<Tensor>& weight, const std::optional<Tensor>& scale,
                             const BagTensors& bags, const Tensor& like, const char* like_name) {
  if (weight) {
    check_dim(*weight, "weight", 2);
    check_dtype(*weight, "weight", like, like_name);
    STD_TORCH_CHECK(weight->size(0) == bags.count() && weight->size(1) == 3, "'weight' must have shape (", bags.count(),
                    ", 3), got (", weight->size(0), ", ", weight->size(1), ")");
  }
  if (scale) {
    check_dim(*scale, "scale", 1);
    check_dtype(*scale, "scale", like, like_name);
    STD_TORCH_CHECK(scale->numel() == bags.num_pairs, "'scale' must have one entry for each of the ", bags.num_pairs,
                    " pairs, got ", scale->numel());
  }
  return {dense(weight), dense(scale)};
}

Tensor bag_sums_of(Tensor node_ptr, Tensor pair, std::optional<Tensor> weight, std::optional<Tensor> scale, Tensor x,
                   int64_t num_places) {
  check_dim(x, "x", 2);
  const BagTensors bags = bag_tensors(node_ptr, pair, x.size(0));
  STD_TORCH_CHECK(num_places == bags.places(), "'num_places' must be the last entry of 'node_ptr', ", bags.places(),
                  ", got ", num_places);
  const WeightTensors weights = weight_tensors(weight, scale, bags, x, "x");
  x = dense(x);
  const int64_t channels = x.size(1);
  Tensor out = make(x, {num_places, 3 * channels});
  by_full_type(x, "x", pair, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const BagSquares<I> squares = bags.plain<I>();
    const auto kernel = GL_BEST(bag_sums<T, I>);
    T* to = mutable_data<T>(out);
    // Each bag has places of its own.
    parallel_rows(squares.pair_ptr, squares.count, channels, [&](int64_t begin, int64_t end) {
      kernel(squares, weights.plain<T>(), channels, data<T>(x), to, {begin, end, 0, channels});
    });
  });
  return out;
}

Tensor bag_spread_of(Tensor node_ptr, Tensor pair, std::optional<Tensor> weight, std::optional<Tensor> scale, Tensor y,
                     int64_t num_pairs) {
  check_dim(y, "y", 2);
  STD_TORCH_CHECK(num_pairs >= 0, "'num_pairs' must not be negative, got ", num_pairs);
  const BagTensors bags = bag_tensors(node_ptr, pair, num_pairs);
  STD_TORCH_CHECK(y.size(0) == bags.places() && y.size(1) % 3 == 0, "'y' must have ", bags.places(),
                  " rows and a multiple of 3 columns, got shape (", y.size(0), ", ", y.size(1), ")");
  const WeightTensors weights = weight_tensors(weight, scale, bags, y, "y");
  y = dense(y);
  const int64_t channels = y.size(1) / 3;
  Tensor out = make_zeros(y, {num_pairs, channels}, y.scalar_type());
  by_full_type(y, "y", pair, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const BagSquares<I> squares = bags.plain<I>();
    const auto kernel = GL_BEST(bag_spread<T, I>);
    T* to = mutable_data<T>(out);
    const auto work = [&](int64_t v) { return squares.entries(v); };
    each_piece(bag_pieces(squares, channels, 64 / sizeof(T), work), [&](const BagPiece& piece) {
      kernel(squares, weights.plain<T>(), channels, data<T>(y), to, piece);
    });
  });
  return out;
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def(
      "bag_sums(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor? scale, Tensor x, SymInt num_places) -> Tensor");
  m.def(
      "bag_spread(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor? scale, Tensor y, SymInt num_pairs) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("bag_sums", TORCH_BOX(&gl::bag_sums_of));
  m.impl("bag_spread", TORCH_BOX(&gl::bag_spread_of));
}
