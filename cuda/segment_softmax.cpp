// segment_softmax, segment_log_softmax and segment_logsumexp with their derivatives: schemas and CPU kernels.
#include "segment_tensors.h"

#include <type_traits>
#include <vector>

#define GL_KERNELS "segment_softmax_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

Tensor segment_softmax_of(Tensor ptr, std::optional<Tensor> perm, Tensor x, bool log) {
  check_dim(x, "x", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const int64_t d = x.size(1);
  Tensor out = make(x, {x.size(0), d});
  if (d == 0) return out;
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_softmax<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(x), d, log, to, begin, end);
    });
  });
  return out;
}

Tensor segment_softmax_backward_of(Tensor ptr, std::optional<Tensor> perm, Tensor y, Tensor grad, bool log) {
  check_dim(y, "y", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, y.size(0));
  check_rows(grad, "grad", y.size(0), y, "y");
  y = dense(y);
  grad = dense(grad);
  const int64_t d = y.size(1);
  Tensor out = make(y, {y.size(0), d});
  if (d == 0) return out;
  by_float(y, "y", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_softmax_backward<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(y), data<T>(grad), d, log, to, begin, end);
    });
  });
  return out;
}

Tensor segment_logsumexp_of(Tensor ptr, std::optional<Tensor> perm, Tensor x) {
  check_dim(x, "x", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const int64_t d = x.size(1);
  Tensor out = make(x, {segments.groups(), d});
  if (d == 0) return out;
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_logsumexp<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) { kernel(s, data<T>(x), d, to, begin, end); });
  });
  return out;
}

Tensor segment_logsumexp_backward_of(Tensor ptr, std::optional<Tensor> perm, Tensor x, Tensor lse, Tensor grad) {
  check_dim(x, "x", 2);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  check_rows(lse, "lse", segments.groups(), x, "x");
  check_rows(grad, "grad", segments.groups(), x, "x");
  x = dense(x);
  lse = dense(lse);
  grad = dense(grad);
  const int64_t d = x.size(1);
  Tensor out = make(x, {x.size(0), d});
  if (d == 0) return out;
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const Segments s = segments.plain();
    T* to = mutable_data<T>(out);
    const auto kernel = GL_BEST(segment_logsumexp_backward<T>);
    parallel_rows(s.ptr, s.groups, d, [&](int64_t begin, int64_t end) {
      kernel(s, data<T>(x), data<T>(lse), data<T>(grad), d, to, begin, end);
    });
  });
  return out;
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("segment_softmax(Tensor ptr, Tensor? perm, Tensor x, bool log) -> Tensor");
  m.def("segment_softmax_backward(Tensor ptr, Tensor? perm, Tensor y, Tensor grad, bool log) -> Tensor");
  m.def("segment_logsumexp(Tensor ptr, Tensor? perm, Tensor x) -> Tensor");
  m.def("segment_logsumexp_backward(Tensor ptr, Tensor? perm, Tensor x, Tensor lse, Tensor grad) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("segment_softmax", TORCH_BOX(&gl::segment_softmax_of));
  m.impl("segment_softmax_backward", TORCH_BOX(&gl::segment_softmax_backward_of));
  m.impl("segment_logsumexp", TORCH_BOX(&gl::segment_logsumexp_of));
  m.impl("segment_logsumexp_backward", TORCH_BOX(&gl::segment_logsumexp_backward_of));
}
