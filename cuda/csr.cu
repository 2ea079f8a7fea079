// Sorting edges by the row that they enter, and transposing, on the device: torch's stable sort and binary searches.
#include "csr.h"
#include "csr_device.h"

namespace gl {
namespace {

struct Sorted {
  Tensor keys, order;
};

Sorted stable_sort(const Tensor& keys) {
  using torch::stable::detail::from;
  using torch::stable::detail::to;
  std::array<StableIValue, 4> stack{from(keys), from(std::optional<bool>(true)), from(int64_t{0}), from(false)};
  STABLE_TORCH_ERROR_CODE_CHECK(torch_call_dispatcher("aten::sort", "stable", stack.data(), TORCH_ABI_VERSION));
  return {to<Tensor>(stack[0]), to<Tensor>(stack[1])};
}

template <class F>
void by_index(const Tensor& index, F f) {
  if (index.scalar_type() == ScalarType::Long) f(int64_t{});
  else f(int32_t{});
}

Tensor boundaries(const Queue& queue, const Tensor& sorted, int64_t size) {
  Tensor ptr = make(sorted, {size + 1});
  by_index(sorted, [&](auto index) {
    using I = decltype(index);
    launch(queue, size + 1, Boundaries<I>{data<I>(sorted), sorted.numel(), mutable_data<I>(ptr)});
  });
  return ptr;
}

// Keys outside [0, size) end up before or behind all rows.
std::tuple<Tensor, Tensor> csr_from_coo(Tensor index, int64_t size) {
  check_index(index, "index", index);
  STD_TORCH_CHECK(size >= 0, "'size' must not be negative, got ", size);
  const Queue queue(index);
  const Sorted sorted = stable_sort(dense(index));
  return {boundaries(queue, sorted.keys, size), torch::stable::to(sorted.order, index.scalar_type())};
}

std::tuple<Tensor, Tensor, Tensor> csr_transpose(Tensor rowptr, Tensor col, std::optional<Tensor> perm, int64_t size) {
  STD_TORCH_CHECK(size >= 0, "'size' must not be negative, got ", size);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", size, perm);
  const Queue queue(col);
  const Transposed t = transposed(queue, edges.ptr, edges.index, edges.perm, size);
  return {t.ptr, t.index, t.perm};
}

}  // namespace

Transposed transposed(const Queue& queue, const Tensor& rowptr, const Tensor& col, const std::optional<Tensor>& perm,
                      int64_t size) {
  const Sorted sorted = stable_sort(col);
  Tensor row = make(col, {col.numel()}), perm_t = make(col, {col.numel()});
  by_index(col, [&](auto index) {
    using I = decltype(index);
    launch(queue, col.numel(), Relabel<I>{data<int64_t>(sorted.order), data<I>(rowptr), data<I>(perm),
                                          rowptr.numel() - 1, mutable_data<I>(row), mutable_data<I>(perm_t)});
  });
  return {boundaries(queue, sorted.keys, size), row, perm_t};
}

}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("csr_from_coo", TORCH_BOX(&gl::csr_from_coo));
  m.impl("csr_transpose", TORCH_BOX(&gl::csr_transpose));
}
