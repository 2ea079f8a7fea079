// gather_reduce and its derivatives: schemas and CPU kernels.
#include "edge_tensors.h"

#define GL_KERNELS "gather_reduce_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

void check_arg(const Tensor& arg, const Tensor& ptr, int64_t d) {
  check_dim(arg, "arg", 2);
  STD_TORCH_CHECK(arg.scalar_type() == ScalarType::Int && arg.size(0) == ptr.numel() - 1 && arg.size(1) == d,
                  "'arg' must be int32 of shape (rows, columns), as the forward pass returned it");
}

template <class I>
void check_arg_range(const I* ptr, int64_t rows, const int32_t* arg, int64_t d) {
  int bad = 0;
  for (int64_t i = 0; i < rows; ++i) {
    const int32_t count = static_cast<int32_t>(ptr[i + 1] - ptr[i]);
    for (int64_t f = 0; f < d; ++f) bad |= (arg[i * d + f] >= count) | (arg[i * d + f] < -1);
  }
  STD_TORCH_CHECK(!bad, "'arg' must be -1 or a position inside its row, as the forward pass returned it");
}

std::tuple<Tensor, Tensor> gather_reduce(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor>,
                                         std::optional<Tensor>, std::optional<Tensor>, std::optional<Tensor> weight,
                                         Tensor x, std::string reduce) {
  check_dim(x, "x", 2);
  const int kind = reduce_of(reduce);
  if (weight) check_dtype(*weight, "weight", x, "x");
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  x = dense(x);
  const int64_t d = x.size(1);
  const bool selects = kind == kMin || kind == kMax;
  Tensor out = make(x, {edges.rows(), d});
  Tensor arg = make(rowptr, selects ? std::vector<int64_t>{edges.rows(), d} : std::vector<int64_t>{0}, ScalarType::Int);
  if (d == 0) return {out, arg};
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const auto e = edges.of<T, I>();
    T* y = mutable_data<T>(out);
    int32_t* chosen = mutable_data<int32_t>(arg);
    const auto sum = GL_BEST(gather_sum<T, I>);
    const auto select = kind == kMax ? GL_BEST(gather_select<T, I, true>) : GL_BEST(gather_select<T, I, false>);
    parallel_rows(e.ptr, edges.rows(), d, [&](int64_t begin, int64_t end) {
      if (selects) select(e, data<T>(x), d, y, chosen, begin, end);
      else sum(e, data<T>(x), d, kind == kMean, y, begin, end);
    });
  });
  return {out, arg};
}

// Gradients of a sum or a mean: by x, and by the weights where there are any, in one pass over the transposed edges.
std::tuple<Tensor, Tensor> gather_reduce_backward(Tensor rowptr, Tensor colptr, Tensor row, std::optional<Tensor> perm,
                                                  std::optional<Tensor> weight, Tensor grad, Tensor x, bool mean) {
  check_dim(grad, "grad", 2);
  check_dim(x, "x", 2);
  check_index(rowptr, "rowptr", colptr);
  check_ptr(rowptr, "rowptr", row.numel());
  check_dtype(x, "x", grad, "grad");
  if (weight) check_dtype(*weight, "weight", grad, "grad");
  STD_TORCH_CHECK(colptr.numel() == x.size(0) + 1, "'colptr' must have one entry more than 'x' has rows, ", x.size(0),
                  ", got ", colptr.numel());
  STD_TORCH_CHECK(rowptr.numel() == grad.size(0) + 1 && grad.size(1) == x.size(1),
                  "'grad' must have one row for each row of 'rowptr', and as many columns as 'x'");
  const EdgeTensors edges = edge_tensors(colptr, "colptr", row, "row", grad.size(0), perm, weight, "perm_t");
  grad = dense(grad);
  x = dense(x);
  rowptr = dense(rowptr);
  const int64_t d = x.size(1);
  Tensor grad_x = make(x, {x.size(0), d});
  Tensor grad_weight = make(x, {weight ? edges.count() : 0});
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const auto e = edges.of<T, I>();
    const I* degree = mean ? data<I>(rowptr) : nullptr;
    T *gx = mutable_data<T>(grad_x), *gw = mutable_data<T>(grad_weight);
    const auto both = GL_BEST(gather_sum_backward<T, I>);
    const auto of_mean = GL_BEST(gather_mean_backward<T, I>);
    const auto of_sum = GL_BEST(gather_sum<T, I>);
    parallel_rows(e.ptr, edges.rows(), d, [&](int64_t begin, int64_t end) {
      std::vector<acc_t<T>> total(d);
      if (weight) both(e, degree, data<T>(grad), data<T>(x), d, gx, gw, total.data(), begin, end);
      else if (mean) of_mean(e, degree, data<T>(grad), d, gx, total.data(), begin, end);
      else of_sum(e, data<T>(grad), d, false, gx, begin, end);
    });
  });
  return {grad_x, grad_weight};
}

