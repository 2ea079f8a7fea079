// multi_reduce and its gradient: schemas and CPU kernels.
#include <atomic>

#include "edge_tensors.h"
#include "multi_asked.h"

#define GL_KERNELS "multi_reduce_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

std::tuple<Tensor, Tensor, Tensor, Tensor> multi_reduce_of(Tensor rowptr, Tensor col, std::optional<Tensor>,
                                                           std::optional<Tensor>, Tensor x, std::string reduces) {
  check_dim(x, "x", 2);
  const Asked asked = asked_of(reduces);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0));
  x = dense(x);
  const int64_t d = x.size(1), rows = edges.rows();
  auto sizes = [&](bool wanted) { return wanted ? std::vector<int64_t>{rows, d} : std::vector<int64_t>{0}; };
  Tensor out = make(x, {rows, asked.count, d});
  Tensor mean = make(x, sizes(asked.curved()), wide_type(x));
  Tensor argmin = make(rowptr, sizes(asked.has(4)), ScalarType::Int);
  Tensor argmax = make(rowptr, sizes(asked.has(5)), ScalarType::Int);
  if (d == 0) return {out, mean, argmin, argmax};
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const auto e = edges.of<T, I>();
    const auto to = asked.in(mutable_data<T>(out), d);
    const MultiSaved<T> saved{asked.curved() ? mutable_data<acc_t<T>>(mean) : nullptr,
                              asked.has(4) ? mutable_data<int32_t>(argmin) : nullptr,
                              asked.has(5) ? mutable_data<int32_t>(argmax) : nullptr};
    const auto kernel = GL_BEST(multi_reduce<T, I>);
    parallel_rows(e.ptr, rows, d, [&](int64_t begin, int64_t end) {
      kernel(e, data<T>(x), d, to, saved, begin, end);
    });
  });
  return {out, mean, argmin, argmax};
}

void check_saved(const Tensor& t, const char* name, bool wanted, ScalarType dtype, int64_t rows, int64_t d) {
  if (!wanted) return;
  check_dim(t, name, 2);
  STD_TORCH_CHECK(t.scalar_type() == dtype && t.size(0) == rows && t.size(1) == d, "'", name,
                  "' must be as the forward pass returned it");
}

// The part of sum, mean, var and std: one pass over the transposed edges, which writes every row of grad_x.
template <class T, class I>
void gather_part(const Tensor& rowptr, const EdgeTensors& transposed, const Asked& asked, const Tensor& grad,
                 const Tensor& x, const Tensor& out, const Tensor& mean, Tensor& grad_x) {
  using A = acc_t<T>;
  const int64_t d = x.size(1), rows = rowptr.numel() - 1;
  Tensor table = make(x, {rows, asked.curved() ? 2 * d : d}, wide_type(x));
  A* slopes = mutable_data<A>(table);
  const auto from = asked.in(data<T>(grad), d);
  const T* std = asked.in(data<T>(out), d).std;
  const auto prepare = GL_BEST(multi_slopes<T, I>);
  parallel(rows, asked.count * d, [&](int64_t begin, int64_t end) {
    prepare(data<I>(rowptr), d, from, std, asked.curved() ? data<A>(mean) : nullptr, slopes, begin, end);
  });
  const auto e = transposed.of<A, I>();
  const auto kernel = GL_BEST(multi_gather<T, I>);
  parallel_rows(e.ptr, transposed.rows(), 2 * d, [&](int64_t begin, int64_t end) {
    kernel(e, slopes, asked.curved(), data<T>(x), d, mutable_data<A>(grad_x), begin, end);
  });
}

