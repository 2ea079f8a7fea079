// segment_reduce and its derivatives: schemas and CPU kernels.
#include "edges.h"
#include "segment_tensors.h"

#define GL_KERNELS "segment_reduce_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

void check_choice(const Tensor& arg, const SegmentTensors& segments, int64_t d) {
  check_dim(arg, "arg", 2);
  STD_TORCH_CHECK(arg.scalar_type() == ScalarType::Int && arg.size(0) == segments.groups() && arg.size(1) == d,
                  "'arg' must be int32 of shape (groups, columns), as the forward pass returned it");
  const Tensor held = dense(arg);
  const Segments s = segments.plain();
  const int32_t* at = data<int32_t>(held);
  int bad = 0;
  for (int64_t i = 0; i < s.groups; ++i)
    for (int64_t k = 0; k < d; ++k) bad |= (at[i * d + k] >= s.ptr[i + 1] - s.ptr[i]) | (at[i * d + k] < -1);
  STD_TORCH_CHECK(!bad, "'arg' must be -1 or a position inside its group, as the forward pass returned it");
}

std::tuple<Tensor, Tensor> segment_reduce(Tensor ptr, std::optional<Tensor> perm, Tensor x, std::string reduce) {
  check_dim(x, "x", 2);
  const bool mul = reduce == "mul", floating = x.scalar_type() != ScalarType::Int && x.scalar_type() != ScalarType::Long;
  const int kind = mul ? kSum : reduce_of(reduce);
  STD_TORCH_CHECK(floating || kind != kMean, "a mean of integers is not one; divide the sum, rounding as you want");
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const int64_t groups = segments.groups(), d = x.size(1);
  const bool chooses = kind == kMin || kind == kMax;
  Tensor out = make(x, {groups, d});
  Tensor arg = make(ptr, chooses ? std::vector<int64_t>{groups, d} : std::vector<int64_t>{0}, ScalarType::Int);
  if (d == 0) return {out, arg};
  by_number(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* y = mutable_data<T>(out);
    int32_t* at = mutable_data<int32_t>(arg);
    const auto fold = GL_BEST(segment_fold<T>);
    const auto choose = GL_BEST(segment_choose<T>);
    parallel_rows(s.ptr, groups, d, [&](int64_t begin, int64_t end) {
      if (chooses) choose(s, data<T>(x), d, kind == kMax, y, at, begin, end);
      else fold(s, data<T>(x), d, mul, kind == kMean, y, begin, end);
    });
  });
  return {out, arg};
}

Tensor segment_spread_of(Tensor ptr, std::optional<Tensor> perm, Tensor y, int64_t length, bool mean) {
  const SegmentTensors segments = segment_tensors(ptr, perm, length);
  check_rows(y, "y", segments.groups(), y, "y");
  y = dense(y);
  const int64_t d = y.size(1);
  Tensor out = make(y, {length, d});
  by_number(y, "y", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_spread<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(y), d, mean, to, begin, end);
    });
  });
  return out;
}

Tensor segment_arg_gather_of(Tensor ptr, std::optional<Tensor> perm, Tensor x, Tensor arg) {
  check_dim(x, "x", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  const int64_t d = x.size(1);
  check_choice(arg, segments, d);
  x = dense(x);
  arg = dense(arg);
  Tensor out = make(x, {segments.groups(), d});
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_arg_gather<T>);
    parallel(s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(x), data<int32_t>(arg), d, to, begin, end);
    });
  });
  return out;
}

Tensor segment_arg_scatter_of(Tensor ptr, std::optional<Tensor> perm, Tensor y, Tensor arg, int64_t length) {
  const SegmentTensors segments = segment_tensors(ptr, perm, length);
  check_rows(y, "y", segments.groups(), y, "y");
  const int64_t d = y.size(1);
  check_choice(arg, segments, d);
  y = dense(y);
  arg = dense(arg);
  Tensor out = make(y, {length, d});
  by_float(y, "y", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_arg_scatter<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(y), data<int32_t>(arg), d, to, begin, end);
    });
  });
  return out;
}

Tensor segment_mul_backward_of(Tensor ptr, std::optional<Tensor> perm, Tensor grad, Tensor x) {
  check_dim(x, "x", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  check_rows(grad, "grad", segments.groups(), x, "x");
  x = dense(x);
  grad = dense(grad);
  const int64_t d = x.size(1);
  Tensor out = make(x, {x.size(0), d});
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_mul_backward<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      std::vector<acc_t<T>> product(d);
      kernel(s, data<T>(grad), data<T>(x), d, to, product.data(), begin, end);
    });
  });
  return out;
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("segment_reduce(Tensor ptr, Tensor? perm, Tensor x, str reduce) -> (Tensor, Tensor)");
  m.def("segment_spread(Tensor ptr, Tensor? perm, Tensor y, SymInt length, bool mean) -> Tensor");
  m.def("segment_arg_gather(Tensor ptr, Tensor? perm, Tensor x, Tensor arg) -> Tensor");
  m.def("segment_arg_scatter(Tensor ptr, Tensor? perm, Tensor y, Tensor arg, SymInt length) -> Tensor");
  m.def("segment_mul_backward(Tensor ptr, Tensor? perm, Tensor grad, Tensor x) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("segment_reduce", TORCH_BOX(&gl::segment_reduce));
  m.impl("segment_spread", TORCH_BOX(&gl::segment_spread_of));
  m.impl("segment_arg_gather", TORCH_BOX(&gl::segment_arg_gather_of));
  m.impl("segment_arg_scatter", TORCH_BOX(&gl::segment_arg_scatter_of));
  m.impl("segment_mul_backward", TORCH_BOX(&gl::segment_mul_backward_of));
}