// Reads from each row's chosen edge: the derivative of a minimum or maximum along a direction.
Tensor arg_gather_of(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor> weight, Tensor x,
                     Tensor arg) {
  check_dim(x, "x", 2);
  if (weight) check_dtype(*weight, "weight", x, "x");
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  check_arg(arg, rowptr, x.size(1));
  x = dense(x);
  arg = dense(arg);
  const int64_t d = x.size(1);
  Tensor out = make(x, {edges.rows(), d});
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const auto e = edges.of<T, I>();
    check_arg_range(e.ptr, edges.rows(), data<int32_t>(arg), d);
    const auto kernel = GL_BEST(arg_gather<T, I>);
    parallel_rows(e.ptr, edges.rows(), d, [&](int64_t begin, int64_t end) {
      kernel(e, data<T>(x), data<int32_t>(arg), d, mutable_data<T>(out), begin, end);
    });
  });
  return out;
}

// Gradients of a minimum or maximum: by x, and by the weights where there are any.
std::tuple<Tensor, Tensor> arg_scatter_of(Tensor rowptr, Tensor col, std::optional<Tensor> perm,
                                          std::optional<Tensor> weight, Tensor grad, Tensor x, Tensor arg) {
  check_dim(grad, "grad", 2);
  check_dim(x, "x", 2);
  check_dtype(x, "x", grad, "grad");
  if (weight) check_dtype(*weight, "weight", grad, "grad");
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  STD_TORCH_CHECK(grad.size(0) == edges.rows() && grad.size(1) == x.size(1),
                  "'grad' must have one row for each row of 'rowptr', and as many columns as 'x'");
  check_arg(arg, rowptr, x.size(1));
  grad = dense(grad);
  x = dense(x);
  arg = dense(arg);
  const int64_t d = x.size(1);
  // Sums in low precision are kept in full precision until they are done.
  const bool low = x.scalar_type() == ScalarType::BFloat16;
  const ScalarType wide = low ? ScalarType::Float : x.scalar_type();
  Tensor grad_x = make_zeros(x, {x.size(0), d}, wide);
  Tensor grad_weight = make_zeros(x, {weight ? edges.count() : 0}, wide);
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    using A = acc_t<T>;
    const auto e = edges.of<T, I>();
    const int32_t* chosen = data<int32_t>(arg);
    check_arg_range(e.ptr, edges.rows(), chosen, d);
    const auto by_x = GL_BEST(arg_scatter<T, I>);
    const auto by_weight = GL_BEST(arg_scatter_weight<T, I>);
    // A cache line of columns is the least that a thread takes.
    const int64_t columns = 64 / sizeof(A), blocks = (d + columns - 1) / columns;
    parallel(blocks, edges.rows() * columns, [&](int64_t begin, int64_t end) {
      by_x(e, edges.rows(), data<T>(grad), chosen, d, mutable_data<A>(grad_x), begin * columns, std::min(d, end * columns));
    });
    if (weight)
      parallel_rows(e.ptr, edges.rows(), d, [&](int64_t begin, int64_t end) {
        by_weight(e, data<T>(grad), chosen, data<T>(x), d, mutable_data<A>(grad_weight), begin, end);
      });
  });
  if (low) return {torch::stable::to(grad_x, x.scalar_type()), torch::stable::to(grad_weight, x.scalar_type())};
  return {grad_x, grad_weight};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("gather_reduce(Tensor rowptr, Tensor col, Tensor? perm, Tensor? colptr, Tensor? row, Tensor? perm_t, Tensor? weight, Tensor x, str reduce) -> (Tensor, Tensor)");
  m.def("gather_reduce_backward(Tensor rowptr, Tensor colptr, Tensor row, Tensor? perm_t, Tensor? weight, Tensor grad, Tensor x, bool mean) -> (Tensor, Tensor)");
  m.def("arg_gather(Tensor rowptr, Tensor col, Tensor? perm, Tensor? weight, Tensor x, Tensor arg) -> Tensor");
  m.def("arg_scatter(Tensor rowptr, Tensor col, Tensor? perm, Tensor? weight, Tensor grad, Tensor x, Tensor arg) -> (Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("gather_reduce", TORCH_BOX(&gl::gather_reduce));
  m.impl("gather_reduce_backward", TORCH_BOX(&gl::gather_reduce_backward));
  m.impl("arg_gather", TORCH_BOX(&gl::arg_gather_of));
  m.impl("arg_scatter", TORCH_BOX(&gl::arg_scatter_of));
}