// The part of min and max, added to grad_x.
template <class T, class I>
void scatter_part(const EdgeTensors& edges, const Asked& asked, const Tensor& grad, const Tensor& argmin,
                  const Tensor& argmax, Tensor& grad_x) {
  using A = acc_t<T>;
  const int64_t d = grad_x.size(1), rows = edges.rows();
  const auto e = edges.of<A, I>();
  const auto from = asked.in(data<T>(grad), d);
  const int32_t* low = asked.has(4) ? data<int32_t>(argmin) : nullptr;
  const int32_t* high = asked.has(5) ? data<int32_t>(argmax) : nullptr;
  const auto kernel = GL_BEST(multi_scatter<T, I>);
  // A cache line of columns is the least that a thread takes.
  const int64_t columns = 64 / sizeof(A), blocks = (d + columns - 1) / columns;
  std::atomic<bool> fits{true};
  parallel(blocks, (rows + edges.count()) * columns, [&](int64_t begin, int64_t end) {
    if (!kernel(e, rows, from, low, high, d, mutable_data<A>(grad_x), begin * columns, std::min(d, end * columns)))
      fits = false;
  });
  STD_TORCH_CHECK(fits, "'argmin' and 'argmax' must be positions inside their rows, as the forward pass returned them");
}

Tensor multi_reduce_backward(Tensor rowptr, Tensor col, std::optional<Tensor> colptr, std::optional<Tensor> row,
                             Tensor grad, Tensor x, Tensor out, Tensor mean, Tensor argmin, Tensor argmax,
                             std::string reduces) {
  check_dim(x, "x", 2);
  check_dim(grad, "grad", 3);
  check_dtype(grad, "grad", x, "x");
  const Asked asked = asked_of(reduces);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0));
  const int64_t d = x.size(1), rows = edges.rows();
  STD_TORCH_CHECK(grad.size(0) == rows && grad.size(1) == asked.count && grad.size(2) == d,
                  "'grad' must be of the shape of the result, (", rows, ", ", asked.count, ", ", d, ")");
  check_saved(mean, "mean", asked.curved(), wide_type(x), rows, d);
  check_saved(argmin, "argmin", asked.has(4), ScalarType::Int, rows, d);
  check_saved(argmax, "argmax", asked.has(5), ScalarType::Int, rows, d);
  check_dtype(out, "out", x, "x");
  STD_TORCH_CHECK(out.dim() == 3 && out.numel() == grad.numel(), "'out' must be of the shape of 'grad'");
  std::optional<EdgeTensors> transposed;
  if (asked.sums()) {
    STD_TORCH_CHECK(colptr && row, "'colptr' and 'row' are needed for the gradients of sum, mean, var and std");
    STD_TORCH_CHECK(colptr->numel() == x.size(0) + 1 && row->numel() == col.numel(),
                    "'colptr' and 'row' must describe the same edges as 'rowptr' and 'col'");
    transposed = edge_tensors(*colptr, "colptr", *row, "row", rows);
    check_index(*colptr, "colptr", rowptr);
  }
  x = dense(x), grad = dense(grad), out = dense(out), mean = dense(mean), argmin = dense(argmin), argmax = dense(argmax);
  // Sums in low precision are kept in full precision until they are done.
  Tensor grad_x = asked.sums() ? make(x, {x.size(0), d}, wide_type(x)) : make_zeros(x, {x.size(0), d}, wide_type(x));
  if (d == 0) return torch::stable::to(grad_x, x.scalar_type());
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    if (transposed) gather_part<T, I>(edges.ptr, *transposed, asked, grad, x, out, mean, grad_x);
    if (asked.has(4) || asked.has(5)) scatter_part<T, I>(edges, asked, grad, argmin, argmax, grad_x);
  });
  return wide_type(x) == x.scalar_type() ? grad_x : torch::stable::to(grad_x, x.scalar_type());
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("multi_reduce(Tensor rowptr, Tensor col, Tensor? colptr, Tensor? row, Tensor x, str reduces) -> (Tensor, Tensor, Tensor, Tensor)");
  m.def("multi_reduce_backward(Tensor rowptr, Tensor col, Tensor? colptr, Tensor? row, Tensor grad, Tensor x, Tensor out, Tensor mean, Tensor argmin, Tensor argmax, str reduces) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("multi_reduce", TORCH_BOX(&gl::multi_reduce_of));
  m.impl("multi_reduce_backward", TORCH_BOX(&gl::multi_reduce_backward));
}
