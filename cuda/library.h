// What the glue of every op shares: the stable ABI, checks, dispatch by precision and index type, threads.
#pragma once
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>
#include <torch/headeronly/util/Exception.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common.h"

namespace gl {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

enum class Isa : int { base = 0, avx2 = 1, avx512 = 2 };

// The best instruction set of this processor; GRAPHLAB_ISA=base|avx2|avx512 asks for a lesser one.
Isa isa();

// Contiguous storage, copied only where it is not.
inline Tensor dense(const Tensor& t) { return t.is_contiguous() ? t : torch::stable::contiguous(t); }
inline std::optional<Tensor> dense(const std::optional<Tensor>& t) {
  return t ? std::optional<Tensor>(dense(*t)) : std::nullopt;
}

template <class T>
const T* data(const Tensor& t) {
  return static_cast<const T*>(t.const_data_ptr());
}
template <class T>
const T* data(const std::optional<Tensor>& t) {
  return t ? data<T>(*t) : nullptr;
}
template <class T>
T* mutable_data(Tensor& t) {
  return static_cast<T*>(t.mutable_data_ptr());
}

// Asks for huge pages under a large block of memory; where the system declines, small ones serve as well.
void on_huge_pages(void* begin, int64_t bytes);

// A new tensor, uninitialised, on huge pages where it is large: page faults cost as much as filling it.
Tensor make(const Tensor& like, std::vector<int64_t> sizes);
Tensor make(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype);
Tensor make_zeros(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype);

inline void check_dim(const Tensor& t, const char* name, int64_t dim) {
  STD_TORCH_CHECK(t.dim() == dim, "'", name, "' must have ", dim, " dimensions, got ", t.dim());
}
// An integer vector of the same type as `like`.
inline void check_index(const Tensor& t, const char* name, const Tensor& like) {
  check_dim(t, name, 1);
  STD_TORCH_CHECK(t.scalar_type() == ScalarType::Long || t.scalar_type() == ScalarType::Int, "'", name,
                  "' must be int64 or int32");
  STD_TORCH_CHECK(t.scalar_type() == like.scalar_type(), "'", name, "' must be of the same type as the other indices");
}
// From 0, never decreasing, to `last`: what makes reading rows safe.
void check_ptr(const Tensor& ptr, const char* name, int64_t last);
// All values in [0, size).
void check_range(const Tensor& index, const char* name, int64_t size);
inline void check_dtype(const Tensor& t, const char* name, const Tensor& like, const char* like_name) {
  STD_TORCH_CHECK(t.scalar_type() == like.scalar_type(), "'", name, "' must be of the same type as '", like_name, "'");
}

// Calls `f(T{}, I{})` for the precision of `x` and the type of `index`.
template <class F>
void by_type(const Tensor& x, const char* name, const Tensor& index, F f) {
  const bool is_long = index.scalar_type() == ScalarType::Long;
  STD_TORCH_CHECK(is_long || index.scalar_type() == ScalarType::Int, "indices must be int64 or int32");
  auto call = [&](auto value) {
    if (is_long) f(value, int64_t{});
    else f(value, int32_t{});
  };
  switch (x.scalar_type()) {
    case ScalarType::Float: return call(float{});
    case ScalarType::Double: return call(double{});
    case ScalarType::BFloat16: return call(bf16{});
    default:
      STD_TORCH_CHECK(false, "'", name, "' must be float32, float64 or bfloat16; convert it, or use the reference");
  }
}

inline int reduce_of(const std::string& name) {
  if (name == "sum") return kSum;
  if (name == "mean") return kMean;
  if (name == "min") return kMin;
  STD_TORCH_CHECK(name == "max", "'reduce' must be 'sum', 'mean', 'min' or 'max', got '", name, "'");
  return kMax;
}

// Below this many values there is too little to do for a second thread.
constexpr int64_t kSerial = 32768;

// Runs f(begin, end) over pieces of [0, size) on torch's own threads. Results must not depend on the cuts.
template <class F>
void parallel(int64_t size, int64_t work_per_item, F f) {
  if (size <= 0) return;
  const int64_t grain = std::max<int64_t>(1, kSerial / std::max<int64_t>(1, work_per_item));
  if (size <= grain || torch::stable::get_num_threads() == 1) return f(int64_t{0}, size);
  torch::stable::parallel_for(0, size, grain, f);
}

// Cuts the rows of a CSR structure into pieces that hold about equally many edges and rows: pieces + 1 row numbers.
template <class I>
std::vector<int64_t> cut_rows(const I* rowptr, int64_t rows, int64_t pieces) {
  std::vector<int64_t> cut(pieces + 1, 0);
  cut[pieces] = rows;
  for (int64_t piece = 1; piece < pieces; ++piece) {
    // Row r starts after rowptr[r] + r units of work, which grows with r.
    const int64_t target = (rowptr[rows] + rows) / pieces * piece;
    int64_t low = cut[piece - 1], high = rows;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (static_cast<int64_t>(rowptr[middle]) + middle < target) low = middle + 1;
      else high = middle;
    }
    cut[piece] = low;
  }
  return cut;
}

// Runs f(begin, end) over pieces of the rows of a CSR structure that hold about equally many edges and rows.
template <class I, class F>
void parallel_rows(const I* rowptr, int64_t rows, int64_t work_per_edge, F f) {
  if (rows <= 0) return;
  const int64_t edges = rowptr[rows], threads = torch::stable::get_num_threads();
  if (threads <= 1 || (edges + rows) * work_per_edge < kSerial) return f(int64_t{0}, rows);
  const int64_t pieces = std::min<int64_t>(threads * 8, rows);
  const std::vector<int64_t> cut = cut_rows(rowptr, rows, pieces);
  torch::stable::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) f(cut[piece], cut[piece + 1]);
  });
}

}  // namespace gl
