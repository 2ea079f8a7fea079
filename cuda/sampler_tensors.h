// Checks and conversions that the samplers' glue shares.
#pragma once
#include "buffer.h"
#include "library.h"
#include "make_or_tell.h"
#include "neighbor_sampler.h"

namespace gl {

// What lies between the first and the last entry of `rowptr` is checked where it is read.
template <class I>
Relation<I> relation_of(const Tensor& rowptr, const Tensor& col, const std::optional<Tensor>& weight) {
  check_index(rowptr, "rowptr", rowptr);
  check_index(col, "col", rowptr);
  STD_TORCH_CHECK(rowptr.numel() > 0, "'rowptr' must have one entry more than there are nodes, got none");
  const I* ptr = data<I>(rowptr);
  const int64_t rows = rowptr.numel() - 1, edges = col.numel();
  STD_TORCH_CHECK(ptr[0] == 0 && static_cast<int64_t>(ptr[rows]) == edges, "'rowptr' must run from 0 to the ", edges,
                  " entries of 'col', got ", ptr[0], " to ", ptr[rows]);
  Relation<I> relation{ptr, data<I>(col), rows, edges, 0, 0};
  if (weight) {
    check_dim(*weight, "edge_weight", 1);
    STD_TORCH_CHECK(weight->numel() == edges, "'edge_weight' must have ", edges, " entries, got ", weight->numel());
    const bool is_double = weight->scalar_type() == ScalarType::Double;
    STD_TORCH_CHECK(is_double || weight->scalar_type() == ScalarType::Float, "'edge_weight' must be float32 or float64");
    if (is_double) relation.weight64 = data<double>(*weight);
    else relation.weight32 = data<float>(*weight);
  }
  return relation;
}

constexpr char kNoMemory[] = "'seed' and 'num_neighbors' ask for more than there is memory for; take fewer";

template <class T>
Tensor tensor_of(const Tensor& like, const Buffer<T>& values) {
  Tensor t = make_or_tell(like, {values.size()}, like.scalar_type(), kNoMemory);
  if (values.size() > 0) std::memcpy(mutable_data<T>(t), values.data(), values.size() * sizeof(T));
  return t;
}

template <class I>
Seeds<I> seeds_of(const Tensor& seed, int64_t size, const Tensor& like) {
  check_index(seed, "seed", like);
  check_range(seed, "seed", size);
  return {data<I>(seed), seed.numel()};
}

}  // namespace gl
