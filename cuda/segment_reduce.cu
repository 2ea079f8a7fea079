// segment_reduce and its derivatives on the device.
#include "segment_reduce.h"

#include "device.h"
#include "segment_tensors.h"

namespace gl {
namespace {

void check_choice(const Tensor& arg, const SegmentTensors& segments, const Tensor& like) {
  check_dim(arg, "arg", 2);
  check_device(arg, "arg", like);
  const bool fits = arg.size(0) == segments.groups() && arg.size(1) == like.size(1);
  STD_TORCH_CHECK(arg.scalar_type() == ScalarType::Int && fits,
                  "'arg' must be int32 of shape (groups, columns), as the forward pass returned it");
}

std::tuple<Tensor, Tensor> segment_reduce(Tensor ptr, std::optional<Tensor> perm, Tensor x, std::string reduce) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const bool mul = reduce == "mul";
  const bool floating = x.scalar_type() != ScalarType::Int && x.scalar_type() != ScalarType::Long;
  const int kind = mul ? kSum : reduce_of(reduce);
  STD_TORCH_CHECK(floating || kind != kMean, "a mean of integers is not one; divide the sum, rounding as you want");
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  x = dense(x);
  const bool chooses = kind == kMin || kind == kMax;
  const int64_t d = x.size(1);
  const std::vector<int64_t> shape{segments.groups(), d};
  Tensor out = make(x, shape), arg = make(ptr, chooses ? shape : std::vector<int64_t>{0}, ScalarType::Int);
  if (out.numel() == 0) return {out, arg};
  by_number(x, "x", [&](auto value) {
    using T = decltype(value);
    by_width<T>(in_packs(d, sizeof(T), x, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const SegmentReader<T, W> reader{segments.plain(), d};
      const auto pieces = reader.pieces();
      T* y = mutable_data<T>(out);
      if (chooses)
        fold_rows(queue, x, SegmentChoose<T, W>{pieces, reader, kind == kMax, data<T>(x), y,
                                                mutable_data<int32_t>(arg)});
      else if (mul) fold_rows(queue, x, SegmentFold<T, W, true>{pieces, reader, false, data<T>(x), y});
      else fold_rows(queue, x, SegmentFold<T, W, false>{pieces, reader, kind == kMean, data<T>(x), y});
    });
  });
  return {out, arg};
}

Tensor segment_spread(Tensor ptr, std::optional<Tensor> perm, Tensor y, int64_t length, bool mean) {
  check_device(ptr, "ptr", y);
  const Queue queue(y);
  const SegmentTensors segments = segment_tensors(ptr, perm, length);
  check_rows(y, "y", segments.groups(), y, "y");
  y = dense(y);
  const int64_t d = y.size(1);
  Tensor out = make(y, {length, d});
  by_number(y, "y", [&](auto value) {
    using T = decltype(value);
    by_width<T>(in_packs(d, sizeof(T), y, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const WalkRows<SegmentSpread<T, W>> walk{{{segments.plain(), d}, mean, data<T>(y), mutable_data<T>(out)}};
      launch(queue, walk.threads(), walk);
    });
  });
  return out;
}

Tensor segment_arg_gather(Tensor ptr, std::optional<Tensor> perm, Tensor x, Tensor arg) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  check_choice(arg, segments, x);
  x = dense(x);
  arg = dense(arg);
  Tensor out = make(x, {segments.groups(), x.size(1)});
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const SegmentReader<T, 1> reader{segments.plain(), x.size(1)};
    launch(queue, out.numel(), SegmentArgGather<T>{reader, data<T>(x), data<int32_t>(arg), mutable_data<T>(out)});
  });
  return out;
}

Tensor segment_arg_scatter(Tensor ptr, std::optional<Tensor> perm, Tensor y, Tensor arg, int64_t length) {
  check_device(ptr, "ptr", y);
  const Queue queue(y);
  const SegmentTensors segments = segment_tensors(ptr, perm, length);
  check_rows(y, "y", segments.groups(), y, "y");
  check_choice(arg, segments, y);
  y = dense(y);
  arg = dense(arg);
  const int64_t d = y.size(1);
  Tensor out = make(y, {length, d});
  by_float(y, "y", [&](auto value) {
    using T = decltype(value);
    by_width<T>(in_packs(d, sizeof(T), y, arg, out), [&](auto width) {
      constexpr int W = decltype(width)::value;
      const WalkRows<SegmentArgScatter<T, W>> walk{
          {{segments.plain(), d}, data<T>(y), data<int32_t>(arg), mutable_data<T>(out)}};
      launch(queue, walk.threads(), walk);
    });
  });
  return out;
}

Tensor segment_mul_backward(Tensor ptr, std::optional<Tensor> perm, Tensor grad, Tensor x) {
  check_dim(x, "x", 2);
  check_device(ptr, "ptr", x);
  const Queue queue(x);
  const SegmentTensors segments = segment_tensors(ptr, perm, x.size(0));
  check_rows(grad, "grad", segments.groups(), x, "x");
  x = dense(x);
  grad = dense(grad);
  Tensor out = make(x, {x.size(0), x.size(1)});
  by_float(x, "x", [&](auto value) {
    using T = decltype(value);
    const SegmentReader<T, 1> reader{segments.plain(), x.size(1)};
    launch(queue, grad.numel(), SegmentMulBackward<T>{reader, data<T>(grad), data<T>(x), mutable_data<T>(out)});
  });
  return out;
}

}  // namespace
}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("segment_reduce", TORCH_BOX(&gl::segment_reduce));
  m.impl("segment_spread", TORCH_BOX(&gl::segment_spread));
  m.impl("segment_arg_gather", TORCH_BOX(&gl::segment_arg_gather));
  m.impl("segment_arg_scatter", TORCH_BOX(&gl::segment_arg_scatter));
  m.impl("segment_mul_backward", TORCH_BOX(&gl::segment_mul_backward));
}
