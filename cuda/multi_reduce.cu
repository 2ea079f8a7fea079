// multi_reduce and its gradient on the device.
#include "csr_device.h"
#include "device.h"
#include "multi_asked.h"
#include "multi_fold.h"

namespace gl {
namespace {

std::tuple<Tensor, Tensor, Tensor, Tensor> multi_reduce(Tensor rowptr, Tensor col, std::optional<Tensor>,
                                                        std::optional<Tensor>, Tensor x, std::string reduces) {
  check_dim(x, "x", 2);
  check_device(rowptr, "rowptr", x);
  const Asked asked = asked_of(reduces);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0));
  x = dense(x);
  const int64_t d = x.size(1), rows = edges.rows();
  auto sizes = [&](bool wanted) { return wanted ? std::vector<int64_t>{rows, d} : std::vector<int64_t>{0}; };
  const Queue queue(x);
  Tensor out = make(x, {rows, asked.count, d});
  Tensor mean = make(x, sizes(asked.curved()), wide_type(x));
  Tensor argmin = make(rowptr, sizes(asked.has(4)), ScalarType::Int);
  Tensor argmax = make(rowptr, sizes(asked.has(5)), ScalarType::Int);
  if (d == 0) return {out, mean, argmin, argmax};
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    using A = acc_t<T>;
    const auto to = asked.in(mutable_data<T>(out), d);
    const MultiSaved<T> saved{asked.curved() ? mutable_data<A>(mean) : nullptr,
                              asked.has(4) ? mutable_data<int32_t>(argmin) : nullptr,
                              asked.has(5) ? mutable_data<int32_t>(argmax) : nullptr};
    // As many columns as 16 bytes of sums: each has nine numbers to follow from edge to edge.
    by_width<A>(in_packs(d, sizeof(T), x), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const Pieces<I> pieces{data<I>(edges.ptr), rows, edges.count(), d / W};
      const EdgeReader<T, I> reader{edges.of<T, I>(), x.size(0), nullptr};
      fold_rows(queue, x, MultiReduce<T, I, W>{pieces, reader, data<T>(x), d, to, saved});
    });
  });
  return {out, mean, argmin, argmax};
}

void check_saved(const Tensor& t, const char* name, bool wanted, ScalarType dtype, const Tensor& x, int64_t rows) {
  if (!wanted) return;
  check_dim(t, name, 2);
  check_device(t, name, x);
  STD_TORCH_CHECK(t.scalar_type() == dtype && t.size(0) == rows && t.size(1) == x.size(1), "'", name,
                  "' must be as the forward pass returned it");
}

Tensor multi_reduce_backward(Tensor rowptr, Tensor col, std::optional<Tensor> colptr, std::optional<Tensor> row,
                             Tensor grad, Tensor x, Tensor out, Tensor mean, Tensor argmin, Tensor argmax,
                             std::string reduces) {
  check_dim(x, "x", 2);
  check_dim(grad, "grad", 3);
  check_device(rowptr, "rowptr", x);
  check_values(grad, "grad", x);
  check_values(out, "out", x);
  const Asked asked = asked_of(reduces);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0));
  const int64_t d = x.size(1), rows = edges.rows();
  STD_TORCH_CHECK(grad.size(0) == rows && grad.size(1) == asked.count && grad.size(2) == d,
                  "'grad' must be of the shape of the result, (", rows, ", ", asked.count, ", ", d, ")");
  STD_TORCH_CHECK(out.dim() == 3 && out.numel() == grad.numel(), "'out' must be of the shape of 'grad'");
  check_saved(mean, "mean", asked.curved(), wide_type(x), x, rows);
  check_saved(argmin, "argmin", asked.has(4), ScalarType::Int, x, rows);
  check_saved(argmax, "argmax", asked.has(5), ScalarType::Int, x, rows);
  const bool selects = asked.has(4) || asked.has(5);
  std::optional<EdgeTensors> given;
  if (!selects && colptr && row) {
    check_device(*colptr, "colptr", x);
    check_index(*colptr, "colptr", rowptr);
    given = edge_tensors(*colptr, "colptr", *row, "row", rows);
    STD_TORCH_CHECK(given->rows() == x.size(0) && given->count() == edges.count(),
                    "'colptr' and 'row' must describe the same edges as 'rowptr' and 'col'");
  }
  x = dense(x), grad = dense(grad), out = dense(out);
  mean = dense(mean), argmin = dense(argmin), argmax = dense(argmax);
  const Queue queue(x);
  Tensor grad_x = make(x, {x.size(0), d});
  if (grad_x.numel() == 0) return grad_x;
  Tensor table = make(x, {asked.sums() ? rows : 0, asked.curved() ? 2 * d : d}, wide_type(x));
  // Choices are positions among the edges by target, which the given structure does not tell.
  const Transposed by_source =
      given ? Transposed{given->ptr, given->index, given->index}
            : transposed(queue, edges.ptr, edges.index, std::nullopt, x.size(0));
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    using A = acc_t<T>;
    const I* ptr = data<I>(edges.ptr);
    const auto from = asked.in(data<T>(grad), d);
    A* slopes = asked.sums() ? mutable_data<A>(table) : nullptr;
    if (slopes)
      launch(queue, rows * d, MultiSlopes<T, I>{ptr, d, from, asked.in(data<T>(out), d).std,
                                                asked.curved() ? data<A>(mean) : nullptr, slopes});
    const Pieces<I> pieces{data<I>(by_source.ptr), x.size(0), edges.count(), d};
    const I* position = selects ? data<I>(by_source.perm) : nullptr;
    const int32_t* low = asked.has(4) ? data<int32_t>(argmin) : nullptr;
    const int32_t* high = asked.has(5) ? data<int32_t>(argmax) : nullptr;
    fold_rows(queue, x, MultiBackward<T, I>{pieces, data<I>(by_source.index), position, ptr, rows, edges.count(),
                                            slopes, asked.curved(), data<T>(x), from, low, high, d,
                                            mutable_data<T>(grad_x)});
  });
  return grad_x;
}

}  // namespace
}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("multi_reduce", TORCH_BOX(&gl::multi_reduce));
  m.impl("multi_reduce_backward", TORCH_BOX(&gl::multi_reduce_backward));
}
