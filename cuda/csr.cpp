// Sorting edges by the row that they enter, and transposing: stable counting sorts.
#include "library.h"

namespace gl {
namespace {

// Positions of equal keys keep their order. ptr[k] counts the keys below k.
template <class I>
void counting_sort(const I* keys, int64_t count, int64_t size, I* ptr, I* perm) {
  for (int64_t k = 0; k <= size; ++k) ptr[k] = 0;
  for (int64_t e = 0; e < count; ++e) ++ptr[keys[e] + 1];
  for (int64_t k = 0; k < size; ++k) ptr[k + 1] += ptr[k];
  std::vector<I> next(ptr, ptr + size);
  for (int64_t e = 0; e < count; ++e) perm[next[keys[e]]++] = static_cast<I>(e);
}

// (ptr, perm): perm brings `index` into ascending order, equal values in their old order.
std::tuple<Tensor, Tensor> csr_from_coo(Tensor index, int64_t size) {
  check_index(index, "index", index);
  STD_TORCH_CHECK(size >= 0, "'size' must not be negative, got ", size);
  check_range(index, "index", size);
  index = dense(index);
  const int64_t count = index.numel();
  STD_TORCH_CHECK(index.scalar_type() == ScalarType::Long || count <= std::numeric_limits<int32_t>::max(),
                  "'index' has ", count, " entries, too many for int32; convert it to int64");
  Tensor ptr = make(index, {size + 1}), perm = make(index, {count});
  if (index.scalar_type() == ScalarType::Long)
    counting_sort(data<int64_t>(index), count, size, mutable_data<int64_t>(ptr), mutable_data<int64_t>(perm));
  else counting_sort(data<int32_t>(index), count, size, mutable_data<int32_t>(ptr), mutable_data<int32_t>(perm));
  return {ptr, perm};
}

template <class I>
void transpose(const I* rowptr, const I* col, const I* perm, int64_t rows, int64_t columns, I* colptr, I* row, I* perm_t) {
  for (int64_t j = 0; j <= columns; ++j) colptr[j] = 0;
  for (int64_t e = 0; e < rowptr[rows]; ++e) ++colptr[col[e] + 1];
  for (int64_t j = 0; j < columns; ++j) colptr[j + 1] += colptr[j];
  std::vector<I> next(colptr, colptr + columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t e = rowptr[i]; e < rowptr[i + 1]; ++e) {
      const I at = next[col[e]]++;
      row[at] = static_cast<I>(i);
      perm_t[at] = perm ? perm[e] : static_cast<I>(e);
    }
}

// (colptr, row, perm_t) of the transposed structure; perm_t points, as perm does, to where the user keeps the edge.
std::tuple<Tensor, Tensor, Tensor> csr_transpose(Tensor rowptr, Tensor col, std::optional<Tensor> perm, int64_t size) {
  check_index(col, "col", rowptr);
  check_ptr(rowptr, "rowptr", col.numel());
  STD_TORCH_CHECK(size >= 0, "'size' must not be negative, got ", size);
  check_range(col, "col", size);
  if (perm) {
    check_index(*perm, "perm", rowptr);
    STD_TORCH_CHECK(perm->numel() == col.numel(), "'perm' must have one entry for each of the ", col.numel(), " edges, got ",
                    perm->numel());
    check_range(*perm, "perm", col.numel());
  }
  rowptr = dense(rowptr);
  col = dense(col);
  perm = dense(perm);
  const int64_t rows = rowptr.numel() - 1, count = col.numel();
  Tensor colptr = make(rowptr, {size + 1}), row = make(rowptr, {count}), perm_t = make(rowptr, {count});
  auto run = [&](auto index) {
    using I = decltype(index);
    transpose(data<I>(rowptr), data<I>(col), data<I>(perm), rows, size, mutable_data<I>(colptr), mutable_data<I>(row),
              mutable_data<I>(perm_t));
  };
  if (col.scalar_type() == ScalarType::Long) run(int64_t{});
  else run(int32_t{});
  return {colptr, row, perm_t};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("csr_from_coo(Tensor index, SymInt size) -> (Tensor, Tensor)");
  m.def("csr_transpose(Tensor rowptr, Tensor col, Tensor? perm, SymInt size) -> (Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("csr_from_coo", TORCH_BOX(&gl::csr_from_coo));
  m.impl("csr_transpose", TORCH_BOX(&gl::csr_transpose));
}
