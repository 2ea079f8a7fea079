// exp, sigmoid and tanh on vectors. Included once per instruction set, after gemm_cpu.h; no include guard.

// e^x within 2 ulp; too small and too large arguments give the smallest and the largest normal results; nan stays nan.
GL_INLINE vec<float> exp_vec(vec<float> x) {
  using I = VectorOf<float>::integers;
  x = x > 88.3f ? vec<float>{} + 88.3f : x;
  x = x < -87.3f ? vec<float>{} - 87.3f : x;
  // The sum's low bits are x / ln 2, rounded.
  const vec<float> shifted = x * 1.44269504f + 12582912.0f;
  const vec<float> n = shifted - 12582912.0f;
  const vec<float> r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  vec<float> p = r * 1.39411084e-3f + 8.37512640e-3f;
  p = p * r + 4.16663529e-2f;
  p = p * r + 1.66664156e-1f;
  p = p * r + 5.00000005e-1f;
  p = p * r + 1.00000004f;
  p = p * r + 1.0f;
  return p * reinterpret_cast<vec<float>>((reinterpret_cast<I>(shifted) << 23) + (127 << 23));
}
GL_INLINE vec<double> exp_vec(vec<double> x) {
  using I = VectorOf<double>::integers;
  x = x > 709.0 ? vec<double>{} + 709.0 : x;
  x = x < -708.0 ? vec<double>{} - 708.0 : x;
  const vec<double> shifted = x * 1.4426950408889634 + 6755399441055744.0;
  const vec<double> n = shifted - 6755399441055744.0;
  const vec<double> r = (x - n * 0.693145751953125) - n * 1.42860682030941723212e-6;
  constexpr double c[] = {2.7632639639041029749e-7,   2.7557240918578969823e-6,   2.4801485482328492419e-5,
                          1.9841269890047113707e-4,   1.3888888952314746520e-3,   8.3333333333196006109e-3,
                          4.1666666666488095495e-2,   1.6666666666666680806e-1,   5.0000000000000183855e-1,
                          1.0,                        1.0};
  vec<double> p = r * 2.5110037605963777712e-8 + c[0];
#pragma GCC unroll 10
  for (int i = 1; i < 11; ++i) p = p * r + c[i];
  return p * reinterpret_cast<vec<double>>((reinterpret_cast<I>(shifted) << 52) + (int64_t{1023} << 52));
}

template <class V>
GL_INLINE V sigmoid_vec(V x) {
  return 1 / (1 + exp_vec(-x));
}
template <class V>
GL_INLINE V tanh_vec(V x) {
  return 1 - 2 / (1 + exp_vec(x + x));
}
