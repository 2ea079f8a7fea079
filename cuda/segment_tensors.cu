// Describes segments to CUDA ops: what can be checked without a look at the device's memory.
#include "segment_tensors.h"

#include "device.h"

namespace gl {

SegmentTensors segment_tensors(const Tensor& ptr, const std::optional<Tensor>& perm, int64_t length) {
  check_index(ptr, "ptr", ptr);
  STD_TORCH_CHECK(ptr.numel() > 0, "'ptr' must have one entry more than there are groups, got none");
  STD_TORCH_CHECK(ptr.numel() > 1 || length == 0, "'ptr' must run from 0 to the number of rows ", length);
  SegmentTensors made{dense(torch::stable::to(ptr, ScalarType::Long)), std::nullopt, length};
  if (perm) {
    check_index(*perm, "perm", ptr);
    check_device(*perm, "perm", ptr);
    STD_TORCH_CHECK(perm->numel() == length, "'perm' must have one entry for each of the ", length, " rows, got ",
                    perm->numel());
    made.perm = dense(torch::stable::to(*perm, ScalarType::Long));
  }
  return made;
}

void check_rows(const Tensor& t, const char* name, int64_t rows, const Tensor& like, const char* like_name) {
  check_dim(t, name, 2);
  check_device(t, name, like);
  check_dtype(t, name, like, like_name);
  STD_TORCH_CHECK(t.size(0) == rows && t.size(1) == like.size(1), "'", name, "' must have ", rows, " rows and ",
                  like.size(1), " columns, got ", t.size(0), " and ", t.size(1));
}

}  // namespace gl
