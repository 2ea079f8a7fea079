#include "edge_tensors.h"

namespace gl {

EdgeTensors edge_tensors(const Tensor& ptr, const char* ptr_name, const Tensor& index, const char* index_name,
                         int64_t columns, const std::optional<Tensor>& perm, const std::optional<Tensor>& weight,
                         const char* perm_name) {
  check_index(index, index_name, ptr);
  check_ptr(ptr, ptr_name, index.numel());
  check_range(index, index_name, columns);
  if (perm) {
    check_index(*perm, perm_name, ptr);
    STD_TORCH_CHECK(perm->numel() == index.numel(), "'", perm_name, "' must have one entry for each of the ",
                    index.numel(), " edges, got ", perm->numel());
    check_range(*perm, perm_name, index.numel());
  }
  if (weight) {
    check_dim(*weight, "weight", 1);
    STD_TORCH_CHECK(weight->numel() == index.numel(), "'weight' must have one entry for each of the ", index.numel(),
                    " edges, got ", weight->numel());
  }
  return {dense(ptr), dense(index), dense(perm), dense(weight)};
}

}  // namespace gl
