// Compiles the header GL_KERNELS once per instruction set, each time in a namespace of its own.
// GL_BEST(kernel<T, I>) picks the best one for the processor at hand. Include library.h first.

namespace gl::base {
constexpr int kVectorBytes = 16;
#include GL_KERNELS
}  // namespace gl::base

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define GL_HAS_X86_ISA 1
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace gl::avx2 {
constexpr int kVectorBytes = 32;
#include GL_KERNELS
}  // namespace gl::avx2
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif
namespace gl::avx512 {
constexpr int kVectorBytes = 64;
#include GL_KERNELS
}  // namespace gl::avx512
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#undef GL_BEST
#ifdef GL_HAS_X86_ISA
#define GL_BEST(...)                                          \
  (gl::isa() == gl::Isa::avx512 ? &gl::avx512::__VA_ARGS__    \
   : gl::isa() == gl::Isa::avx2 ? &gl::avx2::__VA_ARGS__      \
                                : &gl::base::__VA_ARGS__)
#else
#define GL_BEST(...) (&gl::base::__VA_ARGS__)
#endif
