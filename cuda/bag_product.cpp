// Products of pair features inside bags, pooled back to the pairs: schema and CPU kernel.
#include "bag_squares.h"
#include "edges.h"

namespace gl {
namespace {

// Features of all pairs; without weight each bag weighs 1.
template <class T>
struct BagFactors {
  const T *weight, *a, *b;
  bool transpose_a, transpose_b;
  int64_t channels;
  T* out;
};

}  // namespace
}  // namespace gl

#define GL_KERNELS "bag_product_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

void check_features(const Tensor& t, const char* name, const Tensor& a) {
  check_dim(t, name, 2);
  check_dtype(t, name, a, "a");
  STD_TORCH_CHECK(t.size(0) == a.size(0) && t.size(1) == a.size(1), "'", name, "' must have the shape of 'a', (",
                  a.size(0), ", ", a.size(1), "), got (", t.size(0), ", ", t.size(1), ")");
}

Tensor bag_product_of(Tensor node_ptr, Tensor pair, std::optional<Tensor> weight, Tensor a, Tensor b, bool transpose_a,
                      bool transpose_b) {
  check_features(a, "a", a);
  check_features(b, "b", a);
  const BagTensors bags = bag_tensors(node_ptr, pair, a.size(0));
  if (weight) {
    check_dim(*weight, "weight", 1);
    check_dtype(*weight, "weight", a, "a");
    STD_TORCH_CHECK(weight->numel() == bags.count(), "'weight' must have one entry for each of the ", bags.count(),
                    " bags, got ", weight->numel());
  }
  weight = dense(weight);
  a = dense(a);
  b = dense(b);
  Tensor out = make_zeros(a, {a.size(0), a.size(1)}, a.scalar_type());
  by_full_type(a, "a", pair, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const BagSquares<I> squares = bags.plain<I>();
    const BagFactors<T> f{data<T>(weight), data<T>(a), data<T>(b), transpose_a, transpose_b, a.size(1),
                          mutable_data<T>(out)};
    const auto kernel = GL_BEST(bag_product<T, I>);
    const auto work = [&](int64_t v) { return squares.entries(v) * squares.size(v); };
    each_piece(bag_pieces(squares, f.channels, 64 / sizeof(T), work), [&](const BagPiece& piece) {
      std::vector<int64_t> scratch;
      kernel(squares, f, piece, scratch);
    });
  });
  return out;
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def(
      "bag_product(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor a, Tensor b, bool transpose_a,"
      " bool transpose_b) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("bag_product", TORCH_BOX(&gl::bag_product_of)); }
