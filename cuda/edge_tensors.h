// Checks the tensors that describe edges, and hands them to kernels as plain pointers.
#pragma once
#include "edges.h"
#include "library.h"

namespace gl {

struct EdgeTensors {
  Tensor ptr, index;
  std::optional<Tensor> perm, weight;

  int64_t rows() const { return ptr.numel() - 1; }
  int64_t count() const { return index.numel(); }
  template <class T, class I>
  Edges<T, I> of() const {
    return {data<I>(ptr), data<I>(index), data<I>(perm), data<T>(weight), index.numel()};
  }
};

// `columns` is the number of rows that `index` points into; the names are for messages.
EdgeTensors edge_tensors(const Tensor& ptr, const char* ptr_name, const Tensor& index, const char* index_name,
                         int64_t columns, const std::optional<Tensor>& perm = std::nullopt,
                         const std::optional<Tensor>& weight = std::nullopt, const char* perm_name = "perm");

}  // namespace gl
