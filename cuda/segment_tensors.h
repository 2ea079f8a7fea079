// Checks the tensors that describe segments, and dispatches segment ops by precision.
#pragma once
#include "library.h"
#include "segments.h"

namespace gl {

struct SegmentTensors {
  Tensor ptr;
  std::optional<Tensor> perm;
  int64_t length;

  int64_t groups() const { return ptr.numel() - 1; }
  Segments plain() const { return {data<int64_t>(ptr), data<int64_t>(perm), groups(), length}; }
};

// `length` is the number of rows. Indices become int64: there is one per row, beside which it costs little.
SegmentTensors segment_tensors(const Tensor& ptr, const std::optional<Tensor>& perm, int64_t length);

// A matrix with the given number of rows, of what the precision of `like` is.
void check_rows(const Tensor& t, const char* name, int64_t rows, const Tensor& like, const char* like_name);

template <class F>
void by_float(const Tensor& x, const char* name, F f) {
  switch (x.scalar_type()) {
    case ScalarType::Float: return f(float{});
    case ScalarType::Double: return f(double{});
    case ScalarType::BFloat16: return f(bf16{});
    default:
      STD_TORCH_CHECK(false, "'", name, "' must be float32, float64 or bfloat16; convert it, or use the reference");
  }
}

template <class F>
void by_number(const Tensor& x, const char* name, F f) {
  if (x.scalar_type() == ScalarType::Int) return f(int32_t{});
  if (x.scalar_type() == ScalarType::Long) return f(int64_t{});
  by_float(x, name, f);
}

}  // namespace gl
