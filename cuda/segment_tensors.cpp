#include "segment_tensors.h"

namespace gl {

SegmentTensors segment_tensors(const Tensor& ptr, const std::optional<Tensor>& perm, int64_t length) {
  check_ptr(ptr, "ptr", length);
  SegmentTensors made{dense(torch::stable::to(ptr, ScalarType::Long)), std::nullopt, length};
  if (perm) {
    check_index(*perm, "perm", ptr);
    STD_TORCH_CHECK(perm->numel() == length, "'perm' must have one entry for each of the ", length, " rows, got ",
                    perm->numel());
    check_range(*perm, "perm", length);
    made.perm = dense(torch::stable::to(*perm, ScalarType::Long));
  }
  return made;
}

void check_rows(const Tensor& t, const char* name, int64_t rows, const Tensor& like, const char* like_name) {
  check_dim(t, name, 2);
  check_dtype(t, name, like, like_name);
  STD_TORCH_CHECK(t.size(0) == rows && t.size(1) == like.size(1), "'", name, "' must have ", rows, " rows and ",
                  like.size(1), " columns, got ", t.size(0), " and ", t.size(1));
}

}  // namespace gl
