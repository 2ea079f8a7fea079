// Reading and writing neighbouring columns at once: 16 bytes where addresses allow, one value otherwise.
#pragma once
#include "common.h"

namespace gl {

template <class T, int W>
struct alignas(sizeof(T) * W) Pack {
  T at[W];
};

template <class T, int W>
GL_HD Pack<T, W> read_pack(const T* p) {
  Pack<T, W> pack;
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(pack) == 16) {
    const uint4 raw = __ldg(reinterpret_cast<const uint4*>(p));
    memcpy(&pack, &raw, 16);
  } else {
    pack = *reinterpret_cast<const Pack<T, W>*>(p);
  }
#else
  memcpy(&pack, p, sizeof pack);
#endif
  return pack;
}

template <class T, int W>
GL_HD void write_pack(T* p, const acc_t<T>* values) {
  Pack<T, W> pack;
#pragma unroll
  for (int k = 0; k < W; ++k) store(&pack.at[k], values[k]);
#ifdef __CUDA_ARCH__
  *reinterpret_cast<Pack<T, W>*>(p) = pack;
#else
  memcpy(p, &pack, sizeof pack);
#endif
}

template <class A>
GL_HD A nan_of() {
  return static_cast<A>(NAN);
}

}  // namespace gl
