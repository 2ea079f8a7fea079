// gather_reduce and its derivatives on the device.
#include "gather_reduce.h"
#include "csr_device.h"
#include "device.h"

namespace gl {
namespace {

// out = s * sum_e w_e x[index_e] for all rows of `edges`.
template <class T, class I>
void sum_rows(const Queue& queue, const EdgeTensors& edges, const Tensor& x, const I* degree, bool mean, Tensor& out) {
  const int64_t d = x.size(1);
  by_width<T>(in_packs(d, sizeof(T), x, out), [&](auto width) {
    constexpr int W = decltype(width)::value;
    const Pieces<I> pieces{data<I>(edges.ptr), edges.rows(), edges.count(), d / W};
    const EdgeReader<T, I> reader{edges.of<T, I>(), x.size(0), degree};
    fold_rows(queue, x, GatherSum<T, I, W>{pieces, reader, mean, data<T>(x), d, mutable_data<T>(out)});
  });
}

template <class T, class I>
void select_rows(const Queue& queue, const EdgeTensors& edges, const Tensor& x, bool max, Tensor& out, Tensor& arg) {
  const int64_t d = x.size(1);
  by_width<T>(in_packs(d, sizeof(T), x, out), [&](auto width) {
    constexpr int W = decltype(width)::value;
    const Pieces<I> pieces{data<I>(edges.ptr), edges.rows(), edges.count(), d / W};
    const EdgeReader<T, I> reader{edges.of<T, I>(), x.size(0), nullptr};
    fold_rows(queue, x, GatherSelect<T, I, W>{pieces, reader, max, data<T>(x), d, mutable_data<T>(out),
                                              mutable_data<int32_t>(arg)});
  });
}

void check_arg(const Tensor& arg, const Tensor& ptr, int64_t d) {
  check_dim(arg, "arg", 2);
  check_device(arg, "arg", ptr);
  STD_TORCH_CHECK(arg.scalar_type() == ScalarType::Int && arg.size(0) == ptr.numel() - 1 && arg.size(1) == d,
                  "'arg' must be int32 of shape (rows, columns), as the forward pass returned it");
}

void check_rows(const Tensor& grad, const Tensor& ptr, const Tensor& x) {
  check_dim(grad, "grad", 2);
  check_values(grad, "grad", x);
  STD_TORCH_CHECK(grad.size(0) == ptr.numel() - 1 && grad.size(1) == x.size(1),
                  "'grad' must have one row for each row of 'rowptr', and as many columns as 'x'");
}

std::tuple<Tensor, Tensor> gather_reduce(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor>,
                                         std::optional<Tensor>, std::optional<Tensor>, std::optional<Tensor> weight,
                                         Tensor x, std::string reduce) {
  check_dim(x, "x", 2);
  check_device(rowptr, "rowptr", x);
  if (weight) check_values(*weight, "weight", x);
  const int kind = reduce_of(reduce);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  x = dense(x);
  const bool selects = kind == kMin || kind == kMax;
  const std::vector<int64_t> shape{edges.rows(), x.size(1)};
  const Queue queue(x);
  Tensor out = make(x, shape), arg = make(rowptr, selects ? shape : std::vector<int64_t>{0}, ScalarType::Int);
  if (out.numel() == 0) return {out, arg};
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    if (selects) select_rows<T, I>(queue, edges, x, kind == kMax, out, arg);
    else sum_rows<T, I>(queue, edges, x, nullptr, kind == kMean, out);
  });
  return {out, arg};
}

// Gradients of a sum or a mean: by x, and by the weights where there are any.
std::tuple<Tensor, Tensor> gather_reduce_backward(Tensor rowptr, Tensor colptr, Tensor row, std::optional<Tensor> perm,
                                                  std::optional<Tensor> weight, Tensor grad, Tensor x, bool mean) {
  check_dim(x, "x", 2);
  check_device(rowptr, "rowptr", x);
  check_device(colptr, "colptr", x);
  check_index(rowptr, "rowptr", colptr);
  STD_TORCH_CHECK(rowptr.numel() > 0, "'rowptr' must have one entry more than there are rows, got none");
  check_rows(grad, rowptr, x);
  if (weight) check_values(*weight, "weight", x);
  STD_TORCH_CHECK(colptr.numel() == x.size(0) + 1, "'colptr' must have one entry more than 'x' has rows, ", x.size(0),
                  ", got ", colptr.numel());
  const EdgeTensors edges = edge_tensors(colptr, "colptr", row, "row", grad.size(0), perm, weight, "perm_t");
  grad = dense(grad);
  x = dense(x);
  rowptr = dense(rowptr);
  const int64_t d = x.size(1), tiles = (edges.count() + kTileEdges - 1) / kTileEdges;
  const Queue queue(x);
  Tensor grad_x = make(x, {x.size(0), d}), grad_weight = make(x, {weight ? edges.count() : 0});
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const I* degree = mean ? data<I>(rowptr) : nullptr;
    if (grad_x.numel()) sum_rows<T, I>(queue, edges, grad, degree, false, grad_x);
    if (!weight) return;
    by_width<T>(in_packs(d, sizeof(T), grad, x), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const EdgeReader<T, I> reader{edges.of<T, I>(), grad.size(0), degree};
      launch_tiles(queue, tiles, EdgeDot<T, I, W>{reader, edges.rows(), data<T>(grad), data<T>(x), d,
                                                  mutable_data<T>(grad_weight)});
    });
  });
  return {grad_x, grad_weight};
}

