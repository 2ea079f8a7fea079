// segment_softmax, segment_log_softmax and segment_logsumexp with their derivatives on the device.
#include "segment_softmax.h"

#include "device.h"
#include "segment_tensors.h"

namespace gl {
namespace {

// Room for one S per group and column.
template <class S>
Tensor stats_of(const Tensor& like, int64_t groups, int64_t d) {
  return make(like, {groups * d * static_cast<int64_t>(sizeof(S))}, ScalarType::Byte);
}
template <class S>
S* stats_in(Tensor& t) {
  return reinterpret_cast<S*>(mutable_data<uint8_t>(t));
}

Tensor segment_softmax(Tensor ptr, std::optional<Tensor> perm, Tensor x, bool log) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const int64_t d = x.size(1);
  Tensor out = make(x, {x.size(0), d});
  if (out.numel() == 0) return out;
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    using Stats = Exponentials<acc_t<T>>;
    Tensor room = stats_of<Stats>(x, segments.groups(), d);
    by_width<T>(in_packs(d, sizeof(T), x, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const SegmentReader<T, W> reader{segments.plain(), d};
      Stats* stats = stats_in<Stats>(room);
      fold_rows(queue, x, SegmentExponentials<T, W>{reader.pieces(), reader, data<T>(x), stats});
      const WalkRows<SegmentSoftmax<T, W>> walk{{reader, log, data<T>(x), stats, mutable_data<T>(out)}};
      launch(queue, walk.threads(), walk);
    });
  });
  return out;
}

Tensor segment_softmax_backward(Tensor ptr, std::optional<Tensor> perm, Tensor y, Tensor grad, bool log) {
  check_dim(y, "y", 2);
  check_device(ptr, "ptr", y);
  const Queue queue(y);
  const SegmentTensors segments = segment_tensors(ptr, perm, y.size(0));
  check_rows(grad, "grad", y.size(0), y, "y");
  y = dense(y);
  grad = dense(grad);
  const int64_t d = y.size(1);
  Tensor out = make(y, {y.size(0), d});
  if (out.numel() == 0) return out;
  by_float(y, "y", [&](auto value) {
    using T = decltype(value);
    using A = acc_t<T>;
    Tensor room = stats_of<A>(y, segments.groups(), d);
    by_width<T>(in_packs(d, sizeof(T), y, grad, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const SegmentReader<T, W> reader{segments.plain(), d};
      A* sums = stats_in<A>(room);
      fold_rows(queue, y, SegmentSoftmaxSums<T, W>{reader.pieces(), reader, log, data<T>(y), data<T>(grad), sums});
      const WalkRows<SegmentSoftmaxBackward<T, W>> walk{
          {reader, log, data<T>(y), data<T>(grad), sums, mutable_data<T>(out)}};
      launch(queue, walk.threads(), walk);
    });
  });
  return out;
}

Tensor segment_logsumexp(Tensor ptr, std::optional<Tensor> perm, Tensor x) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const int64_t d = x.size(1);
  Tensor out = make(x, {segments.groups(), d});
  if (out.numel() == 0) return out;
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    by_width<T>(in_packs(d, sizeof(T), x, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const SegmentReader<T, W> reader{segments.plain(), d};
      fold_rows(queue, x, SegmentLogsumexp<T, W>{{reader.pieces(), reader, data<T>(x), nullptr}, mutable_data<T>(out)});
    });
  });
  return out;
}

Tensor segment_logsumexp_backward(Tensor ptr, std::optional<Tensor> perm, Tensor x, Tensor lse, Tensor grad) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  check_rows(lse, "lse", segments.groups(), x, "x");
  check_rows(grad, "grad", segments.groups(), x, "x");
  x = dense(x);
  lse = dense(lse);
  grad = dense(grad);
  const int64_t d = x.size(1);
  Tensor out = make(x, {x.size(0), d});
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    by_width<T>(in_packs(d, sizeof(T), x, lse, grad, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const SegmentReader<T, W> reader{segments.plain(), d};
      const WalkRows<SegmentLogsumexpBackward<T, W>> walk{
          {reader, data<T>(x), data<T>(lse), data<T>(grad), mutable_data<T>(out)}};
      launch(queue, walk.threads(), walk);
    });
  });
  return out;
}

}  // namespace
}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("segment_softmax", TORCH_BOX(&gl::segment_softmax));
  m.impl("segment_softmax_backward", TORCH_BOX(&gl::segment_softmax_backward));
  m.impl("segment_logsumexp", TORCH_BOX(&gl::segment_logsumexp));
  m.impl("segment_logsumexp_backward", TORCH_BOX(&gl::segment_logsumexp_backward));
}
