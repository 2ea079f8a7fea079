// Products of pair features inside bags, pooled back to the pairs: schema and CPU kernel.
#include "bag_product.h"
#include "edges.h"
#include "library.h"

#define GL_KERNELS "bag_product_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

std::vector<int64_t> squares(const int64_t* ptr, int64_t count) {
  std::vector<int64_t> begin(count + 1);
  for (int64_t v = 0; v < count; ++v) begin[v + 1] = begin[v] + (ptr[v + 1] - ptr[v]) * (ptr[v + 1] - ptr[v]);
  return begin;
}

int64_t cube(const int64_t* ptr, int64_t v) {
  const int64_t m = ptr[v + 1] - ptr[v];
  return m * m * m;
}

// Cuts the bags where no pair is on both sides, into about equally much work.
template <class T, class I>
std::vector<int64_t> cut_apart(const BagProduct<T, I>& f, int64_t count, int64_t num_pairs, int64_t work) {
  std::vector<int64_t> last_bag(num_pairs), cut{0};
  for (int64_t v = 0; v < count; ++v)
    for (int64_t e = f.pair_ptr[v]; e < f.pair_ptr[v + 1]; ++e) last_bag[f.pair[e]] = v;
  int64_t reached = 0, done = 0;
  for (int64_t v = 0; v < count; ++v) {
    for (int64_t e = f.pair_ptr[v]; e < f.pair_ptr[v + 1]; ++e) reached = std::max(reached, last_bag[f.pair[e]]);
    done += cube(f.ptr, v);
    if (reached > v || done < work) continue;
    cut.push_back(v + 1);
    done = 0;
  }
  if (cut.back() != count) cut.push_back(count);
  return cut;
}

// Pieces that write to different memory, so that each sum has one owner and one order.
template <class T, class I>
std::vector<BagPiece> pieces(const BagProduct<T, I>& f, int64_t count, int64_t num_pairs) {
  int64_t work = 0;
  for (int64_t v = 0; v < count; ++v) work += cube(f.ptr, v);
  const int64_t threads = torch::stable::get_num_threads(), channels = f.channels;
  if (threads <= 1 || work * channels < kSerial) return {{0, count, 0, channels}};
  const std::vector<int64_t> cut = cut_apart(f, count, num_pairs, work / (4 * threads));
  // Where there are too few, channels are shared out, too; but not those of one cache line.
  const int64_t line = 64 / sizeof(T), lines = (channels + line - 1) / line;
  const int64_t slices = static_cast<int64_t>(cut.size()) > 2 * threads ? 1 : std::min(threads, lines);
  const int64_t width = (lines + slices - 1) / slices * line;
  std::vector<BagPiece> all;
  for (size_t i = 0; i + 1 < cut.size(); ++i)
    for (int64_t c = 0; c < channels; c += width) all.push_back({cut[i], cut[i + 1], c, std::min(c + width, channels)});
  return all;
}

template <class T, class I>
void run(const BagProduct<T, I>& f, int64_t count, int64_t num_pairs) {
  const std::vector<BagPiece> all = pieces(f, count, num_pairs);
  const auto kernel = GL_BEST(bag_product<T, I>);
  const auto work = [&](int64_t begin, int64_t end) {
    std::vector<int64_t> scratch;
    for (int64_t i = begin; i < end; ++i) kernel(f, all[i], scratch);
  };
  if (all.size() > 1) torch::stable::parallel_for(0, all.size(), 1, work);
  else work(0, 1);
}

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
  const bool is_double = a.scalar_type() == ScalarType::Double;
  STD_TORCH_CHECK(is_double || a.scalar_type() == ScalarType::Float,
                  "'a' must be float32 or float64; convert it, or use the reference");
  check_index(node_ptr, "node_ptr", node_ptr);
  STD_TORCH_CHECK(node_ptr.scalar_type() == ScalarType::Long, "'node_ptr' must be int64");
  STD_TORCH_CHECK(node_ptr.numel() > 0, "'node_ptr' must have one entry more than there are bags, got none");
  node_ptr = dense(node_ptr);
  const int64_t count = node_ptr.numel() - 1;
  const int64_t* ptr = data<int64_t>(node_ptr);
  check_ptr(node_ptr, "node_ptr", ptr[count]);
  const std::vector<int64_t> pair_ptr = squares(ptr, count);
  check_index(pair, "pair", pair);
  STD_TORCH_CHECK(pair.numel() == pair_ptr[count], "'pair' must have one entry for each two places of each bag of "
                  "'node_ptr', ", pair_ptr[count], ", got ", pair.numel());
  check_range(pair, "pair", a.size(0));
  if (weight) {
    check_dim(*weight, "weight", 1);
    check_dtype(*weight, "weight", a, "a");
    STD_TORCH_CHECK(weight->numel() == count, "'weight' must have one entry for each of the ", count, " bags, got ",
                    weight->numel());
  }
  pair = dense(pair);
  weight = dense(weight);
  a = dense(a);
  b = dense(b);
  Tensor out = make_zeros(a, {a.size(0), a.size(1)}, a.scalar_type());
  if (out.numel() == 0 || pair.numel() == 0) return out;
  const auto call = [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    run<T, I>({ptr, pair_ptr.data(), data<I>(pair), data<T>(weight), data<T>(a), data<T>(b), transpose_a, transpose_b,
               a.size(1), mutable_data<T>(out)}, count, a.size(0));
  };
  const bool is_long = pair.scalar_type() == ScalarType::Long;
  if (is_double) is_long ? call(double{}, int64_t{}) : call(double{}, int32_t{});
  else is_long ? call(float{}, int64_t{}) : call(float{}, int32_t{});
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
