// Checks, the processor's instruction set, and allocation: shared by all ops of the CPU library.
#include "library.h"

#include <cstdlib>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace gl {

namespace {

Isa detect() {
  int best = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = 1;
  if (best == 1 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) best = 2;
#endif
  const char* asked = std::getenv("GRAPHLAB_ISA");
  if (asked && std::string(asked) == "base") best = 0;
  if (asked && std::string(asked) == "avx2") best = std::min(best, 1);
  return static_cast<Isa>(best);
}

template <class I>
bool in_range(const I* index, int64_t begin, int64_t end, int64_t size) {
  // No early exit: the loop then runs on vectors.
  I low = 0, high = 0;
  for (int64_t i = begin; i < end; ++i) {
    low = index[i] < low ? index[i] : low;
    high = index[i] > high ? index[i] : high;
  }
  return low >= 0 && static_cast<int64_t>(high) < size;
}

template <class I>
void check_range_of(const I* index, int64_t count, const char* name, int64_t size) {
  if (count == 0 || (size > 0 && in_range(index, 0, count, size))) return;
  for (int64_t i = 0; i < count; ++i)
    STD_TORCH_CHECK(index[i] >= 0 && index[i] < size, "'", name, "' must lie in [0, ", size, "), but ", name, "[", i,
                    "] is ", index[i]);
}

template <class I>
void check_ptr_of(const I* ptr, int64_t count, const char* name, int64_t last) {
  STD_TORCH_CHECK(ptr[0] == 0 && ptr[count - 1] == last, "'", name, "' must run from 0 to the number of edges ", last,
                  ", got ", ptr[0], " to ", ptr[count - 1]);
  int decreasing = 0;
  for (int64_t i = 1; i < count; ++i) decreasing |= ptr[i] < ptr[i - 1];
  STD_TORCH_CHECK(!decreasing, "'", name, "' must not decrease");
}

constexpr int64_t kHuge = int64_t{4} << 20;

Tensor on_huge_pages(Tensor t) {
  gl::on_huge_pages(t.mutable_data_ptr(), t.numel() * t.element_size());
  return t;
}

}  // namespace

void on_huge_pages(void* block, int64_t bytes) {
#ifdef __linux__
  if (bytes < kHuge) return;
  const uintptr_t page = 4096, begin = reinterpret_cast<uintptr_t>(block);
  const uintptr_t first = (begin + page - 1) & ~(page - 1), end = (begin + bytes) & ~(page - 1);
  if (end > first) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

Isa isa() {
  static const Isa best = detect();
  return best;
}

Tensor make(const Tensor& like, std::vector<int64_t> sizes) {
  return on_huge_pages(torch::stable::new_empty(like, sizes));
}
Tensor make(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype) {
  return on_huge_pages(torch::stable::new_empty(like, sizes, dtype));
}
Tensor make_zeros(const Tensor& like, std::vector<int64_t> sizes, ScalarType dtype) {
  Tensor t = make(like, std::move(sizes), dtype);
  return torch::stable::zero_(t);
}

void check_ptr(const Tensor& ptr, const char* name, int64_t last) {
  check_index(ptr, name, ptr);
  STD_TORCH_CHECK(ptr.numel() > 0, "'", name, "' must have one entry more than there are rows, got none");
  const Tensor held = dense(ptr);
  if (ptr.scalar_type() == ScalarType::Long) check_ptr_of(data<int64_t>(held), ptr.numel(), name, last);
  else check_ptr_of(data<int32_t>(held), ptr.numel(), name, last);
}
void check_range(const Tensor& index, const char* name, int64_t size) {
  const Tensor held = dense(index);
  if (index.scalar_type() == ScalarType::Long) check_range_of(data<int64_t>(held), index.numel(), name, size);
  else check_range_of(data<int32_t>(held), index.numel(), name, size);
}

}  // namespace gl

std::string cpu_isa() {
  const char* names[] = {"base", "avx2", "avx512"};
  return names[static_cast<int>(gl::isa())];
}

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) { m.def("cpu_isa() -> str"); }
STABLE_TORCH_LIBRARY_IMPL(graphlab, CompositeExplicitAutograd, m) { m.impl("cpu_isa", TORCH_BOX(&cpu_isa)); }