// Reads from each row's chosen edge: the derivative of a minimum or maximum along a direction.
Tensor arg_gather(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor> weight, Tensor x,
                  Tensor arg) {
  check_dim(x, "x", 2);
  check_device(rowptr, "rowptr", x);
  if (weight) check_values(*weight, "weight", x);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  check_arg(arg, rowptr, x.size(1));
  x = dense(x);
  arg = dense(arg);
  const Queue queue(x);
  Tensor out = make(x, {edges.rows(), x.size(1)});
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    const EdgeReader<T, I> reader{edges.of<T, I>(), x.size(0), nullptr};
    launch(queue, out.numel(),
           ArgGather<T, I>{reader, data<T>(x), data<int32_t>(arg), x.size(1), mutable_data<T>(out)});
  });
  return out;
}

template <class T, class I>
void scatter_chosen(const Queue& queue, const EdgeTensors& edges, const Transposed& by_source, const Tensor& grad,
                    const Tensor& arg, Tensor& grad_x) {
  const int64_t d = grad.size(1);
  by_width<T>(in_packs(d, sizeof(T), grad, arg, grad_x), [&](auto width) {
    constexpr int W = decltype(width)::value;
    const Pieces<I> pieces{data<I>(by_source.ptr), grad_x.size(0), edges.count(), d / W};
    const EdgeReader<T, I> reader{edges.of<T, I>(), grad_x.size(0), nullptr};
    fold_rows(queue, grad, ArgScatter<T, I, W>{pieces, data<I>(by_source.index), data<I>(by_source.perm), reader,
                                               edges.rows(), data<T>(grad), data<int32_t>(arg), d,
                                               mutable_data<T>(grad_x)});
  });
}

// Gradients of a minimum or maximum: by x, and by the weights where there are any.
std::tuple<Tensor, Tensor> arg_scatter(Tensor rowptr, Tensor col, std::optional<Tensor> perm,
                                       std::optional<Tensor> weight, Tensor grad, Tensor x, Tensor arg) {
  check_dim(x, "x", 2);
  check_device(rowptr, "rowptr", x);
  if (weight) check_values(*weight, "weight", x);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", x.size(0), perm, weight);
  check_rows(grad, rowptr, x);
  check_arg(arg, rowptr, x.size(1));
  grad = dense(grad);
  x = dense(x);
  arg = dense(arg);
  const int64_t d = x.size(1), tiles = (edges.count() + kTileEdges - 1) / kTileEdges;
  const Queue queue(x);
  Tensor grad_x = make(x, {x.size(0), d}), grad_weight = make(x, {weight ? edges.count() : 0});
  // Each source adds up what its edges won, so every sum has one owner: that takes the edges by source.
  const Transposed by_source = transposed(queue, edges.ptr, edges.index, std::nullopt, x.size(0));
  by_type(x, "x", rowptr, [&](auto value, auto index) {
    using T = decltype(value);
    using I = decltype(index);
    if (grad_x.numel()) scatter_chosen<T, I>(queue, edges, by_source, grad, arg, grad_x);
    const EdgeReader<T, I> reader{edges.of<T, I>(), x.size(0), nullptr};
    if (weight)
      launch_tiles(queue, tiles, ArgDot<T, I>{reader, edges.rows(), data<T>(grad), data<T>(x), data<int32_t>(arg), d,
                                              mutable_data<T>(grad_weight)});
  });
  return {grad_x, grad_weight};
}

}  // namespace
}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("gather_reduce", TORCH_BOX(&gl::gather_reduce));
  m.impl("gather_reduce_backward", TORCH_BOX(&gl::gather_reduce_backward));
  m.impl("arg_gather", TORCH_BOX(&gl::arg_gather));
  m.impl("arg_scatter", TORCH_BOX(&gl::arg_scatter));
}
