// What all CUDA ops share: the stream, allocation, checks that need no look at the device's memory.
#include "device.h"

#ifndef GL_EMULATE
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

// Lives in the CUDA part of torch. Weak, so that the library loads on a torch without one.
extern "C" __attribute__((weak)) AOTITorchError aoti_torch_get_current_cuda_stream(int32_t device, void** stream);
#endif

namespace gl {

#ifndef GL_EMULATE
namespace {

cudaStream_t current_stream(int32_t device) {
  STD_TORCH_CHECK(&aoti_torch_get_current_cuda_stream != nullptr, "this build of torch has no CUDA");
  void* stream = nullptr;
  STD_TORCH_CHECK(aoti_torch_get_current_cuda_stream(device, &stream) == 0, "torch gave no CUDA stream");
  return static_cast<cudaStream_t>(stream);
}

}  // namespace

Queue::Queue(const Tensor& t) : guard_(t.get_device_index()), stream_(current_stream(t.get_device_index())) {}

void check_launch() {
  const cudaError_t error = cudaGetLastError();
  STD_TORCH_CHECK(error == cudaSuccess, "a CUDA kernel could not be launched: ", cudaGetErrorString(error));
}
#endif

Tensor make(const Tensor& like, std::vector<int64_t> sizes) { return torch::stable::new_empty(like, sizes); }
Tensor make(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype) {
  return torch::stable::new_empty(like, sizes, dtype);
}
Tensor make_zeros(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype) {
  Tensor t = make(like, std::move(sizes), dtype);
  return torch::stable::zero_(t);
}

void check_device(const Tensor& t, const char* name, const Tensor& like) {
  STD_TORCH_CHECK(t.is_cuda() == like.is_cuda() && t.get_device_index() == like.get_device_index(), "'", name,
                  "' must be on the same device as the other tensors; move it there with .to()");
}

void check_values(const Tensor& t, const char* name, const Tensor& like) {
  check_device(t, name, like);
  check_dtype(t, name, like, "x");
}

EdgeTensors edge_tensors(const Tensor& ptr, const char* ptr_name, const Tensor& index, const char* index_name,
                         int64_t columns, const std::optional<Tensor>& perm, const std::optional<Tensor>& weight,
                         const char* perm_name) {
  check_index(ptr, ptr_name, ptr);
  check_index(index, index_name, ptr);
  check_device(index, index_name, ptr);
  const int64_t count = index.numel();
  STD_TORCH_CHECK(ptr.numel() > 0, "'", ptr_name, "' must have one entry more than there are rows, got none");
  STD_TORCH_CHECK(count == 0 || columns > 0, "'", index_name, "' must be empty where there are no rows to point at");
  if (perm) {
    check_index(*perm, perm_name, ptr);
    check_device(*perm, perm_name, ptr);
    STD_TORCH_CHECK(perm->numel() == count, "'", perm_name, "' must have one entry for each of the ", count,
                    " edges, got ", perm->numel());
  }
  if (weight) {
    check_dim(*weight, "weight", 1);
    check_device(*weight, "weight", ptr);
    STD_TORCH_CHECK(weight->numel() == count, "'weight' must have one entry for each of the ", count, " edges, got ",
                    weight->numel());
  }
  return {dense(ptr), dense(index), dense(perm), dense(weight)};
}

}  // namespace gl
